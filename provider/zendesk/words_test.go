package zendesk_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/provider/zendesk/zendesktest"
)

var (
	fromUser = handoff.Party{Role: handoff.RoleUser}
	fromBot  = handoff.Party{Role: handoff.RoleBot}
)

func opening() handoff.Opening {
	return handoff.Opening{Attempt: "c.1.1", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}}
}

// A conversation with more messages than a page has: what was sent long ago is
// found.
func TestLongConversation(t *testing.T) {
	d := zendesktest.New(t)
	p := adapter(t, d)
	s, err := p.Open(t.Context(), opening())
	require.NoError(t, err)
	const messages = 70
	m := handoff.ProviderMessage{Text: "x", From: fromUser}
	for i := range messages {
		m.ID = strconv.Itoa(i)
		require.NoError(t, p.Send(t.Context(), s, m))
	}
	m.ID, m.Again = "0", true
	require.NoError(t, p.Send(t.Context(), s, m))
	assert.Len(t, d.Chats()[0].Messages, messages)
	assert.Empty(t, d.Violations())
}

// What the bot says is silent: the user has read it. What the user says is not.
func TestBotIsSilent(t *testing.T) {
	d := zendesktest.New(t)
	p := adapter(t, d)
	o := opening()
	o.Transcript = []handoff.Entry{
		{ID: "e1", Seq: 1, Kind: handoff.KindMessage, From: fromUser, Text: "user"},
		{ID: "e2", Seq: 2, Kind: handoff.KindMessage, From: fromBot, Text: "bot"},
	}
	s, err := p.Open(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, p.Send(t.Context(), s, handoff.ProviderMessage{ID: "1", Text: "user", From: fromUser}))
	require.NoError(t, p.Send(t.Context(), s, handoff.ProviderMessage{ID: "2", Text: "bot", From: fromBot}))
	said := 0
	for _, r := range d.Requests() {
		if !strings.HasPrefix(r.Pattern, "POST") || !strings.HasSuffix(r.Pattern, "/messages") {
			continue
		}
		said++
		const silent = `"destination":{"integrationType":"none"}`
		assert.Equal(t, strings.Contains(string(r.Body), `"text":"bot"`), strings.Contains(string(r.Body), silent), "%s", r.Body)
	}
	assert.Equal(t, 4, said)
}

// Within Zendesk the user's words are there; the bot's get there once.
func TestSwitchboardSays(t *testing.T) {
	d := zendesktest.NewInside(t)
	p := switchboard(t, d)
	s, err := p.Open(t.Context(), opening())
	require.NoError(t, err)
	before := len(d.Requests())
	require.NoError(t, p.Send(t.Context(), s, handoff.ProviderMessage{ID: "1", Text: "hello", From: fromUser}))
	assert.Len(t, d.Requests(), before)
	m := handoff.ProviderMessage{ID: "2", Text: "bot", From: fromBot}
	require.NoError(t, p.Send(t.Context(), s, m))
	m.Again = true
	require.NoError(t, p.Send(t.Context(), s, m))
	assert.Len(t, d.Chats()[0].Messages, 1)
	m.ID = "3"
	require.NoError(t, p.Send(t.Context(), s, m))
	assert.Len(t, d.Chats()[0].Messages, 2)
}

// What the system tells in a conversation is for nobody, on either side.
func TestActivity(t *testing.T) {
	body := `{"events":[{"id":"e","createdAt":"2026-02-02T02:40:00Z","type":"conversation:message","payload":{"conversation":{"id":"c"},"message":` +
		`{"id":"m","author":{"type":"business","userId":"7","subtypes":[%s]},"content":{"type":"text","text":"Ann has joined"},"source":{"type":"zd:agentWorkspace"}}}}]}`
	for what, rc := range map[string]handoff.Receiver{"outside": adapter(t, zendesktest.New(t)), "within": switchboard(t, zendesktest.NewInside(t))} {
		for subtypes, want := range map[string]int{"": 1, `"AI"`: 1, `"activity"`: 0, `"AI","activity"`: 0} {
			events, _, err := rc.Receive(t.Context(), zendesktest.Bare(zendesktest.Secret, fmt.Appendf(nil, body, subtypes)))
			require.NoError(t, err)
			assert.Len(t, events, want, "%s %s", what, subtypes)
		}
	}
}

// Who is there may be on a later page, and pages end.
func TestPagesOfAgents(t *testing.T) {
	d := zendesktest.New(t)
	p := adapter(t, d)
	const on = "GET /api/v2/agent_availabilities"
	page := func(more bool) vendortest.Trouble {
		return vendortest.Trouble{On: on, Status: 200, Body: fmt.Sprintf(
			`{"included":[{"type":"channels","attributes":{"name":"messaging","status":"away"}},{"type":"channels","attributes":{"name":"talk","status":"online"}}],`+
				`"meta":{"has_more":%t,"after_cursor":"cursor-1"}}`, more)}
	}
	asked := func(want handoff.Availability, pages ...vendortest.Trouble) (queries []string) {
		t.Helper()
		before := len(d.Requests())
		d.Next(pages...)
		got, err := p.Available(t.Context(), handoff.Need{})
		require.NoError(t, err)
		assert.Equal(t, want, got)
		for _, r := range d.Requests()[before:] {
			_, query, _ := strings.Cut(r.URL, "?")
			queries = append(queries, query)
		}
		return queries
	}
	const first, next = "page%5Bsize%5D=100", "page%5Bafter%5D=cursor-1&page%5Bsize%5D=100"
	assert.Equal(t, []string{first, next}, asked(handoff.Online, page(true)))
	assert.Equal(t, []string{first}, asked(handoff.Offline, page(false)))
	endless := page(true)
	endless.Times = 20
	assert.Len(t, asked(handoff.Offline, endless), 20)
}
