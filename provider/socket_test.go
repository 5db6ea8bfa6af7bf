package provider_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/vendortest"
)

// line is a Socket with the other ends of its connections.
type line struct {
	provider.Socket

	mu    sync.Mutex
	ends  []*vendortest.Pipe
	dials []time.Time
	heard []string
	lost  int
	wrong error // of the next dials
	stop  context.CancelFunc
	done  chan struct{}
}

// start runs a Socket until the test is over, or stop is called.
func start(t *testing.T, change func(l *line)) *line {
	t.Helper()
	l := &line{done: make(chan struct{})}
	l.Socket = provider.Socket{
		Address: "wss://x.example", Ping: map[string]string{"say": "ping"}, Leave: []any{"bye"},
		Dial: func(context.Context, string, http.Header) (provider.Conn, error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.dials = append(l.dials, time.Now())
			if l.wrong != nil {
				return nil, l.wrong
			}
			here, there := vendortest.NewPipe()
			l.ends = append(l.ends, there)
			return here, nil
		},
		Begin: func(context.Context) ([]any, error) { return []any{"hello"}, nil },
		Hear: func(_ context.Context, m []byte) ([]any, error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.heard = append(l.heard, string(m))
			switch string(m) {
			case "ask":
				return []any{"answer", "and more"}, nil
			case "wrong":
				return nil, errors.New("wrong")
			case "unwanted":
				return nil, provider.ErrUnwanted
			}
			return nil, nil
		},
		Lost: func(context.Context) { l.mu.Lock(); defer l.mu.Unlock(); l.lost++ },
	}
	if change != nil {
		change(l)
	}
	ctx, stop := context.WithCancel(t.Context())
	l.stop = stop
	go func() { defer close(l.done); l.Run(ctx) }()
	t.Cleanup(func() { stop(); <-l.done })
	synctest.Wait()
	return l
}

// said takes what was said on the latest connection.
func (l *line) said() []string {
	synctest.Wait()
	var out []string
	for m, ok := l.end().Take(); ok; m, ok = l.end().Take() {
		out = append(out, string(m))
	}
	return out
}

func (l *line) end() *vendortest.Pipe {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ends[len(l.ends)-1]
}

// opened is how many connections there were.
func (l *line) opened() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.ends)
}

// gaps are the times between dials, in seconds.
func (l *line) gaps() (out []float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := 1; i < len(l.dials); i++ {
		out = append(out, l.dials[i].Sub(l.dials[i-1]).Seconds())
	}
	return out
}

func (l *line) hears(t *testing.T, text string) {
	t.Helper()
	require.NoError(t, l.end().Write(t.Context(), []byte(text)))
	synctest.Wait()
}

func sleep(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // in a bubble
	synctest.Wait()
}

// A connection begins, is heard and answered, pinged, and at the end left.
func TestSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t, nil)
		assert.Equal(t, []string{`"hello"`}, l.said())
		l.hears(t, "ask")
		l.hears(t, "rubbish\x00")
		assert.Equal(t, []string{`"answer"`, `"and more"`}, l.said())
		for range 2 {
			sleep(15 * time.Second)
			assert.Equal(t, []string{`{"say":"ping"}`}, l.said())
			l.hears(t, "pong")
		}
		l.stop()
		<-l.done
		assert.Equal(t, []string{`"bye"`}, l.said())
		select {
		case <-l.end().Closed():
		default:
			t.Error("it is not closed")
		}
		assert.Equal(t, []string{"ask", "rubbish\x00", "pong", "pong"}, l.heard)
		assert.Equal(t, []any{1, 0}, []any{len(l.ends), l.lost})
	})
}

// After one that was cut there is another connection, later each time and never at a
// time that many choose; after one that lasted it is soon.
func TestSocketComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t, func(l *line) { l.wrong = errors.New("no") })
		sleep(10 * time.Minute)
		gaps := l.gaps()
		require.Greater(t, len(gaps), 12)
		for i, gap := range gaps {
			most := min(float64(int(1)<<min(i, 10)), 60)
			assert.LessOrEqual(t, gap, most, "gap %d", i)
			assert.GreaterOrEqual(t, gap, most/2, "gap %d", i)
		}
		assert.NotEqual(t, gaps[len(gaps)-1], gaps[len(gaps)-2])
		l.mu.Lock()
		l.wrong = nil
		assert.Equal(t, len(l.dials), l.lost)
		l.mu.Unlock()
		for l.opened() == 0 {
			sleep(time.Second)
		}
		before := len(l.gaps())
		for range 5 { // it lasts
			sleep(15 * time.Second)
			l.hears(t, "pong")
		}
		require.Len(t, l.gaps(), before)
		require.NoError(t, l.end().Close())
		sleep(time.Second)
		require.Len(t, l.gaps(), before+1, "soon after one that lasted")
		assert.Equal(t, []string{`"hello"`}, l.said())
		l.hears(t, "wrong")
		sleep(2 * time.Second)
		require.Len(t, l.gaps(), before+2)
	})
}

// A platform that does not want it is left alone for minutes.
func TestSocketUnwanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t, nil)
		l.hears(t, "unwanted")
		sleep(11 * time.Minute)
		gaps := l.gaps()
		require.NotEmpty(t, gaps)
		assert.GreaterOrEqual(t, gaps[0], (5 * time.Minute).Seconds())
	})
}

// What is said besides is said in its turn, on a connection that has begun, and
// waits for one where it is.
func TestSocketSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		besides := make(chan any, 1)
		l := start(t, func(l *line) { l.Say, l.wrong = besides, errors.New("no") })
		besides <- "first"
		sleep(10 * time.Second)
		require.Len(t, besides, 1, "nobody takes it without a connection")
		l.mu.Lock()
		l.wrong = nil
		l.mu.Unlock()
		for l.opened() == 0 {
			sleep(time.Second)
		}
		require.Equal(t, []string{`"hello"`, `"first"`}, l.said())
		for _, word := range []string{"a", "b"} {
			besides <- word
			require.Equal(t, []string{`"` + word + `"`}, l.said())
		}
		l.stop()
		<-l.done
		besides <- "late"
		assert.Equal(t, []string{`"bye"`}, l.said())
	})
}

// One of which nothing is heard is none: it may be a cable that was cut.
func TestSocketSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t, nil)
		sleep(47 * time.Second)
		require.Equal(t, 2, l.opened())
	})
}

// A message that is too long is passed over, whatever the Dialer lets through.
func TestSocketTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t, nil)
		l.hears(t, string(bytes.Repeat([]byte("x"), provider.MaxMessage+1)))
		l.hears(t, "short")
		assert.Equal(t, []string{"short"}, l.heard)
	})
}

// Pings go on while what was heard is still being told: by an engine, for instance,
// whose store is slow. The end does not wait for it either.
func TestSocketSlowHearer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t, func(l *line) {
			l.Hear = func(ctx context.Context, _ []byte) ([]any, error) {
				<-ctx.Done()
				return []any{"late"}, ctx.Err()
			}
		})
		l.hears(t, "x")
		l.said()
		sleep(time.Minute)
		assert.Len(t, l.said(), 4)
		require.Equal(t, 1, l.opened())
		began := time.Now()
		l.stop()
		<-l.done
		assert.Zero(t, time.Since(began))
	})
}

// A Dialer, a Begin and a connection that do not answer have a limit, and end with
// the context.
func TestSocketHangs(t *testing.T) {
	hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for name, change := range map[string]func(l *line){
		"dial": func(l *line) {
			l.Dial = func(ctx context.Context, _ string, _ http.Header) (provider.Conn, error) { return nil, hang(ctx) }
		},
		"begin": func(l *line) { l.Begin = func(ctx context.Context) ([]any, error) { return nil, hang(ctx) } },
		"nothing": func(l *line) {
			l.Dial = func(context.Context, string, http.Header) (provider.Conn, error) { return nil, nil }
		},
		"writing": func(l *line) {
			l.Dial = func(context.Context, string, http.Header) (provider.Conn, error) {
				here, there := vendortest.NewPipe()
				l.ends = append(l.ends, there)
				return full{here}, nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := start(t, change)
				sleep(time.Minute)
				l.mu.Lock()
				assert.GreaterOrEqual(t, l.lost, 2, "it is tried again")
				l.mu.Unlock()
				began := time.Now()
				l.stop()
				<-l.done
				assert.LessOrEqual(t, time.Since(began), time.Second)
			})
		})
	}
}

// full takes nothing.
type full struct{ *vendortest.Pipe }

func (f full) Write(ctx context.Context, _ []byte) error { <-ctx.Done(); return ctx.Err() }

func TestSocketAddress(t *testing.T) {
	for in, want := range map[string]string{"https://a.b/c": "wss://a.b/c", "http://a.b": "ws://a.b", "wss://a.b": "wss://a.b"} {
		assert.Equal(t, want, provider.SocketAddress(in))
	}
}

// What was told is not told again; what is other is.
func TestLately(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l provider.Lately
		place := func(n int, wait time.Duration) bool {
			return l.IsNew(&handoff.ProviderEvent{Kind: handoff.EventQueued, Position: n, Wait: wait})
		}
		writes := func(who string, on bool) bool {
			return l.IsNew(&handoff.ProviderEvent{Kind: handoff.EventTyping, ID: who, Stopped: !on})
		}
		assert.Equal(t, []bool{true, false, true, true, false, true, true}, []bool{
			place(3, 10*time.Minute), place(3, 10*time.Minute+59*time.Second), place(2, 10*time.Minute), place(2, 11*time.Minute),
			place(2, 11*time.Minute+time.Second), place(2, 0), place(2, time.Second),
		})
		assert.Equal(t, []bool{false, true, false, true, false, true, false}, []bool{
			writes("a", false), writes("a", true), writes("a", true), writes("b", true), writes("a", false), writes("b", false), writes("b", false),
		})
		_, ok := l.Stopped()
		assert.False(t, ok)
		require.True(t, writes("a", true))
		sleep(4 * time.Second)
		require.True(t, writes("a", true), "he still writes")
		ev, ok := l.Stopped()
		assert.Equal(t, []any{true, true, "a"}, []any{ok, ev.Stopped, ev.ID})
		assert.True(t, l.IsNew(&handoff.ProviderEvent{Kind: handoff.EventMessage}))
	})
}
