package browsertest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/canned"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/examples/webchat/acme"
	"github.com/seed-2a427302/handoff/memstore"
)

// A world is an engine, a desk on a server, and who may enter it. The address
// says who asks: /ann/ is Ann's desk.
type world struct {
	t        *testing.T
	ctx      context.Context
	engine   *handoff.Engine
	desk     *desk.Handler
	presence *memstore.Presence
	server   *httptest.Server
	begin    func() // an engine and a desk on what is kept
	halt     func() // ends them

	mu      sync.Mutex
	down    bool
	actors  map[string]desk.Actor
	denied  map[string]error
	names   map[string]string // of users, by conversation
	message int
}

type actorKey struct{}

type options struct {
	desk   func(*desk.Config)
	engine func(*handoff.Config)
	wrap   func(http.Handler) http.Handler
}

func newWorld(t *testing.T, opts ...options) *world {
	t.Helper()
	start(t)
	// Tests share the browser and run side by side. What a world begins carries
	// its name, so that it can be told from what others began.
	t.Parallel()
	pprof.SetGoroutineLabels(pprof.WithLabels(t.Context(), pprof.Labels("world", t.Name())))
	defer pprof.SetGoroutineLabels(t.Context())
	w := &world{
		t: t, ctx: t.Context(), presence: memstore.NewPresence(), denied: map[string]error{},
		names: map[string]string{"maria": "Maria Keller", "lee": "Lee Wong", "jo": "Jo Bright"},
		actors: map[string]desk.Actor{
			"ann": {ID: "ann", Name: "Ann Moreau", Role: desk.Agent, Queues: []string{"billing", "shop"}},
			"bob": {ID: "bob", Name: "Bob Sato", Role: desk.Agent, Queues: []string{"billing", "shop"}},
			"eve": {ID: "eve", Name: "Eve Novak", Role: desk.Agent, Queues: []string{"shop"}},
			"sam": {ID: "sam", Name: "Sam Okafor", Role: desk.Supervisor},
			"ada": {ID: "ada", Name: "Ada Lindgren", Role: desk.Admin},
			"vic": {ID: "vic", Name: "Vic Viewer", Role: desk.Viewer},
		},
	}
	cfg := handoff.Config{
		Store: memstore.New(),
		Directory: memstore.NewDirectory(
			handoff.Agent{ID: "ann", Name: "Ann Moreau", Queues: []string{"billing", "shop"}, Skills: map[string]int{"refunds": 3}, Seats: 3},
			handoff.Agent{ID: "bob", Name: "Bob Sato", Queues: []string{"billing", "shop"}, Seats: 3},
			handoff.Agent{ID: "eve", Name: "Eve Novak", Queues: []string{"shop"}, Seats: 1},
			handoff.Agent{ID: "sam", Name: "Sam Okafor", Seats: 5},
			handoff.Agent{ID: "ada", Name: "Ada Lindgren", Seats: 5},
		),
		Presence: w.presence,
		Queues: []handoff.Queue{
			{Name: "billing", Style: handoff.Pull, CloseReasons: []string{"Refunded", "Explained"}},
			{Name: "shop", OfferTimeout: 10 * time.Minute},
		},
		Poll: 50 * time.Millisecond, Sweep: 500 * time.Millisecond,
	}
	replies, err := canned.New(
		canned.Reply{Name: "hello", Category: "Greetings", Text: "Hello {user}, I am {agent}."}, canned.Reply{Name: "refund", Text: "I have given it back."},
	)
	require.NoError(t, err)
	dc := desk.Config{
		Auth: func(r *http.Request) (desk.Actor, error) {
			a, ok := r.Context().Value(actorKey{}).(string)
			w.mu.Lock()
			defer w.mu.Unlock()
			if err := w.denied[a]; err != nil {
				return desk.Actor{}, err
			}
			actor, known := w.actors[a]
			if !ok || !known {
				return actor, desk.ErrSignIn
			}
			return actor, nil
		},
		Lease: 10 * time.Minute, // a machine that is at work elsewhere for a minute loses nobody
		Title: "Acme Desk", Tags: []string{"refund", "vip"},
		Replies: replies,
	}
	var wrap []func(http.Handler) http.Handler
	for _, o := range opts {
		if o.engine != nil {
			o.engine(&cfg)
		}
		if o.desk != nil {
			o.desk(&dc)
		}
		if o.wrap != nil {
			wrap = append(wrap, o.wrap)
		}
	}
	w.begin = func() {
		var err error
		w.engine, err = handoff.New(cfg)
		require.NoError(t, err)
		dc.Engine = w.engine
		d, err := desk.New(dc)
		require.NoError(t, err)
		w.halt = w.runs(w.engine, d)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.desk, w.down = d, false
	}
	w.begin()
	handler := w.handler(func() *desk.Handler {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.down {
			panic(http.ErrAbortHandler) // nobody answers
		}
		return w.desk
	})
	for _, f := range wrap {
		handler = f(handler)
	}
	w.server = httptest.NewServer(handler)
	t.Cleanup(func() {
		w.server.CloseClientConnections()
		w.server.Close()
		w.halt()
		outlived(t, "world", t.Name())
	})
	return w
}

// outlived checks that what was begun under a label has ended with it.
func outlived(t *testing.T, label, value string) {
	t.Helper()
	for limit := time.Now().Add(patience); running(t, label, value) != "" && time.Now().Before(limit); {
		wait(20 * time.Millisecond)
	}
	if left := running(t, label, value); left != "" {
		t.Errorf("goroutines that outlive the %s:\n%s", label, left)
	}
}

// runs an engine and its desk until they are halted.
func (w *world) runs(e *handoff.Engine, d *desk.Handler) (halt func()) {
	ctx, stop := context.WithCancel(context.WithoutCancel(w.t.Context()))
	var done sync.WaitGroup
	done.Go(func() { _ = e.Run(ctx) })
	done.Go(func() { _ = d.Run(ctx) })
	return func() { stop(); done.Wait() }
}

// handler serves everybody's desk: the first part of the address says whose.
func (w *world) handler(d func() *desk.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		who, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		http.StripPrefix("/"+who, d()).ServeHTTP(rw, r.WithContext(context.WithValue(r.Context(), actorKey{}, who)))
	})
}

// restart ends the engine and the desk, and begins others on what is kept, as a
// server does that is started anew.
func (w *world) restart() {
	w.t.Helper()
	w.mu.Lock()
	w.down = true
	w.mu.Unlock()
	w.server.CloseClientConnections()
	w.halt()
	pprof.SetGoroutineLabels(pprof.WithLabels(w.t.Context(), pprof.Labels("world", w.t.Name())))
	defer pprof.SetGoroutineLabels(w.t.Context())
	w.begin()
}

// running returns the goroutines that a test began under a label and that still run.
func running(t *testing.T, label, value string) string {
	t.Helper()
	var all strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
		return err.Error()
	}
	var out []string
	for one := range strings.SplitSeq(all.String(), "\n\n") {
		if strings.Contains(one, fmt.Sprintf("%q:%q", label, value)) {
			out = append(out, one)
		}
	}
	return strings.Join(out, "\n\n")
}

// as opens a tab in a fresh browser context, as somebody.
func (w *world) as(who string) *page {
	w.t.Helper()
	p := tab(browser.ctx, w.t, w.server.URL+"/"+who+"/", chromedp.WithNewBrowserContext())
	p.late = w.late()
	return p
}

// late excuses a page that asks for a handoff that has just become another's,
// before it hears of that: once for each address.
func (w *world) late() func(problem string) bool {
	asked := map[string]bool{}
	refused := regexp.MustCompile(`status of 40[34] .*/api/handoffs/(\d+)\.([^/?]+)\S*$`)
	return func(problem string) bool {
		address := refused.FindStringSubmatch(problem)
		if address == nil || asked[problem] {
			return false
		}
		asked[problem] = true
		n, err := strconv.ParseInt(address[1], 10, 64)
		if err != nil {
			return false
		}
		_, err = w.engine.Get(context.WithoutCancel(w.ctx), handoff.ID{Conversation: address[2], Number: n})
		return err == nil
	}
}

// at opens his desk at a path and waits until it is live.
func (w *world) at(who, path string) *page {
	w.t.Helper()
	return w.as(who).open(path).live()
}

// available says that agents want to work; their pages keep them there.
func (w *world) available(who ...string) {
	w.t.Helper()
	for _, id := range who {
		require.NoError(w.t, w.presence.Want(w.ctx, id, true, "", time.Now()))
		require.NoError(w.t, w.engine.AgentChanged(w.ctx, id))
	}
}

// there makes agents present without a page.
func (w *world) there(who ...string) {
	w.t.Helper()
	for _, id := range who {
		require.NoError(w.t, w.presence.Begin(w.ctx, id, "test-"+id, time.Now(), time.Now().Add(time.Hour)))
	}
	w.available(who...)
}

// says is a message of a user.
func (w *world) says(conversation, text string, change ...func(*handoff.Incoming)) handoff.Turn {
	w.t.Helper()
	w.mu.Lock()
	w.message++
	in := handoff.Incoming{
		Conversation: conversation, ID: fmt.Sprintf("u%d", w.message), Text: text,
		User: &handoff.Contact{ID: "id-" + conversation, Name: w.names[conversation]}, Channel: "web", Language: "en",
	}
	w.mu.Unlock()
	for _, f := range change {
		f(&in)
	}
	turn, err := w.engine.Receive(w.ctx, in)
	require.NoError(w.t, err)
	return turn
}

// named gives the user of a conversation a name.
func (w *world) named(conversation, name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.names[conversation] = name
}

// bot answers a turn.
func (w *world) bot(turn handoff.Turn, text string) {
	w.t.Helper()
	_, err := w.engine.Reply(w.ctx, turn, handoff.Message{Text: text})
	require.NoError(w.t, err)
}

// asks puts a user into a queue.
func (w *world) asks(conversation, queue string, change ...func(*handoff.Request)) handoff.Handoff {
	w.t.Helper()
	w.bot(w.says(conversation, "Hello, it is about my order"), "I am a small program.")
	req := handoff.Request{Conversation: conversation, Queue: queue}
	for _, f := range change {
		f(&req)
	}
	got, err := w.engine.Request(w.ctx, req)
	require.NoError(w.t, err)
	return got.Handoff
}

// has gives a conversation to an agent.
func (w *world) has(agent, conversation, queue string) handoff.Handoff {
	w.t.Helper()
	h := w.asks(conversation, queue)
	h, err := w.engine.TakeOver(w.ctx, h.ID, handoff.By(agent), queue)
	require.NoError(w.t, err)
	return h
}

func (w *world) now(id handoff.ID) handoff.Handoff {
	w.t.Helper()
	h, err := w.engine.Get(w.ctx, id)
	require.NoError(w.t, err)
	return h
}

// until waits for something on the server's side.
func (w *world) until(what string, f func() bool) {
	w.t.Helper()
	require.Eventually(w.t, f, patience, 10*time.Millisecond, what)
}

// pulled returns what a user's own page pulls. He writes once more, so that it
// has an end.
func (w *world) pulled(conversation string) []string {
	w.t.Helper()
	const last = "That is all."
	w.says(conversation, last)
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	var out []string
	for m, err := range w.engine.FollowUser(ctx, conversation, handoff.UserCursor{}) {
		require.NoError(w.t, err)
		if m.Text == last {
			break
		}
		out = append(out, m.Text)
	}
	return out
}

// said returns what stands in a log, of one kind.
func (w *world) said(id handoff.ID, kind handoff.Kind, role handoff.Role) []string {
	w.t.Helper()
	log, err := w.engine.Log(w.ctx, id, 0, 100_000)
	require.NoError(w.t, err)
	var out []string
	for i := range log {
		if log[i].Kind == kind && (role == "" || log[i].From.Role == role) {
			out = append(out, log[i].Text)
		}
	}
	return slices.Clip(out)
}

func (w *world) deny(who string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.denied[who] = err
}

// example serves examples/webchat, until the test has ended, and returns its address.
func example(t *testing.T, o acme.Options) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done, at := make(chan error, 1), listener.Addr().String() // a test may have several
	go pprof.Do(ctx, pprof.Labels("example", at), func(ctx context.Context) { done <- acme.Serve(ctx, listener, o) })
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-done)
		outlived(t, "example", at)
	})
	return "http://" + at + "/"
}
