package desk_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/memstore"
)

// A world is an engine with a desk on a real server. Who asks is a header.
type world struct {
	*testing.T
	engine   *handoff.Engine
	desk     *desk.Handler
	server   *httptest.Server
	presence *memstore.Presence
	mu       sync.Mutex
	actors   map[string]desk.Actor
	audit    []desk.Record
	n        int
}

func newWorld(t *testing.T, change ...func(*desk.Config)) *world {
	t.Helper()
	return newWorldOf(t, func(*handoff.Config) {}, change...)
}

// newWorldOf changes the engine's configuration too.
func newWorldOf(t *testing.T, engine func(*handoff.Config), change ...func(*desk.Config)) *world {
	t.Helper()
	w := &world{T: t, presence: memstore.NewPresence(), actors: map[string]desk.Actor{}}
	config := handoff.Config{
		Store: memstore.New(),
		Directory: memstore.NewDirectory(
			handoff.Agent{ID: "me", Name: "Me", Queues: []string{"mine"}, Seats: 50},
			handoff.Agent{ID: "col", Name: "Colleague", Queues: []string{"mine"}, Seats: 50},
			handoff.Agent{ID: "far", Name: "Far", Queues: []string{"theirs"}, Seats: 50},
		),
		Presence: w.presence,
		Queues:   []handoff.Queue{{Name: "mine"}, {Name: "theirs"}, {Name: "list", Style: handoff.Pull}},
	}
	engine(&config)
	var err error
	w.engine, err = handoff.New(config)
	require.NoError(t, err)
	cfg := desk.Config{
		Engine: w.engine,
		Auth: func(r *http.Request) (desk.Actor, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			a, ok := w.actors[r.Header.Get("X-Actor")]
			if !ok {
				return a, desk.ErrSignIn
			}
			return a, nil
		},
		Audit: func(_ context.Context, r desk.Record) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.audit = append(w.audit, r)
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	w.desk, err = desk.New(cfg)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var done sync.WaitGroup
	done.Go(func() { _ = w.engine.Run(ctx) })
	done.Go(func() { _ = w.desk.Run(ctx) })
	w.server = httptest.NewServer(w.desk)
	t.Cleanup(func() {
		w.server.CloseClientConnections()
		w.server.Close()
		stop()
		done.Wait()
	})
	for id, a := range map[string]desk.Actor{
		"viewer":     {ID: "me", Role: desk.Viewer, Queues: []string{"mine"}},
		"agent":      {ID: "me", Role: desk.Agent, Queues: []string{"mine"}},
		"supervisor": {ID: "me", Role: desk.Supervisor, Queues: []string{"mine"}},
		"admin":      {ID: "me", Role: desk.Admin, Queues: []string{"mine"}},
		"col":        {ID: "col", Name: "Colleague", Role: desk.Agent, Queues: []string{"mine"}},
	} {
		w.actors[id] = a
	}
	w.until("the desk runs", func() bool { return w.call("viewer", http.MethodGet, "api/snapshot", nil).status == http.StatusOK })
	return w
}

func (w *world) actor(name string, a *desk.Actor) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a == nil {
		delete(w.actors, name)
		return
	}
	w.actors[name] = *a
}

func (w *world) until(what string, f func() bool) {
	w.Helper()
	require.Eventually(w, f, time.Minute, 5*time.Millisecond, what)
}

type reply struct {
	status int
	body   map[string]any
	raw    string
	header http.Header
}

func (w *world) call(actor, method, path string, body any) reply {
	w.Helper()
	var in io.Reader
	if s, ok := body.(string); ok {
		in = strings.NewReader(s)
	} else if body != nil {
		b, err := json.Marshal(body)
		require.NoError(w, err)
		in = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, w.server.URL+"/"+path, in)
	require.NoError(w, err)
	r.Header.Set("X-Actor", actor)
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(w, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(w, err)
	out := reply{status: res.StatusCode, raw: string(b), header: res.Header}
	_ = json.Unmarshal(b, &out.body)
	return out
}

// A batch is an answer of the long poll.
type batch struct {
	Cursor string
	Events []struct {
		Event string
		Data  json.RawMessage
	}
}

// poll asks once, and may be called from any goroutine.
func (w *world) poll(ctx context.Context, actor, query string) (batch, error) {
	var out batch
	got, err := w.get(ctx, actor, "api/changes?"+query)
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal([]byte(got), &out)
}

// get reads something, and may be called from any goroutine.
func (w *world) get(ctx context.Context, actor, path string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server.URL+"/"+path, nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("X-Actor", actor)
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", errors.New(res.Status)
	}
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

// bot is a conversation that the bot has.
func (w *world) bot(conversation string) handoff.Handoff {
	w.Helper()
	w.n++
	_, err := w.engine.Receive(w.Context(), handoff.Incoming{
		Conversation: conversation, ID: "u" + conversation + string(rune('a'+w.n%26)), Text: "hello from " + conversation,
		User: &handoff.Contact{ID: "user-" + conversation, Name: "User of " + conversation},
	})
	require.NoError(w, err)
	h, err := w.engine.Latest(w.Context(), conversation)
	require.NoError(w, err)
	return h
}

// waiting is a conversation that waits in a queue.
func (w *world) waiting(conversation, queue string) handoff.Handoff {
	w.Helper()
	w.bot(conversation)
	got, err := w.engine.Request(w.Context(), handoff.Request{Conversation: conversation, Queue: queue})
	require.NoError(w, err)
	return got.Handoff
}

// held is a conversation that an agent has.
func (w *world) held(conversation, queue, agent string) handoff.Handoff {
	w.Helper()
	h := w.waiting(conversation, queue)
	h, err := w.engine.TakeOver(w.Context(), h.ID, handoff.By(agent), queue)
	require.NoError(w, err)
	return h
}

// ended is one that an agent has ended.
func (w *world) ended(conversation, queue, agent string) handoff.Handoff {
	w.Helper()
	h := w.held(conversation, queue, agent)
	h, err := w.engine.End(w.Context(), h.ID, handoff.By(agent), handoff.Ending{})
	require.NoError(w, err)
	return h
}

// left is one that nobody had, and in which a message was left.
func (w *world) left(conversation, queue string) handoff.Handoff {
	w.Helper()
	h := w.waiting(conversation, queue)
	_, err := w.engine.LeaveMessage(w.Context(), h.ID, "", map[string]string{"mail": conversation + "@example.com", "text": "Please write to me."})
	require.NoError(w, err)
	h, err = w.engine.Cancel(w.Context(), conversation, true)
	require.NoError(w, err)
	return h
}

// token is a handoff's name in the API.
func token(h handoff.Handoff) string { return desk.Token(h.ID) }

// told is an event of a stream.
type told struct{ id, name, data string }

// listen opens a stream and passes on what comes until the test ends.
func (w *world) listen(actor, query string, header ...string) <-chan told {
	w.Helper()
	return w.listenUntil(w.Context(), actor, query, header...)
}

// listenUntil does so until ctx ends.
func (w *world) listenUntil(ctx context.Context, actor, query string, header ...string) <-chan told {
	w.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server.URL+"/api/events?"+query, nil)
	require.NoError(w, err)
	r.Header.Set("X-Actor", actor)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(r) //nolint:bodyclose // closed by the goroutine that reads it
	require.NoError(w, err)
	require.Equal(w, http.StatusOK, res.StatusCode)
	out := make(chan told, 10_000)
	go func() {
		defer close(out)
		defer res.Body.Close()
		var now told
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 64<<20)
		for lines.Scan() {
			key, value, _ := strings.Cut(lines.Text(), ": ")
			switch key {
			case "":
				if now.name != "" {
					out <- now
				}
				now = told{}
			case "id":
				now.id = value
			case "event":
				now.name = value
			case "data":
				now.data = value
			}
		}
	}()
	return out
}

// next waits for an event that f wants.
func (w *world) next(c <-chan told, what string, f func(told) bool) told {
	w.Helper()
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	for {
		select {
		case e, ok := <-c:
			require.True(w, ok, "the stream ended before: %s", what)
			if f(e) {
				return e
			}
		case <-limit.C:
			require.Fail(w, "nothing came: "+what)
		}
	}
}

func named(name string) func(told) bool { return func(e told) bool { return e.name == name } }

var errNotMine = errors.New("has no business here")

func now() time.Time { return time.Now() }
