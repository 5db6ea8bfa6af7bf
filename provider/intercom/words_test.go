package intercom_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/intercom/intercomtest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
)

// begun returns a platform with a conversation.
func begun(t *testing.T) (*intercomtest.Double, handoff.Provider, handoff.Session) {
	t.Helper()
	d := intercomtest.New(t)
	p := adapter(t, d)
	s, err := p.Open(t.Context(), handoff.Opening{Attempt: "c.1.1", Note: "1 < 2 <b>&amp;\nx", Handoff: handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}})
	require.NoError(t, err)
	return d, p, s
}

// The same words are the same message only if the same one says them at the
// same time, in the same way.
func TestSameWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, p, s := begun(t)
		user, bot := handoff.Party{Role: handoff.RoleUser}, handoff.Party{Role: handoff.RoleBot}
		at := time.Now()
		said := func() int { return len(d.Chats()[0].Messages) }
		send := func(who handoff.Party, at time.Time) {
			t.Helper()
			require.NoError(t, p.Send(t.Context(), s, handoff.ProviderMessage{ID: "m", Text: "yes", From: who, At: at, Again: true}))
		}
		note := func() int {
			t.Helper()
			require.NoError(t, p.(handoff.Noter).Note(t.Context(), s, handoff.ProviderMessage{ID: "n", Text: "yes", At: at, Again: true}))
			return len(d.Chats()[0].Internal)
		}
		noted := note()
		assert.Equal(t, noted, note(), "the note is there")
		send(bot, at)
		assert.Equal(t, 1, said(), "a note is no message")
		send(user, at)
		assert.Equal(t, 2, said(), "what the bot says is not what the user says")
		send(user, at.Add(time.Minute))
		assert.Equal(t, 3, said(), "he says it again")
		for range 2 {
			send(bot, at)
			send(user, at)
			send(user, at.Add(time.Minute))
		}
		assert.Equal(t, 3, said(), "all that is there")
	})
}

// What is written in the teammate's name is HTML there, and reads as it was said.
func TestWordsAreNoMarkup(t *testing.T) {
	d, p, s := begun(t)
	const words = "1 < 2 <b>&amp;\nx"
	m := handoff.ProviderMessage{ID: "m", Text: words, From: handoff.Party{Role: handoff.RoleBot}}
	require.NoError(t, p.Send(t.Context(), s, m))
	require.NoError(t, p.(handoff.Noter).Note(t.Context(), s, m))
	c := d.Chats()[0]
	require.Len(t, c.Messages, 1)
	assert.Equal(t, words, c.Messages[0].Text)
	require.Len(t, c.Internal, 3) // the first words, the opening, the note
	assert.Contains(t, c.Internal[1], words)
	assert.Equal(t, words, c.Internal[2])
}

// A search may find more than what was looked for: of what has the mark the
// oldest is ours.
func TestOthersAreFound(t *testing.T) {
	d := intercomtest.New(t)
	p := adapter(t, d)
	h := handoff.Handoff{ID: handoff.ID{Conversation: "c", Number: 1}}
	const search = "POST /conversations/search"
	mark := ""
	find := func(list string) string {
		t.Helper()
		d.Next(vendortest.Trouble{On: search, Status: 200, Body: `{"conversations":[` + list + `]}`})
		ref, err := p.Ticket(t.Context(), h, "call me", "t1")
		require.NoError(t, err)
		return ref
	}
	one := func(id, created int, words string) string {
		return fmt.Sprintf(`{"id":"%d","created_at":%d,"source":{"body":"<p>%s</p>"}}`, id, created, words)
	}
	assert.NotEqual(t, "907", find(one(907, 1, "hello")), "another user's")
	for _, r := range d.Requests() {
		if r.Pattern == search {
			_, _ = fmt.Sscanf(string(r.Body[len(r.Body)-27:]), `"%23s`, &mark)
		}
	}
	require.Regexp(t, "^ref[0-9a-f]{20}$", mark)
	assert.Equal(t, "908", find(one(907, 1, "hello")+","+one(909, 20, "x "+mark)+","+one(908, 10, "x "+mark)))
}

// A reference that is no number is nobody's, and nothing is asked for it.
func TestReferenceThatIsNoNumber(t *testing.T) {
	d, p, s := begun(t)
	before := len(d.Requests())
	for _, reference := range []string{"", "1/parts", "../admins", "x", "-1", "111111111111111111111"} {
		s.Reference = reference
		err := p.Send(t.Context(), s, handoff.ProviderMessage{ID: "m", Text: "x", From: handoff.Party{Role: handoff.RoleUser}})
		var pe *handoff.ProviderError
		require.ErrorAs(t, err, &pe, reference)
		assert.Equal(t, []any{"reference", 404, false}, []any{pe.Code, pe.Status, pe.Retryable}, reference)
		require.NoError(t, p.Close(t.Context(), s, ""), "what is not there is closed")
		_, _, err = p.(handoff.StateReader).ReadState(t.Context(), s)
		require.Error(t, err)
	}
	assert.Len(t, d.Requests(), before)
}

// A reply has ten files: further ones are addresses.
func TestElevenFiles(t *testing.T) {
	d, p, s := begun(t)
	for _, role := range []handoff.Role{handoff.RoleUser, handoff.RoleBot} {
		m := handoff.ProviderMessage{ID: "m", Text: "see", From: handoff.Party{Role: role}}
		for i := range 12 {
			m.Files = append(m.Files, handoff.File{Name: fmt.Sprintf("%d.pdf", i), URL: fmt.Sprintf("https://files.example/%d", i)})
		}
		require.NoError(t, p.Send(t.Context(), s, m))
		said := d.Chats()[0].Messages
		last := said[len(said)-1]
		assert.Equal(t, []any{10, "see\n10.pdf https://files.example/10\n11.pdf https://files.example/11"}, []any{last.Files, last.Text}, role)
	}
	assert.Empty(t, d.Violations())
}

// Who is away, has no seat, is in another team or is the adapter's own teammate
// is not there.
func TestWhoIsThere(t *testing.T) {
	d := intercomtest.New(t)
	p := adapter(t, d)
	admin := func(id string, away, seat bool, team string) string {
		return fmt.Sprintf(`{"id":%q,"away_mode_enabled":%t,"has_inbox_seat":%t,"team_ids":[%s]}`, id, away, seat, team)
	}
	const team, none = intercomtest.Team, ""
	for who, want := range map[string]handoff.Availability{
		admin("7", false, true, team):                handoff.Online,
		admin("7", true, true, team):                 handoff.Offline,
		admin("7", false, false, team):               handoff.Offline,
		admin("7", false, true, "701"):               handoff.Offline,
		admin(intercomtest.Admin, false, true, team): handoff.Offline,
		none: handoff.Offline,
		admin("7", true, true, team) + "," + admin("8", false, true, "1,"+team): handoff.Online,
	} {
		d.Next(vendortest.Trouble{On: "GET /admins", Status: 200, Body: `{"admins":[` + who + `]}`})
		got, err := p.Available(t.Context(), handoff.Need{Queue: "support"})
		require.NoError(t, err)
		assert.Equal(t, want, got, who)
	}
	d.Next(vendortest.Trouble{On: "GET /admins", Status: 200, Body: `{"admins":[` + admin("7", false, true, "") + `]}`})
	got, err := p.Available(t.Context(), handoff.Need{Queue: "another"})
	require.NoError(t, err)
	assert.Equal(t, handoff.Online, got, "a queue without a team is everybody's")
}
