// Package presencetest proves implementations of [handoff.Sessions],
// [handoff.Presence] and [handoff.Directory]. Each failure quotes the rule of
// the contract that was broken.
//
//	func TestPresence(t *testing.T) {
//		presencetest.Run(t, func(t *testing.T) handoff.Sessions { return mypresence.Open(t) })
//	}
//
// The suites pass times that begin at time.Now and go on from there, so an
// implementation may let its server forget what has expired by its own clock.
// They use names of their own, so several may share one database.
package presencetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/seed-2a427302/handoff"
)

// Run proves a Presence that is kept alive by heartbeats. open is called once
// for each case; it may return the same one each time.
func Run(t *testing.T, open func(t *testing.T) handoff.Sessions) {
	t.Helper()
	for _, c := range sessionCases() {
		t.Run(c.name, func(t *testing.T) {
			report(t, c.run(t.Context(), open(t)))
		})
	}
}

func report(t *testing.T, failures []string) {
	t.Helper()
	for _, f := range failures {
		t.Error(f)
	}
}

// A sessionCase is one rule of the contract with what proves it.
type sessionCase struct {
	name  string
	rule  string
	check func(p *probe)
}

// run returns what is wrong.
func (c *sessionCase) run(ctx context.Context, s handoff.Sessions) []string {
	p := &probe{verdict: verdict{rule: c.rule}, ctx: ctx, s: s, mark: newMark(), t0: time.Now().UTC().Truncate(time.Millisecond)}
	c.check(p)
	return p.failures
}

// verdict collects failures, each with the rule.
type verdict struct {
	rule     string
	failures []string
}

func (v *verdict) failf(format string, args ...any) {
	v.failures = append(v.failures, fmt.Sprintf("%s\n\tbroken rule: %s", fmt.Sprintf(format, args...), v.rule))
}

// probe is one case in progress.
type probe struct {
	verdict
	ctx  context.Context //nolint:containedctx // a probe lives as long as its case
	s    handoff.Sessions
	mark string
	t0   time.Time
}

func newMark() string {
	var b [6]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// name makes a name that no other case uses.
func (p *probe) name(s string) string { return s + "-" + p.mark }

// at returns a time after the start of the case.
func (p *probe) at(minutes float64) time.Time {
	return p.t0.Add(time.Duration(minutes * float64(time.Minute)))
}

func (p *probe) ok(verb string, err error) {
	if err != nil {
		p.failf("%s returned %v", verb, err)
	}
}

// The verbs. Times are minutes after the start of the case.

func (p *probe) want(agent string, online bool, now float64) {
	p.ok("Want", p.s.Want(p.ctx, agent, online, "", p.at(now)))
}

func (p *probe) begin(agent, session string, now, expires float64) {
	p.ok("Begin", p.s.Begin(p.ctx, agent, session, p.at(now), p.at(expires)))
}

func (p *probe) beat(agent, session string, now, expires float64) {
	p.ok("Beat", p.s.Beat(p.ctx, agent, session, p.at(now), p.at(expires)))
}

func (p *probe) end(agent, session string, now float64) {
	p.ok("End", p.s.End(p.ctx, agent, session, p.at(now)))
}

func (p *probe) status(now float64, ids ...string) []handoff.Status {
	list, err := p.s.Agents(p.ctx, ids, p.at(now))
	if err != nil {
		p.failf("Agents of %d ids returned %v", len(ids), err)
		return make([]handoff.Status, len(ids))
	}
	if len(list) != len(ids) {
		p.failf("Agents of %d ids returned %d", len(ids), len(list))
		return make([]handoff.Status, len(ids))
	}
	return list
}

// is checks one agent's status; since is in minutes.
func (p *probe) is(agent string, now float64, want handoff.Availability, since float64) {
	st := p.status(now, agent)[0]
	if st.Availability != want {
		p.failf("at minute %g the agent is %q, want %q", now, st.Availability, want)
		return
	}
	if !st.Since.Equal(p.at(since)) {
		p.failf("at minute %g the agent is %s since minute %.3f, want %g", now, want, st.Since.Sub(p.t0).Minutes(), since)
	}
}

// seems checks one agent's availability only.
func (p *probe) seems(agent string, now float64, want handoff.Availability) {
	if st := p.status(now, agent)[0]; st.Availability != want {
		p.failf("at minute %g the agent is %q, want %q", now, st.Availability, want)
	}
}
