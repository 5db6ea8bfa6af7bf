package systemtest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
	"github.com/seed-2a427302/handoff/redisstore"
	"github.com/seed-2a427302/handoff/sqlitestore"
)

// noAnswer reports whether an error says only that an answer did not come, as
// of a server that a busy machine keeps from its work. Whatever a store answered
// is none: it is a finding, and stays one.
func noAnswer(err error) bool {
	for _, target := range []error{
		handoff.ErrUnknown, // what an engine makes of it
		context.DeadlineExceeded, os.ErrDeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed,
		syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE,
		redis.ErrPoolTimeout, redisstore.ErrBusy, sqlitestore.ErrBusy,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	var late net.Error
	return errors.As(err, &late) && late.Timeout() || pgconn.Timeout(err)
}

// patience is how long a judge asks again what he got no answer to.
const patience = 2 * time.Minute

// again asks until there is an answer, or for as long as patience, or until ctx
// ends. What it returns then is what it got last.
func again[T any](ctx context.Context, ask func() (T, error)) (answer T, err error) {
	pause := 50 * time.Millisecond
	for deadline := time.Now().Add(patience); ; pause = min(2*pause, 5*time.Second) {
		answer, err = ask()
		if err == nil || ctx.Err() != nil || !noAnswer(err) || time.Now().After(deadline) {
			return answer, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return answer, err
		}
	}
}

// patient is a store that reads again what it got no answer to. Writes are the
// engine's to repeat.
type patient struct{ handoff.Store }

func (s *patient) Unwrap() handoff.Store { return s.Store }

func (s *patient) Get(ctx context.Context, id handoff.ID) (handoff.Record, error) {
	return again(ctx, func() (handoff.Record, error) { return s.Store.Get(ctx, id) })
}

func (s *patient) Latest(ctx context.Context, conversation string) (handoff.Record, error) {
	return again(ctx, func() (handoff.Record, error) { return s.Store.Latest(ctx, conversation) })
}

func (s *patient) Holders(ctx context.Context, keys ...string) ([]handoff.Holding, error) {
	return again(ctx, func() ([]handoff.Holding, error) { return s.Store.Holders(ctx, keys...) })
}

func (s *patient) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	return again(ctx, func() ([]handoff.Record, error) { return s.Store.List(ctx, q) })
}

func (s *patient) Lines(ctx context.Context, queue string) ([]string, error) {
	return again(ctx, func() ([]string, error) { return s.Store.Lines(ctx, queue) })
}

func (s *patient) Log(ctx context.Context, id handoff.ID, after int64, limit int) ([]handoff.RecordEntry, error) {
	return again(ctx, func() ([]handoff.RecordEntry, error) { return s.Store.Log(ctx, id, after, limit) })
}

func (s *patient) Entry(ctx context.Context, id handoff.ID, entry string) (handoff.RecordEntry, error) {
	return again(ctx, func() (handoff.RecordEntry, error) { return s.Store.Entry(ctx, id, entry) })
}

// Ahead is for an engine that is asked for places: without it, it would find
// the inner store's, which is not patient.
func (s *patient) Ahead(ctx context.Context, r handoff.Record, limit int) (int, error) {
	inner, ok := s.Store.(handoff.AheadCounter)
	if !ok {
		return 0, errors.New("the store does not count who is ahead")
	}
	return again(ctx, func() (int, error) { return inner.Ahead(ctx, r, limit) })
}

// mute is a store that gives no answer, or a wrong one, for some calls.
type mute struct {
	handoff.Store

	err   error
	times int // how often; the calls that were made
	calls int
}

func (s *mute) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	if s.calls++; s.calls <= s.times {
		return nil, s.err
	}
	return s.Store.List(ctx, q)
}

// Who judges asks again while there is no answer, not for ever, and never what
// was answered.
func TestPatient(t *testing.T) {
	late := &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}
	for name, c := range map[string]struct {
		err   error
		times int
		calls int // how many are made; 0: some
		ok    bool
	}{
		"nothing is wrong":     {nil, 0, 1, true},
		"late":                 {late, 3, 4, true},
		"cut":                  {io.EOF, 3, 4, true},
		"unknown to an engine": {handoff.ErrUnknown, 1, 2, true},
		"busy":                 {redisstore.ErrBusy, 1, 2, true},
		"for ever late":        {late, 1 << 30, 0, false},
		"a finding":            {handoff.ErrNotFound, 1, 1, false},
		"something else":       {errors.New("an answer that cannot be read"), 1, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &mute{Store: memstore.New(), err: c.err, times: c.times}
				begun := time.Now()
				_, err := (&patient{m}).List(t.Context(), handoff.Query{})
				if c.ok {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, c.err)
				}
				if c.calls > 0 {
					require.Equal(t, c.calls, m.calls)
				} else {
					require.WithinRange(t, time.Now(), begun.Add(patience), begun.Add(patience+time.Minute))
				}
			})
		})
	}
	t.Run("nobody waits any more", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			m := &mute{Store: memstore.New(), err: late, times: 1 << 30}
			begun := time.Now()
			_, err := (&patient{m}).List(ctx, handoff.Query{})
			require.ErrorIs(t, err, late)
			require.Equal(t, begun.Add(time.Second), time.Now())
		})
	})
}
