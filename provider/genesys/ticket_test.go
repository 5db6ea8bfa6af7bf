package genesys_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
	"github.com/seed-2a427302/handoff/provider/genesys"
	"github.com/seed-2a427302/handoff/provider/genesys/genesystest"
	"github.com/seed-2a427302/handoff/provider/vendortest"
	"github.com/seed-2a427302/handoff/providertest"
)

func suite(t *testing.T, d *genesystest.Double) *genesys.Suite {
	t.Helper()
	s, err := genesys.NewSuite(config(d), genesys.Workitems{Type: genesystest.Worktype})
	require.NoError(t, err)
	return s
}

func TestProvider(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		d := genesystest.New(t)
		return providertest.Harness{Provider: suite(t, d), Vendor: d, Again: func() handoff.Provider { return suite(t, d) }}
	})
}

// A work item has room for 512 characters: a longer message is several, none of
// which is made twice.
func TestWorkitems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := genesystest.New(t)
		s := suite(t, d)
		h := opening("c").Handoff
		text := "please call me " + strings.Repeat("é ", 300)
		d.Next(vendortest.Trouble{On: "POST /api/v2/taskmanagement/workitems", Cut: true, Apply: true})
		_, err := s.Ticket(t.Context(), h, text, "t1")
		var pe *handoff.ProviderError
		require.ErrorAs(t, err, &pe)
		assert.True(t, pe.Ambiguous)
		first, err := s.Ticket(t.Context(), h, text, "t1")
		require.NoError(t, err)
		items := d.Workitems()
		require.Len(t, items, 2)
		assert.Equal(t, "U u@example.org\n"+text, items[0]+items[1])
		again, err := s.Ticket(t.Context(), h, text, "t1")
		require.NoError(t, err)
		assert.Equal(t, first, again)
		assert.Len(t, d.Workitems(), 2)

		_, err = s.Ticket(t.Context(), handoff.Handoff{ID: handoff.ID{Conversation: "c2", Number: 1}}, strings.Repeat("long ", 10_000), "t2")
		require.NoError(t, err)
		items = d.Workitems()[2:]
		assert.LessOrEqual(t, len(items), 8)
		assert.True(t, strings.HasSuffix(items[len(items)-1], provider.CutMark))
		assert.Empty(t, d.Violations())
	})
}

func TestSuiteConfig(t *testing.T) {
	for field, w := range map[string]genesys.Workitems{
		"Workitems.Type": {Type: "support"}, "Workitems.Bin": {Type: genesystest.Worktype, Bin: "bin 1"},
	} {
		_, err := genesys.NewSuite(config(nil), w)
		var bad *handoff.InvalidError
		require.ErrorAs(t, err, &bad)
		assert.Equal(t, field, bad.Field)
	}
	c := config(nil)
	c.Client = ""
	_, err := genesys.NewSuite(c, genesys.Workitems{Type: genesystest.Worktype})
	require.Error(t, err)
}
