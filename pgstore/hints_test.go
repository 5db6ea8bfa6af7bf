package pgstore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

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

// Many commits are told in few notifications, each of which takes a lock of the
// whole server; and all of them are told.
func TestHintsTravelTogether(t *testing.T) {
	const commits = 500
	ctx := t.Context()
	s, pool := openPool(t, pgstore.Options{HintEvery: 500 * time.Millisecond})
	conn, err := pool.Acquire(ctx)
	require.NoError(t, err)
	defer conn.Release()
	_, err = conn.Exec(ctx, "LISTEN "+pgstore.Channel(s))
	require.NoError(t, err)
	var all errgroup.Group
	for c := range 4 {
		all.Go(func() error {
			for i := range commits / 4 {
				if err := s.Commit(ctx, record(fmt.Sprint(c, "-", i)), entry(1)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, all.Wait())
	told, notifications := map[string]bool{}, 0
	for len(told) < commits {
		n, err := conn.Conn().WaitForNotification(ctx)
		require.NoError(t, err, "%d of %d were told", len(told), commits)
		notifications++
		var list []struct{ C string }
		require.NoError(t, json.Unmarshal([]byte(n.Payload), &list))
		for _, h := range list {
			told[h.C] = true
		}
	}
	require.Less(t, notifications, commits/10)
	t.Logf("%d commits in %d notifications", commits, notifications)
}

// The last of several commits is told, in whatever order they come back.
func TestHintTellsTheNewest(t *testing.T) {
	id := handoff.ID{Conversation: "c", Number: 1}
	require.EqualValues(t, 3, pgstore.Told(id, 0, 2, 1))
}
