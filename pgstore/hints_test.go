package pgstore_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
)

// A hint tells the version that a commit made, and where the record waits then.
func TestHintTellsVersionAndLine(t *testing.T) {
	s := open(t, pgstore.Options{HintEvery: time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	hints, done := make(chan handoff.Hint, 1000), make(chan error, 1)
	go func() { done <- s.Listen(ctx, func(h handoff.Hint) { hints <- h }) }()
	defer func() { cancel(); require.NoError(t, <-done) }()

	// The first that is heard says that there is somebody who listens.
	for n := int64(1); len(hints) == 0; n++ {
		r := record("first")
		r.ID.Number = n
		require.NoError(t, s.Commit(ctx, r, entry(1)))
		select {
		case h := <-hints:
			hints <- h
		case <-time.After(10 * time.Millisecond):
		}
	}
	next := func(of string) handoff.Hint {
		for h := range hints {
			if h.ID.Conversation == of {
				return h
			}
		}
		return handoff.Hint{}
	}
	r := record("c")
	r.Queue, r.Line = "desk", "m=\x1el=de"
	require.NoError(t, s.Commit(ctx, r, entry(1)))
	require.Equal(t, handoff.Hint{ID: r.ID, Queue: "desk", Version: 1, Line: r.Line}, next("c"))
	for v, change := range []func(){
		func() { r.Agent = "ann" },             // he is offered to her, and keeps his place
		func() { r.Agent, r.Line = "ann", "" }, // she has him
	} {
		change()
		r.Version, r.Seq = int64(v+1), int64(v+2)
		en := entry(r.Seq)
		en.ID = "e" + strconv.Itoa(v)
		require.NoError(t, s.Commit(ctx, r, en))
		require.Equal(t, handoff.Hint{ID: r.ID, Version: r.Version + 1}, next("c"), "nobody is to be found for him")
	}
	r = record("long")
	r.Queue, r.Line = "desk", strings.Repeat("s", 501)
	require.NoError(t, s.Commit(ctx, r, entry(1)))
	require.Equal(t, handoff.Hint{ID: r.ID, Queue: "desk", Version: 1}, next("long"))
}

// The last of several commits is told, in whatever order they come back.
func TestHintTellsTheNewest(t *testing.T) {
	id := handoff.ID{Conversation: "c", Number: 1}
	require.EqualValues(t, 3, pgstore.Told(id, 0, 2, 1))
}
