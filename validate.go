package handoff

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/seed-2a427302/handoff/estimate"
)

// Limits of what the engine accepts. Longer input is an *InvalidError.
const (
	maxName    = 512       // bytes in ids and names
	maxText    = 64 << 10  // bytes in a text
	maxPayload = 256 << 10 // bytes in a payload
	maxList    = 100       // skills, flags, tags, files, …
	maxPast    = 500       // messages of history
	mostAsked  = 1000      // offers of an agent that are counted
)

// checkContext refuses what every call that waits would panic of.
func checkContext(ctx context.Context) error {
	if ctx == nil {
		return &InvalidError{Field: "ctx", Why: "is nil"}
	}
	return nil
}

// checkName checks an id or name: not empty, bounded, valid UTF-8, without
// control characters.
func checkName(field, s string) error {
	if s == "" {
		return &InvalidError{Field: field, Why: "is empty"}
	}
	return checkOptional(field, s)
}

func checkOptional(field, s string) error {
	switch {
	case len(s) > maxName:
		return &InvalidError{Field: field, Why: fmt.Sprintf("is longer than %d bytes", maxName)}
	case !utf8.ValidString(s):
		return &InvalidError{Field: field, Why: "is not valid UTF-8"}
	}
	for i := range len(s) {
		if s[i] < 0x20 || s[i] == 0x7f {
			return &InvalidError{Field: field, Why: "has a control character"}
		}
	}
	return nil
}

func checkText(field, s string) error {
	switch {
	case len(s) > maxText:
		return &InvalidError{Field: field, Why: fmt.Sprintf("is longer than %d bytes", maxText)}
	case !utf8.ValidString(s):
		return &InvalidError{Field: field, Why: "is not valid UTF-8"}
	}
	for i := range len(s) {
		if s[i] == 0 {
			return &InvalidError{Field: field, Why: "has a NUL"}
		}
	}
	return nil
}

func checkDuration(field string, d time.Duration) error {
	if d < 0 && d != Never {
		return &InvalidError{Field: field, Why: "is negative; only Never is allowed"}
	}
	return nil
}

func checkID(id ID) error {
	if err := checkName("ID.Conversation", id.Conversation); err != nil {
		return err
	}
	if id.Number < 1 {
		return &InvalidError{Field: "ID.Number", Why: "is below 1"}
	}
	return nil
}

func checkActor(a Actor) error {
	switch a.Role {
	case RoleAgent, RoleSupervisor, RoleUser, RoleBot, RoleEngine:
	default:
		return &InvalidError{Field: "Actor.Role", Why: "is unknown"}
	}
	return first(checkName("Actor.ID", a.ID), checkOptional("Actor.Op", a.Op))
}

func checkMessage(field string, text string, files []File, payload json.RawMessage) error {
	if text == "" && len(files) == 0 && len(payload) == 0 {
		return &InvalidError{Field: field + ".Text", Why: "is empty"}
	}
	if err := checkText(field+".Text", text); err != nil {
		return err
	}
	if len(payload) > maxPayload {
		return &InvalidError{Field: field + ".Payload", Why: fmt.Sprintf("is longer than %d bytes", maxPayload)}
	}
	if len(payload) > 0 && !json.Valid(payload) {
		return &InvalidError{Field: field + ".Payload", Why: "is not JSON"}
	}
	return checkFiles(field, files)
}

func checkFiles(field string, files []File) error {
	if len(files) > maxList {
		return &InvalidError{Field: field + ".Files", Why: fmt.Sprintf("has more than %d", maxList)}
	}
	for i := range files {
		f := &files[i]
		if err := first(checkText(field+".Files.Name", f.Name), checkText(field+".Files.Type", f.Type),
			checkText(field+".Files.URL", f.URL), checkText(field+".Files.Ref", f.Ref)); err != nil {
			return err
		}
		if f.Size < 0 {
			return &InvalidError{Field: field + ".Files.Size", Why: "is negative"}
		}
	}
	return nil
}

func checkNames(field string, list []string) error {
	if len(list) > maxList {
		return &InvalidError{Field: field, Why: fmt.Sprintf("has more than %d", maxList)}
	}
	for _, s := range list {
		if err := checkName(field, s); err != nil {
			return err
		}
	}
	return nil
}

func checkMap(field string, m map[string]string) error {
	if len(m) > maxList {
		return &InvalidError{Field: field, Why: fmt.Sprintf("has more than %d", maxList)}
	}
	for k, v := range m {
		if err := first(checkName(field, k), checkText(field, v)); err != nil {
			return err
		}
	}
	return nil
}

func (n *Need) check(field string) error {
	if len(n.Skills) > maxList {
		return &InvalidError{Field: field + ".Skills", Why: fmt.Sprintf("has more than %d", maxList)}
	}
	seen := make(map[string]bool, len(n.Skills))
	for _, s := range n.Skills {
		if err := checkName(field+".Skills.Name", s.Name); err != nil {
			return err
		}
		if seen[s.Name] {
			return &InvalidError{Field: field + ".Skills", Why: "has a skill twice"}
		}
		seen[s.Name] = true
		if s.Level < 0 {
			return &InvalidError{Field: field + ".Skills.Level", Why: "is negative"}
		}
	}
	if n.Within < 0 {
		return &InvalidError{Field: field + ".Within", Why: "is negative"}
	}
	if n.Mode != ModeText && n.Mode != ModeVideo {
		return &InvalidError{Field: field + ".Mode", Why: "is unknown"}
	}
	return first(checkName(field+".Queue", n.Queue), checkOptional(field+".Language", n.Language),
		checkOptional(field+".Preferred", n.Preferred), checkNames(field+".Exclude", n.Exclude))
}

func (q *Query) check() error {
	if q.Limit < 0 {
		return &InvalidError{Field: "Query.Limit", Why: "is negative"}
	}
	if len(q.States) > maxList || len(q.Outcomes) > maxList || len(q.Lines) > maxPast {
		return &InvalidError{Field: "Query", Why: "asks for too many states, outcomes or lines"}
	}
	for _, s := range q.States {
		if err := checkOptional("Query.States", string(s)); err != nil {
			return err
		}
	}
	for _, o := range q.Outcomes {
		if err := checkOptional("Query.Outcomes", string(o)); err != nil {
			return err
		}
	}
	for _, l := range q.Lines {
		if err := checkText("Query.Lines", l); err != nil {
			return err
		}
	}
	return first(checkOptional("Query.Conversation", q.Conversation), checkOptional("Query.Queue", q.Queue),
		checkOptional("Query.Agent", q.Agent), checkOptional("Query.User", q.User), checkOptional("Query.Tag", q.Tag),
		checkTime("Query.From", q.From), checkTime("Query.To", q.To),
		checkTime("Query.After.At", q.After.At), checkOptional("Query.After.ID.Conversation", q.After.ID.Conversation))
}

// checkTime refuses times that no store and no JSON can hold.
func checkTime(field string, t time.Time) error {
	if y := t.Year(); !t.IsZero() && (y < 1 || y > 9999) {
		return &InvalidError{Field: field, Why: "is not between the years 1 and 9999"}
	}
	return nil
}

func (c *Contact) check(field string) error {
	if c == nil {
		return nil
	}
	return first(checkOptional(field+".ID", c.ID), checkText(field+".Name", c.Name), checkText(field+".Mail", c.Mail),
		checkText(field+".Phone", c.Phone), checkMap(field+".Attributes", c.Attributes))
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (q *Queue) problems(path string, known map[string]bool, providers map[string]Custody) []error {
	var out []error
	add := func(err error) {
		if err != nil {
			out = append(out, err)
		}
	}
	bad := func(field, why string) { out = append(out, &InvalidError{Field: path + field, Why: why}) }
	add(checkName(path+".Name", q.Name))
	for _, d := range []struct {
		name string
		d    time.Duration
	}{
		{".OfferTimeout", q.OfferTimeout},
		{".Cooldown", q.Cooldown},
		{".FirstReply", q.FirstReply},
		{".IdleTimeout", q.IdleTimeout},
		{".IdleWarning", q.IdleWarning},
		{".HoldTimeout", q.HoldTimeout},
		{".Wrapup", q.Wrapup},
		{".AgentGrace", q.AgentGrace},
		{".ConnectTime", q.ConnectTime},
		{".IntakeTimeout", q.IntakeTimeout},
		{".PlaceEvery", q.PlaceEvery},
		{".ClosingGrace", q.ClosingGrace},
		{".KeepCallback", q.KeepCallback},
		{".Alert", q.Alert},
		{".ReopenFor", q.ReopenFor},
		{".PlaceRepeat", q.PlaceRepeat},
	} {
		add(checkDuration(path+d.name, d.d))
	}
	for _, n := range []struct {
		name string
		n    int64
	}{
		{".Ageing", int64(q.Ageing)},
		{".StayOut", int64(q.StayOut)},
		{".MaxWaiting", int64(q.MaxWaiting)},
		{".BroadcastTo", int64(q.BroadcastTo)},
		{".VideoUnits", int64(q.VideoUnits)},
		{".Target", int64(q.Target)},
		{".MaxWait", int64(q.MaxWait)},
		{".AgentMost", int64(q.AgentMost)},
		{".AgentEvery", int64(q.AgentEvery)},
	} {
		if n.n < 0 {
			bad(n.name, "is negative")
		}
	}
	switch q.Style {
	case Push, Pull, Broadcast:
	default:
		bad(".Style", "is unknown")
	}
	if q.Divert != "" && (!known[q.Divert] || q.Divert == q.Name) {
		bad(".Divert", "is not another queue of this Config")
	}
	if q.AgentMost > mostAsked {
		bad(".AgentMost", fmt.Sprintf("is above %d", mostAsked))
	}
	switch q.WaitAs {
	case "", estimate.Range, estimate.Approximate, estimate.LessThan, estimate.Precise:
	default:
		bad(".WaitAs", "is not a way to say a wait")
	}
	switch x := q.Expect; {
	case x.Handle < 0:
		bad(".Expect.Handle", "is negative")
	case x.Patience < 0:
		bad(".Expect.Patience", "is negative")
	case !(x.Weight >= 0) || math.IsInf(x.Weight, 1):
		bad(".Expect.Weight", "is negative or not a number")
	case x.MinSeen < 0:
		bad(".Expect.MinSeen", "is negative")
	}
	for _, p := range q.Providers {
		if _, ok := providers[p]; !ok {
			bad(".Providers", "names a provider that Config.Providers does not have")
		}
	}
	last := time.Duration(0)
	for i, rung := range q.Ladder {
		if rung.After < last {
			bad(fmt.Sprintf(".Ladder[%d].After", i), "is before the rung above it")
		}
		last = max(last, rung.After)
		if rung.By < 0 {
			bad(fmt.Sprintf(".Ladder[%d].By", i), "is negative")
		}
		switch rung.Do {
		case RelaxSkills, RelaxLevels, NextProvider, Tell, AskMessage, ToBot:
		case Overflow, Widen:
			if !known[rung.Queue] || rung.Queue == q.Name {
				bad(fmt.Sprintf(".Ladder[%d].Queue", i), "is not another queue of this Config")
			}
		default:
			bad(fmt.Sprintf(".Ladder[%d].Do", i), "is unknown")
		}
	}
	if q.Intake != nil {
		out = append(out, q.Intake.problems(path+".Intake")...)
		out = append(out, q.Intake.targetProblems(path+".Intake", known)...)
		if q.Intake.WhileWaiting && len(q.Providers) > 0 {
			bad(".Intake.WhileWaiting", "is for queues of our own agents")
		}
	}
	out = append(out, validate(path+".Hours", q.Hours)...)
	return append(out, q.serviceProblems(path)...)
}

// validate asks a part of a Config that can tell what is wrong with it, and
// returns each problem as an *InvalidError.
func validate(field string, part any) []error {
	v, ok := part.(interface{ Validate() error })
	if !ok {
		return nil
	}
	return problemsOf(field, v.Validate())
}

// problemsOf takes joined errors apart, each as an *InvalidError under field.
func problemsOf(field string, err error) []error {
	var out []error
	var split func(error)
	split = func(err error) {
		if list, ok := err.(interface{ Unwrap() []error }); ok {
			for _, one := range list.Unwrap() {
				split(one)
			}
			return
		}
		var no *InvalidError
		if errors.As(err, &no) {
			out = append(out, &InvalidError{Field: field + "." + no.Field, Why: no.Why})
		} else if err != nil {
			out = append(out, &InvalidError{Field: field, Why: err.Error()})
		}
	}
	split(err)
	return out
}
