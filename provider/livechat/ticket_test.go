package livechat_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/livechat"
	"github.com/seed-2a427302/handoff/provider/livechat/livechattest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
)

var absent = handoff.Handoff{
	ID: handoff.ID{Conversation: "c", Number: 1}, Need: handoff.Need{Queue: "support"}, User: &handoff.Contact{Name: "Ursula", Mail: "u@example.org"},
}

// What a user leaves arrives while nobody is there, which a handoff does not, and
// once.
func TestTicketWhileNobodyIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := livechattest.New(t)
		d.Offline = true
		p := adapter(t, d)
		_, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Handoff: absent})
		var pe *handoff.ProviderError
		require.ErrorAs(t, err, &pe)
		assert.Equal(t, "groups_offline", pe.Code)

		text := strings.Repeat("please call me ", 1500)
		d.Next(vendortest.Trouble{On: "POST /v3.6/customer/action/start_chat", Cut: true, Apply: true})
		_, err = p.Ticket(t.Context(), absent, text, "t1")
		require.ErrorAs(t, err, &pe)
		assert.True(t, pe.Ambiguous)
		reference, err := p.Ticket(t.Context(), absent, text, "t1")
		require.NoError(t, err)
		chats := d.Chats()
		require.Len(t, chats, 1)
		assert.Equal(t, reference, chats[0].Reference)
		require.Len(t, chats[0].Messages, 2)
		assert.Equal(t, text, chats[0].Messages[0].Text+chats[0].Messages[1].Text)
		assert.LessOrEqual(t, len(chats[0].Messages[0].Text), livechat.MaxBytes)
		// Nobody is told that a handoff has begun.
		for _, w := range d.Webhooks() {
			events, _, err := p.Receive(t.Context(), w)
			require.NoError(t, err)
			for _, ev := range events {
				assert.Equal(t, handoff.EventQueued, ev.Kind)
			}
		}
		assert.Empty(t, d.Violations())
	})
}
