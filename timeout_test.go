package handoff

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

type valueKey struct{}

func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(context.WithValue(t.Context(), valueKey{}, 7))
		defer cancel()

		l := within(parent, time.Second)
		require.NoError(t, l.Err())
		require.Equal(t, 7, l.Value(valueKey{}))
		at, _ := l.Deadline()
		require.Equal(t, time.Now().Add(time.Second), at)
		time.Sleep(time.Second) //nolint:forbidigo // in a bubble
		require.ErrorIs(t, l.Err(), context.DeadlineExceeded, "without a timer")
		<-l.Done()

		l = within(parent, time.Second)
		child, stop := context.WithCancel(l)
		defer stop()
		require.Equal(t, 7, child.Value(valueKey{}))
		<-child.Done()
		require.ErrorIs(t, child.Err(), context.DeadlineExceeded, "its timer ends contexts made of it")
		require.ErrorIs(t, l.Err(), context.DeadlineExceeded)

		l = within(parent, time.Hour)
		l.stop()
		require.ErrorIs(t, l.Err(), context.Canceled)
		<-l.Done()

		l = within(parent, time.Hour)
		done := l.Done()
		l.stop()
		<-done

		l = within(parent, time.Hour)
		cancel()
		require.ErrorIs(t, l.Err(), context.Canceled, "as its parent")
		<-l.Done()

		early, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		at, _ = within(early, time.Hour).Deadline()
		require.Equal(t, time.Now().Add(time.Second), at, "the earlier of two")
	})
}

// Contexts made of a limit cost no goroutine, and a limit that nobody waits
// for costs one value.
func TestLimit_isCheap(t *testing.T) {
	parent := context.Background()
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		l := within(parent, time.Hour)
		_ = l.Err()
		l.stop()
	}), 1.0)
}
