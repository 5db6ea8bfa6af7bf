package handoff

import (
	"slices"
	"time"

	"github.com/seed-2a427302/handoff/estimate"
)

// rules is the part of a Config that decides, resolved and immutable.
type rules struct {
	queues     map[string]*Queue
	custody    map[string]Custody // by provider
	noters     map[string]bool    // providers that take notes
	sinks      []string
	bot        bool // a Bot is called back
	channel    bool
	unwatched  bool
	botTimeout time.Duration
	botIdle    time.Duration
	botQueue   string // where a failing bot's user goes
	importing  bool   // history is read after a request
	silent     bool   // offers are the bot's
	summaries  bool   // a model sums up
	keepIdle   time.Duration
	keepEnded  time.Duration
	notices    Notices
	labels     map[string]string
	fallback   *Queue // for a queue that is not configured
	remember   int    // as many offers of an agent are remembered
}

// Never is a duration that switches a timer of a Config or Queue off.
const Never time.Duration = -1

func orDefault(d *time.Duration, def time.Duration) {
	if *d == 0 {
		*d = def
	}
}

// resolve returns q with every default filled in.
func (q Queue) resolve(route Router) *Queue {
	orDefault(&q.OfferTimeout, 30*time.Second)
	orDefault(&q.Cooldown, 5*time.Minute)
	orDefault(&q.FirstReply, Never)
	orDefault(&q.IdleTimeout, 15*time.Minute)
	orDefault(&q.IdleWarning, 2*time.Minute)
	orDefault(&q.HoldTimeout, 30*time.Minute)
	orDefault(&q.Wrapup, Never)
	orDefault(&q.AgentGrace, time.Minute)
	orDefault(&q.ConnectTime, time.Minute)
	orDefault(&q.IntakeTimeout, 10*time.Minute)
	orDefault(&q.PlaceEvery, 20*time.Second)
	orDefault(&q.ClosingGrace, 10*time.Minute)
	orDefault(&q.KeepCallback, 24*time.Hour)
	orDefault(&q.ReopenFor, 24*time.Hour)
	orDefault(&q.Alert, Never)
	orDefault(&q.PlaceRepeat, 5*time.Minute)
	orDefault(&q.AgentEvery, time.Hour)
	if len(q.Ladder) == 0 {
		q.Ladder = []Rung{{After: 10 * time.Minute, Do: ToBot}}
	}
	if q.BroadcastTo == 0 {
		q.BroadcastTo = 5
	}
	if q.VideoUnits == 0 {
		q.VideoUnits = 1
	}
	if q.WaitAs == "" {
		q.WaitAs = estimate.Range
	}
	if q.Route == nil {
		q.Route = route
	}
	return &q
}

// queue returns the rules of a queue. A queue that a stored handoff names and
// the configuration no longer has gets the defaults, so that its deadlines
// still run.
func (r *rules) queue(name string) *Queue {
	if q := r.queues[name]; q != nil {
		return q
	}
	return r.fallback
}

// helpers names the queues whose agents may take something of q, too.
func (q *Queue) helpers() []string {
	var out []string
	for _, rung := range q.Ladder {
		if rung.Do == Widen && !slices.Contains(out, rung.Queue) {
			out = append(out, rung.Queue)
		}
	}
	return out
}

// helped names the queues that an agent of queues can take something of.
func (r *rules) helped(queues []string) []string {
	out := slices.Clone(queues)
	for name, q := range r.queues {
		if !slices.Contains(queues, name) && slices.ContainsFunc(q.helpers(), func(o string) bool { return slices.Contains(queues, o) }) {
			out = append(out, name)
		}
	}
	return out
}
