// Package acme is the application that examples/webchat shows: a user's chat on
// the left, the desk of several agents on the right, a small bot between them,
// and made-up customers at the press of a button. It keeps its state where it is
// told to.
package acme

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/canned"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/memstore"
	"github.com/seed-2a427302/handoff/notices"
	"github.com/seed-2a427302/handoff/trigger"
)

//go:embed web
var web embed.FS

// A Replica is what one process of a host keeps its state in. Several share one
// database.
type Replica struct {
	Store    handoff.Store
	Presence handoff.Sessions
}

// Options say how the demonstration runs.
type Options struct {
	Customers int // made-up ones to begin with

	// Change has the last word on each replica's engine. Nil: as it is here.
	Change func(*handoff.Config)

	// Replicas of the host, which here run in one process. Users are pinned to
	// the first, agents to the last. Nil: one, in memory.
	Replicas []Replica
}

// staff are the agents. Who is who at the desk is said by the address, since
// this is a demonstration: a real host asks its own login.
var staff = []handoff.Agent{
	{ID: "ann", Name: "Ann Moreau", Queues: []string{"support", "billing"}, Skills: map[string]int{"refunds": 3}, Seats: 3, Video: true},
	{ID: "bob", Name: "Bob Sato", Queues: []string{"support"}, Seats: 2},
	{ID: "sam", Name: "Sam Okafor", Seats: 5},
	{ID: "ada", Name: "Ada Lindgren", Seats: 5},
}

var actors = map[string]desk.Actor{
	"ann": {ID: "ann", Name: "Ann Moreau", Role: desk.Agent},
	"bob": {ID: "bob", Name: "Bob Sato", Role: desk.Agent},
	"sam": {ID: "sam", Name: "Sam Okafor", Role: desk.Supervisor},
	"ada": {ID: "ada", Name: "Ada Lindgren", Role: desk.Admin},
}

type actorKey struct{}

// newHost makes one replica: an engine, its desk, and the bot.
func newHost(ctx context.Context, r Replica, w *wire, change func(*handoff.Config)) (*host, error) {
	triggers, err := trigger.New(trigger.Config{})
	if err != nil {
		return nil, err
	}
	words, err := notices.New(notices.Options{})
	if err != nil {
		return nil, err
	}
	h := &host{wire: w, notices: words, files: map[string]file{}, run: strings.ToLower(rand.Text()[:6])}
	config := handoff.Config{
		Store:     r.Store,
		Directory: memstore.NewDirectory(staff...),
		Presence:  r.Presence,
		Queues: []handoff.Queue{
			{
				Name: "support", OfferTimeout: 30 * time.Second, Cooldown: time.Minute, AskRating: handoff.AskAtEnd, Wrapup: 20 * time.Second,
				CloseReasons: []string{"Question answered", "Problem solved", "No answer from user"}, PlaceEvery: 10 * time.Second,
			},
			{
				Name: "billing", OfferTimeout: 45 * time.Second, AskRating: handoff.AskAtEnd, NeedReason: true,
				CloseReasons: []string{"Refunded", "Not refunded", "Explained"},
				Intake:       &handoff.Form{Fields: []handoff.Field{{Name: "order", Label: "What is the number of your order? (You can skip this.)"}}},
			},
		},
		Escalation: handoff.Escalation{Triggers: triggers, Queue: "support"},
		Rooms:      handoff.RoomLinks{Template: "https://meet.example.com/{room}", Secret: []byte("only for a demonstration")},
		Notices:    words,
		CRM:        h,
		Bot:        h,
		Channel:    w,
		BotIdle:    10 * time.Minute,
	}
	if change != nil {
		change(&config)
	}
	h.Engine, err = handoff.New(config)
	if err != nil {
		return nil, err
	}
	replies, err := canned.New(
		canned.Reply{Name: "hello", Category: "Greetings", Text: "Hello {user}, I am {agent}. How can I help?"},
		canned.Reply{Name: "moment", Category: "Greetings", Text: "One moment please, I am looking into it."},
		canned.Reply{Name: "refund", Category: "Billing", Queue: "billing", Text: "I have given the amount back, {user}. You will see it within three working days."},
		canned.Reply{Name: "bye", Category: "Greetings", Text: "You are welcome, {user}. Have a good day!"},
	)
	if err != nil {
		return nil, err
	}
	d, err := desk.New(desk.Config{
		Engine: h.Engine, Title: "Acme Desk", FrameAncestors: []string{"'self'"}, Video: true, Tags: []string{"refund", "delivery", "vip", "bug"},
		Auth: func(r *http.Request) (desk.Actor, error) {
			a, ok := r.Context().Value(actorKey{}).(desk.Actor)
			if !ok {
				return a, desk.ErrSignIn
			}
			// An agent's queues are those of the Directory, where an admin changes
			// them. None are an empty list: nil would be every queue.
			if a.Role == desk.Agent {
				now, err := config.Directory.Get(r.Context(), a.ID)
				if err != nil {
					return a, err
				}
				a.Queues = append([]string{}, now.Queues...)
			}
			return a, nil
		},
		Replies: replies,
	})
	if err != nil {
		return nil, err
	}
	h.desk = d
	for i := range staff { // whoever opens his desk is available at once
		if err := r.Presence.Want(ctx, staff[i].ID, true, "", time.Now()); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// Serve runs everything until ctx ends.
func Serve(ctx context.Context, listener net.Listener, o Options) error {
	if len(o.Replicas) == 0 {
		o.Replicas = []Replica{{Store: memstore.New(), Presence: memstore.NewPresence()}}
	}
	hosts, w := make([]*host, len(o.Replicas)), &wire{pages: map[string][]chan string{}}
	for i, r := range o.Replicas {
		var err error
		if hosts[i], err = newHost(ctx, r, w, o.Change); err != nil {
			return err
		}
	}
	h, d := hosts[0], hosts[len(hosts)-1].desk
	w.desk = d
	mux := http.NewServeMux()
	h.routes(mux)
	for id, actor := range actors {
		prefix := "/desk/" + id
		mux.Handle(prefix+"/", http.StripPrefix(prefix, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			d.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), actorKey{}, actor)))
		})))
	}
	mux.HandleFunc("POST /customers/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.PathValue("n"))
		if err != nil || n < 1 || n > 200 {
			http.Error(w, "between 1 and 200", http.StatusBadRequest)
			return
		}
		h.crowd(ctx, n)
		w.WriteHeader(http.StatusNoContent)
	})
	pages, err := fs.Sub(web, "web")
	if err != nil {
		return err
	}
	mux.Handle("/", http.FileServerFS(pages))

	server := &http.Server{Handler: secure(mux), ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	var all sync.WaitGroup
	runs := []func() error{func() error { return server.Serve(listener) }}
	for _, x := range hosts {
		runs = append(runs, func() error { return x.Run(ctx) }, func() error { return x.desk.Run(ctx) })
	}
	failed := make(chan error, len(runs))
	for _, run := range runs {
		all.Go(func() { failed <- run() })
	}
	h.crowd(ctx, o.Customers)
	select {
	case <-ctx.Done():
		err = nil
	case err = <-failed:
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if server.Shutdown(closing) != nil {
		_ = server.Close() // streams do not end by themselves
	}
	h.people.Wait()
	if ctx.Err() != nil {
		all.Wait()
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// secure adds what every page of the demonstration needs; the desk sets its own.
func secure(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	return guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "+
			"form-action 'none'; base-uri 'none'; frame-ancestors 'self'; require-trusted-types-for 'script'; trusted-types 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	}))
}
