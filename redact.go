package handoff

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// A Destination is where content is about to go.
type Destination string

// The destinations of content.
const (
	ToStore    Destination = "store"    // before it is kept
	ToProvider Destination = "provider" // before a platform gets it
	ToExport   Destination = "export"   // before it leaves in an export
)

// A Content is something that people said or typed in.
type Content struct {
	To       Destination
	Handoff  ID
	Provider string // the platform, for ToProvider

	// Kind and From say whose entry it is. Without Kind it is what is known of
	// the handoff itself, in Data: "summary", "closing", "rating", "url",
	// "user.name", "user.mail", "user.phone", "user.attributes.…", "answers.…",
	// "callback.phone", "callback.when".
	Kind Kind
	From Party

	Text    string
	Files   []File
	Payload json.RawMessage
	Data    map[string]string // of an entry: variables and answers
}

// A Redactor returns what of a content may go to its destination. It gets
// copies and may change them. Text, Files, Payload, Data and From.Name are
// taken over; it may not add to Data.
//
// It fails closed: content for which it returns an error or panics, or returns
// what cannot be stored, is withheld. Its entry stays, Withheld, without the
// content. What was withheld from the store is gone, so a Redactor that needs a
// network tries again by itself, and knows when to stop: it is called within
// verbs and deliveries, concurrently, and ctx has their time-out.
//
// Decisions come first: an answer that is withheld from the store leads to the
// queue and the skills that it names all the same, and those are stored.
//
// Users see what the store has. Of the engine's notices only those are passed
// through that repeat what a user typed in.
type Redactor func(ctx context.Context, c Content) (Content, error)

// withheldText stands where there was content.
const withheldText = "[withheld]"

// Redacted returns copies of a handoff and of entries of its log as they may go
// to a destination, according to Config.Redact. Package history asks it for
// every export; a host that exports by itself, or a Sink, does so too.
func (e *Engine) Redacted(ctx context.Context, to Destination, h Handoff, entries []Entry) (Handoff, []Entry) {
	if e.cfg.Redact == nil {
		return h, slices.Clone(entries)
	}
	ctx, cancel := context.WithTimeout(ctx, e.cfg.SendTimeout)
	defer cancel()
	r := redaction{e: e, to: to, id: h.ID, provider: h.Provider}
	out := make([]Entry, len(entries))
	for i := range entries {
		out[i] = r.entry(ctx, entries[i])
	}
	r.handoff(ctx, &Handoff{}, &h)
	return h, out
}

// redactCommit does the same for what is about to be stored: the new entries,
// and what the handoff did not have before.
func (e *Engine) redactCommit(ctx context.Context, before, h *Handoff, entries []Entry) {
	if e.cfg.Redact == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, e.cfg.SendTimeout)
	defer cancel()
	r := redaction{e: e, to: ToStore, id: h.ID, provider: h.Provider}
	for i := range entries {
		entries[i] = r.entry(ctx, entries[i])
	}
	r.handoff(ctx, before, h)
}

// A redaction is one pass.
type redaction struct {
	e        *Engine
	to       Destination
	id       ID
	provider string
}

// ask calls the hook; false means that it failed.
func (r *redaction) ask(ctx context.Context, c Content) (out Content, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
		if !ok {
			// Neither the error nor the panic: they may quote the content.
			r.e.log.WarnContext(ctx, "redaction failed: content is withheld", "to", string(r.to), "kind", string(c.Kind), "number", r.id.Number)
		}
	}()
	c.To, c.Handoff = r.to, r.id
	if r.to == ToProvider {
		c.Provider = r.provider
	}
	known := maps.Clone(c.Data)
	c.Files, c.Payload, c.Data = slices.Clone(c.Files), slices.Clone(c.Payload), maps.Clone(c.Data)
	out, err := r.e.cfg.Redact(ctx, c)
	if err != nil || first(checkText("", out.Text), checkFiles("", out.Files), checkOptional("", out.From.Name), checkMap("", out.Data)) != nil ||
		len(out.Payload) > 0 && !json.Valid(out.Payload) {
		return out, false
	}
	for k := range out.Data {
		if _, had := known[k]; !had {
			return out, false
		}
	}
	return out, true
}

// hasContent reports whether e holds what people said, rather than codes of
// the engine.
func (e *Entry) hasContent() bool {
	switch e.Kind {
	case KindMessage, KindNote, KindWhisper, KindLeft, KindRequested, KindRefused, KindAnswered, KindRated,
		KindDeclined, KindHeld, KindReturned, KindHanded, KindSummary:
		return e.Text != "" || len(e.Files) > 0 || len(e.Payload) > 0 || len(e.Data) > 0 || e.From.Name != ""
	case KindNotice:
		return e.Notice == NoticeCallback // says the user's number
	default:
		return false
	}
}

func (r *redaction) entry(ctx context.Context, en Entry) Entry {
	if !en.hasContent() || en.Withheld {
		return en
	}
	c, ok := r.ask(ctx, Content{Kind: en.Kind, From: en.From, Text: en.Text, Files: en.Files, Payload: en.Payload, Data: en.Data})
	if !ok {
		en.Withheld = true
		c = Content{Text: withheldText, From: Party{Name: ""}}
	}
	en.Text, en.Files, en.Payload, en.Data, en.From.Name = c.Text, c.Files, c.Payload, c.Data, c.From.Name
	return en
}

// handoff redacts the fields of h that differ from those of before.
func (r *redaction) handoff(ctx context.Context, before, h *Handoff) {
	data, old := h.content(), before.content()
	maps.DeleteFunc(data, func(k, v string) bool { return v == old[k] })
	if len(data) == 0 {
		return
	}
	c, ok := r.ask(ctx, Content{Data: data})
	if !ok {
		c.Data = nil
	}
	changed := false
	for k := range data {
		if c.Data[k] != data[k] {
			data[k], changed = c.Data[k], true
		} else {
			delete(data, k)
		}
	}
	if changed {
		h.setContent(data)
	}
}

// content returns what people said or typed in and that h itself holds.
func (h *Handoff) content() map[string]string {
	out := map[string]string{"summary": h.Summary, "closing": h.Closing, "url": h.URL}
	if h.Rating != nil {
		out["rating"] = h.Rating.Comment
	}
	if u := h.User; u != nil {
		out["user.name"], out["user.mail"], out["user.phone"] = u.Name, u.Mail, u.Phone
		for k, v := range u.Attributes {
			out["user.attributes."+k] = v
		}
	}
	if c := h.Callback; c != nil {
		out["callback.phone"], out["callback.when"] = c.Phone, c.When
	}
	for k, v := range h.Answers {
		out["answers."+k] = v
	}
	maps.DeleteFunc(out, func(_, v string) bool { return v == "" })
	return out
}

// setContent replaces what data names; empty values take it away. What h
// points to is shared, and copied.
func (h *Handoff) setContent(data map[string]string) {
	if h.User != nil {
		u := *h.User
		u.Attributes, h.User = maps.Clone(u.Attributes), &u
	}
	if h.Rating != nil {
		rating := *h.Rating
		h.Rating = &rating
	}
	if h.Callback != nil {
		c := *h.Callback
		h.Callback = &c
	}
	h.Answers = maps.Clone(h.Answers)
	put := func(m map[string]string, k, v string) {
		if v == "" {
			delete(m, k)
		} else {
			m[k] = v
		}
	}
	for name, v := range data {
		switch name {
		case "summary":
			h.Summary = v
		case "closing":
			h.Closing = v
		case "url":
			h.URL = v
		case "rating":
			h.Rating.Comment = v
		case "callback.phone":
			h.Callback.Phone = v
		case "callback.when":
			h.Callback.When = v
		case "user.name":
			h.User.Name = v
		case "user.mail":
			h.User.Mail = v
		case "user.phone":
			h.User.Phone = v
		default:
			if k, ok := strings.CutPrefix(name, "user.attributes."); ok {
				put(h.User.Attributes, k, v)
			} else if k, ok := strings.CutPrefix(name, "answers."); ok {
				put(h.Answers, k, v)
			}
		}
	}
}
