package desk

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// by returns the actor for the engine: himself where the handoff is his, and a
// supervisor where he acts in another's place. Op makes a repeat harmless.
func (c *call) by(op string) (handoff.Actor, *problem) {
	a := handoff.By(c.actor.ID)
	if c.facts.agent != c.actor.ID && c.actor.may(Direct, &c.facts) {
		a = handoff.BySupervisor(c.actor.ID)
	}
	return c.once(a, op)
}

func (c *call) once(a handoff.Actor, op string) (handoff.Actor, *problem) {
	switch {
	case op == "":
		return a, invalid("op", "is required: a name of this call, made by the page")
	case len(op) > 64 || !plain(op):
		return a, invalid("op", "has more than 64 letters, digits, - and _")
	}
	return a.Once(op), nil
}

// done answers a verb with the handoff as it became.
func (h *Handler) done(c *call, now handoff.Handoff, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	h.view.touch(now.ID, false)
	return newRow(&now, h.style(now.Need.Queue), nil).view(&c.actor), nil
}

type opBody struct {
	Op string `json:"op"`
}

func (h *Handler) accept(c *call) (any, error) {
	var in struct {
		opBody
		Offer int64 `json:"offer"`
	}
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	a, p := c.once(handoff.By(c.actor.ID), in.Op)
	if p != nil {
		return nil, p
	}
	// A page that does not know of an offer takes what it can: its own offer,
	// or the handoff from the list.
	if o, ok := c.h.Offer(c.actor.ID); ok && in.Offer == 0 {
		in.Offer = o.Number
	}
	now, err := h.engine.Accept(c.ctx(), c.h.ID, a, in.Offer)
	return h.done(c, now, err)
}

func (h *Handler) decline(c *call) (any, error) {
	var in struct {
		opBody
		Offer int64  `json:"offer"`
		Why   string `json:"why"`
	}
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	a, p := c.once(handoff.By(c.actor.ID), in.Op)
	if p != nil {
		return nil, p
	}
	now, err := h.engine.Decline(c.ctx(), c.h.ID, a, in.Offer, in.Why)
	return h.done(c, now, err)
}

// messageBody is something to say to the user.
type messageBody struct {
	ID    string `json:"id"` // made by the page; also the key of a retry
	Text  string `json:"text"`
	Seen  int64  `json:"seen"`  // the last entry that the page shows
	Force bool   `json:"force"` // send although something came meanwhile
}

func (c *call) message() (messageBody, *problem) {
	var in messageBody
	if p := c.decode(&in); p != nil {
		return in, p
	}
	if in.ID == "" || len(in.ID) > 64 || !plain(in.ID) {
		return in, invalid("id", "is no name of letters, digits, - and _")
	}
	if strings.TrimSpace(in.Text) == "" {
		return in, invalid("text", "is empty")
	}
	return in, nil
}

// send speaks to the user. If he wrote something that the agent has not seen,
// the agent is asked first.
func (h *Handler) send(c *call) (any, error) {
	in, p := c.message()
	if p != nil {
		return nil, p
	}
	if in.Seen > 0 && !in.Force && c.h.Agent == c.actor.ID {
		log, err := h.engine.Log(c.ctx(), c.h.ID, in.Seen, 100)
		if err != nil {
			return nil, err
		}
		fresh := false
		for i := range log {
			e := &log[i]
			fresh = fresh || e.Kind == handoff.KindMessage && e.From.Role == handoff.RoleUser && !e.Past
			if e.Message == in.ID {
				fresh = false // a retry of what was said
				break
			}
		}
		if fresh {
			return nil, &problem{Status: http.StatusConflict, Code: "stale"}
		}
	}
	e, err := h.engine.Send(c.ctx(), c.h.ID, handoff.By(c.actor.ID), handoff.Message{ID: in.ID, Text: in.Text, Seen: in.Seen})
	return h.said(c, e, err)
}

func (h *Handler) said(c *call, e handoff.Entry, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	h.view.touch(c.h.ID, false)
	return h.entriesOf(c.ctx(), c.h, []handoff.Entry{e})[0], nil
}

func (h *Handler) join(c *call) (any, error) {
	in, p := c.message()
	if p != nil {
		return nil, p
	}
	e, err := h.engine.Join(c.ctx(), c.h.ID, handoff.BySupervisor(c.actor.ID), handoff.Message{ID: in.ID, Text: in.Text})
	return h.said(c, e, err)
}

type textBody struct {
	opBody
	Text string `json:"text"`
}

// note is for colleagues. It shares nothing with send: another route, another
// verb, another type.
func (h *Handler) note(c *call) (any, error) {
	var in textBody
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	if strings.TrimSpace(in.Text) == "" {
		return nil, invalid("text", "is empty")
	}
	a, p := c.by(in.Op)
	if p != nil {
		return nil, p
	}
	e, err := h.engine.Note(c.ctx(), c.h.ID, a, in.Text)
	return h.said(c, e, err)
}

func (h *Handler) whisper(c *call) (any, error) {
	var in textBody
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	if strings.TrimSpace(in.Text) == "" {
		return nil, invalid("text", "is empty")
	}
	a, p := c.once(handoff.BySupervisor(c.actor.ID), in.Op)
	if p != nil {
		return nil, p
	}
	e, err := h.engine.Whisper(c.ctx(), c.h.ID, a, in.Text)
	return h.said(c, e, err)
}

func (h *Handler) typing(c *call) (any, error) {
	var in struct {
		On bool `json:"on"`
	}
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	return nil, h.engine.Typing(c.ctx(), c.h.ID, handoff.By(c.actor.ID), in.On)
}

func (h *Handler) tag(c *call) (any, error) {
	var in struct {
		opBody
		Add    []string `json:"add"`
		Remove []string `json:"remove"`
	}
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	a, p := c.by(in.Op)
	if p != nil {
		return nil, p
	}
	now, err := h.engine.Tag(c.ctx(), c.h.ID, a, in.Add, in.Remove)
	return h.done(c, now, err)
}

type whyBody struct {
	opBody
	Why string `json:"why"`
}

func (h *Handler) hold(c *call) (any, error) {
	var in whyBody
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	a, p := c.once(handoff.By(c.actor.ID), in.Op)
	if p != nil {
		return nil, p
	}
	now, err := h.engine.Hold(c.ctx(), c.h.ID, a, in.Why)
	return h.done(c, now, err)
}

func (h *Handler) resume(c *call) (any, error) {
	var in opBody
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	a, p := c.once(handoff.By(c.actor.ID), in.Op)
	if p != nil {
		return nil, p
	}
	now, err := h.engine.Resume(c.ctx(), c.h.ID, a)
	return h.done(c, now, err)
}

func (h *Handler) extend(c *call) (any, error) {
	var in struct {
		opBody
		Seconds int `json:"seconds"`
	}
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	if in.Seconds < 1 || in.Seconds > 24*3600 {
		return nil, invalid("seconds", "is not between a second and a day")
	}
	a, p := c.once(handoff.By(c.actor.ID), in.Op)
	if p != nil {
		return nil, p
	}
	now, err := h.engine.Extend(c.ctx(), c.h.ID, a, time.Duration(in.Seconds)*time.Second)
	return h.done(c, now, err)
}

// targets are the queues that a handoff can be given to: all of them, since an
// agent gives away what is not for his own. Of those that he does not serve he
// learns that they are there, and whether they are open.
func (h *Handler) targets(c *call) (any, error) {
	type target struct {
		Name    string `json:"name"`
		Open    bool   `json:"open"`
		Waiting *int   `json:"waiting,omitempty"`
		Free    *int   `json:"free,omitempty"`
	}
	h.view.mu.Lock()
	counts := h.view.count()
	h.view.mu.Unlock()
	out := []target{}
	for _, q := range h.engine.Queues() {
		if q.Name == c.h.Need.Queue {
			continue
		}
		a, err := h.engine.Availability(c.ctx(), handoff.Need{Queue: q.Name})
		if err != nil {
			return nil, err
		}
		to := target{Name: q.Name, Open: a.Open}
		if c.actor.may(Figures, &facts{queue: q.Name}) {
			waiting := counts[q.Name].Waiting
			to.Waiting, to.Free = &waiting, &a.Free
		}
		out = append(out, to)
	}
	return map[string]any{"queues": out}, nil
}

func (h *Handler) transfer(c *call) (any, error) {
	var in struct {
		opBody
		Agent string `json:"agent"`
		Queue string `json:"queue"`
		Warm  bool   `json:"warm"`
		Note  string `json:"note"`
	}
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	if in.Agent == c.h.Agent && in.Agent != "" {
		return nil, invalid("agent", "has it already")
	}
	a, p := c.by(in.Op)
	if p != nil {
		return nil, p
	}
	now, err := h.engine.Transfer(c.ctx(), c.h.ID, a, handoff.Target{Agent: in.Agent, Queue: in.Queue, Warm: in.Warm, Note: in.Note})
	return h.done(c, now, err)
}

// takeBack withdraws a warm transfer. Which one is said by the number of its
// offer: a page that is late does not withdraw the next.
func (h *Handler) takeBack(c *call) (any, error) {
	var in struct {
		opBody
		Offer int64 `json:"offer"`
	}
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	a, p := c.by(in.Op)
	if p != nil {
		return nil, p
	}
	now, err := h.engine.TakeBack(c.ctx(), c.h.ID, a, in.Offer)
	if errors.Is(err, handoff.ErrWithdrawn) { // accepted, declined, lapsed: not what whoever accepts late is told
		return nil, &problem{Status: http.StatusConflict, Code: "state", cause: err}
	}
	return h.done(c, now, err)
}

func (h *Handler) requeue(c *call) (any, error) {
	var in struct {
		opBody
		Note string `json:"note"`
	}
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	a, p := c.by(in.Op)
	if p != nil {
		return nil, p
	}
	now, err := h.engine.Requeue(c.ctx(), c.h.ID, a, in.Note)
	return h.done(c, now, err)
}

// endBody is how a stretch ends. The reason is the host's own list; the note is
// for the bot and for colleagues.
type endBody struct {
	opBody
	Reason string `json:"reason"`
	Note   string `json:"note"`
}

func (h *Handler) endBody(c *call) (in endBody, a handoff.Actor, p *problem) {
	if p = c.decode(&in); p != nil {
		return in, a, p
	}
	a, p = c.by(in.Op)
	return in, a, p
}

// giveBack returns the user to the bot.
func (h *Handler) giveBack(c *call) (any, error) {
	in, a, p := h.endBody(c)
	if p != nil {
		return nil, p
	}
	note := in.Note
	if in.Reason != "" {
		note = strings.TrimSpace(in.Reason + "\n" + note)
	}
	now, err := h.engine.Return(c.ctx(), c.h.ID, a, note)
	return h.done(c, now, err)
}

func (h *Handler) end(c *call) (any, error) {
	in, a, p := h.endBody(c)
	if p != nil {
		return nil, p
	}
	now, err := h.engine.End(c.ctx(), c.h.ID, a, handoff.Ending{Reason: in.Reason})
	if err == nil && in.Note != "" {
		_, err = h.engine.Note(c.ctx(), c.h.ID, a, in.Note)
	}
	return h.done(c, now, err)
}

func (h *Handler) takeOver(c *call) (any, error) {
	var in struct {
		opBody
		Queue string `json:"queue"`
	}
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	a, p := c.once(handoff.BySupervisor(c.actor.ID), in.Op)
	if p != nil {
		return nil, p
	}
	now, err := h.engine.TakeOver(c.ctx(), c.h.ID, a, in.Queue)
	return h.done(c, now, err)
}

func (h *Handler) assign(c *call) (any, error) {
	var in struct {
		opBody
		Agent string `json:"agent"`
	}
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	a, p := c.once(handoff.BySupervisor(c.actor.ID), in.Op)
	if p != nil {
		return nil, p
	}
	now, err := h.engine.Assign(c.ctx(), c.h.ID, a, in.Agent)
	return h.done(c, now, err)
}

// video makes it a video session: the engine gives the user his link, the
// agent finds his in the handoff.
func (h *Handler) video(c *call) (any, error) {
	var in opBody
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	a, p := c.once(handoff.By(c.actor.ID), in.Op)
	if p != nil {
		return nil, p
	}
	now, err := h.engine.Video(c.ctx(), c.h.ID, a)
	return h.done(c, now, err)
}

// safeURL returns an address of the web, or "".
func safeURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return u.String()
}
