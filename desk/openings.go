package desk

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/seed-2a427302/handoff"
)

// hours are the opening hours of every queue, for those who manage.
func (h *Handler) hours(c *call) (any, error) {
	type line struct {
		Queue    string          `json:"queue"`
		Always   bool            `json:"always"`   // has none
		Writable bool            `json:"writable"` // the queue's Hours are a handoff.HoursWriter
		Hours    *handoff.Weekly `json:"hours,omitempty"`
	}
	out := []line{}
	for _, q := range h.engine.Queues() {
		l := line{Queue: q.Name, Always: q.Hours == nil}
		switch hours := q.Hours.(type) {
		case handoff.HoursWriter:
			w, err := hours.Weekly(c.ctx())
			if err != nil {
				return nil, err
			}
			l.Writable, l.Hours = true, &w
		case handoff.Weekly:
			l.Hours = &hours
		case *handoff.Weekly:
			l.Hours = hours
		}
		if l.Hours != nil {
			if _, err := l.Hours.MarshalJSON(); err != nil { // a zone without a name: the host's alone
				l.Hours, l.Writable = nil, false
			}
		}
		out = append(out, l)
	}
	return map[string]any{"hours": out}, nil
}

// putHours changes when a queue is open.
func (h *Handler) putHours(c *call) (any, error) {
	q, ok := h.queues[c.name]
	if !ok {
		return nil, errNotFound
	}
	editor, ok := q.Hours.(handoff.HoursWriter)
	if !ok {
		return nil, &problem{Status: http.StatusConflict, Code: "hours_elsewhere"}
	}
	var body map[string]json.RawMessage
	if p := c.decode(&body); p != nil {
		return nil, p
	}
	was := body["was"]
	delete(body, "was")
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	var in handoff.Weekly
	if json.Unmarshal(raw, &in) != nil {
		var zone struct {
			Zone string `json:"zone"`
		}
		_ = json.Unmarshal(raw, &zone) // what it cannot read is no name either
		if _, err := time.LoadLocation(zone.Zone); err != nil {
			return nil, invalid("zone", "is not a known name")
		}
		return nil, &problem{Status: http.StatusBadRequest, Code: "body"}
	}
	if err := in.Validate(); err != nil {
		return nil, err
	}
	now, err := editor.Weekly(c.ctx())
	if err != nil {
		return nil, err
	}
	if err := unchanged(was, &now); err != nil {
		return nil, err
	}
	if err := editor.SetWeekly(c.ctx(), in); err != nil {
		return nil, err
	}
	h.audit(c.ctx(), c.actor, "hours.put", c.name)
	h.edited("hours", Manage, "")
	return in, nil
}
