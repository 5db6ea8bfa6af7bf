package otelhandoff

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-2a427302/handoff"
)

// scope names this package to OpenTelemetry.
const scope = "github.com/seed-2a427302/handoff/otelhandoff"

// Options say where metrics and spans go. The zero value uses the global
// providers.
type Options struct {
	MeterProvider  metric.MeterProvider // nil: otel.GetMeterProvider
	TracerProvider trace.TracerProvider // nil: otel.GetTracerProvider

	// Conversations puts the host's conversation ids into spans. Leave it off
	// where they tell who somebody is.
	Conversations bool
}

func (o *Options) meter() metric.Meter {
	p := o.MeterProvider
	if p == nil {
		p = otel.GetMeterProvider()
	}
	return p.Meter(scope)
}

// Bounds of histograms, in seconds.
var (
	people   = []float64{1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400}
	machines = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
)

// hooks holds the instruments.
type hooks struct {
	tracer        trace.Tracer
	conversations bool

	transitions, over, conflicts    metric.Int64Counter
	firstWait, firstReply, stretch  metric.Float64Histogram
	deliveryDuration, operationTime metric.Float64Histogram
}

// New returns hooks that feed OpenTelemetry. Give them to Config.Hooks, with
// others by Hooks.And. It fails when the meter refuses an instrument.
func New(o Options) (handoff.Hooks, error) {
	t := o.TracerProvider
	if t == nil {
		t = otel.GetTracerProvider()
	}
	h := &hooks{tracer: t.Tracer(scope), conversations: o.Conversations}
	m := o.meter()
	var errs []error
	counter := func(to *metric.Int64Counter, name, unit, what string) {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(what))
		*to, errs = c, append(errs, err)
	}
	histogram := func(to *metric.Float64Histogram, name, what string, bounds []float64) {
		c, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(what), metric.WithExplicitBucketBoundaries(bounds...))
		*to, errs = c, append(errs, err)
	}
	counter(&h.transitions, "handoff.transitions", "{transition}", "Handoffs that came into a state.")
	counter(&h.over, "handoff.over", "{handoff}", "Handoffs that are over for the user.")
	counter(&h.conflicts, "handoff.commit.conflicts", "{conflict}", "Commits that lost a race and were tried again.")
	histogram(&h.firstWait, "handoff.first_wait.duration", "Time in queues until the first accept.", people)
	histogram(&h.firstReply, "handoff.first_reply.duration", "Time from the first accept to the agent's first message.", people)
	histogram(&h.stretch, "handoff.stretch.duration", "Time of each part of handoffs that have ended.", people)
	histogram(&h.deliveryDuration, "handoff.delivery.duration", "Time of attempts to deliver.", machines)
	histogram(&h.operationTime, "handoff.operation.duration", "Time of store calls, deliveries and calls of platforms.", machines)
	if err := errors.Join(errs...); err != nil {
		return handoff.Hooks{}, err
	}
	return handoff.Hooks{Span: h.span, Changed: h.changed, Delivered: h.delivered, Conflict: h.conflict}, nil
}

func (h *hooks) changed(ctx context.Context, c handoff.Change) {
	queue := attribute.String("handoff.queue", c.Queue)
	if c.From != c.To {
		h.transitions.Add(ctx, 1, metric.WithAttributes(queue, attribute.String("handoff.state", string(c.To))))
	}
	if isOver(c.To) && !isOver(c.From) {
		h.over.Add(ctx, 1, metric.WithAttributes(queue, attribute.String("handoff.outcome", string(c.Outcome))))
	}
	if c.First && isWaiting(c.From) {
		h.firstWait.Record(ctx, c.Stretch.FirstWait.Seconds(), metric.WithAttributes(queue))
	}
	if c.Before.FirstReply == 0 && c.Stretch.FirstReply > 0 {
		h.firstReply.Record(ctx, c.Stretch.FirstReply.Seconds(), metric.WithAttributes(queue))
	}
	if c.To != handoff.StateEnded || c.From == handoff.StateEnded {
		return
	}
	for _, part := range []struct {
		name string
		took time.Duration
	}{
		{"bot", c.Stretch.Bot},
		{"intake", c.Stretch.Intake},
		{"wait", c.Stretch.Wait},
		{"human", c.Stretch.Human},
		{"held", c.Stretch.Held},
		{"wrapup", c.Stretch.Wrapup},
	} {
		if part.took > 0 {
			h.stretch.Record(ctx, part.took.Seconds(), metric.WithAttributes(queue, attribute.String("handoff.part", part.name)))
		}
	}
}

func isOver(s handoff.State) bool { return s == handoff.StateWrapup || s == handoff.StateEnded }

func isWaiting(s handoff.State) bool {
	return s == handoff.StateWaiting || s == handoff.StateOffered || s == handoff.StateConnecting || s == handoff.StateQueued
}

func (h *hooks) delivered(ctx context.Context, d handoff.Delivered) {
	result := "ok"
	switch {
	case d.Err != nil && d.Permanent:
		result = "given_up"
	case d.Err != nil:
		result = "failed"
	}
	h.deliveryDuration.Record(ctx, d.Took.Seconds(), metric.WithAttributes(
		attribute.String("handoff.sink", d.Sink), attribute.String("handoff.result", result)))
}

func (h *hooks) conflict(ctx context.Context, _ handoff.ID, _ int) { h.conflicts.Add(ctx, 1) }

func (h *hooks) span(ctx context.Context, name string, id handoff.ID) (context.Context, func(error)) {
	start := time.Now()
	operation := attribute.String("handoff.operation", name)
	attributes := []attribute.KeyValue{operation}
	if id.Number > 0 {
		attributes = append(attributes, attribute.Int64("handoff.number", id.Number))
	}
	if h.conversations && id.Conversation != "" {
		attributes = append(attributes, attribute.String("handoff.conversation.id", id.Conversation))
	}
	ctx, span := h.tracer.Start(ctx, "handoff "+name, trace.WithAttributes(attributes...)) //nolint:spancheck // ends in what is returned
	return ctx, func(err error) {                                                          //nolint:spancheck // as above
		kind, bad := classify(err)
		measured := []attribute.KeyValue{operation}
		if kind != "" {
			attr := attribute.String("error.type", kind)
			span.SetAttributes(attr)
			measured = append(measured, attr)
		}
		if bad {
			fail(span, kind)
		}
		span.End()
		h.operationTime.Record(ctx, time.Since(start).Seconds(), metric.WithAttributes(measured...))
	}
}

// classify names an error without repeating what it says: an error of a host
// or a platform may quote somebody. Answers of a store are no failures.
func classify(err error) (kind string, failed bool) {
	if err == nil {
		return "", false
	}
	for _, answer := range []struct {
		err  error
		name string
	}{
		{handoff.ErrNotFound, "not_found"},
		{handoff.ErrConflict, "conflict"},
		{handoff.ErrDuplicate, "duplicate"},
		{handoff.ErrLeased, "leased"},
	} {
		if errors.Is(err, answer.err) {
			return answer.name, false
		}
	}
	var held *handoff.HeldError
	var delivery *handoff.DeliveryError
	var provider *handoff.ProviderError
	switch {
	case errors.As(err, &held):
		return "held", false
	case errors.As(err, &delivery):
		return "delivery", true
	case errors.As(err, &provider):
		return "provider", true
	case errors.Is(err, context.Canceled):
		return "canceled", true
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout", true
	}
	return fmt.Sprintf("%T", err), true
}
