package handoff_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
)

// TestLabels: what a field is called is said by the forms of its queue, and then by
// those that may have led there, unless these disagree.
func TestLabels(t *testing.T) {
	form := func(fields ...handoff.Field) *handoff.Form { return &handoff.Form{Fields: fields} }
	e, err := handoff.New(handoff.Config{Store: memstore.New(), Directory: memstore.NewDirectory(), Presence: memstore.NewPresence(), Queues: []handoff.Queue{
		{
			Name: "billing", Intake: form(handoff.Field{Name: "order", Label: "Which order?"}, handoff.Field{Name: "plain"}),
			Offline: handoff.Absence{Form: form(handoff.Field{Name: "mail", Label: "Your mail"}, handoff.Field{Name: "order", Label: "Order"})},
		},
		{Name: "shop", Intake: form(handoff.Field{Name: "order", Label: "Your order"}, handoff.Field{Name: "size", Label: "Size"})},
		{Name: "none"},
	}})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"order": "Which order?", "mail": "Your mail", "size": "Size"}, e.Labels("billing"))
	assert.Equal(t, map[string]string{"order": "Your order", "mail": "Your mail", "size": "Size"}, e.Labels("shop"))
	for _, other := range []string{"none", "gone", ""} {
		assert.Equal(t, map[string]string{"mail": "Your mail", "size": "Size"}, e.Labels(other), "forms call the order differently")
	}
	left := handoff.Entry{Kind: handoff.KindLeft, Text: "Hello", Data: map[string]string{"mail": "a@b.example", "order": "4711", "plain": "x"}}
	assert.Equal(t, "Hello\nYour mail: a@b.example\nWhich order? 4711\nplain: x", left.Labelled(e.Labels("billing")))
	assert.Equal(t, "Hello\nmail: a@b.example\norder: 4711\nplain: x", left.Words())
	assert.Equal(t, "Hi", (&handoff.Entry{Kind: handoff.KindMessage, Text: "Hi", Data: left.Data}).Labelled(nil))
}
