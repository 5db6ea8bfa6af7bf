package otelhandoff_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/otlptranslator"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/handofftest"
	"github.com/seed-2a427302/handoff/otelhandoff"
)

// canary stands in everything that somebody said, and in every error.
const canary = "CANARY-4711"

// sdk is the real SDK, read by hand.
type sdk struct {
	reader *metric.ManualReader
	spans  *tracetest.SpanRecorder
	stop   func() error
}

func newSDK() *sdk { return &sdk{reader: metric.NewManualReader(), spans: tracetest.NewSpanRecorder()} }

func (s *sdk) options() otelhandoff.Options {
	return otelhandoff.Options{
		MeterProvider:  metric.NewMeterProvider(metric.WithReader(s.reader)),
		TracerProvider: trace.NewTracerProvider(trace.WithSpanProcessor(s.spans)),
	}
}

func (s *sdk) gather(t *testing.T) (metricdata.ResourceMetrics, error) {
	t.Helper()
	var rm metricdata.ResourceMetrics
	err := s.reader.Collect(t.Context(), &rm)
	return rm, err
}

func (s *sdk) collect(t *testing.T) []metricdata.Metrics {
	t.Helper()
	rm, err := s.gather(t)
	require.NoError(t, err)
	require.Len(t, rm.ScopeMetrics, 1)
	require.Equal(t, "github.com/seed-2a427302/handoff/otelhandoff", rm.ScopeMetrics[0].Scope.Name)
	return rm.ScopeMetrics[0].Metrics
}

// story plays what makes every instrument speak: four handoffs, a channel that
// fails, a store that fails, a race that is lost.
func story(t *testing.T, s *sdk) {
	t.Helper()
	failing := errors.New("the receiver says: " + canary)
	shown := 0
	o := s.options()
	handofftest.Run(t, func(t *testing.T, r *handofftest.Rig) {
		var err error
		s.stop, err = otelhandoff.Observe(o, r.Engine, "support", "billing")
		require.NoError(t, err)
		ann := r.Agent("ann", 3, "support")
		say := func(c string) handoff.Turn {
			turn, err := r.Receive(r.Ctx, handoff.Incoming{
				Conversation: c, ID: "m" + canary, Text: canary, User: &handoff.Contact{ID: canary, Name: canary, Mail: canary},
			})
			require.NoError(t, err)
			return turn
		}
		ask := func(c string) handoff.Handoff {
			return r.Asks(c, func(q *handoff.Request) { q.Reason, q.Tags, q.Note = canary, []string{canary}, canary })
		}

		// c1: ten seconds of bot, five of waiting, three to the first reply, a
		// minute in all, ten seconds of it on hold.
		say("c1")
		r.Sleep(10 * time.Second)
		h := ask("c1")
		r.Sleep(5 * time.Second)
		ann.Accept()
		r.Sleep(3 * time.Second)
		ann.Says(h.ID, canary)
		_, err = r.Hold(r.Ctx, h.ID, ann.By(), canary)
		require.NoError(t, err)
		r.Sleep(10 * time.Second)
		_, err = r.Resume(r.Ctx, h.ID, ann.By())
		require.NoError(t, err)
		r.Sleep(47 * time.Second)
		ann.Ends(h.ID)
		r.Sleep(4 * time.Second)
		_, err = r.End(r.Ctx, h.ID, ann.By(), handoff.Ending{})
		require.NoError(t, err)

		// c2 is contained, c3 cancels.
		say("c2")
		ask("c3")
		_, err = r.Cancel(r.Ctx, "c3", false)
		require.NoError(t, err)

		// c4 waits while commits fail and lose races.
		ann.Leaves()
		n := 0
		r.Store.Plan(func(op string, _ handoff.ID) handofftest.Fault {
			if op != "Commit" {
				return handofftest.Fault{}
			}
			switch n++; n % 3 {
			case 0:
				return handofftest.Fault{Before: handoff.ErrConflict}
			case 1:
				return handofftest.Fault{Before: failing}
			}
			return handofftest.Fault{}
		})
		for range 6 {
			_, _ = r.Note(r.Ctx, h.ID, ann.By(), canary)
		}
		r.Store.Plan(nil)
		ask("c4")
		r.Sleep(30 * time.Second)
	}, func(c *handoff.Config) {
		hooks, err := otelhandoff.New(o)
		require.NoError(t, err)
		c.Hooks = hooks
		c.Queues = []handoff.Queue{
			{Name: "support", Wrapup: time.Minute, Ladder: []handoff.Rung{{After: time.Hour, Do: handoff.ToBot}}},
			{Name: "billing"},
		}
		c.Channel = handoff.ChannelFunc(func(context.Context, string, handoff.UserMessage) error {
			if shown++; shown%4 == 0 {
				return &handoff.DeliveryError{Permanent: shown%8 == 0, Code: "down", Err: failing}
			}
			return nil
		})
	})
}

func point[T int64 | float64](t *testing.T, list []metricdata.DataPoint[T], want ...attribute.KeyValue) T {
	t.Helper()
	set := attribute.NewSet(want...)
	for _, p := range list {
		if p.Attributes.Equals(&set) {
			return p.Value
		}
	}
	t.Fatalf("no point has %v", want)
	return 0
}

func histogram(t *testing.T, m metricdata.Metrics, want ...attribute.KeyValue) (count uint64, sum float64) {
	t.Helper()
	set := attribute.NewSet(want...)
	for _, p := range m.Data.(metricdata.Histogram[float64]).DataPoints {
		if p.Attributes.Equals(&set) {
			return p.Count, p.Sum
		}
	}
	t.Fatalf("%s: no point has %v", m.Name, want)
	return 0, 0
}

func TestMetrics(t *testing.T) {
	s := newSDK()
	story(t, s)
	all := map[string]metricdata.Metrics{}
	for _, m := range s.collect(t) {
		all[m.Name] = m
	}
	support := attribute.String("handoff.queue", "support")
	sum := func(name string) []metricdata.DataPoint[int64] {
		return all[name].Data.(metricdata.Sum[int64]).DataPoints
	}
	require.EqualValues(t, 1, point(t, sum("handoff.over"), support, attribute.String("handoff.outcome", "resolved")))
	require.EqualValues(t, 1, point(t, sum("handoff.over"), support, attribute.String("handoff.outcome", "cancelled")))
	require.EqualValues(t, 3, point(t, sum("handoff.transitions"), support, attribute.String("handoff.state", "waiting")))
	require.Positive(t, point(t, sum("handoff.commit.conflicts")))

	for part, want := range map[string]float64{"human": 50, "held": 10, "wrapup": 4, "bot": 10, "wait": 5} {
		count, took := histogram(t, all["handoff.stretch.duration"], support, attribute.String("handoff.part", part))
		require.EqualValues(t, 1, count, part)
		require.InDelta(t, want, took, .001, part)
	}
	for name, want := range map[string]float64{"handoff.first_wait.duration": 5, "handoff.first_reply.duration": 3} {
		count, took := histogram(t, all[name], support)
		require.EqualValues(t, 1, count, name)
		require.InDelta(t, want, took, .001, name)
	}
	for _, result := range []string{"ok", "failed", "given_up"} {
		count, _ := histogram(t, all["handoff.delivery.duration"], attribute.String("handoff.sink", "channel"), attribute.String("handoff.result", result))
		require.Positive(t, count, result)
	}
	gauge := func(name string) []metricdata.DataPoint[int64] {
		return all[name].Data.(metricdata.Gauge[int64]).DataPoints
	}
	require.EqualValues(t, 1, point(t, gauge("handoff.queue.waiting"), support))
	require.EqualValues(t, 0, point(t, gauge("handoff.queue.waiting"), attribute.String("handoff.queue", "billing")))
	longest := all["handoff.queue.longest_wait"].Data.(metricdata.Gauge[float64]).DataPoints
	require.Positive(t, point(t, longest, support))

	require.NoError(t, s.stop())
	for _, m := range s.collect(t) {
		require.NotEqual(t, "handoff.queue.waiting", m.Name, "nobody observes any more")
	}
}

func TestSpans(t *testing.T) {
	s := newSDK()
	story(t, s)
	names := map[string]int{}
	failed := 0
	for _, sp := range s.spans.Ended() {
		names[sp.Name()]++
		switch sp.Status().Code {
		case codes.Error:
			failed++
			require.Contains(t, []string{"*errors.errorString", "delivery"}, sp.Status().Description)
		default:
			require.Equal(t, codes.Unset, sp.Status().Code)
		}
		for _, kv := range sp.Attributes() {
			require.NotEqual(t, "handoff.conversation.id", string(kv.Key), "nobody asked for it")
		}
	}
	require.Positive(t, failed)
	for _, name := range []string{"handoff store.commit", "handoff store.get", "handoff store.claim", "handoff deliver.channel", "handoff deliver.packet"} {
		require.Positive(t, names[name], name)
	}
	require.Len(t, s.spans.Started(), len(s.spans.Ended()), "every span ends")
}

func TestSpansNameConversationsWhereAsked(t *testing.T) {
	s := newSDK()
	o := s.options()
	o.Conversations = true
	hooks, err := otelhandoff.New(o)
	require.NoError(t, err)
	_, end := hooks.Span(t.Context(), "store.get", handoff.ID{Conversation: "c1", Number: 2})
	end(nil)
	require.Contains(t, s.spans.Ended()[0].Attributes(), attribute.String("handoff.conversation.id", "c1"))
	require.Contains(t, s.spans.Ended()[0].Attributes(), attribute.Int64("handoff.number", 2))
}

// suffixes are what Prometheus makes of a histogram.
var suffixes = []string{"_bucket", "_sum", "_count"}

// prometheus returns the names under which Prometheus and the collector keep a
// metric, by the translator that they use themselves, and its labels.
func prometheus(t *testing.T, m metricdata.Metrics) (names []string, labels map[string]bool) {
	t.Helper()
	labels = map[string]bool{"le": true}
	var kind otlptranslator.MetricType
	note := func(set attribute.Set) {
		for _, kv := range set.ToSlice() {
			name, err := (&otlptranslator.LabelNamer{}).Build(string(kv.Key))
			require.NoError(t, err)
			labels[name] = true
		}
	}
	switch d := m.Data.(type) {
	case metricdata.Sum[int64]:
		kind = otlptranslator.MetricTypeMonotonicCounter
		for _, p := range d.DataPoints {
			note(p.Attributes)
		}
	case metricdata.Gauge[int64]:
		kind = otlptranslator.MetricTypeGauge
		for _, p := range d.DataPoints {
			note(p.Attributes)
		}
	case metricdata.Gauge[float64]:
		kind = otlptranslator.MetricTypeGauge
		for _, p := range d.DataPoints {
			note(p.Attributes)
		}
	case metricdata.Histogram[float64]:
		kind = otlptranslator.MetricTypeHistogram
		for _, p := range d.DataPoints {
			note(p.Attributes)
		}
	default:
		t.Fatalf("%T", d)
	}
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	name, err := namer.Build(otlptranslator.Metric{Name: m.Name, Unit: m.Unit, Type: kind})
	require.NoError(t, err)
	if kind != otlptranslator.MetricTypeHistogram {
		return []string{name}, labels
	}
	for _, s := range suffixes {
		names = append(names, name+s)
	}
	return names, labels
}

var (
	// A selector: a name and, in braces, conditions on labels.
	selector  = regexp.MustCompile(`\b(handoff_[a-z_]+)(\{[^}]*\})?(?:\[|[\s),/]|$)`)
	condition = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)\s*"`)
	grouping  = regexp.MustCompile(`\bby \(([^)]*)\)`)
	// What a variable of the dashboard asks for.
	labelValues = regexp.MustCompile(`^label_values\(([a-z_]+), ([a-z_]+)\)$`)
	legend      = regexp.MustCompile(`\{\{\s*([a-z_]+)\s*\}\}`)
)

type dashboard struct {
	Panels []struct {
		Title   string `json:"title"`
		Targets []struct {
			Expr   string `json:"expr"`
			Legend string `json:"legendFormat"`
		} `json:"targets"`
	} `json:"panels"`
	Templating struct {
		List []struct {
			Definition string `json:"definition"`
		} `json:"list"`
	} `json:"templating"`
}

// The dashboard asks for the metrics that the code emits, for all of them, and
// by labels that they have.
func TestDashboard(t *testing.T) {
	s := newSDK()
	story(t, s)
	emitted := map[string]map[string]bool{} // name in Prometheus → labels
	left := map[string]bool{}               // metrics that no panel shows yet
	metricOf := map[string]string{}
	for _, m := range s.collect(t) {
		names, labels := prometheus(t, m)
		left[m.Name] = true
		for _, name := range names {
			emitted[name], metricOf[name] = labels, m.Name
		}
	}
	raw, err := os.ReadFile("dashboard.json")
	require.NoError(t, err)
	var d dashboard
	require.NoError(t, json.Unmarshal(raw, &d))
	used := 0
	check := func(where, expr, shown string) {
		known := map[string]bool{}
		if m := labelValues.FindStringSubmatch(expr); m != nil {
			expr = "sum by (" + m[2] + ") (" + m[1] + ")"
		}
		bare := expr
		for _, m := range selector.FindAllStringSubmatch(grouping.ReplaceAllString(expr, ""), -1) {
			used++
			labels, ok := emitted[m[1]]
			require.Truef(t, ok, "%s: nothing emits %s; there are %v", where, m[1], slices.Sorted(maps.Keys(emitted)))
			delete(left, metricOf[m[1]])
			maps.Copy(known, labels)
			for _, c := range condition.FindAllStringSubmatch(m[2], -1) {
				require.Truef(t, labels[c[1]], "%s: %s has no label %s", where, m[1], c[1])
			}
			bare = strings.Replace(bare, m[1], "", 1)
		}
		for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
			for name := range strings.SplitSeq(g[1], ",") {
				require.Truef(t, known[strings.TrimSpace(name)], "%s: groups by %s", where, name)
			}
		}
		for _, l := range legend.FindAllStringSubmatch(shown, -1) {
			require.Truef(t, known[l[1]], "%s: the legend has %s", where, l[1])
		}
		// What begins like one of ours is a label, unless it was found above.
		for _, word := range regexp.MustCompile(`\bhandoff_[a-z_]+`).FindAllString(bare, -1) {
			require.Truef(t, known[word], "%s: %s was not understood", where, word)
		}
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			check(p.Title, target.Expr, target.Legend)
		}
	}
	for _, v := range d.Templating.List {
		if v.Definition != "" {
			check("variable", v.Definition, "")
		}
	}
	require.Greater(t, used, 20)
	require.Empty(t, left, "no panel shows these")
}
