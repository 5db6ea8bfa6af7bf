package desk

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/canned"
)

func (h *Handler) replies(c *call) (any, error) {
	all, err := h.cfg.Replies.List(c.ctx())
	if err != nil {
		return nil, err
	}
	out := []canned.Reply{}
	for _, r := range all {
		shown := r
		if r.Owner == c.actor.ID || r.Owner == "" && c.actor.has(Manage) {
			shown.Off = false // he can switch it on again
		}
		if shown.VisibleTo(c.actor.ID, c.actor.serves) {
			out = append(out, r)
		}
	}
	return map[string]any{"replies": out}, nil
}

// putReply keeps a reply: one's own, or, for those who manage, everybody's.
func (h *Handler) putReply(c *call) (any, error) {
	var body struct {
		canned.Reply
		before
	}
	if p := c.decode(&body); p != nil {
		return nil, p
	}
	in := body.Reply
	in.Name = c.name
	if in.Owner != "" && in.Owner != c.actor.ID || in.Owner == "" && !c.actor.has(Manage) {
		return nil, errForbidden
	}
	list := wrongs(in.Validate())
	if in.Queue != "" && h.queues[in.Queue].Name == "" {
		list = append(list, wrong{Field: "queue", Why: "is not a queue"})
	}
	if len(list) > 0 {
		return nil, invalidAll(list)
	}
	all, err := h.cfg.Replies.List(c.ctx())
	if err != nil {
		return nil, err
	}
	var now *canned.Reply
	if i := slices.IndexFunc(all, func(r canned.Reply) bool { return r.Name == in.Name && r.Owner == in.Owner }); i >= 0 {
		now = &all[i]
	}
	if err := unchanged(body.Was, now); err != nil {
		return nil, err
	}
	h.audit(c.ctx(), c.actor, "reply.put", in.Name)
	if err := h.cfg.Replies.Put(c.ctx(), in); err != nil {
		return nil, err
	}
	h.edited("replies", Rows, in.Owner)
	return in, nil
}

func (h *Handler) deleteReply(c *call) (any, error) {
	owner := c.r.URL.Query().Get("owner")
	if owner != "" && owner != c.actor.ID || owner == "" && !c.actor.has(Manage) {
		return nil, errForbidden
	}
	h.audit(c.ctx(), c.actor, "reply.delete", c.name)
	if err := h.cfg.Replies.Delete(c.ctx(), c.name, owner); err != nil {
		return nil, err
	}
	h.edited("replies", Rows, owner)
	return nil, nil //nolint:nilnil // there is nothing to say
}

// agents is who exists, for those who manage.
func (h *Handler) agents(c *call) (any, error) {
	list, err := h.members(c.ctx())
	if err != nil {
		return nil, err
	}
	_, writable := h.engine.Directory().(handoff.DirectoryWriter)
	_, presence := h.sessions()
	return map[string]any{"agents": list, "writable": writable, "presence": presence == nil}, nil
}

// writer is the Directory where the desk may edit it.
func (h *Handler) writer() (handoff.DirectoryWriter, *problem) {
	w, ok := h.engine.Directory().(handoff.DirectoryWriter)
	if !ok {
		return nil, &problem{Status: http.StatusConflict, Code: "directory_elsewhere"}
	}
	return w, nil
}

func (h *Handler) putAgent(c *call) (any, error) {
	var body struct {
		handoff.Agent
		before
	}
	if p := c.decode(&body); p != nil {
		return nil, p
	}
	w, p := h.writer()
	if p != nil {
		return nil, p
	}
	in := body.Agent
	in.ID = c.name
	if list := h.wrongOf(&in); len(list) > 0 {
		return nil, invalidAll(list)
	}
	var now *profile
	old, err := w.Get(c.ctx(), c.name)
	switch {
	case err == nil:
		keepUnshown(&in, &old)
		now = profileOf(&old)
	case !errors.Is(err, handoff.ErrNotFound):
		return nil, err
	}
	if err := unchanged(body.Was, now); err != nil {
		return nil, err
	}
	if err := w.Put(c.ctx(), in); err != nil {
		return nil, err
	}
	h.audit(c.ctx(), c.actor, "agent.put", c.name)
	return in, h.agentPut(c)
}

// wrongOf returns everything that is wrong with an agent.
func (h *Handler) wrongOf(a *handoff.Agent) []wrong {
	var out []wrong
	for _, f := range []struct {
		field, text string
		needed      bool
	}{{"id", a.ID, true}, {"name", a.Name, false}, {"alias", a.Alias, false}} {
		switch {
		case f.needed && strings.TrimSpace(f.text) == "":
			out = append(out, wrong{Field: f.field, Why: "is empty"})
		case len(f.text) > 200:
			out = append(out, wrong{Field: f.field, Why: "is longer than 200 bytes"})
		case strings.ContainsFunc(f.text, unicode.IsControl):
			out = append(out, wrong{Field: f.field, Why: "has a control character"})
		}
	}
	if a.Seats < 0 || a.Seats > 100 {
		out = append(out, wrong{Field: "seats", Why: "is not between 0 and 100"})
	}
	if len(a.Queues) > 100 || slices.ContainsFunc(a.Queues, func(q string) bool { _, ok := h.queues[q]; return !ok }) {
		out = append(out, wrong{Field: "queues", Why: "has one that does not exist"})
	}
	if _, empty := a.Skills[""]; empty || len(a.Skills) > 100 {
		out = append(out, wrong{Field: "skills", Why: "has one without a name, or more than 100"})
	}
	if len(a.Languages) > 100 || slices.Contains(a.Languages, "") {
		out = append(out, wrong{Field: "languages", Why: "has one without a name, or more than 100"})
	}
	return out
}

// keepUnshown keeps what a page does not show, or has not said.
func keepUnshown(a, old *handoff.Agent) {
	if a.QueueSeats == nil {
		a.QueueSeats = old.QueueSeats
	}
	if a.ChannelSeats == nil {
		a.ChannelSeats = old.ChannelSeats
	}
	if a.Languages == nil {
		a.Languages = old.Languages
	}
	if a.Shifts == nil {
		a.Shifts = old.Shifts
	}
	a.Role = cmp.Or(a.Role, old.Role)
}

func (h *Handler) deleteAgent(c *call) (any, error) {
	w, p := h.writer()
	if p != nil {
		return nil, p
	}
	if err := w.Delete(c.ctx(), c.name); err != nil {
		return nil, err
	}
	h.audit(c.ctx(), c.actor, "agent.delete", c.name)
	return nil, h.agentPut(c)
}

// queueSettings is how the engine treats each queue, as it does now.
func (h *Handler) queueSettings(c *call) (any, error) {
	type rung struct {
		After int64  `json:"after"`
		Do    string `json:"do"`
		Queue string `json:"queue,omitempty"`
	}
	type settings struct {
		Name      string   `json:"name"`
		Style     string   `json:"style"`
		Providers []string `json:"providers,omitempty"`
		Open      bool     `json:"open"`
		Hours     bool     `json:"hours"`
		Next      int64    `json:"next,omitempty"`
		Offer     int64    `json:"offer"`
		Idle      int64    `json:"idle"`
		Warning   int64    `json:"warning"`
		Hold      int64    `json:"hold"`
		Wrapup    int64    `json:"wrapup"`
		Grace     int64    `json:"grace"`
		Most      int      `json:"most"`
		Intake    int      `json:"intake"`
		Ladder    []rung   `json:"ladder"`
	}
	out := []settings{}
	for _, q := range h.engine.Queues() {
		if !c.actor.serves(q.Name) && c.actor.Role != Admin {
			continue
		}
		s := settings{
			Name: q.Name, Style: string(q.Style), Providers: q.Providers, Open: true, Hours: q.Hours != nil, Offer: q.OfferTimeout.Milliseconds(),
			Idle: q.IdleTimeout.Milliseconds(), Warning: q.IdleWarning.Milliseconds(), Hold: q.HoldTimeout.Milliseconds(), Wrapup: q.Wrapup.Milliseconds(),
			Grace: q.AgentGrace.Milliseconds(), Most: q.MaxWaiting, Ladder: []rung{},
		}
		a, err := h.engine.Availability(c.ctx(), handoff.Need{Queue: q.Name})
		if err != nil {
			return nil, err
		}
		s.Open, s.Next = a.Open, millis(a.Next)
		if q.Intake != nil {
			s.Intake = len(q.Intake.Fields)
		}
		for _, r := range q.Ladder {
			s.Ladder = append(s.Ladder, rung{r.After.Milliseconds(), string(r.Do), r.Queue})
		}
		out = append(out, s)
	}
	return map[string]any{"queues": out}, nil
}
