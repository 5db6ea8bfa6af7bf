package storetest

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

func (s *naive) applyKeys(was, r *handoff.Record) {
	switch s.bug {
	case "absent keys are kept":
		for _, k := range was.Keys {
			if !slices.ContainsFunc(r.Keys, func(n handoff.Key) bool { return n.Name == k.Name }) {
				s.held[k.Name] = append(s.held[k.Name], handoff.Holding{Key: k.Name, ID: r.ID, Units: k.Units})
			}
		}
	case "absent keys are kept when all are absent":
		if len(r.Keys) == 0 {
			for _, k := range was.Keys {
				s.held[k.Name] = append(s.held[k.Name], handoff.Holding{Key: k.Name, ID: r.ID, Units: k.Units})
			}
		}
	case "fewer units are not given back":
		for i, k := range r.Keys {
			for _, o := range was.Keys {
				if o.Name == k.Name && k.Units < o.Units {
					r.Keys = slices.Clone(r.Keys)
					r.Keys[i].Units = o.Units
				}
			}
		}
	case "keys that stay are freed":
		r.Keys = slices.DeleteFunc(slices.Clone(r.Keys), func(k handoff.Key) bool {
			return slices.ContainsFunc(was.Keys, func(o handoff.Key) bool { return o == k })
		})
	case "more units are not taken":
		for i, k := range r.Keys {
			for _, o := range was.Keys {
				if o.Name == k.Name && k.Units > o.Units {
					r.Keys = slices.Clone(r.Keys)
					r.Keys[i].Units = o.Units
				}
			}
		}
	}
}

// applyFields loses fields, one bug for each.
func (s *naive) applyFields(update bool, was, r *handoff.Record) {
	if field, ok := strings.CutPrefix(s.bug, "an update forgets "); ok && update {
		switch field {
		case "Queue":
			r.Queue = was.Queue
		case "State":
			r.State = was.State
		case "Outcome":
			r.Outcome = was.Outcome
		case "Agent":
			r.Agent = was.Agent
		case "User":
			r.User = was.User
		case "Tags":
			r.Tags = was.Tags
		case "Line":
			r.Line = was.Line
		case "Priority":
			r.Priority = was.Priority
		case "Since":
			r.Since = was.Since
		case "Created":
			r.Created = was.Created
		case "Updated":
			r.Updated = was.Updated
		case "Wake":
			r.Wake = was.Wake
		case "Owed":
			r.Owed = was.Owed
		case "Body":
			r.Body = was.Body
		}
	}
	switch s.bug {
	case "empty fields do not replace":
		if r.Agent == "" {
			r.Agent = was.Agent
		}
		if r.Wake.IsZero() {
			r.Wake = was.Wake
		}
	case "Line is cleared when a record ends":
		if r.State == handoff.StateEnded {
			r.Line = ""
		}
	case "ended records hold no keys":
		if r.State == handoff.StateEnded {
			r.Keys = nil
		}
	case "tags are sorted":
		r.Tags = slices.Sorted(slices.Values(r.Tags))
	case "keys are sorted":
		r.Keys = slices.SortedFunc(slices.Values(r.Keys), func(a, b handoff.Key) int { return strings.Compare(a.Name, b.Name) })
	case "Max is not kept":
		r.Keys = slices.Clone(r.Keys)
		for i := range r.Keys {
			r.Keys[i].Max = 1
		}
	case "records lose their milliseconds":
		r.Created, r.Since = r.Created.Truncate(time.Second), r.Since.Truncate(time.Second)
		r.Updated, r.Wake = r.Updated.Truncate(time.Second), r.Wake.Truncate(time.Second)
	case "Updated is the store's time":
		r.Updated = time.Now().Add(time.Minute)
	case "times as local wall clock":
		_, offset := r.Since.Zone()
		r.Since = r.Since.Add(time.Duration(offset) * time.Second)
	case "zero times become 1970":
		if r.Wake.IsZero() {
			r.Wake = time.Unix(0, 0)
		}
	case "bodies end at a NUL":
		b, _, _ := bytes.Cut(r.Body.Bytes(), []byte{0})
		r.Body = handoff.BodyOf(b)
	case "bodies are text":
		r.Body = handoff.BodyOf([]byte(strings.ToValidUTF8(string(r.Body.Bytes()), "?")))
	case "bodies are trimmed":
		r.Body = handoff.BodyOf(bytes.TrimSpace(r.Body.Bytes()))
	case "large bodies are cut":
		r.Body = handoff.BodyOf(r.Body.Bytes()[:min(len(r.Body.Bytes()), 65535)])
	case "priorities are 16 bits":
		r.Priority = int(int16(r.Priority))
	}
}
