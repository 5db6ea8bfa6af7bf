package handoff_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/memstore"
)

// replica is an engine that runs and hears of the commits of another one, which
// does not run, what a test tells it. Each read takes a while.
type replica struct {
	*handoff.Engine
	*noted

	asks *handoff.Engine
}

// noted is a store that notes when calls begin and end.
type noted struct {
	handoff.Store

	mu    sync.Mutex
	notes []string
	tells func(handoff.Hint)
	late  func(handoff.Record) // is called before the commit of an offer returns
	bad   string               // a conversation that cannot be read
}

func (s *noted) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, what)
}

// since returns what was noted since it was last asked.
func (s *noted) since() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	notes := s.notes
	s.notes = nil
	return notes
}

func (s *noted) read(what string) func() {
	s.note(what)
	time.Sleep(time.Millisecond)
	return func() { s.note(what + " is over") }
}

func (s *noted) Listen(ctx context.Context, f func(handoff.Hint)) error {
	s.tells = f
	<-ctx.Done()
	return nil
}

func (s *noted) Get(ctx context.Context, id handoff.ID) (handoff.Record, error) {
	defer s.read("get")()
	return s.Store.Get(ctx, id)
}

func (s *noted) List(ctx context.Context, q handoff.Query) ([]handoff.Record, error) {
	what := "list"
	if !slices.Equal(q.States, []handoff.State{handoff.StateWaiting}) {
		what = "look around" // for places, after the drain
	}
	defer s.read(what)()
	list, err := s.Store.List(ctx, q)
	return spoil(list, s.bad), err
}

func (s *noted) Lines(ctx context.Context, queue string) ([]string, error) {
	defer s.read("lines")()
	return s.Store.Lines(ctx, queue)
}

func (s *noted) Holders(ctx context.Context, keys ...string) ([]handoff.Holding, error) {
	defer s.read("holders")()
	return s.Store.Holders(ctx, keys...)
}

func (s *noted) Commit(ctx context.Context, r handoff.Record, entries ...handoff.RecordEntry) error {
	err := s.Store.Commit(ctx, r, entries...)
	if err == nil && r.State == handoff.StateOffered {
		s.note("offer")
		if s.late != nil {
			s.late(r)
		}
	}
	return err
}

// hearing calls f in a bubble with a replica. Nothing is claimed or swept meanwhile.
func hearing(t *testing.T, f func(t *testing.T, r *replica), change ...func(*handoff.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		r := &replica{noted: &noted{Store: store}}
		cfg := handoff.Config{
			Store: store, Poll: time.Hour, Sweep: 10 * time.Minute,
			Directory: handoff.Staff{
				{ID: "ann", Queues: []string{"desk"}, Seats: 2, Skills: map[string]int{"tax": 1}},
				{ID: "cat", Queues: []string{"desk"}, Seats: 1, Skills: map[string]int{"tea": 1, "law": 1, "art": 1, "tax": 1}},
				{ID: "bob", Queues: []string{"desk"}, Seats: 2, Skills: map[string]int{"law": 1, "art": 1}},
			},
			Queues: []handoff.Queue{{Name: "desk", OfferTimeout: 10 * time.Hour}},
		}
		for _, f := range change {
			f(&cfg)
		}
		var err error
		r.asks, err = handoff.New(cfg)
		require.NoError(t, err)
		cfg.Store = r.noted
		r.Engine, err = handoff.New(cfg)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		defer func() { cancel(); require.NoError(t, <-done) }()
		r.settle()
		f(t, r)
	})
}

// settle lets everything that goes on end, and returns what was noted.
func (r *replica) settle() []string {
	time.Sleep(time.Second)
	synctest.Wait()
	return r.since()
}

// request is made at the other replica.
func (r *replica) request(t *testing.T, conversation string, skills ...handoff.Skill) handoff.Hint {
	t.Helper()
	got, err := r.asks.Request(t.Context(), handoff.Request{Conversation: conversation, Queue: "desk", Skills: skills})
	require.NoError(t, err)
	rec, err := r.Store.Get(t.Context(), got.Handoff.ID)
	require.NoError(t, err)
	return handoff.Hint{ID: rec.ID, Queue: rec.Queue, Version: rec.Version, Line: rec.Line}
}

// agent returns who is offered a conversation, or "".
func (r *replica) agent(t *testing.T, h handoff.Hint) string {
	t.Helper()
	rec, err := r.Store.Get(t.Context(), h.ID)
	require.NoError(t, err)
	return rec.Agent
}

// before returns what was noted before an offer was made.
func before(t *testing.T, notes []string) []string {
	t.Helper()
	n := slices.Index(notes, "offer")
	require.GreaterOrEqual(t, n, 0, "nothing was offered: %v", notes)
	return notes[:n]
}

// From a hint to the offer there are two reads, at the same time: who waits,
// and the agent who will get him. Nobody is read again to learn what the list
// has told, and nothing is missing when the hint says less, or what is not so.
func TestHintToOffer(t *testing.T) {
	t.Parallel()
	together := []string{"holders", "list"}
	for name, c := range map[string]struct {
		change func(*handoff.Hint)
		begun  []string // before the first read ended
		rest   []string // what was read from then on
		looked bool     // whether the record was read by itself
	}{
		"whole":                    {func(*handoff.Hint) {}, together, nil, false},
		"without a line":           {func(h *handoff.Hint) { h.Line = "" }, []string{"list"}, []string{"holders"}, false},
		"of an older replica":      {func(h *handoff.Hint) { h.Version, h.Line = 0, "" }, []string{"list"}, []string{"holders"}, false},
		"of another line":          {func(h *handoff.Hint) { h.Line = "m=\x1el=\x1es=law\x1f1" }, together, []string{"holders"}, false},
		"of a line that cannot be": {func(h *handoff.Hint) { h.Line = "?" }, together, nil, false},
		"of what is not there yet": {func(h *handoff.Hint) { h.Version = 9 }, together, nil, true},
		"of the queue alone":       {func(h *handoff.Hint) { *h = handoff.Hint{Queue: h.Queue} }, []string{"list"}, []string{"holders"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hearing(t, func(t *testing.T, r *replica) {
				h := r.request(t, "c1")
				said := h
				c.change(&said)
				r.since()
				r.tells(said)
				all := r.settle()
				notes := before(t, all)
				over := slices.IndexFunc(notes, func(n string) bool { return n == "list is over" || n == "holders is over" })
				begun := slices.Sorted(slices.Values(notes[:over]))
				require.Equal(t, c.begun, begun, "all: %v", notes)
				var rest []string
				for _, n := range notes[over:] {
					if n == "list" || n == "holders" || n == "lines" {
						rest = append(rest, n)
					}
				}
				require.Equal(t, c.rest, rest, "all: %v", notes)
				require.Equal(t, c.looked, slices.Contains(all, "get"), "all: %v", all)
				require.Equal(t, "ann", r.agent(t, h))
			})
		})
	}
}

// A hint may come twice, late or not at all.
func TestHintsAreOnlyHints(t *testing.T) {
	t.Parallel()
	hearing(t, func(t *testing.T, r *replica) {
		h := r.request(t, "c1")
		r.tells(h)
		r.tells(h)
		require.NotContains(t, before(t, r.settle()), "get")
		r.tells(h) // late: the offer was made, and its commit is this engine's own
		require.Empty(t, r.settle())
		lost := r.request(t, "c2")
		require.Empty(t, r.agent(t, lost))
		time.Sleep(12 * time.Minute)
		require.NotEmpty(t, r.agent(t, lost), "the sweep finds him")
	})
}

// A hint of what this engine has committed costs nothing, and one of what
// another has committed since is looked into.
func TestOwnHints(t *testing.T) {
	t.Parallel()
	hearing(t, func(t *testing.T, r *replica) {
		h := r.request(t, "c1")
		r.tells(h)
		r.settle()
		rec, err := r.Store.Get(t.Context(), h.ID)
		require.NoError(t, err)
		h.Version = rec.Version
		r.tells(h)
		require.Empty(t, r.settle())
		_, err = r.asks.Accept(t.Context(), h.ID, handoff.By("ann"), 1)
		require.NoError(t, err)
		r.tells(handoff.Hint{ID: h.ID, Version: h.Version + 1})
		require.Contains(t, r.settle(), "get")
	})
}

// What another replica left to deliver is delivered at the hint of it, though
// the record is read only with those who wait.
func TestHintsOfDeliveries(t *testing.T) {
	t.Parallel()
	users := handofftest.NewUsers()
	hearing(t, func(t *testing.T, r *replica) {
		h := r.request(t, "c1")
		r.since()
		r.tells(h)
		r.settle()
		require.NotEmpty(t, users.Texts("c1"))
	}, func(c *handoff.Config) { c.Channel = users })
}

// A seat may be given back before the engine that has offered it knows of its
// own commit. It is free all the same, without a sweep.
func TestSeatGivenBackAtOnce(t *testing.T) {
	t.Parallel()
	hearing(t, func(t *testing.T, r *replica) {
		r.late = func(rec handoff.Record) {
			r.late = nil
			_, err := r.Cancel(t.Context(), rec.ID.Conversation, false)
			require.NoError(t, err)
			time.Sleep(100 * time.Millisecond) // the agent is read
		}
		r.heard(t, "c1")
		lists := slices.DeleteFunc(before(t, r.after(t, r.request(t, "c2"))), func(n string) bool { return n != "list" })
		require.Len(t, lists, 1, "as if she were busy")
	}, func(c *handoff.Config) { c.Directory = handoff.Staff{{ID: "ann", Queues: []string{"desk"}, Seats: 1}} })
}

// An offer that another replica made leaves nothing to match and nobody's place
// to tell, whatever its hint says: it is read, and so is who was asked.
func TestOfferMadeElsewhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*handoff.Hint)
		reads  map[string]int
	}{
		"as stores tell it": {func(h *handoff.Hint) { h.Queue, h.Line = "", "" }, map[string]int{"get": 1, "holders": 1}},
		"as of one who waits": {
			func(*handoff.Hint) {}, map[string]int{"get": 1, "holders": 2, "list": 1}, // whom he would have got is read, too
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hearing(t, func(t *testing.T, r *replica) {
				h := r.request(t, "c1")
				require.NoError(t, r.asks.AgentChanged(t.Context(), "ann"), "who does not run offers at once")
				rec, err := r.Store.Get(t.Context(), h.ID)
				require.NoError(t, err)
				require.Equal(t, handoff.StateOffered, rec.State)
				h.Version = rec.Version
				c.change(&h)
				r.settle()
				r.tells(h)
				require.Equal(t, c.reads, reads(r.settle()))
			})
		})
	}
}

// Who is being asked does not wait: when the last seat was offered to the last
// one, nobody looks for more seats. And who waits is read with the others.
func TestLastSeatIsLikeTheFirst(t *testing.T) {
	t.Parallel()
	hearing(t, func(t *testing.T, r *replica) {
		first := reads(r.after(t, r.request(t, "c1")))
		require.Equal(t, first, reads(r.after(t, r.request(t, "c2"))))
		third := reads(r.after(t, r.request(t, "c3")))
		require.Greater(t, third["holders"], first["holders"], "now there may be one whom this replica does not know of")
		require.Zero(t, third["lines"]+third["get"])
	}, func(c *handoff.Config) {
		c.Directory = handoff.Staff{{ID: "ann", Queues: []string{"desk"}, Seats: 1}, {ID: "bob", Queues: []string{"desk"}, Seats: 1}}
	})
}

// The agents for those who wait are read at the same time, whoever picks them,
// and not one after the other.
func TestAgentsAreReadAtOnce(t *testing.T) {
	t.Parallel()
	for name, route := range map[string]handoff.Router{
		"specialised": handoff.MostSpecialised, "idle": handoff.LongestIdle, "busy": handoff.LeastBusy, "turns": handoff.RoundRobin,
		"sticky": handoff.Sticky(handoff.LongestIdle),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := &slowStaff{}
			for _, id := range []string{"ann", "bob", "cat", "dan", "eve", "fay", "guy"} {
				dir.Staff = append(dir.Staff, handoff.Agent{ID: id, Queues: []string{"desk"}, Seats: 2 - len(dir.Staff)%2})
			}
			hearing(t, func(t *testing.T, r *replica) {
				for i := range 7 {
					_, err := r.asks.Request(t.Context(), handoff.Request{
						Conversation: talk(i), Queue: "desk", Preferred: map[int]string{2: "guy", 3: "guy", 4: "guy"}[i],
					})
					require.NoError(t, err)
				}
				r.settle()
				dir.gets, dir.most = 0, 0
				r.tells(handoff.Hint{Queue: "desk"})
				notes := r.settle()
				last := len(notes) - 1
				for notes[last] != "offer" {
					last--
				}
				require.Equal(t, map[string]int{"list": 1, "holders": 1}, reads(notes[:last]), "all: %v", notes)
				offers := slices.DeleteFunc(slices.Clone(notes), func(n string) bool { return n != "offer" })
				require.Len(t, offers, 7)
				require.Equal(t, dir.gets, dir.most, "all at once")
				require.Greater(t, dir.gets, 3, "and each once")
				require.Less(t, dir.gets, 7, "guy has two of them")
			}, func(c *handoff.Config) {
				c.Directory, c.Presence, c.Queues[0].Route = dir, dir.Staff, route
			})
		})
	}
}

// To look ahead takes nobody's seats.
func TestSeatsAreFreeUntilTheyAreTaken(t *testing.T) {
	t.Parallel()
	hearing(t, func(t *testing.T, r *replica) {
		first, second := r.request(t, "c1"), r.request(t, "c2")
		r.settle()
		r.tells(handoff.Hint{Queue: "desk"})
		require.Equal(t, map[string]int{"list": 1, "holders": 1}, reads(before(t, r.settle())))
		require.Equal(t, "ann", r.agent(t, first), "who can do less goes first")
		require.Equal(t, "ann", r.agent(t, second), "as long as she has a seat")
	}, func(c *handoff.Config) {
		c.Directory = handoff.Staff{{ID: "ann", Queues: []string{"desk"}, Seats: 2}, {ID: "bob", Queues: []string{"desk"}, Seats: 1, Skills: map[string]int{"law": 1}}}
	})
}

// Who waits behind somebody whose record cannot be read is served.
func TestBrokenRecordHoldsUpNobody(t *testing.T) {
	t.Parallel()
	hearing(t, func(t *testing.T, r *replica) {
		broken := r.request(t, "broken")
		r.bad = "broken"
		time.Sleep(time.Second)
		whole := r.heard(t, "whole")
		require.NotEmpty(t, r.agent(t, whole))
		require.Empty(t, r.agent(t, broken))
		r.bad = ""
		r.after(t, broken)
		require.NotEmpty(t, r.agent(t, broken))
	}, func(c *handoff.Config) { c.Logger = slog.New(slog.DiscardHandler) })
}

// slowStaff counts how often and how often at once it is asked for an agent,
// which takes a while.
type slowStaff struct {
	handoff.Staff

	mu              sync.Mutex
	gets, now, most int
}

func (s *slowStaff) Get(ctx context.Context, id string) (handoff.Agent, error) {
	s.mu.Lock()
	s.gets++
	s.now++
	s.most = max(s.most, s.now)
	s.mu.Unlock()
	time.Sleep(time.Millisecond)
	s.mu.Lock()
	s.now--
	s.mu.Unlock()
	return s.Staff.Get(ctx, id)
}

// reads counts what was read.
func reads(notes []string) map[string]int {
	out := map[string]int{}
	for _, n := range notes {
		if n != "offer" && !strings.HasSuffix(n, " is over") {
			out[n]++
		}
	}
	return out
}

// The head of the queue is read without its lines until somebody waits whom
// nobody free can serve. Who is served is the same.
func TestHeadOrLines(t *testing.T) {
	t.Parallel()
	hearing(t, func(t *testing.T, r *replica) {
		queued := func(notes []string) (out []string) {
			for _, n := range notes {
				if n == "list" || n == "lines" {
					out = append(out, n)
				}
			}
			return out
		}
		require.Equal(t, []string{"list"}, queued(before(t, r.after(t, r.request(t, "c1")))))
		tea := handoff.Skill{Name: "tea", Level: 1}
		first := r.heard(t, "x0", tea)
		_, err := r.asks.Accept(t.Context(), first.ID, handoff.By("cat"), 1)
		require.NoError(t, err, "and she has one seat")
		r.settle()
		r.tells(r.request(t, "x1", tea))
		require.NotContains(t, queued(r.settle()), "lines", "there are no more than were asked for")
		r.tells(r.request(t, "x2", tea))
		require.Equal(t, []string{"list", "lines"}, queued(r.settle())[:2], "the head cannot be served, and there may be others")
		law := r.request(t, "c2", handoff.Skill{Name: "law", Level: 1})
		require.Equal(t, []string{"lines", "list"}, queued(before(t, r.after(t, law))), "which is known now")
		require.Equal(t, "bob", r.agent(t, law))
		for _, c := range []string{"x1", "x2"} {
			_, err := r.asks.Cancel(t.Context(), c, false)
			require.NoError(t, err)
		}
		require.Equal(t, []string{"lines", "list"}, queued(before(t, r.after(t, r.request(t, "c3")))))
		require.Equal(t, []string{"list"}, queued(before(t, r.after(t, r.request(t, "c4")))), "there is nobody else now")
	})
}

// heard is a request that is heard of.
func (r *replica) heard(t *testing.T, conversation string, skills ...handoff.Skill) handoff.Hint {
	t.Helper()
	h := r.request(t, conversation, skills...)
	r.after(t, h)
	return h
}

func (r *replica) after(t *testing.T, h handoff.Hint) []string {
	t.Helper()
	r.settle()
	r.tells(h)
	return r.settle()
}
