package browsertest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestConsole: what a browser complains of fails a test, save a refusal of what
// its page could not know to be another's yet, and that only once.
func TestConsole(t *testing.T) {
	w := newWorld(t)
	w.there("ann", "bob")
	h := w.has("bob", "maria", "shop")
	p := w.at("ann", "")
	asks := func(what string, status int) string {
		t.Helper()
		assert.Equal(t, status, js[int](p, `fetch('/ann/api/handoffs/'+§).then((r) => r.status)`, what))
		complaint := fmt.Sprintf("network error: Failed to load resource: the server responded with a status of %d ", status)
		w.until("the browser has complained", func() bool { return p.heard(complaint) && p.heard("/api/handoffs/"+what) })
		p.mu.Lock()
		defer p.mu.Unlock()
		m := p.problems[len(p.problems)-1]
		p.problems = nil
		return m
	}
	another, unknown := asks(token(h), 403), asks("1.nobody", 404)
	assert.True(t, p.late(another))
	assert.False(t, p.late(another))
	assert.False(t, p.late(unknown))
	assert.False(t, p.allowed(another))
	p.expects("404", "ERR_")
	assert.True(t, p.allowed(unknown))
	assert.False(t, p.allowed(another), "what is expected of other answers is not of this one")
	assert.False(t, p.allowed(strings.Replace(another, "127.0.0.1:", "127.0.0.1:404", 1)), "a port is no status")
	assert.True(t, p.allowed("network error: Failed to load resource: net::ERR_CONNECTION_RESET"))
	p.expects("Failed to load resource")
	assert.False(t, p.allowed(another), "words that every answer with an error has name none")
	p.expects("")
	assert.True(t, p.allowed(another), "where all that is asked for is refused")
}
