package handoff

import (
	"context"
	"fmt"
	"net/url"
	"strings"
)

// A Choice names the queue for requests that name none: the first one in
// Config.Choose whose conditions all hold. Empty conditions always do.
type Choice struct {
	Queue string // required

	Channel  string            // Request.Channel, or where the user is
	Language string            // BCP 47: the user's language or a prefix of it: "de" is "de-AT", too
	URL      string            // host and path that the page's begin with: "shop.example.com/de"; sub-domains count
	Reason   Reason            // Request.Reason
	Data     map[string]string // Request.Data has these: a webstore, a plan
}

// queueFor returns the queue that a request names, or the one that is chosen
// for it.
func (e *Engine) queueFor(ctx context.Context, r *Request) (*Queue, error) {
	if r.Queue == "" {
		where := about{language: r.Locale, channel: r.Channel, url: r.URL}
		if where.language == "" || where.channel == "" || where.url == "" {
			h, err := e.latest(ctx, r.Conversation)
			if err != nil {
				return nil, err
			}
			where.complete(h)
		}
		for i := range e.cfg.Choose {
			if c := &e.cfg.Choose[i]; c.holds(r, where) {
				r.Queue = c.Queue
				break
			}
		}
		if r.Queue == "" {
			return nil, &InvalidError{Field: "Request.Queue", Why: "is empty, and no Choice of this Config holds"}
		}
	}
	q, ok := e.rules.queues[r.Queue]
	if !ok {
		return nil, &InvalidError{Field: "Request.Queue", Why: "is not a queue of this Config"}
	}
	return q, nil
}

// complete fills in what the conversation's latest handoff knows.
func (a *about) complete(h *Handoff) {
	if h == nil {
		return
	}
	for _, f := range []struct {
		to   *string
		from string
	}{{&a.language, h.Language}, {&a.channel, h.Channel}, {&a.url, h.URL}} {
		if *f.to == "" {
			*f.to = f.from
		}
	}
}

func (c *Choice) holds(r *Request, where about) bool {
	for k, v := range c.Data {
		if got, ok := r.Data[k]; !ok || got != v {
			return false
		}
	}
	return (c.Channel == "" || c.Channel == where.channel) &&
		(c.Reason == "" || c.Reason == r.Reason) &&
		(c.Language == "" || goesOn(strings.ToLower(where.language), strings.ToLower(c.Language), "-")) &&
		(c.URL == "" || c.isPage(where.url))
}

// isPage reports whether a page is of the host and below the path.
func (c *Choice) isPage(page string) bool {
	want, err := url.Parse("//" + c.URL)
	if err != nil {
		return false
	}
	got, err := url.Parse(page)
	if err == nil && got.Host == "" {
		got, err = url.Parse("//" + page) // without a scheme
	}
	if err != nil {
		return false
	}
	host, is := strings.ToLower(want.Host), strings.ToLower(got.Host)
	return (is == host || strings.HasSuffix(is, "."+host)) && goesOn(got.Path, strings.TrimSuffix(want.Path, "/"), "/")
}

// goesOn reports whether s is prefix, or goes on behind it with sep.
func goesOn(s, prefix, sep string) bool {
	return prefix == "" || s == prefix || strings.HasPrefix(s, prefix+sep)
}

func (c *Choice) problems(path string, known map[string]bool) []error {
	var out []error
	if !known[c.Queue] {
		out = append(out, &InvalidError{Field: path + ".Queue", Why: "is not one of Queues"})
	}
	if u, err := url.Parse("//" + c.URL); err != nil || c.URL != "" && u.Host == "" || strings.Contains(c.URL, "://") {
		out = append(out, &InvalidError{Field: path + ".URL", Why: "is not a host with an optional path"})
	}
	return out
}

func (c *Config) choiceProblems(known map[string]bool) (out []error) {
	for i := range c.Choose {
		out = append(out, c.Choose[i].problems(fmt.Sprintf("Choose[%d]", i), known)...)
	}
	return out
}
