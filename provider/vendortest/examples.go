package vendortest

import (
	"slices"
	"testing"

	"github.com/seed-2a427302/handoff"
)

// An Example is a webhook, or an answer, that a platform published, with what it is to an
// engine.
type Example struct {
	Source string // where it was published
	Body   string

	Kinds     []handoff.ProviderEventKind // of the events, in order
	Reference string                      // of all of them
	Agent     string                      // id, of the last one
	Text      string                      // of the last one
}

// CheckExamples proves that an adapter understands what its platform published.
func CheckExamples(t *testing.T, rc handoff.Receiver, sign func(body []byte) handoff.Webhook, examples []Example) {
	t.Helper()
	CheckAnswers(t, func(body []byte) ([]handoff.ProviderEvent, error) {
		events, _, err := rc.Receive(t.Context(), sign(body))
		return events, err
	}, examples)
}

// A Reading is what an adapter makes of what its platform answers when it is
// read: the events of a chat that nothing is known of.
type Reading func(body []byte) ([]handoff.ProviderEvent, error)

// CheckAnswers is CheckExamples for a platform that is read.
func CheckAnswers(t *testing.T, read Reading, examples []Example) {
	t.Helper()
	for _, ex := range examples {
		events, err := read([]byte(ex.Body))
		if err != nil {
			t.Errorf("%s is refused: %v", ex.Source, err)
			continue
		}
		kinds := make([]handoff.ProviderEventKind, len(events))
		for i := range events {
			kinds[i] = events[i].Kind
			if events[i].Reference != ex.Reference {
				t.Errorf("%s: the reference is %q, want %q", ex.Source, events[i].Reference, ex.Reference)
			}
		}
		if !slices.Equal(kinds, ex.Kinds) {
			t.Errorf("%s is told as %q, want %q", ex.Source, kinds, ex.Kinds)
			continue
		}
		if n := len(events); n > 0 && (events[n-1].Agent.ID != ex.Agent || events[n-1].Text != ex.Text) {
			t.Errorf("%s is told with the agent %q and the text %q, want %q and %q", ex.Source, events[n-1].Agent.ID, events[n-1].Text, ex.Agent, ex.Text)
		}
	}
}

// ExampleBodies returns the bodies of examples: seeds for [FuzzReceive].
func ExampleBodies(examples []Example) [][]byte {
	out := make([][]byte, len(examples))
	for i, ex := range examples {
		out[i] = []byte(ex.Body)
	}
	return out
}
