package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-2a427302/handoff"
)

// A route is an address of the API. Need is what the actor must have; where the
// path has {id}, for that handoff. Either is a second permission that will do
// as well.
type route struct {
	Method, Path string
	Need, Either Permission
	Reads        bool // needs the right to read the handoff in its state
	Free         bool // allowed on a desk that is ReadOnly
	do           func(*Handler, *call) (any, error)
}

// routes is the API.
func routes() []route {
	get, post, put, del := http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	return []route{
		{get, "api/snapshot", Figures, "", false, true, (*Handler).snapshot},
		{get, "api/events", Figures, "", false, true, (*Handler).events},
		{get, "api/changes", Figures, "", false, true, (*Handler).changes},
		{get, "api/board", Figures, "", false, true, (*Handler).board},
		{get, "api/team", Team, "", false, true, (*Handler).team},
		{get, "api/handoffs", Rows, "", false, true, (*Handler).list}, // list, queue, q, sort, after: see there
		{get, "api/past", Past, "", false, true, (*Handler).past},

		{get, "api/handoffs/{id}", "", "", true, true, (*Handler).one},
		{get, "api/handoffs/{id}/log", "", "", true, true, (*Handler).entries},
		{get, "api/handoffs/{id}/before", "", "", true, true, (*Handler).before},
		{get, "api/handoffs/{id}/contact", "", "", true, true, (*Handler).contact},
		{get, "api/handoffs/{id}/summary", "", "", true, true, (*Handler).summary},
		{get, "api/handoffs/{id}/suggestions", Work, "", false, false, (*Handler).suggestions},
		{get, "api/handoffs/{id}/why", Rows, "", false, true, (*Handler).why},
		{get, "api/handoffs/{id}/targets", Work, Direct, false, false, (*Handler).targets},

		{post, "api/handoffs/{id}/accept", Answer, "", false, false, (*Handler).accept},
		{post, "api/handoffs/{id}/decline", Answer, "", false, false, (*Handler).decline},
		{post, "api/handoffs/{id}/messages", Work, "", false, false, (*Handler).send},
		{post, "api/handoffs/{id}/typing", Work, "", false, false, (*Handler).typing},
		{post, "api/handoffs/{id}/hold", Work, "", false, false, (*Handler).hold},
		{post, "api/handoffs/{id}/resume", Work, "", false, false, (*Handler).resume},
		{post, "api/handoffs/{id}/extend", Work, "", false, false, (*Handler).extend},
		{post, "api/handoffs/{id}/video", Work, "", false, false, (*Handler).video},
		{post, "api/handoffs/{id}/transfer", Work, Direct, false, false, (*Handler).transfer},
		{post, "api/handoffs/{id}/take-back", Work, Direct, false, false, (*Handler).takeBack},
		{post, "api/handoffs/{id}/requeue", Work, Direct, false, false, (*Handler).requeue},
		{post, "api/handoffs/{id}/return", Work, Direct, false, false, (*Handler).giveBack},
		{post, "api/handoffs/{id}/end", Work, Direct, false, false, (*Handler).end},
		{post, "api/handoffs/{id}/run", Work, Direct, false, false, (*Handler).run},
		{put, "api/handoffs/{id}/draft", Note, "", false, false, (*Handler).draft},
		{post, "api/handoffs/{id}/notes", Note, "", false, false, (*Handler).note},
		{post, "api/handoffs/{id}/tags", Note, "", false, false, (*Handler).tag},
		{post, "api/handoffs/{id}/whisper", Whisper, "", false, false, (*Handler).whisper},
		{post, "api/handoffs/{id}/join", Join, "", false, false, (*Handler).join},
		{post, "api/handoffs/{id}/takeover", Direct, "", false, false, (*Handler).takeOver},
		{post, "api/handoffs/{id}/assign", Direct, "", false, false, (*Handler).assign},

		{put, "api/handoffs/{id}/seen", "", "", true, true, (*Handler).seen},
		{post, "api/viewing", Rows, "", false, true, (*Handler).viewing},
		{put, "api/presence", Present, "", false, true, (*Handler).wants},
		{post, "api/presence/beat", Present, "", false, true, (*Handler).beat},
		{post, "api/presence/leave", Present, "", false, true, (*Handler).leave},

		{get, "api/stats", Figures, "", false, true, (*Handler).stats},
		{get, "api/export/{name}", Export, "", false, true, (*Handler).export},
		{get, "api/words/{name}", Figures, "", false, true, (*Handler).catalogue},
		{get, "api/replies", Rows, "", false, true, (*Handler).replies},
		{put, "api/replies/{name}", Rows, "", false, false, (*Handler).putReply},
		{del, "api/replies/{name}", Rows, "", false, false, (*Handler).deleteReply},
		{get, "api/agents", Manage, "", false, true, (*Handler).agents},
		{put, "api/agents/{name}", Manage, "", false, false, (*Handler).putAgent},
		{del, "api/agents/{name}", Manage, "", false, false, (*Handler).deleteAgent},
		{get, "api/rules", Manage, "", false, true, (*Handler).rules},
		{put, "api/rules/{name}", Manage, "", false, false, (*Handler).putRule},
		{del, "api/rules/{name}", Manage, "", false, false, (*Handler).deleteRule},
		{get, "api/hours", Manage, "", false, true, (*Handler).hours},
		{put, "api/hours/{name}", Manage, "", false, false, (*Handler).putHours},
		{put, "api/agents/{name}/presence", Direct, "", false, false, (*Handler).setPresence},
		{get, "api/queues", Team, "", false, true, (*Handler).queueSettings},
	}
}

// A call is a request that is being answered.
type call struct {
	w     http.ResponseWriter
	r     *http.Request
	actor Actor
	name  string           // what {name} stood for
	h     *handoff.Handoff // what {id} stood for, as it is now
	facts facts

	rights int64 // view.rights before the actor was asked who he is
}

func (c *call) ctx() context.Context { return c.r.Context() }

// match compares a path with a pattern, segment by segment, and returns what
// stood in the place of {…}.
func match(pattern, path string) (string, bool) {
	p, s := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(p) != len(s) {
		return "", false
	}
	value := ""
	for i := range p {
		switch {
		case strings.HasPrefix(p[i], "{"):
			v, err := url.PathUnescape(s[i])
			if err != nil || v == "" || !utf8.ValidString(v) {
				return "", false
			}
			value = v
		case p[i] != s[i]:
			return "", false
		}
	}
	return value, true
}

// route answers a request.
func (h *Handler) route(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/")
	switch {
	case !ok && path == "": // mounted without a slash at the end
		h.toSlash(w, r)
		return
	case path == "healthz":
		answer(w, map[string]bool{"ok": true})
		return
	case strings.HasPrefix(path, "assets/"):
		h.asset(w, r, strings.TrimPrefix(path, "assets/"))
		return
	case !strings.HasPrefix(path, "api/"):
		h.page(w, r, path)
		return
	}
	rt, value, methods := h.find(r.Method, path)
	if rt == nil {
		h.nowhere(w, r, methods)
		return
	}
	v, err := h.serve(w, r, rt, value)
	h.reply(w, r, v, err)
}

// find returns the route of a path, and what stood in it in the place of {…}; or
// the methods that the path has.
func (h *Handler) find(method, path string) (rt *route, value string, methods []string) {
	for i := range h.routes {
		rt := &h.routes[i]
		if value, ok := match(rt.Path, path); ok {
			if rt.Method == method {
				return rt, value, nil
			}
			methods = append(methods, rt.Method)
		}
	}
	return nil, "", methods
}

func (h *Handler) nowhere(w http.ResponseWriter, r *http.Request, methods []string) {
	if len(methods) > 0 {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		h.fail(w, r, &problem{Status: http.StatusMethodNotAllowed, Code: "method"})
		return
	}
	h.fail(w, r, errNotFound)
}

func (h *Handler) reply(w http.ResponseWriter, r *http.Request, v any, err error) {
	switch {
	case errors.Is(err, errHandled):
	case err != nil:
		h.fail(w, r, explain(err, nil, &Actor{}))
	default:
		answer(w, v)
	}
}

// serve checks who asks and what he may do, then does it.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, rt *route, value string) (any, error) {
	rights := h.view.rights.Load()
	actor, p := h.who(r)
	if p != nil {
		return nil, p
	}
	c := &call{w: w, r: r, actor: actor, rights: rights}
	if h.cfg.ReadOnly && !rt.Free {
		return nil, &problem{Status: http.StatusForbidden, Code: "read_only"}
	}
	if !strings.Contains(rt.Path, "{id}") {
		c.name = value
		if !actor.has(rt.Need) {
			return nil, errForbidden
		}
		return rt.do(h, c)
	}
	return h.serveOne(c, rt, value)
}

// serveOne is serve for a route about one handoff. It is a function of its own
// because streams, which are about none, stay on the stack for long.
func (h *Handler) serveOne(c *call, rt *route, value string) (any, error) {
	id, ok := parseToken(value)
	if !ok {
		return nil, errNotFound
	}
	now, err := h.engine.Get(c.ctx(), id)
	if err != nil {
		return nil, explain(err, nil, &c.actor)
	}
	c.h, c.facts = &now, factsOf(&now, h.public(now.Need.Queue))
	if p := h.check(c, rt); p != nil {
		return nil, p
	}
	out, err := rt.do(h, c)
	if err == nil || errors.Is(err, errHandled) {
		return out, err
	}
	return nil, h.withCurrent(c, err)
}

// withCurrent adds to a conflict how the handoff is now, so that the page can
// say what happened without asking again.
func (h *Handler) withCurrent(c *call, err error) *problem {
	now, getErr := h.engine.Get(c.ctx(), c.h.ID)
	if getErr != nil {
		return explain(err, nil, &c.actor)
	}
	p := explain(err, &now, &c.actor)
	if p.Status != http.StatusConflict {
		return p
	}
	out := *p
	out.Current = newRow(&now, h.style(now.Need.Queue), nil).view(&c.actor)
	return &out
}

// check says why an actor may not use a route for the handoff. What he may not
// know of does not exist for him.
func (h *Handler) check(c *call, rt *route) *problem {
	a, f := &c.actor, &c.facts
	if rt.Reads {
		if a.reads(f) {
			return nil
		}
		if a.sees(f) {
			return errForbidden
		}
		return errNotFound
	}
	if !a.sees(f) {
		return errNotFound
	}
	if a.may(rt.Need, f) || rt.Either != "" && a.may(rt.Either, f) {
		return nil
	}
	if rt.Need == Work && a.has(Work) {
		return &problem{Status: http.StatusConflict, Code: "not_owner", Current: newRow(c.h, h.style(c.h.Need.Queue), nil).view(a)}
	}
	return errForbidden
}

// authLimit is how long Auth may take.
const authLimit = 10 * time.Second

// who asks the host who is asking. A hook that blocks or panics costs this
// request and nothing else.
func (h *Handler) who(r *http.Request) (Actor, *problem) {
	type result struct {
		actor Actor
		err   error
	}
	ctx, cancel := context.WithTimeout(r.Context(), authLimit)
	defer cancel()
	done := make(chan result, 1)
	go func() {
		var res result
		defer func() {
			if v := recover(); v != nil {
				h.log.ErrorContext(ctx, "desk.Config.Auth panicked", "panic", fmt.Sprint(v))
				res = result{err: errBroken}
			}
			done <- res
		}()
		res.actor, res.err = h.cfg.Auth(r.WithContext(ctx))
	}()
	var res result
	select {
	case res = <-done:
	case <-ctx.Done():
		res.err = errBroken
	}
	a := res.actor
	switch {
	case errors.Is(res.err, ErrSignIn):
		return a, &problem{Status: http.StatusUnauthorized, Code: "sign_in"}
	case errors.Is(res.err, errBroken), errors.Is(res.err, context.DeadlineExceeded):
		return a, &problem{Status: http.StatusServiceUnavailable, Code: "auth_failed", cause: res.err}
	case res.err != nil:
		return a, errForbidden
	case a.ID == "" || a.Role < Viewer || a.Role > Admin || !utf8.ValidString(a.ID) || strings.ContainsRune(a.ID, 0):
		h.log.ErrorContext(r.Context(), "desk.Config.Auth returned an actor without a usable ID or Role")
		return a, &problem{Status: http.StatusInternalServerError, Code: "auth_failed"}
	}
	if a.Name == "" {
		a.Name = a.ID
	} else {
		h.names.put(a.ID, named{name: a.Name})
	}
	a.Queues = slices.Clone(a.Queues)
	return a, nil
}

var errBroken = errors.New("desk: Config.Auth failed")

const maxBody = 256 << 10

// decode reads a body of JSON.
func (c *call) decode(v any) *problem {
	if t, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return &problem{Status: http.StatusUnsupportedMediaType, Code: "media_type"}
	}
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return &problem{Status: http.StatusRequestEntityTooLarge, Code: "too_long"}
	case err != nil:
		return &problem{Status: http.StatusBadRequest, Code: "body"}
	case json.Unmarshal(b, v) != nil:
		return &problem{Status: http.StatusBadRequest, Code: "body"}
	}
	return nil
}
