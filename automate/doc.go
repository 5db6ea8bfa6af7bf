// Package automate does things by rule: when something happens to a handoff,
// and it is of a kind, then tag it, note something, tell the user, make a
// ticket, call a webhook, transfer it or change its priority.
//
// [Automations] is a handoff.Sink: rules run during a handoff, after its end
// and when one is missed, on some replica, at least once for each entry; what
// an action does is named after entry and rule, so that a repeat does it once.
// An agent runs a rule by hand with [Automations.Run]; [Automations.Buttons]
// says which. Rules are given to [New]; those of [Options.Keep] are edited while
// engines run. What the former name, queues and notices, is checked by
// handoff.New.
//
// A rule that sets itself off, or another one that does, is stopped after
// [Rule.Chain] steps, and one that runs too often for a handoff after
// [Rule.Most]. What failed and what was stopped is a note on the handoff.
package automate
