package handoff

import (
	"context"
	"slices"
	"sync"
)

// runStreams keeps one reader for each live session of a platform that has to
// be read. Readers on several replicas only double the work.
func (e *Engine) runStreams(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	var streamers []string
	for name, p := range e.providers {
		if _, ok := p.(Streamer); ok {
			streamers = append(streamers, name)
		}
	}
	if len(streamers) == 0 {
		return
	}
	var mu sync.Mutex
	open := map[string]bool{}
	e.every(ctx, e.cfg.Sweep, func(ctx context.Context) error {
		list, err := e.list(ctx, Query{States: []State{StateConnecting, StateQueued, StateActive, StateHeld}})
		for _, h := range e.readable(ctx, list) {
			b := h.live()
			if b == nil || b.Status != BindOpen || !slices.Contains(streamers, b.Provider) {
				continue
			}
			key := bindingKey(b.Provider, b.Session.Reference)
			mu.Lock()
			busy := open[key]
			open[key] = true
			mu.Unlock()
			if busy {
				continue
			}
			wg.Go(func() {
				e.stream(ctx, h.ID, *b)
				mu.Lock()
				defer mu.Unlock()
				delete(open, key)
			})
		}
		return err
	})
}

// stream reads one session until it or its handoff is over.
func (e *Engine) stream(ctx context.Context, id ID, b Binding) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changed, stop := e.hub.subscribe(id.Conversation)
	defer stop()
	go func() {
		for wait(ctx, changed, e.cfg.Sweep) == nil {
			if h, err := e.get(ctx, id); err == nil && (h.live() == nil || h.live().Number != b.Number) {
				cancel()
			}
		}
	}()
	s, ok := e.providers[b.Provider].(Streamer)
	if !ok {
		return
	}
	err := s.Stream(ctx, b.Session, func(ev ProviderEvent) error {
		if ev.Reference == "" {
			ev.Reference = b.Session.Reference
		}
		return e.Deliver(ctx, b.Provider, ev)
	})
	if err != nil && ctx.Err() == nil {
		e.log.WarnContext(ctx, "reading a platform failed", "provider", b.Provider, "error", err)
	}
}
