package cisco

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// A Push names the push feed (of type 7) of what users leave, and an account that
// may push. CCP knows one such account, its administrator's.
type Push struct {
	Feed           string // its id, or its whole refURL, as with Config.Feed
	User, Password string
}

// A Suite is a [Provider] that pushes what users leave: each is a social contact,
// in the campaigns of the feed, until somebody handles it.
type Suite struct {
	*Provider

	feed string
	push provider.Client
}

var (
	_ handoff.Provider = (*Suite)(nil)
	_ handoff.Ticketer = (*Suite)(nil)
)

// NewSuite returns a provider with tickets. It does no I/O. What cannot work is
// a *[handoff.InvalidError].
func NewSuite(c Config, f Push) (*Suite, error) {
	p, err := New(c)
	switch {
	case err != nil:
		return nil, err
	case f.Feed == "" || !isFeed(f.Feed):
		return nil, &handoff.InvalidError{Field: "Push.Feed", Why: "is neither a number nor an http address"}
	case f.User == "":
		return nil, &handoff.InvalidError{Field: "Push.User", Why: "is empty"}
	case f.Password == "":
		return nil, &handoff.InvalidError{Field: "Push.Password", Why: "is empty"}
	}
	base := strings.TrimSuffix(c.URL, "/")
	return &Suite{Provider: p, feed: feedURL(base, f.Feed), push: provider.Client{
		Base: base, HTTP: p.cfg.HTTP, Judge: judge, Limit: provider.NewLimiter(0, 0),
		Authorize: func(r *http.Request) error { r.SetBasicAuth(f.User, f.Password); return nil },
	}}, nil
}

// Info implements [handoff.Provider].
func (s *Suite) Info() handoff.ProviderInfo {
	info := s.Provider.Info()
	info.Can.Ticket = true
	return info
}

// pushed is a social contact as it is created.
type pushed struct {
	XMLName xml.Name `xml:"SocialContact"`
	Feed    string   `xml:"feedRefURL"`
	Title   string   `xml:"title"`
	Author  string   `xml:"author"`
	Words   string   `xml:"description"`
	Fields  []field  `xml:"extensionFields>extensionField"`
}

// Ticket implements [handoff.Ticketer]. CCP knows no repeats: after a lost answer
// the contact is there twice, with the same reference, which is ours.
func (s *Suite) Ticket(ctx context.Context, h handoff.Handoff, text, id string) (string, error) {
	sum := sha256.Sum256([]byte("handoff ticket " + id))
	c := pushed{
		Feed: s.feed, Author: s.cfg.Author, Words: provider.XMLText(provider.Cut(text, MaxNote)),
		Fields: []field{{"reference", "message-" + hex.EncodeToString(sum[:6])}},
	}
	reference := c.Fields[0].Value
	if u := h.User; u != nil {
		if name := clean(u.Name); name != "" {
			c.Author = name
		}
		for _, f := range []field{{s.cfg.Form.Mail, clean(u.Mail)}, {s.cfg.Form.Phone, clean(u.Phone)}} {
			if f.Name != "-" && f.Value != "" {
				c.Fields = append(c.Fields, f)
			}
		}
	}
	if tag := s.cfg.Queues[h.Need.Queue]; tag != "" {
		c.Fields = append(c.Fields, field{"ccxqueuetag", tag})
	}
	c.Title = "Message from " + c.Author + " (" + reference + ")"
	b, err := xml.Marshal(c)
	if err != nil {
		return "", &handoff.ProviderError{Op: "ticket", Code: "request", Err: errRequest}
	}
	err = s.push.Do(ctx, provider.Call{
		Op: "ticket", Method: http.MethodPost, Path: "/ccp-webapp/ccp/socialcontact/", Body: b, Type: "application/xml",
		Header: http.Header{"Accept": {"application/xml"}},
	}, nil)
	if err != nil {
		return "", err
	}
	return reference, nil
}
