package slack

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// judge knows that Slack answers most failures with 200 and ok: false.
func judge(a provider.Answer) *handoff.ProviderError {
	if pe := provider.Judge(a); pe != nil {
		return pe
	}
	var body struct {
		OK    *bool  `json:"ok"`
		Error string `json:"error"`
	}
	if json.Unmarshal(a.Body, &body) != nil || body.OK == nil {
		return &handoff.ProviderError{Status: a.Status, Code: "answer", Retryable: true, Ambiguous: true}
	}
	if *body.OK {
		return nil
	}
	pe := &handoff.ProviderError{Status: a.Status, Code: provider.Code(body.Error)}
	switch body.Error {
	case "ratelimited", "rate_limited", "service_unavailable":
		pe.Retryable, pe.RetryAfter = true, provider.RetryAfter(a.Header)
	case "internal_error", "fatal_error", "request_timeout":
		pe.Retryable, pe.Ambiguous = true, true
	case "message_not_found", "channel_not_found", "thread_not_found":
		pe.Status = http.StatusNotFound
	}
	return pe
}

// post calls a method with a form, which every method takes.
func (p *Provider) post(ctx context.Context, op, method string, form url.Values, out any) error {
	return p.api.Do(ctx, provider.Call{
		Op: op, Method: http.MethodPost, Path: "/" + method, Body: []byte(form.Encode()), Type: "application/x-www-form-urlencoded",
	}, out)
}

// mark is what a message of ours carries, for us alone.
type mark struct {
	Kind string `json:"kind"` // opening, message, note, closed, ticket
	ID   string `json:"id"`
}

const markType = "handoff"

type metadata struct {
	Type    string `json:"event_type"`
	Payload mark   `json:"event_payload"`
}

// post is a message of ours.
type message struct {
	channel, thread string
	text            string
	name            string // shown as its author
	blocks          []block
	mark            mark
}

func (m *message) form() url.Values {
	f := url.Values{
		"channel": {m.channel}, "text": {escape(m.text)}, "mrkdwn": {"false"}, "link_names": {"false"}, "parse": {"none"},
		"unfurl_links": {"false"}, "unfurl_media": {"false"},
	}
	if m.thread != "" {
		f.Set("thread_ts", m.thread)
	}
	if m.name != "" {
		f.Set("username", m.name)
	}
	if m.blocks != nil {
		f.Set("blocks", encode(m.blocks))
	}
	f.Set("metadata", encode(metadata{Type: markType, Payload: m.mark}))
	return f
}

func encode(v any) string {
	b, _ := json.Marshal(v) //nolint:errchkjson // strings in structs
	return string(b)
}

func (p *Provider) say(ctx context.Context, op string, m *message) (ts string, err error) {
	var out struct {
		TS string `json:"ts"`
	}
	if err := p.post(ctx, op, "chat.postMessage", m.form(), &out); err != nil {
		return "", err
	}
	if out.TS == "" {
		return "", &handoff.ProviderError{Op: op, Code: "answer", Retryable: true, Ambiguous: true, Err: errors.New("the message has no ts")}
	}
	return out.TS, nil
}

type posted struct {
	TS       string   `json:"ts"`
	Metadata metadata `json:"metadata"`
}

// find looks for a mark: in a thread, or else among the newest messages of a
// channel. It returns the message's ts, or nothing.
func (p *Provider) find(ctx context.Context, op, channel, thread string, want mark) (string, error) {
	const pages, page = 5, 200
	method, q := "conversations.history", url.Values{"channel": {channel}, "limit": {strconv.Itoa(page)}, "include_all_metadata": {"true"}}
	if thread != "" {
		method = "conversations.replies"
		q.Set("ts", thread)
	}
	for range pages {
		var out struct {
			Messages []posted `json:"messages"`
			Meta     struct {
				Cursor string `json:"next_cursor"`
			} `json:"response_metadata"`
		}
		if err := p.api.Do(ctx, provider.Call{Op: op, Path: "/" + method, Query: q}, &out); err != nil {
			return "", provider.Tolerate(err, http.StatusNotFound)
		}
		if out.Messages == nil { // taken for none, it would be written twice
			return "", provider.AnswerLacks(op)
		}
		for _, m := range out.Messages {
			if m.Metadata.Type == markType && m.Metadata.Payload == want {
				return m.TS, nil
			}
		}
		if out.Meta.Cursor == "" {
			break
		}
		q.Set("cursor", out.Meta.Cursor)
	}
	return "", nil
}

// upload shows a file in a thread.
func (p *Provider) upload(ctx context.Context, channel, thread, name string, body []byte) error {
	var where struct {
		URL string `json:"upload_url"`
		ID  string `json:"file_id"`
	}
	err := p.post(ctx, "send", "files.getUploadURLExternal", url.Values{"filename": {name}, "length": {strconv.Itoa(len(body))}}, &where)
	if err == nil && (where.URL == "" || where.ID == "") {
		err = provider.AnswerLacks("send")
	}
	if err != nil {
		return err
	}
	to := provider.Client{Base: where.URL, HTTP: p.cfg.Files} // an address from outside: through the guard
	if err := to.Do(ctx, provider.Call{Op: "send", Method: http.MethodPost, Body: body, Type: "application/octet-stream", Repeatable: true}, nil); err != nil {
		return err
	}
	return p.post(ctx, "send", "files.completeUploadExternal", url.Values{
		"files": {encode([]map[string]string{{"id": where.ID, "title": name}})}, "channel_id": {channel}, "thread_ts": {thread},
	}, nil)
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// escape is text as Slack takes it: without it, <…> would be a command.
func escape(s string) string { return escaper.Replace(s) }

var unescaper = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")

// plain is the text of a message as a person sees it: addresses without
// brackets, mentions by name where Slack tells it.
func plain(s string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			break
		}
		end := strings.IndexByte(s[i:], '>')
		if end < 0 {
			break
		}
		b.WriteString(unescaper.Replace(s[:i]))
		b.WriteString(unescaper.Replace(link(s[i+1 : i+end])))
		s = s[i+end+1:]
	}
	b.WriteString(unescaper.Replace(s))
	return b.String()
}

// link is what stands between angle brackets, for a person.
func link(s string) string {
	target, label, labelled := strings.Cut(s, "|")
	switch {
	case strings.HasPrefix(target, "@"), strings.HasPrefix(target, "#"):
		if labelled && label != "" {
			return target[:1] + strings.TrimLeft(label, "@#")
		}
		return target
	case strings.HasPrefix(target, "!"):
		return "@" + strings.TrimPrefix(target, "!")
	case labelled && label != "" && label != strings.TrimPrefix(strings.TrimPrefix(target, "https://"), "http://"):
		return label + " (" + target + ")"
	}
	return target
}
