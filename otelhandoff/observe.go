package otelhandoff

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/analytics"
)

// Observe looks at queues whenever metrics are collected. A queue that cannot
// be read is missing from that collection. stop ends it.
func Observe(o Options, e *handoff.Engine, queues ...string) (stop func() error, err error) {
	m := o.meter()
	var errs []error
	gauge := func(name, unit, what string) metric.Int64ObservableGauge {
		g, err := m.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(what))
		errs = append(errs, err)
		return g
	}
	waiting := gauge("handoff.queue.waiting", "{handoff}", "Who waits.")
	open := gauge("handoff.queue.handoffs", "{handoff}", "Handoffs that are not over.")
	online := gauge("handoff.agents.online", "{agent}", "Agents who are there.")
	seats := gauge("handoff.seats", "{seat}", "Seats of the agents who are there.")
	longest, err := m.Float64ObservableGauge("handoff.queue.longest_wait", metric.WithUnit("s"),
		metric.WithDescription("Since the one who waits longest came."))
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	reg, err := m.RegisterCallback(func(ctx context.Context, to metric.Observer) error {
		list, err := analytics.Now(ctx, e, queues...)
		for _, l := range list {
			queue := attribute.String("handoff.queue", l.Queue)
			in := func(state string) metric.ObserveOption {
				return metric.WithAttributes(queue, attribute.String("handoff.state", state))
			}
			to.ObserveInt64(waiting, int64(l.Waiting), metric.WithAttributes(queue))
			to.ObserveFloat64(longest, l.Longest.Seconds(), metric.WithAttributes(queue))
			to.ObserveInt64(open, int64(l.Intake), in("intake"))
			to.ObserveInt64(open, int64(l.Active), in("active"))
			to.ObserveInt64(open, int64(l.Held), in("held"))
			to.ObserveInt64(open, int64(l.Wrapup), in("wrapup"))
			to.ObserveInt64(online, int64(l.Online), metric.WithAttributes(queue))
			to.ObserveInt64(seats, int64(l.FreeSeats), in("free"))
			to.ObserveInt64(seats, int64(l.Seats-l.FreeSeats), in("used"))
		}
		if err != nil {
			// The SDK logs it, and a store's error may quote somebody.
			kind, _ := classify(err)
			return errors.New("otelhandoff: a queue cannot be read: " + kind)
		}
		return nil
	}, waiting, open, online, seats, longest)
	if err != nil {
		return nil, err
	}
	return reg.Unregister, nil
}

func fail(span trace.Span, kind string) { span.SetStatus(codes.Error, kind) }
