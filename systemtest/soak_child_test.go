package systemtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/seed-2a427302/handoff"
)

// A pulse is what a process of a soak tells of itself, again and again.
type pulse struct {
	Heap       uint64 // bytes that are reachable
	Goroutines int
}

const soakHands = 4 // conversations at once, in each process

// soakConfig lets conversations end soon after nobody writes any more.
func soakConfig(c *handoff.Config) {
	c.BotIdle = 10 * time.Second
	c.Poll, c.Sweep, c.Lease, c.Overdue = 200*time.Millisecond, time.Second, 3*time.Second, time.Second
	c.SendTimeout, c.BotTimeout = 5*time.Second, 10*time.Second
}

// soakChild lives conversation after conversation.
func soakChild(ctx context.Context, s handoff.Store) error {
	if os.Getenv("HANDOFF_SOAK_PROFILES") != "" {
		runtime.MemProfileRate = 4096
	}
	w, err := newSurvivor(ctx, s, os.Getenv("SOAK_OUTSIDE"), newFuse(""), soakConfig)
	if err != nil {
		return err
	}
	w.idle = 50 * time.Millisecond
	done := make(chan error, 1)
	go func() { done <- w.e.Run(ctx) }()
	failed := make(chan error, soakHands+1)
	var hands sync.WaitGroup
	for i := range soakHands {
		hands.Go(func() { failed <- w.soak(ctx, fmt.Sprintf("%s-%d", os.Getenv("SOAK_NAME"), i)) })
	}
	hands.Go(func() { failed <- w.hear(ctx) })
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	out := json.NewEncoder(os.Stdout)
	for n := 1; ctx.Err() == nil; n++ {
		if dir := os.Getenv("HANDOFF_SOAK_PROFILES"); dir != "" && n%60 == 0 {
			if err := profile(filepath.Join(dir, fmt.Sprintf("%s-%d.heap", os.Getenv("SOAK_NAME"), n/60))); err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			if err := out.Encode(pulse{m.HeapAlloc, runtime.NumGoroutine()}); err != nil {
				return err
			}
		case <-ctx.Done():
		}
	}
	hands.Wait()
	err = <-done
	for range soakHands + 1 {
		err = errors.Join(err, <-failed)
	}
	return err
}

// profile writes what is on the heap.
func profile(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("heap").WriteTo(f, 0), f.Close())
}

// soak lives conversations one after the other.
func (w *survivor) soak(ctx context.Context, name string) error {
	for n := 0; ctx.Err() == nil; n++ {
		conversation := fmt.Sprintf("%s-%d", name, n)
		for range 30 {
			if err := w.pause(ctx, w.step(ctx, conversation, rand.IntN(8))); err != nil || ctx.Err() != nil {
				return err
			}
		}
		for over := false; !over && ctx.Err() == nil; {
			var err error
			over, err = w.leave(ctx, conversation)
			if err := w.pause(ctx, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// pause drops the errors that are none, and waits as people do.
func (w *survivor) pause(ctx context.Context, err error) error {
	if err = reported(refusal(err)); err != nil && ctx.Err() == nil {
		return err
	}
	timer := time.NewTimer(time.Duration(rand.IntN(200)) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}

// leave brings a conversation one step nearer to where it may be left alone.
func (w *survivor) leave(ctx context.Context, conversation string) (over bool, err error) {
	h, err := w.e.Latest(ctx, conversation)
	if errors.Is(err, handoff.ErrNotFound) {
		return true, nil
	}
	switch h.State {
	case handoff.StateBot:
		over = len(h.Pending) == 0
	case handoff.StateEnded:
		over = !h.NextOwed()
	case handoff.StateWaiting:
		_, err = w.e.Cancel(ctx, conversation, true)
	case handoff.StateOffered:
		_, err = w.e.Accept(ctx, h.ID, handoff.By(h.Offers[0].Agent), h.Offers[0].Number)
	case handoff.StateActive:
		if h.Provider == "" {
			_, err = w.e.Return(ctx, h.ID, handoff.By(h.Agent), "done")
			break
		}
		err = w.act(&h, "end")
	case handoff.StateQueued:
		err = w.act(&h, "end")
	default:
	}
	return over, err
}
