package canned_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/canned"
	"github.com/seed-2a427302/handoff/handofftest"
)

func Example() {
	replies, err := canned.New(
		canned.Reply{Name: "hello", Category: "Greetings", Text: "Hello {user}, {agent} here."},
		canned.Reply{Name: "refund", Category: "Billing", Queue: "billing", Text: "You have it back, {user}."},
		canned.Reply{Name: "bye", Owner: "bob", Text: "Cheers!"},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	list, err := replies.List(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	h := handoff.Handoff{User: &handoff.Contact{Name: "Dana"}, AgentName: "Team Sun"}
	for _, r := range list {
		if r.VisibleTo("ann", func(queue string) bool { return queue == "billing" }) {
			fmt.Printf("/%s [%s] %s\n", r.Name, r.Category, r.Fill(&h))
		}
	}
	// Output:
	// /refund [Billing] You have it back, Dana.
	// /hello [Greetings] Hello Dana, Team Sun here.
}

func TestVisibility(t *testing.T) {
	for _, c := range []struct {
		r    canned.Reply
		want string
	}{
		{canned.Reply{}, "ann bob"},
		{canned.Reply{Queue: "billing"}, "ann"},
		{canned.Reply{Owner: "bob"}, "bob"},
		{canned.Reply{Owner: "bob", Queue: "billing"}, ""},
		{canned.Reply{Off: true}, ""},
	} {
		var see []string
		for agent, queues := range map[string][]string{"ann": {"sales", "billing"}, "bob": {"sales"}} {
			if c.r.VisibleTo(agent, func(q string) bool { return slices.Contains(queues, q) }) {
				see = append(see, agent)
			}
		}
		require.ElementsMatch(t, strings.Fields(c.want), see, "%+v", c.r)
	}
}

// A name is a name: it brings no placeholder, no line, no control character and
// no direction of writing, and the agent's own name stays behind his mask.
func TestFillIsSafe(t *testing.T) {
	r := canned.Reply{Text: "Dear {user}, {agent} of {queue} here. {nobody}"}
	h := handoff.Handoff{
		User: &handoff.Contact{Name: "{agent}\n\u202e<b>\x00Dana\u2069 "}, Agent: "a-1", AgentName: "Sun", Need: handoff.Need{Queue: "sales"},
	}
	require.Equal(t, "Dear {agent} <b>Dana, Sun of sales here. {nobody}", r.Fill(&h))
	require.Equal(t, "Dear ,  of  here. {nobody}", r.Fill(&handoff.Handoff{}))

	masked := handoff.Agent{ID: "ann", Name: "Ann Lee", Alias: "Sun", Seats: 1, Queues: []string{"support"}}
	handofftest.Run(t, func(t *testing.T, rig *handofftest.Rig) {
		ann := rig.Hire(masked)
		rig.Asks("c1")
		h := ann.Accept()
		ann.Says(h.ID, r.Fill(&h))
		said := rig.Users.Texts("c1")
		require.Equal(t, "Dear , Sun of support here. {nobody}", said[len(said)-1])
	})
}

// Everything that is wrong with every reply is told at once, and nothing of it
// is kept.
func TestBrokenReplies(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	_, err := canned.New(
		canned.Reply{Name: "a b", Text: " "},
		canned.Reply{Name: "ok", Text: "x"},
		canned.Reply{Name: "ok", Text: "y"},
		canned.Reply{Name: "open", Text: "Hello {user"},
		canned.Reply{Name: "who", Text: "Hello {who}", Category: "a\x00b"},
		canned.Reply{Name: long, Text: long, Category: long},
		canned.Reply{Name: "utf\xff", Text: "\xff", Queue: "\n", Owner: "\x7f"},
		canned.Reply{Name: "a/b", Text: "\x00"},
		canned.Reply{},
	)
	for _, want := range []string{
		"reply 0: handoff: name: has a space", "text: is empty", "reply 2: its name occurs twice", "reply 3: handoff: text: has a { without }",
		"reply 4: handoff: category", "has a placeholder other than", "reply 5: handoff: name: is longer", "text: is longer",
		"reply 6: handoff: name: has a space, slash or control", "text: is not valid UTF-8", "handoff: queue: ", "handoff: owner: ", "reply 7: handoff: name",
		"reply 8: handoff: name: is empty",
	} {
		require.ErrorContains(t, err, want)
	}
	require.ErrorIs(t, err, handoff.ErrInvalid)
	require.Less(t, len(err.Error()), 2000, "what is wrong is not repeated")

	var m canned.Memory
	require.ErrorIs(t, m.Put(t.Context(), canned.Reply{Name: "x", Text: "{"}), handoff.ErrInvalid)
	list, err := m.List(t.Context())
	require.NoError(t, err)
	require.Empty(t, list)
}

func TestMemory(t *testing.T) {
	m, err := canned.New(canned.Reply{Name: "b", Text: "1"}, canned.Reply{Name: "b", Owner: "ann", Text: "2"})
	require.NoError(t, err)
	ctx := t.Context()
	require.NoError(t, m.Put(ctx, canned.Reply{Name: "a", Category: "z", Text: "3"}))
	require.NoError(t, m.Put(ctx, canned.Reply{Name: "b", Text: "4"}))
	require.NoError(t, m.Delete(ctx, "b", "ann"))
	require.NoError(t, m.Delete(ctx, "b", "nobody"))
	list, err := m.List(ctx)
	require.NoError(t, err)
	require.Equal(t, []canned.Reply{{Name: "b", Text: "4"}, {Name: "a", Category: "z", Text: "3"}}, list)
}
