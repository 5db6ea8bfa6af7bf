package implement_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/examples/implement"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/presencetest"
)

func TestPresence(t *testing.T) {
	presencetest.RunPresence(t, func(*testing.T) presencetest.Floor {
		c := implement.NewTimeClock()
		c.Set("ann", true, time.Now())
		c.Set("bob", false, time.Now())
		return presencetest.Floor{Presence: c, Online: []string{"ann"}, Offline: []string{"bob"}, Unknown: []string{"zoe"}}
	})
}

func TestChannel(t *testing.T) {
	var sent []string
	down := true
	sms := &implement.SMS{Gateway: func(_ context.Context, number, text string) error {
		switch {
		case number == "nobody":
			return implement.ErrNumber
		case down:
			down = false
			return errors.New("the gateway is down")
		}
		sent = append(sent, text)
		return nil
	}}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		ann := r.Agent("ann", 2)
		for _, number := range []string{"49123", "nobody"} {
			r.Says(number, "A person, please.")
			r.Asks(number)
			ann.Says(ann.Accept().ID, strings.Repeat("a word ", 30))
			r.Sleep(time.Minute)
		}
		require.Len(t, sent, 4, "%q", sent)
		assert.Equal(t, "I am getting a person for you.", sent[0], "after the gateway was mended")
		assert.Equal(t, "ann: "+strings.TrimSpace(strings.Repeat("a word ", 20)), sent[2], "cut at a space")

		lost := 0
		for _, e := range r.Entries(r.Last("nobody").ID) {
			if e.Kind == handoff.KindUndelivered {
				lost++
				assert.Equal(t, "no_such_number", e.Data["code"])
			}
		}
		assert.Equal(t, 3, lost, "the agent sees what did not arrive")
	}, func(c *handoff.Config) { c.Channel = sms })
}

func TestRouter(t *testing.T) {
	training := implement.Training{Hard: map[handoff.Reason]bool{"dispute": true}, Senior: 3}
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		for id, years := range map[string]int{"ann": 9, "bob": 4, "cem": 1} {
			r.Hire(handoff.Agent{ID: id, Seats: 1, Queues: []string{"support"}, Skills: map[string]int{"years": years}})
		}
		want := func(conversation string, reason handoff.Reason, agent, why string) {
			t.Helper()
			r.Says(conversation, "A person, please.")
			h := r.Asks(conversation, func(q *handoff.Request) { q.Reason = reason })
			if agent == "" {
				assert.Equal(t, handoff.StateWaiting, h.State)
				return
			}
			require.Equal(t, handoff.StateOffered, h.State)
			assert.Equal(t, agent, h.Offers[0].Agent)
			assert.Equal(t, why, h.Offers[0].Why)
		}
		want("c1", "dispute", "bob", "hard, and the newest of the seniors")
		want("c2", "dispute", "ann", "hard, and the newest of the seniors")
		want("c3", "dispute", "", "") // only a beginner is free
		want("c4", "address", "cem", "easy, and the newest")
	}, func(c *handoff.Config) { c.Router = training })
}
