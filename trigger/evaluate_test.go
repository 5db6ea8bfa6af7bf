package trigger_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/trigger"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// talk plays turns against one conversation.
type talk struct {
	t   *testing.T
	eng *trigger.Engine
	st  trigger.State
	now time.Time
}

func newTalk(t *testing.T, cfg trigger.Config) *talk {
	return &talk{t: t, eng: newEngine(t, cfg), now: noon}
}

func (k *talk) turn(t trigger.Turn) trigger.Decision {
	k.t.Helper()
	if t.At.IsZero() {
		t.At = k.now
	}
	if t.Lang == "" {
		t.Lang = "en"
	}
	// The state goes through JSON after every turn, as it does in a store.
	raw, err := json.Marshal(k.st)
	require.NoError(k.t, err)
	var st trigger.State
	require.NoError(k.t, json.Unmarshal(raw, &st))
	d, next := k.eng.Evaluate(context.Background(), st, t)
	k.st = next
	return d
}

func (k *talk) says(text string) trigger.Decision {
	k.t.Helper()
	return k.turn(trigger.Turn{Text: text})
}

func (k *talk) bot(t trigger.Turn) trigger.Decision {
	k.t.Helper()
	t.Role = trigger.RoleBot
	return k.turn(t)
}

func whys(d trigger.Decision) []string {
	var out []string
	for _, s := range d.Suppressed {
		out = append(out, string(s.Signal.Reason)+":"+s.Why)
	}
	return out
}

func TestExplicitRequestTransfers(t *testing.T) {
	k := newTalk(t, trigger.Config{})
	require.Equal(t, trigger.None, k.says("my parcel is late").Action)
	d := k.says("let me talk to a human")
	require.Equal(t, trigger.Transfer, d.Action)
	require.Equal(t, trigger.ReasonUserRequest, d.Primary.Reason)
	d = k.says("I said let me talk to a human!")
	require.Equal(t, trigger.None, d.Action, "a second trigger is a no-op")
	require.Contains(t, whys(d), "user_request:already-pending")
}

func TestHostTurnsAndToolCall(t *testing.T) {
	for name, turn := range map[trigger.Reason]trigger.Turn{
		trigger.ReasonButton:   {Host: trigger.ReasonButton},
		trigger.ReasonFlowNode: {Host: trigger.ReasonFlowNode},
		trigger.ReasonBotTool:  {Role: trigger.RoleBot, ToolCall: "handoff", ToolReason: "out of scope"},
	} {
		d := newTalk(t, trigger.Config{}).turn(turn)
		require.Equal(t, trigger.Transfer, d.Action, name)
		require.Equal(t, name, d.Primary.Reason)
	}
	d := newTalk(t, trigger.Config{}).turn(trigger.Turn{Host: trigger.ReasonFrustration})
	require.Equal(t, trigger.None, d.Action, "only the two host reasons may be set by the host")
}

func TestFailuresInARow(t *testing.T) {
	k := newTalk(t, trigger.Config{})
	miss := trigger.Turn{Text: "Sorry?", Fallback: true}
	require.Equal(t, trigger.None, k.bot(miss).Action)
	d := k.bot(trigger.Turn{Text: "Hm, I did not get it.", Fallback: true})
	require.Equal(t, trigger.Offer, d.Action)
	require.Equal(t, "failures/row", d.Primary.Evidence.Rule)
	k.says("the blue one from may")
	d = k.bot(trigger.Turn{Text: "Please rephrase.", Fallback: true})
	require.Equal(t, trigger.None, d.Action, "an offer was just passed over")
	require.Contains(t, whys(d), "fallbacks:declined")
	k = newTalk(t, trigger.Config{})
	k.bot(miss)
	k.bot(trigger.Turn{Text: "What?", Fallback: true})
	d = k.bot(trigger.Turn{Text: "Pardon?", Fallback: true})
	require.Equal(t, trigger.Transfer, d.Action, "the third in a row")
}

func TestFailuresInAWindow(t *testing.T) {
	k := newTalk(t, trigger.Config{})
	var got []trigger.Action
	for i, fail := range []bool{true, false, true, false, true} {
		got = append(got, k.bot(trigger.Turn{Text: string(rune('a' + i)), Fallback: fail}).Action)
	}
	require.Equal(t, []trigger.Action{0, 0, 0, 0, trigger.Offer}, got, "3 of the last 5")
}

func TestLowConfidenceCountsAsFailure(t *testing.T) {
	k := newTalk(t, trigger.Config{})
	d := k.bot(trigger.Turn{Text: "one", Scored: true, Confidence: 0.2})
	require.Equal(t, trigger.None, d.Action)
	require.Contains(t, whys(d), "low_confidence:below-threshold")
	d = k.bot(trigger.Turn{Text: "two", Scored: true, Confidence: 0.6, Margin: 0.05})
	require.Equal(t, trigger.Offer, d.Action, "an ambiguous answer is a failure too")
	k = newTalk(t, trigger.Config{})
	k.bot(trigger.Turn{Text: "one"})
	require.Equal(t, trigger.None, k.bot(trigger.Turn{Text: "two"}).Action, "no score, no failure")
}

func TestBotErrors(t *testing.T) {
	k := newTalk(t, trigger.Config{})
	boom := errors.New("boom")
	require.Equal(t, trigger.None, k.bot(trigger.Turn{Text: "oops", Err: boom}).Action)
	d := k.bot(trigger.Turn{Text: " \n"})
	require.Equal(t, trigger.Transfer, d.Action, "an empty answer is the second error in a row")
	require.Equal(t, trigger.ReasonBotError, d.Primary.Reason)
	d = newTalk(t, trigger.Config{}).bot(trigger.Turn{NoAnswer: true})
	require.Equal(t, trigger.Transfer, d.Action, "at once if the user got nothing")
	require.Equal(t, "bot/no-answer", d.Primary.Evidence.Rule)
}

func TestRepetition(t *testing.T) {
	k := newTalk(t, trigger.Config{})
	require.Equal(t, trigger.None, k.says("Where is my refund?").Action)
	d := k.says("WHERE is my refund")
	require.Equal(t, trigger.Offer, d.Action, "case and punctuation do not hide it")
	require.Equal(t, trigger.ReasonRepetition, d.Primary.Reason)
	k = newTalk(t, trigger.Config{})
	k.says("yes")
	require.Equal(t, trigger.None, k.says("yes").Action, "short answers repeat in good faith")
	k = newTalk(t, trigger.Config{})
	k.bot(trigger.Turn{Text: "Choose a topic"})
	require.Equal(t, "repetition/bot", k.bot(trigger.Turn{Text: "choose a topic!"}).Primary.Evidence.Rule)
}

func TestFrustrationAccumulates(t *testing.T) {
	k := newTalk(t, trigger.Config{})
	require.Equal(t, trigger.None, k.says("this is ridiculous").Action, "one angry message alone moves nobody")
	require.Equal(t, trigger.Offer, k.says("you are useless").Action)
	k = newTalk(t, trigger.Config{})
	k.says("this is ridiculous")
	k.says("the order is 4711")
	k.says("from last month")
	require.Equal(t, trigger.None, k.says("you are useless").Action, "it fades")
	k.says("it was a blue one")
	k.says("paid by card")
	require.Equal(t, trigger.None, k.says("what a stupid bot").Action, "three outbursts far apart are not one")
	k = newTalk(t, trigger.Config{})
	k.says("you are useless!!! this is ridiculous, what a waste of time")
	d := k.says("YOU ARE STUPID AND THIS IS GARBAGE, shut up")
	require.Equal(t, trigger.Transfer, d.Action, "two very angry turns running")
	require.Equal(t, trigger.ReasonFrustration, d.Primary.Reason)
	k = newTalk(t, trigger.Config{})
	k.says("hello")
	k.says("about my order")
	k.st.Frustration = 4
	require.Equal(t, trigger.Offer, k.says("you are useless").Action, "much anger, and no failure of the bot: he is asked")
	k.st.Offered, k.st.Frustration, k.st.FrustrationRow, k.st.FailRow = "", 4, 0, 1
	require.Equal(t, trigger.Transfer, k.says("you are worthless").Action, "together with a failure")
}

func TestTopicsPhrasesAndUnauthorised(t *testing.T) {
	cfg := trigger.Config{
		Topics:       []string{"legal", "self_harm"},
		Phrases:      []trigger.Phrase{{Text: "cancel my Contract"}, {Text: "VIP desk", Score: 0.6}},
		Unauthorised: map[string][]string{"credit": {"raise my limit"}},
	}
	d := newTalk(t, cfg).says("my lawyer will hear of this")
	require.Equal(t, trigger.TransferNow, d.Action)
	require.Equal(t, trigger.ReasonSensitiveTopic, d.Primary.Reason)
	require.Equal(t, "en/topic/legal", d.Primary.Evidence.Rule)
	d = newTalk(t, cfg).says("I wish to CANCEL  my contract today")
	require.Equal(t, trigger.Transfer, d.Action)
	require.Equal(t, "phrase/cancel my Contract", d.Primary.Evidence.Rule)
	require.Equal(t, trigger.Offer, newTalk(t, cfg).says("is there a vip desk").Action)
	d = newTalk(t, cfg).says("please raise my limit")
	require.Equal(t, trigger.ReasonUnauthorised, d.Primary.Reason)
	require.Equal(t, trigger.None, newTalk(t, trigger.Config{}).says("my lawyer will hear of this").Action, "topics are opt-in")
}

func TestIntakeReadsOnlyPhrases(t *testing.T) {
	k := newTalk(t, trigger.Config{Phrases: []trigger.Phrase{{Text: "get me out"}}})
	d := k.turn(trigger.Turn{Text: "Human Agent", Intake: true})
	require.Equal(t, trigger.None, d.Action, "a name, not a request")
	require.Contains(t, whys(d), "user_request:intake")
	require.Equal(t, trigger.Transfer, k.turn(trigger.Turn{Text: "get me out", Intake: true}).Action)
}

func TestOnlyUserAndBotTurnsAreRead(t *testing.T) {
	k := newTalk(t, trigger.Config{})
	require.Equal(t, trigger.None, k.turn(trigger.Turn{Role: trigger.RoleAgent, Text: "I want a human"}).Action)
	require.Equal(t, trigger.None, k.turn(trigger.Turn{Role: trigger.RoleSystem, Text: "I want a human"}).Action)
	require.Equal(t, trigger.None, k.bot(trigger.Turn{Text: "Do you want to talk to a human?"}).Action)
	require.Zero(t, k.st.Turns)
}

func TestBotPromise(t *testing.T) {
	for lang, text := range map[string]string{
		"en": "One moment, I will transfer you to a colleague.", "es": "Enseguida te transfiero con un agente.",
		"pt": "Vou te transferir para um atendente.", "fr": "Je vous mets en relation avec un conseiller.",
		"de": "Ich verbinde Sie mit einem Mitarbeiter.", "it": "La metto in contatto con un operatore.", "zh": "正在为您转接人工客服",
	} {
		d := newTalk(t, trigger.Config{}).bot(trigger.Turn{Text: text, Lang: lang})
		require.Equal(t, trigger.Transfer, d.Action, text)
		require.Equal(t, trigger.ReasonBotPromise, d.Primary.Reason)
	}
}

func TestTurnLimit(t *testing.T) {
	k := newTalk(t, trigger.Config{TurnLimit: 2})
	require.Equal(t, trigger.None, k.says("one thing").Action)
	d := k.says("another thing")
	require.Equal(t, trigger.Offer, d.Action)
	require.Equal(t, trigger.ReasonTurnLimit, d.Primary.Reason)
}

type detector func(*trigger.Turn, *trigger.State, []trigger.Signal) []trigger.Signal

func (f detector) Detect(_ context.Context, t *trigger.Turn, st *trigger.State, dst []trigger.Signal) []trigger.Signal {
	return f(t, st, dst)
}

func TestHostDetector(t *testing.T) {
	add := func(s trigger.Signal) trigger.Config {
		return trigger.Config{Detectors: []trigger.Detector{detector(func(_ *trigger.Turn, _ *trigger.State, dst []trigger.Signal) []trigger.Signal {
			return append(dst, s)
		})}, Policy: trigger.Policy{Reasons: map[trigger.Reason]trigger.Threshold{"vip": {Transfer: 0.7}}}}
	}
	require.Equal(t, trigger.Transfer, newTalk(t, add(trigger.Signal{Reason: "vip", Score: 0.7})).says("hi").Action)
	d := newTalk(t, add(trigger.Signal{Reason: "unheard-of", Score: 1})).says("hi")
	require.Equal(t, []string{"unheard-of:reason-off"}, whys(d))
	for _, bad := range []trigger.Signal{
		{Reason: "vip", Score: 2},
		{Reason: "vip", Score: -1},
		{Reason: "vip", Score: 1, Evidence: trigger.Evidence{Start: 1, End: 99}},
		{Reason: "vip", Score: 1, Evidence: trigger.Evidence{Start: 2, End: 1}},
	} {
		d = newTalk(t, add(bad)).says("hi")
		require.Equal(t, trigger.None, d.Action)
		require.Equal(t, []string{"vip:bad-signal"}, whys(d))
	}
	wipe := trigger.Config{Detectors: []trigger.Detector{detector(func(*trigger.Turn, *trigger.State, []trigger.Signal) []trigger.Signal { return nil })}}
	require.Equal(t, trigger.None, newTalk(t, wipe).says("hello").Action, "a detector that drops signals does no more than that")
}

type classifier func(context.Context, trigger.Turn) (trigger.Signal, error)

func (f classifier) Classify(ctx context.Context, t trigger.Turn, _ trigger.State) (trigger.Signal, error) {
	return f(ctx, t)
}

func TestClassifierDecidesWhatRulesDoNot(t *testing.T) {
	calls := 0
	k := newTalk(t, trigger.Config{Classifier: classifier(func(context.Context, trigger.Turn) (trigger.Signal, error) {
		calls++
		return trigger.Signal{Score: 0.9, Detail: "polite despair"}, nil
	})})
	d := k.says("well, that is the third day then")
	require.Equal(t, trigger.Transfer, d.Action)
	require.Equal(t, trigger.ReasonClassifier, d.Primary.Reason)
	k.st = trigger.State{}
	k.says("give me a human")
	k.turn(trigger.Turn{Text: "Smith", Intake: true})
	require.Equal(t, 1, calls, "not asked when the rules have decided, nor about form answers")
}

func TestClassifierFailsOpenToTheRules(t *testing.T) {
	for why, c := range map[string]classifier{
		trigger.WhyClassifier: func(context.Context, trigger.Turn) (trigger.Signal, error) {
			return trigger.Signal{Score: 1}, errors.New("quota")
		},
		"panic": func(context.Context, trigger.Turn) (trigger.Signal, error) { panic("model") },
		trigger.WhyTimeout: func(ctx context.Context, _ trigger.Turn) (trigger.Signal, error) {
			<-ctx.Done()
			return trigger.Signal{}, ctx.Err()
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			k := newTalk(t, trigger.Config{Classifier: c, ClassifierTimeout: time.Second})
			d := k.says("is there someone who can help me? maybe a person")
			require.LessOrEqual(t, time.Since(begin), time.Second)
			if why == "panic" {
				why = trigger.WhyClassifier
			}
			require.Contains(t, whys(d), "classifier:"+why)
			require.NotEqual(t, trigger.ReasonClassifier, d.Primary.Reason)
		})
	}
}

func TestClassifierThatHangsCannotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		k := newTalk(t, trigger.Config{ClassifierTimeout: time.Millisecond, Classifier: classifier(func(context.Context, trigger.Turn) (trigger.Signal, error) {
			<-release // ignores its context
			return trigger.Signal{}, nil
		})})
		var last trigger.Decision
		for range 70 {
			last = k.says("hello there")
		}
		require.Contains(t, whys(last), "classifier:classifier-busy")
		close(release)
	})
}
