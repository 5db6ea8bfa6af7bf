package desk

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

const (
	pingEvery  = 20 * time.Second // a page answers each ping: it is alive
	writeLimit = 10 * time.Second // a page that reads slower is cut off
	perActor   = 8                // streams of one actor
	perAlone   = 4                // those of them that are of tabs which cannot share one
	pollWait   = 25 * time.Second // longest wait of a long poll
	batch      = 500              // events written at once
	stirAll    = ringSize / 8     // after so many events every stream looks: none falls behind the ring
)

func newBoot() string { return strings.ToLower(rand.Text()[:10]) }

// A stream is a page that listens.
type stream struct {
	actor   Actor
	session string
	page    string // its key in view.opened
	alone   string // the tab, where the tabs of a browser cannot share a stream
	class   string
	mark    string        // of his rights: in cursors
	recheck bool          // they may have changed; view.mu guards it
	wake    chan struct{} // something was published that may be for it
	ended   chan struct{}
	why     string
}

func newStream(a Actor, session string) *stream {
	return &stream{
		actor: a, session: session, page: pageOf(&a, session), class: a.class(), mark: a.mark(), wake: make(chan struct{}, 1), ended: make(chan struct{}),
	}
}

// stir wakes the streams that an event may be for: what is said in one
// conversation is nothing to the many who have others open. v.mu is held.
func (v *view) stir(e *event) {
	all := e.n%stirAll == 0
	for s := range v.streams {
		if all || v.concerns(e, s) {
			select {
			case s.wake <- struct{}{}:
			default:
			}
		}
	}
}

// concerns reports whether an event may be for a stream. What it may know of it
// is for filter to say. v.mu is held.
func (v *view) concerns(e *event, s *stream) bool {
	switch {
	case e.only != "" && e.only != s.actor.ID, e.need != "" && !s.actor.has(e.need):
		return false
	case e.id.IsZero():
		return true
	}
	for _, o := range v.opened[s.page] {
		if o.id == e.id {
			return true
		}
	}
	return false
}

// end asks a stream to say good-bye. v.mu is held.
func (s *stream) end(why string) {
	if s.why == "" {
		s.why = why
		close(s.ended)
	}
}

// recheck has streams of an actor ask who he is before they tell anything more:
// those that have joined, and those about to, which join sees by v.rights. v.mu
// is held.
func (v *view) recheck(actor string) {
	v.rights.Add(1)
	for s := range v.streams {
		if s.actor.ID != actor {
			continue
		}
		s.recheck = true
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// join counts a stream in, or says why it cannot be. Rights is what v.rights was
// before its actor was asked who he is: what has changed since he is asked again.
func (v *view) join(s *stream, rights int64, most int) *problem {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.ready {
		return errNotRunning
	}
	mine, alone := 0, 0
	for o := range v.streams {
		if o.actor.ID != s.actor.ID {
			continue
		}
		mine++
		switch o.alone {
		case "":
		case s.alone:
			o.end("again") // what it had before is of no use to it
		default:
			alone++
		}
	}
	if s.alone != "" && alone >= perAlone {
		return errNoStream // a browser has six connections, and needs some for what it asks
	}
	if mine >= perActor || len(v.streams) >= most {
		return &problem{Status: http.StatusTooManyRequests, Code: "streams"}
	}
	s.recheck = v.rights.Load() != rights
	v.streams[s] = struct{}{}
	return nil
}

// stays reports whether another tab of a page's browser has a stream of its own.
func (v *view) stays(page, alone string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for o := range v.streams {
		if o.page == page && o.alone != "" && o.alone != alone {
			return true
		}
	}
	return false
}

func (v *view) part(s *stream) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.streams, s)
	for o := range v.streams {
		if o.page == s.page {
			return
		}
	}
	for tab, o := range v.opened[s.page] {
		// The page may only be changing streams: it has a moment to come back.
		o.until = minTime(o.until, time.Now().Add(20*time.Second))
		v.opened[s.page][tab] = o
	}
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// events is the stream of a page: server-sent events.
func (h *Handler) events(c *call) (any, error) {
	rc := http.NewResponseController(c.w)
	head := c.w.Header()
	head.Set("Content-Type", "text/event-stream")
	head.Set("Cache-Control", "no-store, no-transform")
	head.Set("X-Accel-Buffering", "no")
	// Where flushing is hidden by a middleware, saying so now is better than a
	// stream that never says anything: the page then polls.
	if !canFlush(c.w) {
		head.Set("Content-Type", "application/problem+json")
		h.view.once(func() {
			h.log.WarnContext(c.r.Context(), "the desk's stream cannot flush: a middleware hides http.Flusher; pages poll instead",
				"writer", fmt.Sprintf("%T", c.w))
		})
		return nil, errNoStream
	}
	s := newStream(c.actor, c.r.URL.Query().Get("session"))
	s.alone = c.r.URL.Query().Get("alone")
	if p := h.view.join(s, c.rights, h.cfg.MaxStreams); p != nil {
		return nil, p
	}
	defer h.view.part(s)

	after := c.r.Header.Get("Last-Event-ID")
	if after == "" {
		after = c.r.URL.Query().Get("after")
	}
	at, ok := h.view.parse(s.mark, after)
	if !ok {
		at = -1
	}
	out := &eventWriter{w: c.w, rc: rc}
	out.raw("retry: 1000\n\n")
	out.event("", "hello", h.hello(&c.actor))
	h.listen(c, s, out, at)
	return nil, errHandled
}

// listen writes what is published after a place in the ring, until it ends. What
// it calls is not within it, nor are the loop's preliminaries: its goroutine
// waits here nearly all the time, and the less of the stack that needs the less
// a page costs.
func (h *Handler) listen(c *call, s *stream, out *eventWriter, at int64) {
	ping := time.NewTicker(h.ping())
	defer ping.Stop()
	life := time.NewTimer(h.cfg.StreamLife)
	defer life.Stop()
	for {
		now, ok := h.tell(c, s, out, at)
		if at = now; out.err != nil {
			return
		}
		why := "changed"
		if !ok {
			out.event("", "bye", map[string]string{"why": why})
			out.flush()
			return
		}
		select {
		case <-s.wake:
			continue
		case <-ping.C:
			if h.still(c, &s.actor) {
				out.event(h.view.cursor(s.mark, at), "ping", map[string]int64{"now": time.Now().UnixMilli()})
				continue
			}
		case <-s.ended:
			why = s.why
		case <-life.C:
			why = "life"
		case <-c.r.Context().Done():
			return
		}
		out.event("", "bye", map[string]string{"why": why})
		out.flush()
		return
	}
}

// still reports whether an actor is who he was: whoever lost his right since gets
// nothing more.
func (h *Handler) still(c *call, was *Actor) bool {
	now, p := h.who(c.r)
	return p == nil && same(&now, was)
}

// tell writes what was published after a place, and returns the place after
// that. Where the ring no longer has it, the page begins anew, with all that
// there is: a request less until it is usable. It tells nothing, and says no,
// where the actor is no longer who he was.
func (h *Handler) tell(c *call, s *stream, out *eventWriter, at int64) (int64, bool) {
	h.view.mu.Lock()
	for s.recheck {
		s.recheck = false
		h.view.mu.Unlock()
		if !h.still(c, &s.actor) {
			return at, false
		}
		h.view.mu.Lock()
	}
	list, _, ok := h.view.after(at)
	if !ok {
		at = h.view.next
	}
	h.view.mu.Unlock()
	if !ok {
		out.event(h.view.cursor(s.mark, at), "reset", h.anew(c))
	}
	for i, e := range list {
		h.write(out, s, e)
		if i%batch == batch-1 {
			out.flush()
		}
	}
	out.flush()
	return at + int64(len(list)), true
}

// ping is how often a stream says something.
func (h *Handler) ping() time.Duration { return min(pingEvery, h.cfg.Lease/3) }

func same(a, b *Actor) bool {
	return a.ID == b.ID && a.Name == b.Name && a.Role == b.Role && a.Language == b.Language &&
		(a.Queues == nil) == (b.Queues == nil) && slices.Equal(a.Queues, b.Queues)
}

// canFlush reports whether a writer can flush, without flushing.
func canFlush(w http.ResponseWriter) bool {
	for {
		switch t := w.(type) {
		case interface{ FlushError() error }, http.Flusher:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return false
		}
	}
}

type eventWriter struct {
	w   http.ResponseWriter
	rc  *http.ResponseController
	buf bytes.Buffer
	err error
}

func (o *eventWriter) raw(s string) { o.buf.WriteString(s) }

func (o *eventWriter) event(id, name string, data any) {
	b, written := data.(json.RawMessage)
	if !written {
		var err error
		if b, err = json.Marshal(data); err != nil {
			o.err = err
			return
		}
	}
	if id != "" {
		fmt.Fprintf(&o.buf, "id: %s\n", id)
	}
	fmt.Fprintf(&o.buf, "event: %s\ndata: %s\n\n", name, b)
}

func (o *eventWriter) flush() {
	if o.err != nil || o.buf.Len() == 0 {
		return
	}
	if err := o.rc.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		o.err = err
		return
	}
	if _, o.err = o.w.Write(o.buf.Bytes()); o.err == nil {
		o.err = o.rc.Flush()
	}
	if o.buf.Cap() > 1<<10 {
		o.buf = bytes.Buffer{} // most pages listen for long and are told little
	}
	o.buf.Reset()
}

// write sends an event if the page's actor may know it.
func (h *Handler) write(out *eventWriter, s *stream, e *event) {
	if data := h.view.filter(&s.actor, s.session, s.class, e); data != nil {
		out.event(h.view.cursor(s.mark, e.n), e.name, data)
	}
}

// filter returns what an actor gets of an event; nil is nothing. This is where
// permissions are checked for everything that is pushed.
func (v *view) filter(a *Actor, session, class string, e *event) any {
	switch {
	case e.name == "rows":
		return v.rowsFor(a, class, e)
	case e.only != "" && e.only != a.ID:
		return nil
	case e.need != "" && !a.has(e.need):
		return nil
	case !e.id.IsZero():
		v.mu.Lock()
		ok := v.hasOpen(a, session, e)
		v.mu.Unlock()
		if !ok {
			return nil
		}
	}
	if e.say != nil {
		return e.say(a)
	}
	return e.data
}

type rowsEvent struct {
	Rows []*row    `json:"rows,omitempty"`
	Gone []goneRow `json:"gone,omitempty"`
}

// A goneRow is a handoff that the actor may no longer know of.
type goneRow struct {
	ID  string `json:"id"`
	Why string `json:"why"` // ended, forbidden
}

func (v *view) filterRows(a *Actor, changes []rowChange) any {
	var out rowsEvent
	for _, c := range changes {
		if c.now != nil {
			if r := c.now.view(a); r != nil {
				out.Rows = append(out.Rows, r)
				continue
			}
		}
		if c.old == nil || !a.sees(&c.old.facts) {
			continue
		}
		g := goneRow{ID: c.old.ID, Why: "ended"}
		if c.now != nil && c.now.State != handoff.StateEnded {
			g.Why = "forbidden"
		}
		out.Gone = append(out.Gone, g)
	}
	if out.Rows == nil && out.Gone == nil {
		return nil
	}
	return out
}

// hasOpen reports whether a page had what an event is about open when it came,
// and may read it still. v.mu is held.
func (v *view) hasOpen(a *Actor, session string, e *event) bool {
	r := v.rows[e.id]
	if r == nil || !a.reads(&r.facts) {
		return false
	}
	for _, o := range v.opened[pageOf(a, session)] {
		if o.id == e.id && o.from < e.n && o.until.After(time.Now()) {
			return true
		}
	}
	return false
}

// anyOpen reports whether any page has it open. v.mu is held.
func (v *view) anyOpen(id handoff.ID) bool {
	for _, tabs := range v.opened {
		for _, o := range tabs {
			if o.id == id {
				return true
			}
		}
	}
	return false
}

// tellEntries tells what was said to those who have it open. v.mu is held.
func (v *view) tellEntries(id handoff.ID, list []entry) {
	if len(list) == 0 || !v.anyOpen(id) {
		return
	}
	tok := token(id)
	v.publish(&event{name: "entries", id: id, say: func(*Actor) any {
		return map[string]any{"id": tok, "entries": list}
	}})
}

// changes is the long poll for pages that get no stream.
func (h *Handler) changes(c *call) (any, error) {
	q := c.r.URL.Query()
	wait := pollWait
	if s := q.Get("wait"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return nil, invalid("wait", "is no number of seconds")
		}
		wait = min(time.Duration(n)*time.Second, pollWait)
	}
	h.view.mu.Lock()
	ready := h.view.ready
	h.view.polled = time.Now()
	h.view.mu.Unlock()
	if !ready {
		return nil, errNotRunning
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), wait)
	defer cancel()
	mark, class := c.actor.mark(), c.actor.class()
	at, ok := h.view.parse(mark, q.Get("after"))
	type told struct {
		Event string `json:"event"`
		Data  any    `json:"data"`
	}
	for {
		var list []*event
		var more <-chan struct{}
		h.view.mu.Lock()
		if ok {
			list, more, ok = h.view.after(at)
		}
		next := h.view.next
		h.view.mu.Unlock()
		if !ok {
			return map[string]any{"cursor": h.view.cursor(mark, next), "events": []told{{"reset", h.anew(c)}}}, nil
		}
		var out []told
		for _, e := range list {
			if data := h.view.filter(&c.actor, q.Get("session"), class, e); data != nil {
				out = append(out, told{e.name, data})
			}
		}
		at += int64(len(list))
		if len(out) > 0 {
			if !h.still(c, &c.actor) { // it was long ago that he was asked
				out = []told{} // he asks again, and begins anew as who he is now
			}
			return map[string]any{"cursor": h.view.cursor(mark, at), "events": out}, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return map[string]any{"cursor": h.view.cursor(mark, at), "events": []told{{"ping", map[string]int64{"now": time.Now().UnixMilli()}}}}, nil
		}
	}
}
