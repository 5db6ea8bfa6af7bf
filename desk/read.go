package desk

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/seed-2a427302/handoff"
)

// one is a handoff with everything that is known about it.
func (h *Handler) one(c *call) (any, error) {
	r := newRow(c.h, h.style(c.h.Need.Queue), nil).view(&c.actor)
	h.view.mu.Lock()
	viewing := others(h.view.viewers(c.h.ID), &c.actor)
	h.view.mu.Unlock()
	data, err := h.requestData(c)
	if err != nil {
		return nil, err
	}
	labels := h.labelsOf(c.h.Need.Queue)
	out := map[string]any{
		"row": r, "conversation": c.h.ID.Conversation, "number": c.h.ID.Number, "user": c.h.User, "url": safeURL(c.h.URL),
		"answers": c.h.Answers, "data": data, "labels": labelsIn(labels, c.h.Answers, data), "reasons": h.reasons(c.h.Need.Queue),
		"summary": c.h.Summary, "rating": c.h.Rating, "stretch": stretch(&c.h.Stretch), "viewers": viewing, "now": serverTime(),
		"drafts": h.drafts(c), "buttons": h.buttons(c), "bot": c.h.Bot, "callback": c.h.Callback, "missed": c.h.Missed,
	}
	if c.h.Room != nil && c.facts.agent == c.actor.ID {
		out["room"] = safeURL(c.h.Room.Agent)
	}
	var deadlines []map[string]any
	for _, d := range c.h.Deadlines {
		deadlines = append(deadlines, map[string]any{"kind": d.Kind, "at": millis(d.At)})
	}
	out["deadlines"] = deadlines
	if c.facts.agent != c.actor.ID && c.actor.Role >= Supervisor && (c.h.State == handoff.StateActive || c.h.State == handoff.StateHeld) {
		h.audit(c.ctx(), c.actor, "watch", c.h.ID.String())
	}
	return out, nil
}

// requestData returns what the host said of the request, for the agent.
func (h *Handler) requestData(c *call) (map[string]string, error) {
	const page = 200 // a request stands behind what was said to the bot
	for after := int64(0); ; after += page {
		log, err := h.engine.Log(c.ctx(), c.h.ID, after, page)
		if err != nil {
			return nil, err
		}
		for i := range log {
			if log[i].Kind == handoff.KindRequested {
				data := maps.Clone(log[i].Data)
				delete(data, "queue") // the engine's own
				delete(data, "diverted_from")
				return data, nil
			}
		}
		if len(log) < page {
			return nil, nil //nolint:nilnil // nobody was asked for
		}
	}
}

// labelsIn returns those of labels that a page needs to show some values.
func labelsIn(labels map[string]string, values ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, m := range values {
		for name := range m {
			if label := labels[name]; label != "" {
				out[name] = label
			}
		}
	}
	return out
}

func stretch(s *handoff.Stretch) map[string]int64 {
	return map[string]int64{
		"bot": s.Bot.Milliseconds(), "intake": s.Intake.Milliseconds(), "wait": s.Wait.Milliseconds(), "first": s.FirstReply.Milliseconds(),
		"human": s.Human.Milliseconds(), "held": s.Held.Milliseconds(), "wrapup": s.Wrapup.Milliseconds(),
		"transfers": int64(s.Transfers), "requeues": int64(s.Requeues),
	}
}

// An entry is a line of the log as pages show it.
type entry struct {
	ID        string            `json:"id"`
	Seq       int64             `json:"seq"`
	At        int64             `json:"at"`
	Kind      handoff.Kind      `json:"kind"`
	Role      handoff.Role      `json:"role,omitempty"`
	From      string            `json:"from,omitempty"`
	Name      string            `json:"name,omitempty"`
	Text      string            `json:"text,omitempty"`
	Files     []fileLine        `json:"files,omitempty"`
	Reason    handoff.Reason    `json:"reason,omitempty"`
	Agent     string            `json:"agent,omitempty"`
	AgentName string            `json:"agentName,omitempty"`
	Data      map[string]string `json:"data,omitempty"`
	Message   string            `json:"message,omitempty"`
	Past      bool              `json:"past,omitempty"`
	About     int64             `json:"about,omitempty"`
	Notice    string            `json:"notice,omitempty"`
	State     handoff.State     `json:"state,omitempty"`
	Label     string            `json:"label,omitempty"` // of the field that was answered or skipped
}

type fileLine struct {
	Name string `json:"name"`
	Type string `json:"type,omitempty"`
	Size int64  `json:"size,omitempty"`
	URL  string `json:"url,omitempty"`
}

func newEntry(e *handoff.Entry, labels map[string]string) entry {
	out := entry{
		ID: e.ID, Seq: e.Seq, At: millis(e.At), Kind: e.Kind, Role: e.From.Role, From: e.From.ID, Name: e.From.Name, Text: e.Labelled(labels),
		Reason: e.Reason, Agent: e.Agent, Data: e.Data, Message: e.Message, Past: e.Past, About: e.About, Notice: e.Notice, State: e.State,
	}
	if e.Kind == handoff.KindAnswered && e.Data["skipped"] != "all" {
		field := cmp.Or(e.Data["field"], e.Data["skipped"])
		out.Label = cmp.Or(labels[field], field)
	}
	for _, f := range e.Files {
		out.Files = append(out.Files, fileLine{Name: clip(f.Name, 300), Type: f.Type, Size: f.Size, URL: safeURL(f.URL)})
	}
	return out
}

// entries pages through the log: behind "after", or what stands before
// "before".
func (h *Handler) entries(c *call) (any, error) {
	q := c.r.URL.Query()
	number := func(name string, most int64) (int64, *problem) {
		s := q.Get(name)
		if s == "" {
			return 0, nil
		}
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 || n > most {
			return 0, invalid(name, "is out of range")
		}
		return n, nil
	}
	limit, p := number("limit", 500)
	if p != nil {
		return nil, p
	}
	if limit == 0 {
		limit = 200
	}
	after, p := number("after", 1<<53)
	if p != nil {
		return nil, p
	}
	before, p := number("before", 1<<53)
	if p != nil {
		return nil, p
	}
	if q.Get("after") == "" {
		if before == 0 {
			before = c.h.Seq + 1
		}
		after = max(0, before-1-limit)
		limit = max(1, min(limit, before-1-after))
	}
	log, err := h.engine.Log(c.ctx(), c.h.ID, after, int(limit))
	if err != nil {
		return nil, err
	}
	return map[string]any{"entries": h.entriesOf(c.ctx(), c.h, log), "seq": c.h.Seq, "from": after}, nil
}

// before is what was said in the conversation before this handoff: the last
// three of them, or those before the handoff of a number. Whoever may read a
// conversation may read what the user was told before, and told others: it is
// how it came to this. What was said about him meanwhile, and where it was
// filed, he reads only where he may read that one itself.
func (h *Handler) before(c *call) (any, error) {
	to := c.h.ID.Number
	if s := c.r.URL.Query().Get("to"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 1 {
			return nil, invalid("to", "is out of range")
		}
		to = min(to, n)
	}
	type earlier struct {
		Row     *row    `json:"row"`
		Entries []entry `json:"entries"`
	}
	out := []earlier{}
	for n := to - 1; n >= 1 && len(out) < 3; n-- {
		id := handoff.ID{Conversation: c.h.ID.Conversation, Number: n}
		was, err := h.engine.Get(c.ctx(), id)
		if errors.Is(err, handoff.ErrNotFound) {
			break // retention has taken it
		}
		if err != nil {
			return nil, err
		}
		log, err := h.engine.Log(c.ctx(), id, max(0, was.Seq-200), 200)
		if err != nil {
			return nil, err
		}
		full := newRow(&was, h.style(was.Need.Queue), nil)
		all := c.actor.reads(&full.facts)
		log = slices.DeleteFunc(log, func(e handoff.Entry) bool {
			return e.Kind != handoff.KindMessage && e.Kind != handoff.KindNotice && e.Kind != handoff.KindLeft && (e.Kind != handoff.KindNote || !all)
		})
		r := full.view(&c.actor)
		if !all {
			r = full.glimpse()
		}
		out = append(out, earlier{r, h.entriesOf(c.ctx(), &was, log)})
	}
	return map[string]any{"before": out}, nil
}

// contact asks the host's CRM who the user is.
func (h *Handler) contact(c *call) (any, error) {
	got, err := h.engine.Customers(c.ctx(), c.h.ID)
	if err != nil {
		return nil, &problem{Status: http.StatusBadGateway, Code: "contact", cause: err}
	}
	out := make([]handoff.Customer, 0, min(len(got), 10))
	for _, p := range got[:min(len(got), 10)] {
		p.URL = safeURL(p.URL)
		out = append(out, p)
	}
	return map[string]any{"customers": out}, nil
}

// A cause is one of the engine's, for pages to say in their reader's language.
type cause struct {
	Code  handoff.CauseCode `json:"code"`
	What  string            `json:"what,omitempty"`
	Level int               `json:"level,omitempty"`
	At    int64             `json:"at,omitempty"`
	Text  string            `json:"text"` // in English, for a code without words
}

func causes(list handoff.Causes) (out []cause) {
	for _, c := range list {
		out = append(out, cause{c.Code, c.What, c.Level, millis(c.Until), c.String()})
	}
	return out
}

// why says why a handoff still waits.
func (h *Handler) why(c *call) (any, error) {
	x, err := h.engine.Explain(c.ctx(), c.h.ID)
	if err != nil {
		return nil, err
	}
	type answer struct {
		Agent string  `json:"agent"`
		Why   []cause `json:"why,omitempty"`
		There string  `json:"there"`
	}
	agents := []answer{}
	for _, a := range x.Agents {
		agents = append(agents, answer{a.Agent, causes(a.Why), string(a.Availability)})
	}
	return map[string]any{
		"why": causes(x.Why), "asking": x.Asking, "agents": agents, "relaxed": x.Relaxed, "position": x.Place.Position, "ahead": x.Place.Ahead, "known": x.Place.Known,
		"p50": x.Place.P50.Milliseconds(), "p90": x.Place.P90.Milliseconds(),
	}, nil
}

// viewing says what a tab has open.
func (h *Handler) viewing(c *call) (any, error) {
	var in struct {
		Session string `json:"session"`
		Tab     string `json:"tab"`
		ID      string `json:"id"`
	}
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	if len(in.Session) > 64 || len(in.Tab) > 64 || in.Tab == "" {
		return nil, invalid("tab", "is no name")
	}
	var id handoff.ID
	if in.ID != "" {
		var ok bool
		if id, ok = parseToken(in.ID); !ok {
			return nil, errNotFound
		}
		now, err := h.engine.Get(c.ctx(), id)
		if err != nil {
			return nil, err
		}
		if f := factsOf(&now, h.public(now.Need.Queue)); !c.actor.reads(&f) {
			h.view.look(c.actor, in.Session, in.Tab, handoff.ID{}) // perhaps he could until now
			return nil, errNotFound
		}
	}
	h.view.look(c.actor, in.Session, in.Tab, id)
	h.view.mu.Lock()
	defer h.view.mu.Unlock()
	return map[string]any{"viewers": others(h.view.viewers(id), &c.actor)}, nil
}
