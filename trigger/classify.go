package trigger

import (
	"context"
	"fmt"
)

// Classifier asks a model of the host's, such as an LLM, whether a human is
// needed. It runs on user turns for which the rules did not already reach the
// transfer threshold, and never while the bot fills a form.
//
// Classify must honour ctx, which ends after Config.ClassifierTimeout, and must
// be safe for concurrent use. It returns a Signal with Score 0..1; a zero Score
// means no. An empty Reason becomes ReasonClassifier. An error, a panic or a
// late answer changes nothing: the rules stay in charge and Suppressed says so.
type Classifier interface {
	Classify(ctx context.Context, t Turn, st State) (Signal, error)
}

// maxInFlight bounds the calls under way per engine, those given up on
// included: a model that hangs must not pile up goroutines.
const maxInFlight = 64

const detClassifier = "classifier"

func (e *Engine) classify(ctx context.Context, t *Turn, st *State, dst []Signal) []Signal {
	if e.cfg.Classifier == nil || t.Role != RoleUser || t.Intake || t.empty() || e.policy.decided(dst) {
		return dst
	}
	failed := func(why string) []Signal {
		return append(dst, Signal{Reason: ReasonClassifier, Guard: why, Detector: detClassifier})
	}
	select {
	case e.inFlight <- struct{}{}:
	default:
		return failed(WhyBusy)
	}
	ctx, cancel := context.WithTimeout(ctx, e.cfg.ClassifierTimeout)
	defer cancel()
	type answer struct {
		s   Signal
		err error
	}
	done := make(chan answer, 1) // room for an answer that nobody waits for
	turn, state := *t, *st       // the goroutine may outlive this call
	go func() {
		var a answer
		defer func() {
			if p := recover(); p != nil {
				a = answer{err: fmt.Errorf("trigger: classifier panicked: %v", p)}
			}
			<-e.inFlight
			done <- a
		}()
		a.s, a.err = e.cfg.Classifier.Classify(ctx, turn, state)
	}()
	select {
	case <-ctx.Done():
		return failed(WhyTimeout)
	case a := <-done:
		switch {
		case a.err != nil && ctx.Err() != nil:
			return failed(WhyTimeout)
		case a.err != nil:
			return failed(WhyClassifier)
		case a.s.Score == 0:
			return dst
		}
		if a.s.Reason == "" {
			a.s.Reason = ReasonClassifier
		}
		a.s.Detector, a.s.Guard = detClassifier, ""
		a.s.check(t)
		return append(dst, a.s)
	}
}
