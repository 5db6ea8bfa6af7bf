// Package otelhandoff gives an engine's work to OpenTelemetry: metrics of
// queues, waits, agents and deliveries, and spans around store calls,
// deliveries and calls of platforms.
//
// [New] makes the [handoff.Hooks]; [Observe] adds gauges that look at queues
// when metrics are collected. dashboard.json is a Grafana dashboard over both.
//
// # Metrics
//
//	handoff.transitions            counter    handoffs that came into a state, by queue and state
//	handoff.over                   counter    handoffs that are over for the user, by queue and outcome
//	handoff.first_wait.duration    histogram  seconds until the first accept, by queue
//	handoff.first_reply.duration   histogram  seconds from there to the agent's first message, by queue
//	handoff.stretch.duration       histogram  seconds of each part, by queue and part (bot, intake, wait, human, held, wrapup), at the end
//	handoff.delivery.duration      histogram  seconds of attempts to deliver, by receiver and result (ok, failed, given_up)
//	handoff.operation.duration     histogram  seconds of store calls, deliveries and calls of platforms, by operation and error.type
//	handoff.commit.conflicts       counter    commits that lost a race and were tried again
//	handoff.queue.waiting          gauge      who waits, by queue
//	handoff.queue.longest_wait     gauge      seconds since the one who waits longest came, by queue
//	handoff.queue.handoffs         gauge      handoffs that are not over, by queue and state (intake, active, held, wrapup)
//	handoff.agents.online          gauge      agents who are there, by queue
//	handoff.seats                  gauge      their seats, by queue and state (free, used)
//
// Attributes are handoff.queue, handoff.state, handoff.outcome, handoff.part,
// handoff.sink, handoff.result, handoff.operation and error.type. Each has as
// many values as the Config has names. Nothing that people said, and no id of
// a user, stands in a metric or a span.
//
// Counters and histograms count what one engine has committed, once at most: a
// commit whose outcome is unknown, or that another process made, is not in
// them. The gauges ask the store; let one replica observe.
package otelhandoff
