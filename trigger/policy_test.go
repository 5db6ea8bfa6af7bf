package trigger_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/trigger"
)

func TestOfferIsAnsweredByYesOrNo(t *testing.T) {
	offered := func() *talk {
		k := newTalk(t, trigger.Config{})
		k.says("where is my refund then")
		require.Equal(t, trigger.Offer, k.says("where is my refund then").Action)
		return k
	}
	k := offered()
	d := k.says("yes please")
	require.Equal(t, trigger.Transfer, d.Action)
	require.Equal(t, trigger.ReasonUserRequest, d.Primary.Reason)
	require.Equal(t, "answer/yes", d.Primary.Evidence.Rule)

	k = offered()
	d = k.says("no thanks")
	require.True(t, d.Declined)
	require.Equal(t, trigger.None, d.Action)
	for range 2 {
		d = k.says("where is my refund then")
		require.Equal(t, trigger.None, d.Action, "soft reasons stay silent after a no")
	}
	require.Contains(t, whys(d), "repetition:declined")
	require.Equal(t, trigger.Transfer, k.says("ok, get me an agent").Action, "asking in words is never silenced")

	k = offered()
	require.Equal(t, trigger.Transfer, k.says("no, I want a human").Action)

	k = offered()
	k.says("it was order 4711")
	require.Equal(t, trigger.None, k.says("yes").Action, "a later yes answers something else")
	d = newTalk(t, trigger.Config{}).says("yes")
	require.Contains(t, whys(d), "user_request:guard:no-open-offer")
}

func TestNegatedRequestCancelsAPendingTransfer(t *testing.T) {
	k := newTalk(t, trigger.Config{})
	require.Equal(t, trigger.Transfer, k.says("connect me to an agent").Action)
	d := k.says("actually please don't connect me to an agent")
	require.True(t, d.Cancel)
	require.Equal(t, trigger.None, d.Action)
	require.False(t, k.st.Pending)
	require.False(t, k.says("don't connect me to an agent").Cancel, "nothing left to cancel")
}

func TestCoolDownAfterReturn(t *testing.T) {
	k := newTalk(t, trigger.Config{})
	k.says("give me a human")
	k.st = k.st.Returned(k.now)
	k.says("the same question again please")
	d := k.says("the same question again please")
	require.Contains(t, whys(d), "repetition:cool-down", "within two turns")
	d = k.says("the same question again please")
	require.Contains(t, whys(d), "repetition:cool-down", "within a minute")
	k.now = k.now.Add(61 * time.Second)
	require.Equal(t, trigger.Offer, k.says("the same question again please").Action)

	k = newTalk(t, trigger.Config{TurnLimit: 1})
	k.st = k.st.Returned(k.now)
	k.now = k.now.Add(time.Hour)
	require.Contains(t, whys(k.says("first")), "turn_limit:cool-down", "an hour does not stand for two turns")
	k.says("second")
	require.Equal(t, trigger.Offer, k.says("third").Action)

	k = newTalk(t, trigger.Config{})
	k.st = k.st.Returned(k.now)
	require.Equal(t, trigger.Transfer, k.says("give me a human").Action, "stated reasons are never silenced")
}

func TestLoopGuardOffersAfterThreeAutomaticTransfers(t *testing.T) {
	k := newTalk(t, trigger.Config{})
	dead := trigger.Turn{NoAnswer: true}
	for range 3 {
		require.Equal(t, trigger.Transfer, k.bot(dead).Action)
		k.st = k.st.Returned(k.now)
	}
	d := k.bot(dead)
	require.Equal(t, trigger.Offer, d.Action)
	require.Contains(t, whys(d), "bot_error:loop-guard")
	require.Equal(t, trigger.Transfer, k.says("give me a human").Action, "the user may still ask")
	k.st = k.st.Returned(k.now)
	k.now = k.now.Add(time.Hour)
	require.Equal(t, trigger.Transfer, k.bot(dead).Action, "an hour later it is forgotten")
}

func TestRequestLimit(t *testing.T) {
	k := newTalk(t, trigger.Config{Policy: trigger.Policy{MaxRequests: 2}})
	for range 2 {
		require.Equal(t, trigger.Transfer, k.says("give me a human").Action)
		k.st = k.st.Returned(k.now)
	}
	d := k.says("give me a human")
	require.Equal(t, trigger.Offer, d.Action)
	require.Contains(t, whys(d), "user_request:rate-limit")
}

func TestUnavailableRaisesASoftReasonOnce(t *testing.T) {
	k := newTalk(t, trigger.Config{TurnLimit: 1, Policy: trigger.Policy{QuietTurns: -1}})
	k.st = k.st.Available(false)
	require.Equal(t, trigger.Offer, k.says("first").Action)
	var d trigger.Decision
	for range 4 {
		d = k.says("more")
		require.Equal(t, trigger.None, d.Action)
	}
	require.Contains(t, whys(d), "turn_limit:unavailable")
	k.st = k.st.Available(true)
	require.Equal(t, trigger.Offer, k.says("and more").Action, "an agent is back")
}

func TestThresholdsAndMinTurn(t *testing.T) {
	cfg := trigger.Config{Policy: trigger.Policy{Reasons: map[trigger.Reason]trigger.Threshold{
		trigger.ReasonUserRequest: {Transfer: -1, MinTurn: 9},
		trigger.ReasonRepetition:  {MinTurn: 3},
		trigger.ReasonButton:      {Now: 0.9},
	}}}
	require.Equal(t, trigger.Offer, newTalk(t, cfg).says("give me a human").Action, "never more than an offer; explicit ignores MinTurn")
	require.Equal(t, trigger.TransferNow, newTalk(t, cfg).turn(trigger.Turn{Host: trigger.ReasonButton}).Action)
	k := newTalk(t, cfg)
	k.says("where is my refund")
	require.Contains(t, whys(k.says("where is my refund")), "repetition:too-early")
	require.Equal(t, trigger.Offer, k.says("where is my refund").Action)
}

func TestPrimaryPrefersTheStrongerThenTheMoreExplicit(t *testing.T) {
	k := newTalk(t, trigger.Config{Phrases: []trigger.Phrase{{Text: "give me"}}})
	d := k.says("give me a human")
	require.Len(t, d.All, 2)
	require.Equal(t, trigger.ReasonUserRequest, d.Primary.Reason)
}

func TestEvaluateIsPure(t *testing.T) {
	eng := newEngine(t, trigger.Config{TurnLimit: 1})
	st := trigger.State{Unavailable: true, Raised: make([]trigger.Reason, 1, 8)}
	st.Raised[0] = trigger.ReasonRepetition
	turn := trigger.Turn{Text: "hello you there", At: noon}
	before := st
	d1, s1 := eng.Evaluate(context.Background(), st, turn)
	d2, s2 := eng.Evaluate(context.Background(), st, turn)
	require.Equal(t, d1, d2)
	require.Equal(t, s1, s2)
	require.Equal(t, before, st)
	require.Len(t, s1.Raised, 2)
	require.Empty(t, st.Raised[:2][1], "the caller's slice is not written to")
}

func TestDamagedStateIsRepaired(t *testing.T) {
	eng := newEngine(t, trigger.Config{})
	st := trigger.State{Turns: -5, FailRow: -1, AutoCount: math.MaxInt, Frustration: float32(math.NaN()), Answers: 1 << 40, Quiet: -3}
	require.NotPanics(t, func() {
		d, next := eng.Evaluate(context.Background(), st, trigger.Turn{Role: trigger.RoleBot, NoAnswer: true})
		require.NotEqual(t, trigger.None, d.Action)
		require.Equal(t, 0, next.Turns)
	})
}

func TestActionString(t *testing.T) {
	require.Equal(t, "none offer transfer transfer_now unknown",
		trigger.None.String()+" "+trigger.Offer.String()+" "+trigger.Transfer.String()+" "+trigger.TransferNow.String()+" "+trigger.Action(9).String())
}
