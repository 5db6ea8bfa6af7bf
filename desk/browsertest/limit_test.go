package browsertest

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed-2a427302/handoff"
)

// TestDesk14ShortLimit: a host's server that ends a request before an idle poll
// has its answer loses nobody. The page asks for shorter ones from then on: its
// agent stays, keeps what is his, and is never told that there is no connection.
func TestDesk14ShortLimit(t *testing.T) {
	t.Parallel()
	const limit = 2 * time.Second // an idle poll lasts as long as a ping takes to come, which is twice that
	for name, wrap := range map[string]func(http.Handler) http.Handler{
		"timeout": func(next http.Handler) http.Handler { return http.TimeoutHandler(next, limit, "late") },
		// As Server.WriteTimeout does, which a handler can only move where it finds the connection.
		"deadline": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				_ = http.NewResponseController(rw).SetWriteDeadline(time.Now().Add(limit))
				next.ServeHTTP(plain{rw}, r)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, leased(time.Second), options{wrap: wrap})
			w.available("ann")
			p := w.as("ann")
			p.expects("501", "503", "ERR_")
			p.open("").live()
			w.until("she is there", func() bool { return w.availability("ann") == handoff.Online })
			h := w.has("ann", "maria", "billing")
			p.goes("c/" + token(h) + "?tab=mine")
			p.until("it is open", `document.querySelector('.composer.reply')`)
			js[bool](p, `(self.off = 0, new MutationObserver(() => { if (document.querySelector('.live.off')) self.off++; }).observe(document.body, { subtree: true, attributes: true }), true)`)
			assert.Equal(t, []handoff.Availability{handoff.Online}, w.stays("ann", longer, func() {}))
			assert.Equal(t, "ann", w.now(h.ID).Agent)
			assert.Zero(t, js[int](p, `self.off`), "it was told that there is no connection")
			w.says("maria", "are you there?")
			p.sees("are you there?")
		})
	}
}
