package cisco

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// state is what a session needs: the cookies are all that lets somebody into a
// chat.
type state struct {
	Reference string   `json:"reference"`
	Author    string   `json:"author"`
	Cookies   []cookie `json:"cookies"`
}

var (
	errSession = errors.New("the session is not one of this adapter")
	errQueue   = errors.New("the queue has no tag of a Contact Service Queue")
	errCookie  = errors.New("the platform has set no cookie")
)

func stateOf(op string, s handoff.Session) (*state, error) {
	st := &state{}
	if json.Unmarshal(s.State, st) != nil || st.Reference == "" || st.Reference != s.Reference || len(st.Cookies) == 0 {
		return nil, &handoff.ProviderError{Op: op, Code: "session", Err: errSession}
	}
	return st, nil
}

// Open implements [handoff.Provider]. A chat whose opening got no answer cannot
// be found again: a repeat opens another one.
func (p *Provider) Open(ctx context.Context, o handoff.Opening) (handoff.Session, error) {
	tag := p.cfg.Queues[o.Handoff.Need.Queue]
	if tag == "" {
		tag = p.cfg.Tag
	}
	if tag == "" {
		return handoff.Session{}, &handoff.ProviderError{Op: "open", Code: "queue", Err: errQueue}
	}
	st := &state{Author: p.cfg.Author}
	if u := o.Handoff.User; u != nil && clean(u.Name) != "" {
		st.Author = clean(u.Name)
	}
	a, err := p.call(ctx, provider.Call{Op: "open", Method: http.MethodPost}, nil, contact{
		Feed: p.cfg.Feed, Author: st.Author, Title: clean(p.cfg.Title), Fields: p.fields(o, st.Author, tag),
	})
	if err != nil {
		return handoff.Session{}, err
	}
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if c.Value != "" && c.MaxAge >= 0 {
			st.Cookies = append(st.Cookies, cookie{c.Name, c.Value})
		}
	}
	if len(st.Cookies) == 0 {
		return handoff.Session{}, &handoff.ProviderError{Op: "open", Status: a.Status, Code: "no_cookie", Ambiguous: true, Err: errCookie}
	}
	st.Reference = reference(a, st.Cookies)
	b, _ := json.Marshal(st) //nolint:errchkjson // strings
	return handoff.Session{Reference: st.Reference, State: b}, nil
}

// fields are what agents see of a chat before anything is said.
func (p *Provider) fields(o handoff.Opening, author, tag string) []field {
	form := p.cfg.Form
	out := []field{{"ccxqueuetag", tag}}
	add := func(name, value string) {
		if name != "-" && value != "" {
			out = append(out, field{name, value})
		}
	}
	add(form.User, author)
	if u := o.Handoff.User; u != nil {
		add(form.Mail, clean(u.Mail))
		add(form.Phone, clean(u.Phone))
	}
	add(form.Note, provider.XMLText(provider.Renderer{Redact: p.cfg.Redact}.Note(o, MaxNote)))
	add(form.Attempt, clean(o.Attempt))
	for _, name := range slices.Sorted(maps.Keys(p.cfg.Fields)) {
		add(name, provider.XMLText(p.cfg.Fields[name]))
	}
	return out
}

// clean makes a text one line that XML can hold.
func clean(s string) string { return provider.XMLText(provider.Name(s)) }

// reference is the platform's id of a chat: of the body, or of the address that
// ends with it. An answer with neither has one of our own making.
func reference(a provider.Answer, cookies []cookie) string {
	var in struct {
		XMLName xml.Name
		ID      string `xml:"id"`
	}
	if provider.DecodeXML(a.Body, &in) == nil && provider.Name(in.ID) != "" {
		return provider.Name(in.ID)
	}
	if _, id, ok := strings.Cut(a.Header.Get("Location"), "/socialcontact/"); ok {
		if id, _, _ = strings.Cut(id, "?"); provider.Name(strings.Trim(id, "/")) != "" {
			return provider.Name(strings.Trim(id, "/"))
		}
	}
	sum := sha256.New()
	for _, c := range cookies {
		_, _ = sum.Write([]byte(c.Name + "=" + c.Value + "\n"))
	}
	return "chat-" + hex.EncodeToString(sum.Sum(nil))[:32]
}

// Send implements [handoff.Provider]. What the bot says comes from the
// customer, too, and says so.
func (p *Provider) Send(ctx context.Context, s handoff.Session, m handoff.ProviderMessage) error {
	st, err := stateOf("send", s)
	if err != nil {
		return err
	}
	text := provider.XMLText(m.Text)
	if m.From.Role == handoff.RoleBot {
		text = "[bot] " + text
	}
	return provider.Once(ctx, m,
		func(ctx context.Context) (bool, error) {
			last, err := p.last(ctx, st)
			return last != nil && last.Body == text, err
		},
		func(ctx context.Context) error {
			_, err := p.call(ctx, provider.Call{Op: "send", Method: http.MethodPut}, st, message{Body: text})
			return err
		})
}

// last returns the customer's last message, or nil: of all messages those that
// are not there without his.
func (p *Provider) last(ctx context.Context, st *state) (*event, error) {
	all, err := p.read(ctx, "send", st, 0, true)
	if err != nil {
		return nil, err
	}
	others, err := p.read(ctx, "send", st, 0, false)
	if err != nil {
		return nil, err
	}
	theirs := map[string]bool{}
	for i := range others {
		theirs[others[i].key()] = true
	}
	for i := range slices.Backward(all) {
		if e := &all[i]; e.XMLName.Local == messageEvent && !theirs[e.key()] {
			return e, nil
		}
	}
	return nil, nil //nolint:nilnil // there is none
}

// Typing implements [handoff.Typist].
func (p *Provider) Typing(ctx context.Context, s handoff.Session, on bool) error {
	st, err := stateOf("typing", s)
	if err != nil {
		return err
	}
	status := "paused"
	if on {
		status = "composing"
	}
	_, err = p.call(ctx, provider.Call{Op: "typing", Method: http.MethodPut, Path: "/event", Repeatable: true}, st, typing{From: st.Author, Status: status})
	return err
}

// Close implements [handoff.Provider]: the customer leaves. The platform's
// session stays until its time limit, so that a chat that is over is none that
// is unknown.
func (p *Provider) Close(ctx context.Context, s handoff.Session, _ handoff.Reason) error {
	st, err := stateOf("close", s)
	if err != nil {
		var known state
		if json.Unmarshal(s.State, &known) == nil && known.Reference != "" {
			return nil // of another chat: this one is not there
		}
		return err
	}
	_, err = p.call(ctx, provider.Call{Op: "close", Method: http.MethodPut, Path: "/leaveChat", Repeatable: true}, st, nil)
	return provider.Tolerate(err, http.StatusBadRequest, http.StatusNotFound)
}
