package desk_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
)

// TestStreamsOfTabsAlone: of the tabs that cannot share a stream four have one,
// and those that come later are told to poll. A tab that comes again has its place.
func TestStreamsOfTabsAlone(t *testing.T) {
	w := newWorld(t)
	var list []<-chan told
	for i := range 4 {
		list = append(list, w.listen("agent", fmt.Sprint("session=s&alone=tab", i)))
		w.next(list[i], "hello", named("hello"))
	}
	fifth := w.call("agent", http.MethodGet, "api/events?session=s&alone=tab4", nil)
	assert.Equal(t, http.StatusNotImplemented, fifth.status)
	assert.Equal(t, "no_stream", fifth.body["code"])
	w.next(w.listen("agent", "session=other"), "hello", named("hello")) // whose tabs share one
	w.next(w.listen("agent", "session=s&alone=tab2"), "hello", named("hello"))
	w.next(list[2], "good-bye to what it had before", named("bye"))
	w.next(w.listen("col", "session=s&alone=tab4"), "a colleague's hello", named("hello"))
}

// TestTabAloneLeaves: of tabs that cannot share a stream one that closes is not the
// browser that goes, as long as another is there.
func TestTabAloneLeaves(t *testing.T) {
	w := newWorld(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	w.next(w.listen("agent", "session=s&alone=one"), "hello", named("hello"))
	two := w.listenUntil(ctx, "agent", "session=s&alone=two")
	w.next(two, "hello", named("hello"))
	require.Equal(t, http.StatusOK, w.call("agent", http.MethodPut, "api/presence", map[string]any{"session": "s", "online": true}).status)
	soon := func() handoff.Availability { // once what is left for a page that comes back has run out
		st, err := w.presence.Agents(t.Context(), []string{"me"}, time.Now().Add(30*time.Second))
		require.NoError(t, err)
		return st[0].Availability
	}
	leave := func(tab string) {
		require.Equal(t, http.StatusNoContent, w.call("agent", http.MethodPost, "api/presence/leave", map[string]any{"session": "s", "alone": tab}).status)
	}
	require.Equal(t, handoff.Online, soon())
	leave("two")
	assert.Equal(t, handoff.Online, soon(), "one is there")
	stop()
	w.until("two has gone, and one leaves", func() bool { leave("one"); return soon() != handoff.Online })
}
