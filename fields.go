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
	out, own := maps.Clone(e.rules.labels), map[string]bool{}
	if q, ok := e.rules.queues[queue]; ok {
		q.fields(func(f *Field) {
			if !own[f.Name] {
				own[f.Name], out[f.Name] = true, f.label()
			}
		})
	}
	maps.DeleteFunc(out, func(name, label string) bool { return name == label })
	return out
}

// labels is what all forms together call their fields; a field goes by its name
// if they do not agree.
func labels(queues map[string]*Queue) map[string]string {
	out := map[string]string{}
	for _, q := range queues {
		q.fields(func(f *Field) {
			if was, had := out[f.Name]; had && was != f.label() {
				out[f.Name] = f.Name
			} else if !had {
				out[f.Name] = f.label()
			}
		})
	}
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
