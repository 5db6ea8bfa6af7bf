package desk_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/desk"
)

// TestHeaderHasTheLastWord: what the host says of the headers stays, whatever an
// answer sets itself, and it is asked once for each.
func TestHeaderHasTheLastWord(t *testing.T) {
	w := newWorld(t, func(c *desk.Config) {
		c.Header = func(h http.Header) {
			h.Set("Content-Security-Policy", "sandbox")
			h.Set("Cache-Control", "max-age=7")
			h.Set("Content-Type", "x/"+strings.ReplaceAll(h.Get("Content-Type"), "/", "-"))
			h.Add("X-Asked", "once")
		}
	})
	check := func(what string, h http.Header) {
		t.Helper()
		assert.Equal(t, "sandbox", h.Get("Content-Security-Policy"), what)
		assert.Equal(t, "max-age=7", h.Get("Cache-Control"), what)
		assert.True(t, strings.HasPrefix(h.Get("Content-Type"), "x/"), "%s: %s", what, h.Get("Content-Type"))
		assert.Equal(t, []string{"once"}, h.Values("X-Asked"), what)
	}
	page := w.call("admin", http.MethodGet, "", nil).raw
	_, asset, _ := strings.Cut(page, "assets/")
	asset, _, _ = strings.Cut(asset, `"`)
	for _, path := range []string{"", "api/snapshot", "api/export/html", "api/export/csv", "api/nowhere", "healthz", "assets/" + asset} {
		check(path, w.call("admin", http.MethodGet, path, nil).header)
	}
	check("head of an asset", w.call("admin", http.MethodHead, "assets/"+asset, nil).header)
	check("no content", w.call("agent", http.MethodPost, "api/presence/leave", map[string]string{"session": "s"}).header)
	check("refused", w.call("viewer", http.MethodGet, "api/past", nil).header)

	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+"/api/events?session=s", nil)
	require.NoError(t, err)
	r.Header.Set("X-Actor", "admin")
	res, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	check("stream", res.Header)
}
