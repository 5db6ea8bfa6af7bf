package trigger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Phrase is a text that the host wants to react to. It matches as whole words,
// whatever the case, accents or spacing; in languages written without spaces it
// matches as a substring.
type Phrase struct {
	Text   string
	Lang   string  // pack language it belongs to; empty: any
	Reason Reason  // zero means ReasonPhrase
	Score  float32 // zero means 1
}

// Config configures an Engine. The zero value is ready to use: all built-in
// packs, the default policy, no phrases, no topics, no classifier.
type Config struct {
	Packs  []Pack // zero means Builtin()
	Policy Policy // its own zero values mean defaults

	Phrases []Phrase
	// Topics names topics of the packs to react to as sensitive, such as
	// "legal", "fraud" or "self_harm". A topic that no pack has is an error.
	Topics []string
	// Unauthorised adds phrases by topic that the bot may not handle.
	Unauthorised map[string][]string

	BotNames     []string // what users call the bot: "not Ada, a person"
	CompanyNames []string // "a real Acme employee"

	Failures   Failures
	TurnLimit  int // user turns since the bot took over; 0 means off
	Repetition int // same message again within the last 4; 0 means 2, -1 means off

	Detectors         []Detector
	Classifier        Classifier
	ClassifierTimeout time.Duration // zero means 800 ms
}

// Failures sets when repeated failures of the bot count. A turn fails when the
// bot fell back, was not confident, or errored. Zero values mean the defaults
// given; -1 means never.
type Failures struct {
	OfferRow      int     // failures in a row that offer: 2
	TransferRow   int     // failures in a row that transfer: 3
	OfferWindow   int     // failures among the last Window answers that offer: 3
	Window        int     // 5, at most 16
	ErrorRow      int     // bot errors in a row that transfer: 2
	MinConfidence float32 // below is a failure: 0.3
	MinMargin     float32 // below is a failure, if the margin is known: 0.1
}

// Detector reports signals of its own for a turn. Implementations must be
// stateless or guard their state, safe for concurrent use, and must not block:
// they append to dst and return it. st already counts the turn and must not be
// changed. Signals with a score outside 0..1 or a span outside the text are
// suppressed as WhyBadSignal.
type Detector interface {
	Detect(ctx context.Context, t *Turn, st *State, dst []Signal) []Signal
}

// Engine runs detectors and policy. It is immutable after New and safe for
// concurrent use.
type Engine struct {
	m        *matcher
	cfg      Config
	policy   compiledPolicy
	inFlight chan struct{} // classifier calls under way
}

// New checks the configuration and compiles the packs. The error lists every
// problem found, each an *InvalidError. It takes some tens of milliseconds; make one Engine per process.
func New(cfg Config) (*Engine, error) {
	var errs []error
	packs := cfg.Packs
	if packs == nil {
		var err error
		if packs, err = Builtin(); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{}
	packs = append([]Pack(nil), packs...)
	for i, p := range packs {
		if err := p.Check(); err != nil {
			errs = append(errs, err)
		}
		if seen[p.Lang] {
			errs = append(errs, invalid("Packs", "two packs for language %.40q", p.Lang))
		}
		seen[p.Lang] = true
		if len(cfg.BotNames) > 0 {
			p = p.With("bot", cfg.BotNames...)
		}
		if len(cfg.CompanyNames) > 0 {
			p = p.With("qual", cfg.CompanyNames...)
		}
		packs[i] = p
	}
	tags, phrases, err := cfg.tags(packs, seen)
	errs = append(errs, err)
	errs = append(errs, cfg.defaults())
	pol, err := cfg.Policy.compile()
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	m, err := compile(packs, tags, phrases)
	if err != nil {
		return nil, err
	}
	return &Engine{m: m, cfg: cfg, policy: pol, inFlight: make(chan struct{}, maxInFlight)}, nil
}

// tags flattens phrases and topics for the matcher.
func (cfg *Config) tags(packs []Pack, langs map[string]bool) (tags []tag, keys []string, err error) {
	var errs []error
	add := func(t tag, key string) {
		tags, keys = append(tags, t), append(keys, key)
	}
	for i, p := range cfg.Phrases {
		at := fmt.Sprintf("Phrases[%d]", i)
		t := tag{reason: p.Reason, lang: p.Lang, score: p.Score, exact: true, name: "phrase/" + p.Text}
		if t.reason == "" {
			t.reason = ReasonPhrase
		}
		if t.score == 0 {
			t.score = 1
		}
		if !(t.score > 0 && t.score <= 1) {
			errs = append(errs, invalid(at+".Score", "score %v is outside 0..1", p.Score))
		}
		if p.Lang != "" && !langs[p.Lang] {
			errs = append(errs, invalid(at+".Lang", "no pack for language %.40q", p.Lang))
		}
		if key, _ := foldKey(p.Text); key == "" {
			errs = append(errs, invalid(at+".Text", noWords, maxKeyUnits))
		}
		add(t, p.Text)
	}
	for _, topic := range cfg.Topics {
		found := false
		for _, p := range packs {
			for _, w := range p.Topics[topic] {
				found = true
				add(tag{reason: ReasonSensitiveTopic, lang: p.Lang, score: 0.9, name: p.Lang + "/topic/" + topic}, w)
			}
		}
		if !found {
			errs = append(errs, invalid("Topics", "no pack has the topic %.40q", topic))
		}
	}
	for topic, list := range cfg.Unauthorised {
		for _, w := range list {
			if key, _ := foldKey(w); key == "" {
				errs = append(errs, invalid(fmt.Sprintf("Unauthorised[%.40q]", topic), noWords, maxKeyUnits))
			}
			add(tag{reason: ReasonUnauthorised, score: 0.9, name: "unauthorised/" + topic}, w)
		}
	}
	return tags, keys, errors.Join(errs...)
}

func (cfg *Config) defaults() error {
	f := &cfg.Failures
	set := func(p *int, def int) {
		if *p == 0 {
			*p = def
		}
	}
	set(&f.OfferRow, 2)
	set(&f.TransferRow, 3)
	set(&f.OfferWindow, 3)
	set(&f.Window, 5)
	set(&f.ErrorRow, 2)
	set(&cfg.Repetition, 2)
	if f.MinConfidence == 0 {
		f.MinConfidence = 0.3
	}
	if f.MinMargin == 0 {
		f.MinMargin = 0.1
	}
	if cfg.ClassifierTimeout == 0 {
		cfg.ClassifierTimeout = 800 * time.Millisecond
	}
	var errs []error
	if f.Window < -1 || f.Window > maxWindow {
		errs = append(errs, invalid("Failures.Window", "Window %d is outside 1..%d", f.Window, maxWindow))
	}
	if f.OfferWindow > f.Window && f.Window > 0 {
		errs = append(errs, invalid("Failures.OfferWindow", "%d can not be reached in a window of %d", f.OfferWindow, f.Window))
	}
	for _, n := range []struct {
		field    string
		n, least int
	}{
		{"TurnLimit", cfg.TurnLimit, 0},
		{"Repetition", cfg.Repetition, -1},
		{"Failures.OfferRow", f.OfferRow, -1},
		{"Failures.TransferRow", f.TransferRow, -1},
		{"Failures.OfferWindow", f.OfferWindow, -1},
		{"Failures.ErrorRow", f.ErrorRow, -1},
	} {
		if n.n < n.least {
			errs = append(errs, invalid(n.field, "the count is negative (-1 means never, where there is one)"))
		}
	}
	if cfg.Repetition > maxSeen {
		errs = append(errs, invalid("Repetition", "is above %d", maxSeen))
	}
	if !(f.MinConfidence >= -1 && f.MinConfidence <= 1 && f.MinMargin >= -1 && f.MinMargin <= 1) {
		errs = append(errs, invalid("Failures.MinConfidence", "MinConfidence and MinMargin must be in 0..1, or -1 for never"))
	}
	if cfg.ClassifierTimeout < 0 {
		errs = append(errs, invalid("ClassifierTimeout", "is negative"))
	}
	for field, names := range map[string][]string{"BotNames": cfg.BotNames, "CompanyNames": cfg.CompanyNames} {
		for _, n := range names {
			if key, _ := foldKey(n); key == "" {
				errs = append(errs, invalid(field, "a name is empty: "+noWords, maxKeyUnits))
			}
		}
	}
	return errors.Join(errs...)
}

// Read runs only the text rules (packs, phrases, topics) over one user message
// and appends what they find to dst, including signals that a guard took back
// (Signal.Guard is set). It keeps no state and, if dst has room, allocates
// nothing. lang may be empty.
func (e *Engine) Read(dst []Signal, text, lang string) []Signal {
	t := Turn{Text: text, Lang: lang}
	var rd reading
	dst = e.m.readUser(&t, dst, &rd)
	if rd.weight > 0 {
		dst = append(dst, Signal{Reason: ReasonFrustration, Score: rd.weight / 2, Lang: rd.weightLang, Detector: detFrustration, Evidence: rd.weightSpan})
	}
	return dst
}

// Evaluate counts the turn, runs every detector and the policy, and returns the
// decision with the state to keep. It never fails: what could not run is listed
// in Decision.Suppressed. It blocks only for the classifier, at most
// ClassifierTimeout or until ctx ends. The decision depends on its arguments
// alone (and on the host's own detectors and classifier); the clock is t.At.
func (e *Engine) Evaluate(ctx context.Context, st State, t Turn) (Decision, State) {
	st.repair()
	rd := reading{hashed: true}
	var buf [16]Signal
	sig := buf[:0]
	switch t.Role {
	case RoleUser:
		sig = e.m.readUser(&t, sig, &rd)
	case RoleBot:
		sig = e.m.readBot(&t, sig, &rd)
	default:
		return Decision{}, st
	}
	st.advance(&t, &rd, &e.cfg)
	sig = e.count(&t, &st, &rd, sig)
	for _, d := range e.cfg.Detectors {
		from := len(sig)
		sig = d.Detect(ctx, &t, &st, sig)
		if len(sig) < from {
			sig = sig[:from:from] // a detector may only append
			continue
		}
		for i := from; i < len(sig); i++ {
			sig[i].check(&t)
		}
	}
	sig = e.classify(ctx, &t, &st, sig)
	return e.policy.decide(&st, &t, sig, &rd), st
}

// check takes back a signal of host code that could not be true.
func (s *Signal) check(t *Turn) {
	ev := s.Evidence
	if !(s.Score >= 0 && s.Score <= 1) || ev.Start < 0 || ev.End < ev.Start || ev.End > len(t.Text) {
		s.Guard, s.Score, s.Evidence.Start, s.Evidence.End = WhyBadSignal, 0, 0, 0
	}
}
