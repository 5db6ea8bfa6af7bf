package cisco_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider/cisco"
	"github.com/seed-2a427302/handoff/provider/cisco/ciscotest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
)

var push = cisco.Push{Feed: ciscotest.PushFeed, User: ciscotest.User, Password: ciscotest.Password}

func suite(t *testing.T, d *ciscotest.Double) *cisco.Suite {
	t.Helper()
	s, err := cisco.NewSuite(config(d), push)
	require.NoError(t, err)
	return s
}

// What a user leaves is a social contact with who he is; the administrator's
// password goes with it, and with no request of a chat.
func TestPushed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := ciscotest.New(t)
		s := suite(t, d)
		o := opening("c")
		const text = "call me <b>&\nat ten\x0b"
		d.Next(vendortest.Trouble{On: "POST /ccp-webapp/ccp/socialcontact/{$}", Cut: true, Apply: true})
		_, err := s.Ticket(t.Context(), o.Handoff, text, "t1")
		var pe *handoff.ProviderError
		require.ErrorAs(t, err, &pe)
		assert.Equal(t, []any{"ticket", true}, []any{pe.Op, pe.Ambiguous})
		reference, err := s.Ticket(t.Context(), o.Handoff, text, "t1")
		require.NoError(t, err)
		assert.Equal(t, []string{"call me <b>&\nat ten", "call me <b>&\nat ten"}, d.Left(), "CCP knows no repeats")
		sent := string(d.Requests()[1].Body)
		for _, want := range []string{
			"<title>Message from U &lt;&amp;&gt; (" + reference + ")</title>", "u@example.org", "+30 1", ciscotest.Tag,
		} {
			assert.Contains(t, sent, want)
		}
		_, err = s.Ticket(t.Context(), handoff.Handoff{}, strings.Repeat("x", 10_000), "t2")
		require.NoError(t, err)
		assert.Len(t, d.Left()[2], cisco.MaxNote)
		_, err = s.Open(t.Context(), o)
		require.NoError(t, err)
		for _, r := range d.Requests() {
			_, _, has := (&http.Request{Header: r.Header}).BasicAuth()
			assert.Equal(t, strings.Contains(r.URL, "socialcontact"), has, r.URL)
		}
		assert.Empty(t, d.Violations())
	})
}

func TestSuiteConfig(t *testing.T) {
	vendortest.CheckConfig(t, func() cisco.Push { return push }, func(f cisco.Push) (*cisco.Suite, error) {
		return cisco.NewSuite(config(nil), f)
	}, map[string]func(*cisco.Push){
		"Push.Feed":     func(f *cisco.Push) { f.Feed = "" },
		"Push.User":     func(f *cisco.Push) { f.User = "" },
		"Push.Password": func(f *cisco.Push) { f.Password = "" },
	}, ciscotest.Password)
	_, err := cisco.NewSuite(cisco.Config{}, push)
	require.Error(t, err)
}
