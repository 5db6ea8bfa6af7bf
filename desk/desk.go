// Package desk is a console for agents and supervisors: an [http.Handler] that
// a host mounts behind its own login, at any prefix. It is a client of the
// public API of [handoff.Engine] and decides nothing that the engine decides.
//
//	h, err := desk.New(desk.Config{Engine: engine, Auth: whoIsAsking})
//	…
//	go h.Run(ctx)
//	mux.Handle("/desk/", http.StripPrefix("/desk", h))
//
// The host says who is asking: Auth turns a request into an [Actor] with a
// [Role] and queues. What each role may do is one table, see [Allowed]; it is
// checked on every route and on every event that a page is sent.
//
// The desk keeps nothing that cannot be lost. Give every replica the same store
// and mount it on each of them.
package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/automate"
	"github.com/seed-2a427302/handoff/canned"
)

// A Config says what a desk is made of. Engine and Auth are required; every
// other zero value is a working default.
type Config struct {
	Engine *handoff.Engine

	// Auth says who is asking. It is called for every request, every 20 s for
	// each open page, and for the pages of an agent whom the Directory has
	// otherwise than before. An error that is ErrSignIn means that nobody is
	// signed in, any other that he has no business here. It may read r but not
	// its body.
	Auth func(r *http.Request) (Actor, error)

	SignIn         string   // where pages send ErrSignIn; empty: they say so
	TrustedOrigins []string // may post from elsewhere: "https://example.com"; see http.CrossOriginProtection
	FrameAncestors []string // who may show the desk in a frame: CSP sources; nil: nobody
	ReadOnly       bool     // nobody can change anything

	Title    string // of the pages; default "Desk"
	Language string // for actors without one; default "en"

	// Catalogues adds languages, or replaces words of those that come with the
	// desk (en, de, es, fr, pt): by language, then by key. The keys are in
	// i18n/words.txt; a language may have plural forms that English has not.
	Catalogues map[string]map[string]string

	Tags  []string // offered for tagging; others can be typed
	Dealt string   // the tag of a message that was left and has been dealt with; default "dealt with"
	Video bool     // agents can begin video sessions: the engine has VideoRooms

	Suggestions bool // agents can ask for replies to send: the engine has a Suggester

	// Automations are rules: agents run those with a Button by hand, and where
	// they are Editable, admins change them. They are the ones in the engine's
	// Sinks. Nil: there are none.
	Automations *automate.Automations

	// Drafts keeps what is written and not sent, for the agent's other devices.
	// Nil: in memory.
	Drafts Drafts

	// Replies are prepared texts. Nil: in memory, empty at first.
	Replies canned.Replies

	// Header has the last word on the headers of each answer: it is called once
	// for each, when all the others are set.
	Header func(http.Header)

	// Audit is told of what was done or read out of the ordinary: exports,
	// silent watching, changes of agents. It must be fast.
	Audit func(ctx context.Context, r Record)

	Logger *slog.Logger // nil: silent. No content is logged.

	Lease      time.Duration // an agent is there so long after his page was last heard of; default 75s
	StreamLife time.Duration // after which a stream is opened anew; default 10m
	MaxStreams int           // open streams in all; default 2000
}

// A Record says what somebody did.
type Record struct {
	Actor string
	What  string // watch, export, agent.put, rule.run, hours.put, …
	About string // which handoff or agent, or which filter
	At    time.Time
}

// ErrSignIn is what Auth returns when nobody is signed in.
var ErrSignIn = errors.New("desk: not signed in")

// A Handler is a desk. Its methods may be called concurrently.
type Handler struct {
	cfg    Config
	engine *handoff.Engine
	log    *slog.Logger
	routes []route
	guard  *http.CrossOriginProtection
	web    *web
	words  map[string]catalogue
	view   *view
	lease  *leases
	names  names
	queues map[string]handoff.Queue
	labels map[string]map[string]string // of the fields of forms, by queue
	policy string                       // Content-Security-Policy
}

// New checks cfg and returns a desk. It starts nothing: call Run. What is
// wrong with cfg comes back as errors that name the field.
func New(cfg Config) (*Handler, error) {
	var bad []error
	invalid := func(field, why string) { bad = append(bad, fmt.Errorf("desk: Config.%s %s", field, why)) }
	if cfg.Engine == nil {
		invalid("Engine", "is required")
	}
	if cfg.Auth == nil {
		invalid("Auth", "is required: the desk has no login of its own")
	}
	guard := http.NewCrossOriginProtection()
	for _, o := range cfg.TrustedOrigins {
		if err := guard.AddTrustedOrigin(o); err != nil {
			invalid("TrustedOrigins", err.Error())
		}
	}
	for _, a := range cfg.FrameAncestors {
		if a == "" || strings.ContainsAny(a, " ;,\r\n\t") {
			invalid("FrameAncestors", "has one that is no source")
		}
	}
	if cfg.Lease < 0 || cfg.StreamLife < 0 || cfg.MaxStreams < 0 {
		invalid("Lease, StreamLife or MaxStreams", "is negative")
	}
	words, err := catalogues(cfg.Catalogues)
	if err != nil {
		bad = append(bad, err)
	}
	if cfg.Language == "" {
		cfg.Language = "en"
	}
	if _, ok := words[cfg.Language]; !ok && err == nil {
		invalid("Language", "has no catalogue")
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	w, err := loadWeb()
	if err != nil {
		return nil, err
	}
	cfg.resolve()
	h := &Handler{
		cfg: cfg, engine: cfg.Engine, log: cfg.Logger, guard: guard, web: w, words: words,
		lease: newLeases(cfg.Lease), queues: map[string]handoff.Queue{}, labels: map[string]map[string]string{"": cfg.Engine.Labels("")}, policy: policy(cfg.FrameAncestors),
	}
	for _, q := range cfg.Engine.Queues() {
		h.queues[q.Name], h.labels[q.Name] = q, cfg.Engine.Labels(q.Name)
	}
	h.view = newView(h.public)
	h.routes = routes()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.fail(w, r, &problem{Status: http.StatusForbidden, Code: "cross_origin"})
	}))
	return h, nil
}

func (c *Config) resolve() {
	if c.Title == "" {
		c.Title = "Desk"
	}
	if c.Dealt == "" {
		c.Dealt = "dealt with"
	}
	if c.Lease == 0 {
		c.Lease = 75 * time.Second
	}
	if c.StreamLife == 0 {
		c.StreamLife = 10 * time.Minute
	}
	if c.MaxStreams == 0 {
		c.MaxStreams = 2000
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Drafts == nil {
		c.Drafts = NewDrafts()
	}
	if c.Replies == nil {
		c.Replies = &canned.Memory{}
	}
	c.Tags = slices.Clone(c.Tags)
}

// public reports whether agents of a queue may read what others of it are
// doing: they pick for themselves from its list.
func (h *Handler) public(queue string) bool { return h.style(queue) == handoff.Pull }

func (h *Handler) style(queue string) handoff.Style { return h.queues[queue].Style }

// Kick ends the open streams of an actor, so that Auth is asked again at once.
func (h *Handler) Kick(actor string) { h.view.kick(actor) }

// UserTyping shows whoever has the conversation open that the user is writing.
// It is a signal that nobody keeps.
func (h *Handler) UserTyping(conversation string, on bool) { h.view.userTyping(conversation, on) }

// ServeHTTP serves pages, assets and the API.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.headers(w.Header())
	if h.cfg.Header != nil {
		last := &lastWord{ResponseWriter: w, say: h.cfg.Header}
		defer last.begin() // where nothing is written
		w = last
	}
	h.guard.Handler(http.HandlerFunc(h.route)).ServeHTTP(w, r)
}

func (h *Handler) audit(ctx context.Context, a Actor, what, about string) {
	if h.cfg.Audit != nil {
		h.cfg.Audit(ctx, Record{Actor: a.ID, What: what, About: about, At: time.Now()})
	}
}
