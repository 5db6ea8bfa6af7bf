package handoff

import (
	"maps"
	"strings"
	"unicode/utf8"
)

// Labels returns what the fields of forms are called for people, by their names,
// in handoffs of a queue: Handoff.Answers and the Data of what was left have the
// names. It knows the forms of that queue, and then those of others, whose answers
// may have led here; a name for which those have several words has none.
func (e *Engine) Labels(queue string) map[string]string {
	out, others := map[string]string{}, map[string]string{}
	if q, ok := e.rules.queues[queue]; ok {
		q.fields(func(f *Field) {
			if _, had := out[f.Name]; !had {
				out[f.Name] = f.label()
			}
		})
	}
	for _, q := range e.rules.queues {
		q.fields(func(f *Field) {
			if was, had := others[f.Name]; had && was != f.label() {
				others[f.Name] = f.Name
			} else if !had {
				others[f.Name] = f.label()
			}
		})
	}
	for name, label := range others {
		if _, had := out[name]; !had {
			out[name] = label
		}
	}
	maps.DeleteFunc(out, func(name, label string) bool { return name == label })
	return out
}

// fields calls f with those of the forms that a queue asks.
func (q *Queue) fields(f func(*Field)) {
	for _, form := range []*Form{q.Intake, q.Offline.Form} {
		for i := 0; form != nil && i < len(form.Fields); i++ {
			f(&form.Fields[i])
		}
	}
}

// Labelled is Words for a page: fields go by their labels, see [Engine.Labels],
// those without by their names.
func (e *Entry) Labelled(labels map[string]string) string {
	return e.words(func(name, value string) string {
		label := strings.TrimSpace(labels[name])
		if label == "" {
			return name + ": " + value
		}
		if last, _ := utf8.DecodeLastRuneInString(label); strings.ContainsRune("?:!.…؟？：", last) {
			return label + " " + value // a question has its mark
		}
		return label + ": " + value
	})
}
