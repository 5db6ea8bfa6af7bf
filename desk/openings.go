package desk

import (
	"net/http"
	"strings"

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
	var in handoff.Weekly
	if p := c.decode(&in); p != nil {
		return nil, p
	}
	if err := in.Validate(); err != nil {
		return nil, invalid("hours", strings.ReplaceAll(err.Error(), "handoff: ", ""))
	}
	if err := editor.SetWeekly(c.ctx(), in); err != nil {
		return nil, err
	}
	h.audit(c.ctx(), c.actor, "hours.put", c.name)
	return in, nil
}
