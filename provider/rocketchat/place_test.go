package rocketchat_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/rocketchat"
	"github.com/seed-2a427302/handoff/provider/rocketchat/rocketchattest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

// waiters are rooms of a workspace that are read.
type waiters struct {
	t     *testing.T
	d     *rocketchattest.Double
	p     *rocketchat.Provider
	rooms []string
	told  map[string][]int // places, by room
}

func wait(t *testing.T, n int, queue string, change func(c *rocketchat.Config)) *waiters {
	t.Helper()
	w := &waiters{t: t, d: rocketchattest.New(t), told: map[string][]int{}}
	c := config(w.d)
	if change != nil {
		change(&c)
	}
	p, err := rocketchat.New(c)
	require.NoError(t, err)
	w.p = p.(*rocketchat.Provider)
	for i := range n {
		id := handoff.ID{Conversation: fmt.Sprint("c", i), Number: 1}
		s, err := w.p.Open(t.Context(), handoff.Opening{
			Attempt: id.Conversation + ".1.1", Note: "n", Handoff: handoff.Handoff{ID: id, Need: handoff.Need{Queue: queue}},
		})
		require.NoError(t, err)
		w.rooms = append(w.rooms, s.Reference)
		w.read(s)
	}
	return w
}

// read reads a room until the test is over.
func (w *waiters) read(s handoff.Session) {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error)
	go func() {
		done <- w.p.Stream(ctx, s, func(ev handoff.ProviderEvent) error {
			w.d.Lock()
			defer w.d.Unlock()
			assert.Equal(w.t, handoff.EventQueued, ev.Kind)
			w.told[s.Reference] = append(w.told[s.Reference], ev.Position)
			return ev.Validate()
		})
	}()
	w.t.Cleanup(func() { cancel(); assert.NoError(w.t, <-done) })
}

// places returns what was told of a room, a minute later.
func (w *waiters) places(room string) []int {
	time.Sleep(time.Minute) //nolint:forbidigo // in a bubble
	synctest.Wait()
	w.d.Lock()
	defer w.d.Unlock()
	return w.told[room]
}

// lists are the requests for who waits.
func (w *waiters) lists() (n int) {
	for _, r := range w.d.Requests() {
		if strings.HasSuffix(r.Pattern, "inquiries.list") {
			n++
		}
	}
	return n
}

// A place is counted among those of the same department, told as it changes, and
// read once for all who wait.
func TestPlaces(t *testing.T) {
	for _, queue := range []string{"support", "public"} {
		synctest.Test(t, func(t *testing.T) {
			w := wait(t, 3, queue, nil)
			last := w.rooms[2]
			require.Equal(t, []int{3}, w.places(last))
			before := w.lists()
			require.Equal(t, []int{3}, w.places(last), "it is told again")
			assert.Equal(t, 3, w.lists()-before, "in a minute, for three rooms")

			w.d.Do(providertest.Act{Kind: providertest.Queue, Chat: last, Position: 130}) // on another page
			require.Equal(t, []int{3, 132}, w.places(last))
			w.d.Do(providertest.Act{Kind: providertest.Join, Chat: w.rooms[0], Agent: handoff.Party{ID: "7", Name: "Ann"}})
			require.Equal(t, []int{3, 132, 131}, w.places(last))

			before = w.lists()
			w.d.Do(providertest.Act{Kind: providertest.Queue, Chat: last, Position: 1000}) // further back than is read
			require.Equal(t, []int{3, 132, 131}, w.places(last))
			assert.LessOrEqual(t, w.lists()-before, 9, "Rocket.Chat takes ten requests a minute")
			w.d.Do(providertest.Act{Kind: providertest.Queue, Chat: last, Position: 1})
			require.Equal(t, []int{3, 132, 131, 2}, w.places(last))
			assert.Equal(t, []int{1}, w.places(w.rooms[0]), "who has an agent has no place")
			assert.Empty(t, w.d.Violations())
		})
	}
}

// The list is asked for in the order in which Rocket.Chat serves it.
func TestSorting(t *testing.T) {
	for sorting, sort := range map[rocketchat.Sorting]string{
		"": `{"ts":1}`, rocketchat.SortPriority: `{"priorityWeight":1,"ts":1}`, rocketchat.SortSLAs: `{"estimatedWaitingTimeQueue":1,"ts":1}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			w := wait(t, 2, "support", func(c *rocketchat.Config) { c.Sorting = sorting })
			w.d.Lock()
			w.d.Sort = sort
			w.d.Unlock()
			w.places(w.rooms[0])
			assert.Equal(t, []int{1, 2}, []int{last(w.places(w.rooms[0])), last(w.places(w.rooms[1]))}, "%q", sorting)
		})
	}
}

func last(list []int) int { return list[len(list)-1] }

// A list that cannot be read is an unknown place, and nothing more: the next one
// is read in its time.
func TestPlaceUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const list = "GET /api/v1/livechat/inquiries.list"
		w := wait(t, 0, "support", nil)
		w.d.Next(vendortest.Trouble{On: list, Status: http.StatusForbidden, Times: 2},
			vendortest.Trouble{On: list, Status: http.StatusTooManyRequests, Times: 3}, vendortest.Trouble{On: list, Cut: true})
		s, err := w.p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
		require.NoError(t, err)
		w.read(s)
		require.Empty(t, w.places(s.Reference))
		require.Equal(t, []int{1}, w.places(s.Reference))
	})
}

// Who reads for all and is gone before the answer is there is in nobody's way.
func TestPlaceAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := wait(t, 0, "support", nil)
		s, err := w.p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Note: "n", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
		require.NoError(t, err)
		w.d.Next(vendortest.Trouble{On: "GET /api/v1/livechat/inquiries.list", Cut: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, w.p.Stream(ctx, s, func(handoff.ProviderEvent) error { return nil }))
		w.read(s)
		synctest.Wait()
		w.d.Lock()
		defer w.d.Unlock()
		assert.Equal(t, []int{1}, w.told[s.Reference])
	})
}
