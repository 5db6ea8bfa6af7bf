package rocketchat_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/rocketchat"
	"github.com/seed-2a427302/handoff/provider/rocketchat/rocketchattest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

// types says that the user writes, or no longer does, which waits for nothing.
func types(t *testing.T, p handoff.Provider, s handoff.Session, on bool) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- p.(handoff.Typist).Typing(t.Context(), s, on) }()
	synctest.Wait()
	select {
	case err := <-done:
		require.NoError(t, err)
	default:
		t.Fatal("Typing waits")
	}
}

// calls are the method calls among what was said.
func calls(said []string) (out []string) {
	for _, s := range said {
		if strings.Contains(s, `"method"`) {
			out = append(out, s)
		}
	}
	return out
}

func call(t *testing.T, id string, s handoff.Session, name, activities string) string {
	t.Helper()
	return `{"msg":"method","id":"` + id + `","method":"stream-notify-room","params":["` + s.Reference + `/user-activity","` + name + `",` + activities +
		`,{"token":"` + token(t, s) + `"}]}`
}

// The agents see that the user writes, in his visitor's name, and that he no longer
// does; repeats within seconds are not worth a word.
func TestTyping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rocketchattest.New(t)
		p := reading(t, d)
		s, other := open(t, p, "c"), open(t, p, "other")
		l := listen(t, p, s, nil)
		listen(t, p, other, nil)
		d.Do(providertest.Act{Kind: providertest.Join, Chat: s.Reference, Agent: ann})
		l.news()
		first := d.Sockets()[0]
		sees := func() (out [2]bool) {
			synctest.Wait()
			for _, c := range d.Chats() {
				if c.UserTypes {
					out[map[string]int{s.Reference: 0, other.Reference: 1}[c.Reference]] = true
				}
			}
			return out
		}
		types(t, p, s, true)
		assert.Equal(t, [2]bool{true, false}, sees())
		types(t, p, s, true)
		sleep(3 * time.Second)
		types(t, p, s, true)
		sleep(2 * time.Second)
		types(t, p, s, true) // he still writes: it is shown for 15 seconds
		synctest.Wait()
		types(t, p, s, false)
		assert.Equal(t, [2]bool{}, sees())
		types(t, p, s, false)
		synctest.Wait()
		d.Lock()
		heard := calls(first.Heard)
		d.Unlock()
		require.Len(t, heard, 3)
		assert.JSONEq(t, call(t, "1", s, rocketchattest.Visitor, `["user-typing"]`), heard[0])
		assert.JSONEq(t, call(t, "2", s, rocketchattest.Visitor, `["user-typing"]`), heard[1])
		assert.JSONEq(t, call(t, "3", s, rocketchattest.Visitor, `[]`), heard[2])
		assert.Empty(t, l.news(), "an agent does not write")
		assert.Empty(t, d.Violations())
	})
}

// What comes back on another connection of ours, of a replica that had the room before,
// is no agent who writes.
func TestTypingComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rocketchattest.New(t)
		p, before := reading(t, d), reading(t, d)
		s := open(t, p, "c")
		d.Do(providertest.Act{Kind: providertest.Join, Chat: s.Reference, Agent: ann})
		l, old := listen(t, p, s, nil), listen(t, before, s, nil)
		l.news()
		types(t, p, s, true)
		types(t, before, s, true)
		assert.Empty(t, append(l.news(), old.news()...))
		found, ok, err := before.(handoff.Finder).Find(t.Context(), "c.1.1")
		require.NoError(t, err)
		require.True(t, ok)
		assert.JSONEq(t, string(s.State), string(found.State), "who finds the room knows the name, too")
	})
}

// begins has a connection of a test's own get as far as the subscriptions, which are
// all that is said.
func begins(t *testing.T, end *vendortest.Pipe) {
	t.Helper()
	before := said(end)
	require.NoError(t, end.Write(t.Context(), []byte(`{"msg":"connected","session":"x"}`)))
	all := append(before, said(end)...)
	require.NotEmpty(t, all)
	require.Empty(t, calls(all))
}

// Where there is no connection that takes it, it is lost, and not said later, when it
// may no longer be so.
func TestTypingWithoutSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rocketchattest.New(t)
		p, ends := wire(t, d)
		s := open(t, p, "c")
		types(t, p, s, true) // no Stream
		l := listen(t, p, s, nil)
		types(t, p, s, true) // a connection that has not begun
		begins(t, (*ends)[0])
		assert.Empty(t, calls(said((*ends)[0])))
		types(t, p, s, true)
		assert.Len(t, calls(said((*ends)[0])), 1)
		(*ends)[0].Close()
		synctest.Wait()
		types(t, p, s, false)
		sleep(2 * time.Second)
		require.Len(t, *ends, 2)
		begins(t, (*ends)[1])
		assert.Empty(t, calls(said((*ends)[1])))
		types(t, p, s, false)
		assert.Len(t, calls(said((*ends)[1])), 1, "what the first one was told ends on the second")
		l.stop()
		require.NoError(t, <-l.done)
		said((*ends)[1])
		types(t, p, s, true)
		assert.Empty(t, said((*ends)[1]), "nobody reads the room any more")
		assert.Zero(t, rocketchat.Mouths(p), "nothing is kept of it")
	})
}

// A Stream that ends takes nothing from the one that came after it.
func TestTypingTwoStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rocketchattest.New(t)
		p, ends := wire(t, d)
		s := open(t, p, "c")
		first := listen(t, p, s, nil)
		listen(t, p, s, nil)
		require.Len(t, *ends, 2)
		begins(t, (*ends)[1])
		first.stop()
		require.NoError(t, <-first.done)
		types(t, p, s, true)
		assert.Len(t, calls(said((*ends)[1])), 1)
	})
}

// gate is a connection on which writing waits once it is shut.
type gate struct {
	*vendortest.Pipe

	mu   sync.Mutex
	shut chan struct{}
}

func (g *gate) Write(ctx context.Context, message []byte) error {
	g.mu.Lock()
	shut := g.shut
	g.mu.Unlock()
	if shut != nil {
		select {
		case <-shut:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return g.Pipe.Write(ctx, message)
}

// A connection that takes nothing holds nobody up. What is said then is what is so,
// not what was; and where it was cut, nothing.
func TestTypingHangs(t *testing.T) {
	for name, opens := range map[string]bool{"for a while": true, "for good": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := rocketchattest.New(t)
				c := config(d)
				var gates []*gate
				var ends []*vendortest.Pipe
				c.Dial = func(context.Context, string, http.Header) (provider.Conn, error) {
					here, there := vendortest.NewPipe()
					gates, ends = append(gates, &gate{Pipe: here}), append(ends, there)
					return gates[len(gates)-1], nil
				}
				p, err := rocketchat.New(c)
				require.NoError(t, err)
				s := open(t, p, "c")
				listen(t, p, s, nil)
				begins(t, ends[0])
				shut := make(chan struct{})
				gates[0].mu.Lock()
				gates[0].shut = shut
				gates[0].mu.Unlock()
				for i := range 201 {
					types(t, p, s, i%2 == 0)
					synctest.Wait()
				}
				if opens {
					close(shut)
					got := calls(said(ends[0]))
					require.Len(t, got, 2, "the one that hung, and the last")
					assert.Equal(t, []string{call(t, "1", s, rocketchattest.Visitor, `["user-typing"]`), call(t, "201", s, rocketchattest.Visitor, `["user-typing"]`)}, got)
					return
				}
				sleep(13 * time.Second)
				require.Len(t, ends, 2)
				begins(t, ends[1])
				assert.Empty(t, calls(said(ends[1])))
			})
		})
	}
}

// A session of a version before names were kept has one that the agents understand;
// one that is none is an error that quotes nothing of it.
func TestTypingSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := rocketchattest.New(t)
		p, ends := wire(t, d)
		s := open(t, p, "c")
		s.State = []byte(`{"token":"` + token(t, s) + `"}`)
		l := listen(t, p, s, nil)
		l.news()
		begins(t, (*ends)[0])
		types(t, p, s, true)
		got := calls(said((*ends)[0]))
		require.Len(t, got, 1)
		assert.JSONEq(t, call(t, "1", s, "guest", `["user-typing"]`), got[0])
		for _, state := range []string{"", `{"token":""}`, `{"name":"` + token(t, s) + `"}`, `{"token":["` + token(t, s) + `"]}`} {
			err := p.(handoff.Typist).Typing(t.Context(), handoff.Session{Reference: s.Reference, State: []byte(state)}, true)
			var pe *handoff.ProviderError
			require.ErrorAs(t, err, &pe)
			assert.Equal(t, "session", pe.Code)
			assert.NotContains(t, err.Error(), token(t, s))
		}
		assert.Empty(t, calls(said((*ends)[0])))
	})
}
