package analytics

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/history"
)

// Figures are what was counted of a set of handoffs. The package comment
// defines each of them. The zero value is an empty set.
type Figures struct {
	Handoffs    int                     `json:"handoffs"`
	Silent      int                     `json:"silent"`
	Asked       int                     `json:"asked"`
	Queued      int                     `json:"queued"`
	Refused     int                     `json:"refused"`
	Attended    int                     `json:"attended"`
	Open        int                     `json:"open"`
	Outcomes    map[handoff.Outcome]int `json:"outcomes,omitempty"`
	Contained   int                     `json:"contained"`
	Missed      int                     `json:"missed"`
	Abandoned   int                     `json:"abandoned"`
	Transferred int                     `json:"transferred"`
	Transfers   int                     `json:"transfers"`
	Requeued    int                     `json:"requeued"`
	Requeues    int                     `json:"requeues"`
	Reopened    int                     `json:"reopened"`
	LeftMessage int                     `json:"left_message"`

	Containment  Ratio `json:"containment"`
	Escalation   Ratio `json:"escalation"`
	MissedRate   Ratio `json:"missed_rate"`
	AbandonRate  Ratio `json:"abandon_rate"`
	ServiceLevel Ratio `json:"service_level"`
	ReopenRate   Ratio `json:"reopen_rate"`
	TransferRate Ratio `json:"transfer_rate"`

	Bot           Spread `json:"bot"`
	Intake        Spread `json:"intake"`
	Wait          Spread `json:"wait"`
	FirstWait     Spread `json:"first_wait"`
	AbandonedWait Spread `json:"abandoned_wait"`
	FirstReply    Spread `json:"first_reply"`
	Human         Spread `json:"human"`
	Held          Spread `json:"held"`
	Wrapup        Spread `json:"wrapup"`
	Handle        Spread `json:"handle"`

	SeatTime time.Duration `json:"seat_time"` // nanoseconds
	Scores   [5]int        `json:"scores"`    // how often 1, 2, 3, 4 and 5 were given
}

// A Ratio is N of Of.
type Ratio struct {
	N, Of int
}

// Value returns N/Of; zero of nothing.
func (r Ratio) Value() float64 {
	if r.Of == 0 {
		return 0
	}
	return float64(r.N) / float64(r.Of)
}

// MarshalJSON encodes n, of, and their ratio, which is null of nothing.
func (r Ratio) MarshalJSON() ([]byte, error) {
	out := struct {
		N     int      `json:"n"`
		Of    int      `json:"of"`
		Value *float64 `json:"value"`
	}{N: r.N, Of: r.Of}
	if v := r.Value(); r.Of > 0 {
		out.Value = &v
	}
	return json.Marshal(out)
}

func (r *Ratio) count(yes bool) {
	r.Of++
	if yes {
		r.N++
	}
}

// Rating returns the mean score and of how many it is.
func (f *Figures) Rating() (mean float64, n int) {
	sum := 0
	for i, k := range f.Scores {
		sum, n = sum+(i+1)*k, n+k
	}
	if n == 0 {
		return 0, 0
	}
	return float64(sum) / float64(n), n
}

// add counts one handoff.
func (f *Figures) add(h *handoff.Handoff, target time.Duration, reopened bool) {
	asked, over := h.Reason != "", h.Outcome != ""
	queued := !h.Enqueued.IsZero()
	if !asked && h.LastUser.Before(h.Created) {
		f.Silent++
		return
	}
	f.Handoffs++
	tick(&f.Asked, asked)
	tick(&f.Queued, queued)
	tick(&f.Refused, h.Refused)
	tick(&f.Attended, h.Attended)
	tick(&f.Open, !over)
	tick(&f.LeftMessage, h.LeftMessage)
	tick(&f.Reopened, reopened)
	f.Escalation.count(asked)
	if asked {
		f.ReopenRate.count(reopened)
	}
	if h.Attended {
		f.Transfers, f.Requeues = f.Transfers+h.Stretch.Transfers, f.Requeues+h.Stretch.Requeues
		tick(&f.Transferred, h.Stretch.Transfers > 0)
		tick(&f.Requeued, h.Stretch.Requeues > 0)
		f.TransferRate.count(h.Stretch.Transfers > 0)
	}
	gone := queued && over && !h.Attended && (h.Outcome == handoff.OutcomeCancelled || h.Outcome == handoff.OutcomeAbandoned)
	if over {
		if f.Outcomes == nil {
			f.Outcomes = map[handoff.Outcome]int{}
		}
		f.Outcomes[h.Outcome]++
		missed := history.ClassOf(h) == history.Missed
		contained := !asked && h.Outcome == handoff.OutcomeContained
		tick(&f.Contained, contained)
		tick(&f.Missed, missed)
		tick(&f.Abandoned, gone)
		if asked || contained {
			f.Containment.count(contained)
		}
		if asked {
			f.MissedRate.count(missed)
		}
	}
	if queued && (over || h.Attended) {
		f.AbandonRate.count(gone)
		f.ServiceLevel.count(h.Attended && h.Stretch.FirstWait <= target)
	}
	if h.Rating != nil && h.Rating.Score >= 1 && h.Rating.Score <= len(f.Scores) {
		f.Scores[h.Rating.Score-1]++
	}
	f.times(h, queued, gone)
}

func (f *Figures) times(h *handoff.Handoff, queued, gone bool) {
	t := &h.Stretch
	if h.Attended && queued {
		f.FirstWait.add(t.FirstWait)
	}
	if t.FirstReply > 0 {
		f.FirstReply.add(t.FirstReply)
	}
	if h.State != handoff.StateEnded {
		return
	}
	positive(&f.Bot, t.Bot)
	positive(&f.Intake, t.Intake)
	positive(&f.Held, t.Held)
	positive(&f.Wrapup, t.Wrapup)
	if queued {
		f.Wait.add(t.Wait)
	}
	if gone {
		f.AbandonedWait.add(t.Wait)
	}
	if h.Attended {
		handle := t.Human + t.Held + t.Wrapup
		f.Human.add(t.Human)
		f.Handle.add(handle)
		f.SeatTime += handle * time.Duration(h.Capacity())
	}
}

// positive adds a time of those who were in that part at all.
func positive(s *Spread, d time.Duration) {
	if d > 0 {
		s.add(d)
	}
}

func tick(n *int, yes bool) {
	if yes {
		*n++
	}
}

// merge adds what o counted.
func (f *Figures) merge(o *Figures) {
	for _, p := range [][2]*int{
		{&f.Handoffs, &o.Handoffs},
		{&f.Silent, &o.Silent},
		{&f.Asked, &o.Asked},
		{&f.Queued, &o.Queued},
		{&f.Refused, &o.Refused},
		{&f.Attended, &o.Attended},
		{&f.Open, &o.Open},
		{&f.Contained, &o.Contained},
		{&f.Missed, &o.Missed},
		{&f.Abandoned, &o.Abandoned},
		{&f.Transferred, &o.Transferred},
		{&f.Transfers, &o.Transfers},
		{&f.Requeued, &o.Requeued},
		{&f.Requeues, &o.Requeues},
		{&f.Reopened, &o.Reopened},
		{&f.LeftMessage, &o.LeftMessage},
	} {
		*p[0] += *p[1]
	}
	for _, p := range [][2]*Ratio{
		{&f.Containment, &o.Containment},
		{&f.Escalation, &o.Escalation},
		{&f.MissedRate, &o.MissedRate},
		{&f.AbandonRate, &o.AbandonRate},
		{&f.ServiceLevel, &o.ServiceLevel},
		{&f.ReopenRate, &o.ReopenRate},
		{&f.TransferRate, &o.TransferRate},
	} {
		p[0].N, p[0].Of = p[0].N+p[1].N, p[0].Of+p[1].Of
	}
	for _, p := range [][2]*Spread{
		{&f.Bot, &o.Bot},
		{&f.Intake, &o.Intake},
		{&f.Wait, &o.Wait},
		{&f.FirstWait, &o.FirstWait},
		{&f.AbandonedWait, &o.AbandonedWait},
		{&f.FirstReply, &o.FirstReply},
		{&f.Human, &o.Human},
		{&f.Held, &o.Held},
		{&f.Wrapup, &o.Wrapup},
		{&f.Handle, &o.Handle},
	} {
		p[0].merge(p[1])
	}
	if f.Outcomes == nil && len(o.Outcomes) > 0 {
		f.Outcomes = maps.Clone(o.Outcomes)
	} else {
		for k, n := range o.Outcomes {
			f.Outcomes[k] += n
		}
	}
	f.SeatTime += o.SeatTime
	for i, n := range o.Scores {
		f.Scores[i] += n
	}
}
