package desk_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/memstore"
)

// timeless runs a test with an engine and a desk whose time passes when all
// that goes on is waiting.
func timeless(t *testing.T, auth func(*http.Request) (desk.Actor, error), test func(t *testing.T, e *handoff.Engine, d *desk.Handler)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e, err := handoff.New(handoff.Config{Store: memstore.New(), Directory: memstore.NewDirectory(), Queues: []handoff.Queue{{Name: "mine"}}})
		require.NoError(t, err)
		d, err := desk.New(desk.Config{Engine: e, Auth: auth})
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { _ = e.Run(ctx) })
		done.Go(func() { _ = d.Run(ctx) })
		defer done.Wait()
		defer stop()
		time.Sleep(time.Second) // the desk has read what there is
		test(t, e, d)
	})
}

// A host's Auth that never returns costs its request ten seconds, and nobody else
// anything.
func TestAuthHookBlocks(t *testing.T) {
	var never chan struct{}
	auth := func(r *http.Request) (desk.Actor, error) {
		if r.Header.Get("X-Actor") == "" {
			<-never
		}
		return desk.Actor{ID: "me", Role: desk.Admin}, nil
	}
	timeless(t, auth, func(t *testing.T, _ *handoff.Engine, d *desk.Handler) {
		t.Helper()
		never = make(chan struct{})
		defer close(never)
		begun := time.Now()
		rec := httptest.NewRecorder()
		d.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/snapshot", nil))
		assert.Equal(t, http.StatusServiceUnavailable, rec.Code)
		assert.Equal(t, 10*time.Second, time.Since(begun))

		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/snapshot", nil)
		r.Header.Set("X-Actor", "me")
		rec = httptest.NewRecorder()
		d.ServeHTTP(rec, r)
		assert.Equal(t, http.StatusOK, rec.Code)
	})
}

// A client is what a desk writes a stream to: it hears all, or, once it is dead,
// reads nothing more, as a connection does whose other end has gone to sleep.
type client struct {
	mu       sync.Mutex
	header   http.Header
	deadline time.Time
	heard    strings.Builder
	dead     bool
}

func (c *client) Header() http.Header { return c.header }
func (c *client) WriteHeader(int)     {}
func (c *client) Flush()              {}

func (c *client) SetWriteDeadline(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = at
	return nil
}

func (c *client) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.dead {
		return c.heard.Write(b)
	}
	wait := time.Hour
	if !c.deadline.IsZero() {
		wait = time.Until(c.deadline)
	}
	time.Sleep(wait) //nolint:forbidigo // virtual time: this is the wait
	return 0, os.ErrDeadlineExceeded
}

func (c *client) has(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Contains(c.heard.String(), text)
}

// A page that reads nothing holds up nobody, and its stream is over when it has
// read nothing for ten seconds.
func TestDeadClient(t *testing.T) {
	auth := func(*http.Request) (desk.Actor, error) { return desk.Actor{ID: "me", Role: desk.Admin}, nil }
	timeless(t, auth, func(t *testing.T, e *handoff.Engine, d *desk.Handler) {
		t.Helper()
		ctx, leave := context.WithCancel(t.Context())
		listen := func(session string) (c *client, over chan time.Time) {
			c, over = &client{header: http.Header{}}, make(chan time.Time, 1)
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/events?session="+session, nil)
			go func() {
				d.ServeHTTP(c, r)
				over <- time.Now()
			}()
			synctest.Wait()
			require.True(t, c.has("event: hello"), session)
			return c, over
		}
		dead, gone := listen("dead")
		live, ends := listen("live")
		dead.mu.Lock()
		dead.dead = true
		dead.mu.Unlock()
		begun := time.Now()
		for i := range 200 {
			_, err := e.Request(t.Context(), handoff.Request{Conversation: "d" + strconv.Itoa(i), Queue: "mine"})
			require.NoError(t, err)
		}
		time.Sleep(2 * time.Second)
		assert.True(t, live.has(`"1.d199"`), "the other hears the last one at once")
		assert.InDelta(t, 10, (<-gone).Sub(begun).Seconds(), 1)
		leave()
		<-ends
	})
}
