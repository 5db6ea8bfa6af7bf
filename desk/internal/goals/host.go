package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/desk"
	"github.com/seed-2a427302/handoff/memstore"
)

// A host is an engine, and a desk on a server that can be taken down and up
// again. Who asks is a header.
type host struct {
	engine *handoff.Engine
	server *http.Server
	addr   string
	end    context.CancelFunc // of the desk
}

func newHost(ctx context.Context, agents int) (*host, error) {
	all := make([]handoff.Agent, agents)
	for i := range all {
		all[i] = handoff.Agent{ID: fmt.Sprint("a", i), Queues: []string{"q"}, Seats: 5}
	}
	e, err := handoff.New(handoff.Config{
		Store: memstore.New(), Directory: memstore.NewDirectory(all...), Presence: memstore.NewPresence(), Poll: 20 * time.Millisecond,
		Queues: []handoff.Queue{{Name: "q", Style: handoff.Pull, Ladder: []handoff.Rung{{After: 24 * time.Hour, Do: handoff.ToBot}}}},
	})
	if err != nil {
		return nil, err
	}
	go func() { _ = e.Run(ctx) }()
	return &host{engine: e, addr: "127.0.0.1:0"}, nil
}

// up begins a desk, at the address where it was before.
func (h *host) up(ctx context.Context) error {
	d, err := desk.New(desk.Config{Engine: h.engine, Auth: func(r *http.Request) (desk.Actor, error) {
		return desk.Actor{ID: r.Header.Get("X-Actor"), Role: desk.Agent, Queues: []string{"q"}}, nil
	}})
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", h.addr)
	if err != nil {
		return err
	}
	h.addr = listener.Addr().String()
	ctx, h.end = context.WithCancel(ctx)
	h.server = &http.Server{Handler: d, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = d.Run(ctx) }()
	go func(s *http.Server) { _ = s.Serve(listener) }(h.server)
	return h.ready(ctx)
}

// ready waits until the desk has read what is open.
func (h *host) ready(ctx context.Context) error {
	p := page{base: h.url(), actor: "a0"}
	for {
		err := p.get(ctx, "api/team")
		if err == nil {
			err = p.get(ctx, "api/changes?wait=0")
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
		pause(ctx, 5*time.Millisecond)
	}
}

func (h *host) down() {
	h.end()
	_ = h.server.Close()
}

func (h *host) url() string { return "http://" + h.addr + "/" }

// ask lets n users wait.
func (h *host) ask(ctx context.Context, name string, n int) error {
	for i := range n {
		c := fmt.Sprint(name, i)
		user := &handoff.Contact{ID: c, Name: "Customer " + c}
		if _, err := h.engine.Receive(ctx, handoff.Incoming{Conversation: c, ID: "1", Text: "Hello, it is about my order", User: user}); err != nil {
			return err
		}
		if _, err := h.engine.Request(ctx, handoff.Request{Conversation: c, Queue: "q"}); err != nil {
			return err
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// held is what the heap and the stacks hold, in bytes, with nothing left to
// collect.
func held() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse + m.StackInuse)
}
