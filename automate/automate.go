package automate

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-2a427302/handoff"
)

// Options are what rules need to reach the outside.
type Options struct {
	// Secret signs webhooks; required when a rule has one. The header
	// Handoff-Signature is "v1=" and the hex HMAC-SHA256 of the headers
	// Handoff-Id and Handoff-Timestamp and the body, joined by dots.
	Secret []byte

	// Client calls webhooks; nil: one with a time-out of 10 seconds that
	// follows no redirects.
	Client *http.Client

	// Keep has rules that people edit; they run after those given to New, save
	// those that LeftOut lists. Nil: there are none, and Put is ErrFixed.
	Keep Rules
}

// Automations are rules that run. Give them to Config.Sinks, and the engine to
// Use. They are safe for concurrent use.
type Automations struct {
	rules  []Rule
	opts   Options
	engine atomic.Pointer[handoff.Engine]
	around atomic.Pointer[around] // of the Config; nil before CheckConfig

	mu    sync.Mutex
	kept  []Rule // as read at that time
	left  []LeftOut
	read  time.Time
	edits int // by this replica
}

var _ handoff.Sink = (*Automations)(nil)

// New checks rules; the error lists all that is wrong with them, each a
// *handoff.InvalidError that names the field.
func New(rules []Rule, o Options) (*Automations, error) {
	var problems []error
	seen := map[string]bool{}
	for i := range rules {
		r := &rules[i]
		at := fmt.Sprintf("Rules[%d]", i)
		problems = append(problems, r.problems(at, &o)...)
		if seen[r.Name] {
			problems = append(problems, &handoff.InvalidError{Field: at + ".Name", Why: "occurs twice"})
		}
		seen[r.Name] = true
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if o.Client == nil {
		o.Client = &http.Client{
			Timeout:       10 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &Automations{rules: slices.Clone(rules), opts: o}, nil
}

// Use says which engine the rules act on.
func (a *Automations) Use(e *handoff.Engine) { a.engine.Store(e) }

var errUnused = errors.New("automate: Use was not called")

const actorPrefix = "automation/"

func actor(rule string) handoff.Actor { return handoff.BySupervisor(actorPrefix + rule) }

// Handle runs the rules that an entry sets off. An error means: once more.
func (a *Automations) Handle(ctx context.Context, h *handoff.Handoff, en *handoff.Entry) error {
	engine := a.engine.Load()
	if engine == nil {
		return errUnused
	}
	depth := depthOf(en.ID)
	rules, err := a.List(ctx)
	if err != nil {
		return err
	}
	for i := range rules {
		r := &rules[i]
		if r.Off || !slices.Contains(r.On, en.Kind) || !r.If.met(h, en) {
			continue
		}
		stop, err := a.stop(ctx, engine, h, r, depth)
		if err != nil {
			return err
		}
		if stop != "" {
			who := actor(r.Name).Once("stopped")
			if _, err := engine.Note(ctx, h.ID, who, fmt.Sprintf("Automation %q was stopped: %s.", r.Name, stop)); temporary(err) {
				return err
			}
			continue
		}
		if err := a.run(ctx, engine, h, r, en.Kind, fmt.Sprintf("d%d/%d", depth+1, en.Seq)); err != nil {
			return err
		}
	}
	return nil
}

// depthOf says how many rules stand between an entry and a person: the ids of
// what a rule does have that number in them.
func depthOf(entry string) int {
	_, rest, ok := strings.Cut(entry, "/s:"+actorPrefix)
	if !ok {
		return 0
	}
	const deep = 1 << 10 // what says that a rule was stopped sets off none
	parts := strings.SplitN(rest, "/", 3)
	if len(parts) < 3 {
		return deep
	}
	n, err := strconv.Atoi(strings.TrimPrefix(parts[1], "d"))
	if err != nil || n < 0 {
		return deep
	}
	return n
}

// stop says why a rule must not run again; "" if it may. Its runs are counted
// in the log, so that a restart forgets none.
func (a *Automations) stop(ctx context.Context, e *handoff.Engine, h *handoff.Handoff, r *Rule, depth int) (string, error) {
	if depth >= cmp.Or(r.Chain, 3) {
		return "rules set each other off", nil
	}
	most := cmp.Or(r.Most, 20)
	runs := map[string]bool{}
	for after := int64(0); ; {
		page, err := e.Log(ctx, h.ID, after, 200)
		if err != nil || len(page) == 0 {
			return "", ignoreGone(err)
		}
		for i := range page {
			_, rest, ok := strings.Cut(page[i].ID, "/s:"+actorPrefix+r.Name+"/d")
			if parts := strings.SplitN(rest, "/", 3); ok && len(parts) > 1 {
				runs[parts[0]+"/"+parts[1]] = true
			}
		}
		if len(runs) >= most {
			return fmt.Sprintf("it ran %d times", most), nil
		}
		after = page[len(page)-1].Seq
	}
}

func ignoreGone(err error) error {
	if errors.Is(err, handoff.ErrNotFound) {
		return nil
	}
	return err
}

// run does what a rule says. What cannot be done is noted; what may be done
// later is an error.
func (a *Automations) run(ctx context.Context, e *handoff.Engine, h *handoff.Handoff, r *Rule, on handoff.Kind, op string) error {
	for i := range r.Do {
		act := &r.Do[i]
		who := actor(r.Name).Once(op + "/" + strconv.Itoa(i))
		err := a.do(ctx, e, h, r, act, on, who)
		if err == nil || errors.Is(err, handoff.ErrNotFound) {
			continue
		}
		if temporary(err) || ctx.Err() != nil {
			return err
		}
		who = who.Once(op + "/" + strconv.Itoa(i) + "/failed")
		_, nerr := e.Note(ctx, h.ID, who, fmt.Sprintf("Automation %q could not do its %s.", r.Name, act.name()))
		if temporary(nerr) {
			return nerr
		}
	}
	return nil
}

func (a *Automations) do(ctx context.Context, e *handoff.Engine, h *handoff.Handoff, r *Rule, act *Action, on handoff.Kind, who handoff.Actor) error {
	var err error
	switch act.name() {
	case "tag", "untag":
		_, err = e.Tag(ctx, h.ID, who, act.Tag, act.Untag)
	case "note":
		text, ferr := fill(act.Note, h)
		if ferr != nil {
			return ferr
		}
		_, err = e.Note(ctx, h.ID, who, text)
	case "notice":
		_, err = e.Notify(ctx, h.ID, who, act.Notice, nil)
	case "ticket":
		text, ferr := fill(act.Ticket, h)
		if ferr != nil {
			return ferr
		}
		_, err = e.Ticket(ctx, h.ID, who, text)
	case "webhook":
		err = a.call(ctx, h, r, act.Webhook, on, who.Op)
	case "transfer":
		_, err = e.Transfer(ctx, h.ID, who, *act.Transfer)
	case "priority":
		_, err = e.Prioritise(ctx, h.ID, who, *act.Priority)
	}
	return err
}

// temporary reports whether it helps to try again.
func temporary(err error) bool {
	if err == nil {
		return false
	}
	var store *handoff.StoreError
	var delivery *handoff.DeliveryError
	var provider *handoff.ProviderError
	switch {
	case errors.As(err, &delivery):
		return !delivery.Permanent
	case errors.As(err, &provider):
		return provider.Retryable || provider.Ambiguous
	}
	return errors.As(err, &store) || errors.Is(err, handoff.ErrUnknown) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// A Call is the body of a webhook. It has nothing that anybody said.
type Call struct {
	ID      string          `json:"id"` // stable: the same again is a repeat
	Rule    string          `json:"rule"`
	On      handoff.Kind    `json:"on,omitempty"` // empty: by hand
	Handoff handoff.ID      `json:"handoff"`
	Queue   string          `json:"queue,omitempty"`
	State   handoff.State   `json:"state"`
	Outcome handoff.Outcome `json:"outcome,omitempty"`
	Reason  handoff.Reason  `json:"reason,omitempty"`
	Missed  handoff.Reason  `json:"missed,omitempty"`
	Agent   string          `json:"agent,omitempty"`
	Tags    []string        `json:"tags,omitempty"`
}

func (a *Automations) call(ctx context.Context, h *handoff.Handoff, r *Rule, address string, on handoff.Kind, op string) error {
	c := Call{
		ID: h.ID.String() + "/" + r.Name + "/" + op, Rule: r.Name, On: on, Handoff: h.ID, Queue: h.Need.Queue,
		State: h.State, Outcome: h.Outcome, Reason: h.Reason, Missed: h.Missed, Agent: h.Agent, Tags: h.Tags,
	}
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return &handoff.DeliveryError{Permanent: true, Code: "webhook", Err: errors.New("no request")}
	}
	id, at := hex.EncodeToString(hash(c.ID)), strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Handoff-Id", id)
	req.Header.Set("Handoff-Timestamp", at)
	req.Header.Set("Handoff-Signature", "v1="+Sign(a.opts.Secret, id, at, body))
	resp, err := a.opts.Client.Do(req)
	if err != nil {
		// The address may hold a secret, and the client's error has it.
		return &handoff.DeliveryError{Code: "webhook", Err: errors.New("no answer")}
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}
	late := resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusRequestTimeout
	return &handoff.DeliveryError{Permanent: !late, Code: "webhook_" + strconv.Itoa(resp.StatusCode), Err: errors.New("refused")}
}

func hash(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:16]
}

// Sign returns the hex signature of a webhook, for who receives one. Compare in
// constant time, with hmac.Equal.
func Sign(secret []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// A Button is a rule that an agent can run by hand.
type Button struct {
	Rule  string `json:"rule"`
	Label string `json:"label"`
}

// Buttons returns the rules that can be run for a handoff now. Without those of
// Options.Keep, should they not be there to read.
func (a *Automations) Buttons(ctx context.Context, h handoff.Handoff) []Button {
	rules, err := a.List(ctx)
	if err != nil {
		rules = a.rules
	}
	var out []Button
	for i := range rules {
		if r := &rules[i]; !r.Off && r.Button != "" && r.If.met(&h, nil) {
			out = append(out, Button{Rule: r.Name, Label: r.Button})
		}
	}
	return out
}

// Run runs a rule by hand; by is who pressed the button, and with an Op the
// same press again has no effect. A rule that has no button here is
// handoff.ErrNotFound.
func (a *Automations) Run(ctx context.Context, rule string, id handoff.ID, by handoff.Actor) error {
	engine := a.engine.Load()
	if engine == nil {
		return errUnused
	}
	h, err := engine.Get(ctx, id)
	if err != nil {
		return err
	}
	rules, err := a.List(ctx)
	if err != nil {
		return err
	}
	for i := range rules {
		r := &rules[i]
		if r.Name != rule || r.Off || r.Button == "" || !r.If.met(&h, nil) {
			continue
		}
		press := by.Op
		if press == "" {
			press = strconv.FormatInt(time.Now().UnixNano(), 36)
		}
		return a.run(ctx, engine, &h, r, "", "d1/"+hex.EncodeToString(hash(by.ID+"/"+press)))
	}
	return handoff.ErrNotFound
}
