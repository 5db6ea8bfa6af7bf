package cmcom_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/provider/cmcom"
	"github.com/seed-2a427302/handoff/provider/cmcom/cmcomtest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
)

// What a user leaves is handed over while nobody is there, with who he is and the
// skill, and a repeat is the same chat.
func TestTicketWhileNobodyIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := cmcomtest.New(t)
		d.Online = false
		p := adapter(t, d)
		text := strings.Repeat("please call me ", 300)
		d.Next(vendortest.Trouble{On: cmcomtest.Mutation, Status: 400})
		_, err := p.Ticket(t.Context(), opening("c").Handoff, text, "t1")
		require.Error(t, err)
		first, err := p.Ticket(t.Context(), opening("c").Handoff, text, "t1")
		require.NoError(t, err)
		chats := d.Chats()
		require.Len(t, chats, 1)
		assert.Equal(t, first, chats[0].Reference)
		assert.Equal(t, []string{text}, chats[0].Internal, "in one request")
		assert.Equal(t, "billing,refunds", d.Context(first)["RoutingKeywords"])
		assert.Contains(t, d.Context(first)["CustomerInfo"], "u@example.org")
		again, err := p.Ticket(t.Context(), opening("c").Handoff, text, "t1")
		require.NoError(t, err)
		assert.Equal(t, first, again)
		assert.Len(t, d.Chats(), 1)
		for _, r := range d.Requests() {
			assert.LessOrEqual(t, strings.Count(string(r.Body), "please call me "), 2*cmcom.MaxBytes/len("please call me "))
		}
		assert.Empty(t, d.Violations())
	})
}
