package handoff

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCodec_unknownFieldsSurvive(t *testing.T) {
	h := &Handoff{ID: ID{Conversation: "c", Number: 1}, State: StateBot, Created: time.UnixMilli(1).UTC(), Updated: time.UnixMilli(2).UTC()}
	h.own.Calls = []call{{ID: "x", At: time.UnixMilli(3).UTC()}}
	h.own.Bindings = []Binding{{Number: 1, Session: Session{Reference: "r", State: []byte("secret")}}}
	h.own.Known = h.own.Known.add(7, time.UnixMilli(1))
	var m map[string]any
	require.NoError(t, json.Unmarshal(Body{value: h}.Bytes(), &m))
	m["later"] = map[string]any{"a": 1.0}
	m["own"].(map[string]any)["newer"] = "y"
	raw, err := json.Marshal(m)
	require.NoError(t, err)

	r := Record{ID: h.ID, Version: 4, Body: BodyOf(raw)}
	back, err := r.decode()
	require.NoError(t, err)
	require.Equal(t, int64(4), back.Version)
	require.Equal(t, h.own.Calls, back.own.Calls)
	require.Equal(t, h.own.Bindings, back.own.Bindings)
	require.True(t, back.own.Known.has(7))

	// An older build changes something and writes it back.
	c := *back
	c.Epoch = 9
	var again map[string]any
	require.NoError(t, json.Unmarshal(Body{value: &c}.Bytes(), &again))
	require.Equal(t, m["later"], again["later"])
	require.Equal(t, "y", again["own"].(map[string]any)["newer"])
	require.InEpsilon(t, 9.0, again["epoch"], 0)
}

func TestCodec_form(t *testing.T) {
	in := &intake{Next: 1, Host: true, Required: true, OnLapse: LapseCancel, Asked: ModeVideo, Ends: OutcomeMissed, Shown: []string{"x"}, Fields: []question{
		{
			Field: Field{
				Name: "a", Label: "A?", Kind: FieldChoice, Required: true, Choices: []string{"x"}, Pattern: "x", Max: 3,
				Queues: map[string]string{"x": "q"}, Skills: map[string][]Skill{"x": {{Name: "s", Level: 1}}},
			},
			Given: true, Done: true, Leads: target{Queue: "q", Skills: []Skill{{Name: "s", Level: 1}}},
		},
		{Field: Field{Name: "b"}},
	}, From: &target{Queue: "f"}, Eased: []eased{{Do: RelaxLevels, By: 2}}}
	h := &Handoff{ID: ID{Conversation: "c", Number: 1}}
	h.own.Intake = in
	back, err := (&Record{ID: h.ID, Body: BodyOf(Body{value: h}.Bytes())}).decode()
	require.NoError(t, err)
	require.Equal(t, in, back.own.Intake)
}

func TestCodec_sessionsStayInside(t *testing.T) {
	h := &Handoff{ID: ID{Conversation: "c", Number: 1}}
	h.own.Bindings = []Binding{{Number: 1, Session: Session{Reference: "r", State: []byte("secret")}}}
	b, err := json.Marshal(h)
	require.NoError(t, err)
	require.NotContains(t, string(b), "bindings")
	require.NotContains(t, string(b), "own")
	require.Nil(t, h.Bindings()[0].Session.State)
}

func TestCodec_entry(t *testing.T) {
	raw := []byte(`{"id":"e","seq":3,"at":"2026-01-01T00:00:00Z","kind":"message","from":{"role":"user"},"later":[1]}`)
	r := RecordEntry{ID: "e", Seq: 3, Body: BodyOf(raw)}
	e, err := r.decode(ID{Conversation: "c", Number: 1})
	require.NoError(t, err)
	require.Equal(t, "c", e.Handoff.Conversation)
	require.JSONEq(t, string(raw), string(Body{value: e}.Bytes()))
}

func TestKnown(t *testing.T) {
	var k known
	at := time.Unix(1_000_000, 0)
	for i := range uint64(300) {
		k = k.add(i, at)
	}
	require.True(t, k.has(0), "all of a day are kept")
	k = k.add(1000, at.Add(25*time.Hour))
	require.Len(t, k, knownLeast*knownSize, "of older ones at least 256 are kept")
	require.False(t, k.has(0))
	require.True(t, k.has(299))
	b, err := k.MarshalText()
	require.NoError(t, err)
	var back known
	require.NoError(t, back.UnmarshalText(b))
	require.Equal(t, k, back)
}
