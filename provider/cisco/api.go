package cisco

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// contact is a chat as it is created.
type contact struct {
	XMLName xml.Name `xml:"SocialContact"`
	Feed    string   `xml:"feedRefURL"`
	Author  string   `xml:"author"`
	Title   string   `xml:"title"`
	Fields  []field  `xml:"extensionFields>extensionField"`
}

type field struct {
	Name  string `xml:"name"`
	Value string `xml:"value"`
}

// message is what the customer says.
type message struct {
	XMLName xml.Name `xml:"Message"`
	Body    string   `xml:"body"`
}

// typing is what the customer does.
type typing struct {
	XMLName xml.Name `xml:"TypingEvent"`
	From    string   `xml:"from"`
	Status  string   `xml:"status"` // composing, paused
}

// events is what happened in a chat, in order. Cisco's documentation writes the
// name of the root with a capital letter, its samples without.
type events struct {
	XMLName xml.Name
	List    []event `xml:",any"`
}

// An event is one of the four kinds; the name of its element says which.
type event struct {
	XMLName xml.Name
	ID      string `xml:"id"`
	From    string `xml:"from"`
	Status  string `xml:"status"`
	Body    string `xml:"body"` // URL-encoded

	number int64 // of the id; -1 if it is none
}

// The kinds of events.
const (
	messageEvent  = "MessageEvent"
	presenceEvent = "PresenceEvent"
	typingEvent   = "TypingEvent"
	statusEvent   = "StatusEvent"
)

// key is the same each time the event is told, and another one for another.
func (e *event) key() string { return e.XMLName.Local + "/" + e.ID }

var errAnswer = errors.New("the answer makes no sense")

// parse reads an answer with events: nothing at all is none. They are in the
// order of their ids; one without an id cannot be told from others and is left
// out.
func parse(op string, body []byte) ([]event, error) {
	if len(strings.TrimSpace(string(body))) == 0 {
		return nil, nil
	}
	var in events
	if provider.DecodeXML(body, &in) != nil || !strings.EqualFold(in.XMLName.Local, "chatEvents") {
		return nil, provider.AnswerLacks(op)
	}
	seen := map[string]bool{}
	var list []event
	for _, e := range in.List {
		if e.ID = strings.TrimSpace(e.ID); e.ID == "" || seen[e.key()] {
			continue
		}
		seen[e.key()] = true
		e.Status, e.number = strings.TrimSpace(e.Status), -1
		if n, err := strconv.ParseInt(e.ID, 10, 64); err == nil && n >= 0 {
			e.number = n
		}
		e.From, e.Body = decoded(strings.TrimSpace(e.From)), decoded(e.Body)
		list = append(list, e)
	}
	if !slices.ContainsFunc(list, func(e event) bool { return e.number < 0 }) {
		slices.SortStableFunc(list, func(a, b event) int { return cmp.Compare(a.number, b.number) })
	}
	return list, nil
}

// decoded is a text without its URL encoding; what is not encoded stays.
func decoded(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// cookie is one of a session.
type cookie struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// call makes a request in a chat, with its cookies. in is the XML of the body;
// nil is none.
func (p *Provider) call(ctx context.Context, c provider.Call, st *state, in any) (provider.Answer, error) {
	c.Header = http.Header{"Accept": {"application/xml"}}
	if st != nil {
		r := http.Request{Header: c.Header}
		for _, k := range st.Cookies {
			r.AddCookie(&http.Cookie{Name: k.Name, Value: k.Value}) //nolint:gosec // a request has name and value only
		}
	}
	if in != nil {
		b, err := xml.Marshal(in)
		if err != nil {
			return provider.Answer{}, &handoff.ProviderError{Op: c.Op, Code: "request", Err: errRequest}
		}
		c.Body, c.Type = b, "application/xml"
	}
	var a provider.Answer
	err := p.api.Do(ctx, c, &a)
	return a, err
}

var errRequest = errors.New("the request cannot be made")

// read returns the events of a chat after one; all: also the customer's own.
func (p *Provider) read(ctx context.Context, op string, st *state, after int64, all bool) ([]event, error) {
	a, err := p.call(ctx, provider.Call{
		Op: op, Method: http.MethodGet, Query: url.Values{"eventid": {strconv.FormatInt(after, 10)}, "all": {strconv.FormatBool(all)}},
	}, st, nil)
	if err != nil {
		return nil, err
	}
	return parse(op, a.Body)
}

// notFound is the type of the error for a chat, or a session, that is not there.
const notFound = "notFound"

// judge reads the platform's own errors, as its interfaces have them:
// apiErrors with apiError with errorType.
func judge(a provider.Answer) *handoff.ProviderError {
	pe := provider.Judge(a)
	if pe == nil && !strings.Contains(string(a.Body[:min(len(a.Body), 512)]), "piErrors") {
		return nil
	}
	var in struct {
		XMLName xml.Name
		Errors  []struct {
			Type string `xml:"errorType"`
		} `xml:"apiError"`
	}
	if provider.DecodeXML(a.Body, &in) != nil || !strings.EqualFold(in.XMLName.Local, "apiErrors") || len(in.Errors) == 0 {
		return pe
	}
	if pe == nil { // an error in an answer that says otherwise
		pe = &handoff.ProviderError{Status: a.Status, Err: errAnswer}
	}
	if code := provider.Code(in.Errors[0].Type); code != "" {
		pe.Code = code
	}
	return pe
}
