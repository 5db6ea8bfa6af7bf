package provider_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/vendortest"
)

// What a user left reaches each platform that takes tickets: the words, whole,
// once, and how to reach him.
func TestTicketsArrive(t *testing.T) {
	const words, mail, phone = "please call me, é漢😀", "left@users.example", "+15550100"
	for where, list := range map[string]map[string]opener{"outside": platforms, "within": within} {
		for name, open := range list {
			t.Run(where+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					_, in, p, err := open(t)
					require.NoError(t, err)
					k, ok := p.(handoff.Ticketer)
					require.Equal(t, ok, p.Info().Can.Ticket)
					if !ok {
						return
					}
					h := handoff.Handoff{
						ID: handoff.ID{Conversation: "c", Number: 1}, Need: handoff.Need{Queue: "support"},
						User: &handoff.Contact{ID: "u1", Name: "U", Mail: mail, Phone: phone},
					}
					_, err = k.Ticket(t.Context(), h, words, "t1")
					require.NoError(t, err)
					said, reach := 0, false
					for _, r := range in.Requests() {
						body := unescaped(&r)
						if r.Status >= http.StatusOK && r.Status < http.StatusMultipleChoices && strings.Contains(body, words) {
							said++
						}
						reach = reach || strings.Contains(body, mail) || strings.Contains(body, phone)
					}
					assert.Equal(t, 1, said, "the words are said")
					assert.True(t, reach, "somebody can answer him")
					assert.Empty(t, in.Violations())
				})
			})
		}
	}
}

// unescaped is a body as people would read it.
func unescaped(r *vendortest.Request) string {
	body := string(r.Body)
	if r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		body, _ = url.QueryUnescape(body)
	}
	return html.UnescapeString(body)
}
