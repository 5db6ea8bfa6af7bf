package desk

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-2a427302/handoff"
)

// window is how many rows of a list a page is given at once.
const window = 200

// snapshot is what a page needs to begin, or after it lost track. Of a list that
// is longer than what it holds, next says how to go on: see list.
func (h *Handler) snapshot(c *call) (any, error) {
	h.view.mu.Lock()
	ready, cursor := h.view.ready, h.view.cursor(c.actor.mark(), h.view.next)
	lists := map[string][]*row{}
	for _, r := range h.view.rows {
		if !c.actor.sees(&r.facts) {
			continue
		}
		lists[listOf(r, &c.actor)] = append(lists[listOf(r, &c.actor)], r)
	}
	counts, seen := h.view.countsFor(&c.actor), h.view.readBy(c.actor.ID)
	h.view.mu.Unlock()
	if !ready {
		return nil, errNotRunning
	}
	var out []*row
	totals, next := map[string]int{}, map[string]string{}
	for name, list := range lists {
		totals[name] = len(list)
		by := usual(name)
		slices.SortFunc(list, by.compare)
		if name != "mine" && len(list) > window {
			list = list[:window]
			next[name] = by.key(list[window-1]).String()
		}
		h.fill(c.ctx(), list)
		for _, r := range list {
			out = append(out, r.view(&c.actor))
		}
	}
	return map[string]any{
		"cursor": cursor, "now": serverTime(), "me": h.me(&c.actor), "lists": h.lists(&c.actor), "rows": out, "totals": totals, "next": next,
		"queues": counts, "seen": seen,
	}, nil
}

// anew is a snapshot for an event, or nothing where there is none now: the page
// asks for it then.
func (h *Handler) anew(c *call) any {
	s, err := h.snapshot(c)
	if err != nil {
		return struct{}{}
	}
	return s
}

// listOf says in which list of a page a row stands.
func listOf(r *row, a *Actor) string {
	switch {
	case r.Agent == a.ID && r.State != handoff.StateEnded:
		return "mine"
	case r.waits():
		return "new"
	case r.State == handoff.StateBot:
		return "bot"
	}
	return "others"
}

// An order is one in which a list can be read.
type order string

const (
	served  order = "priority" // as the queue is served: priority, then who came first
	longest order = "longest"  // who came first
	newest  order = "newest"   // who came last
	recent  order = "recent"   // to whom something happened last
)

// usual is the order of a list that nobody asked for another.
func usual(list string) order {
	if list == "bot" { // nobody waits there: what goes on is what is worth a look
		return recent
	}
	return served
}

// A key is where a row stands in a list: what is the same for two rows is settled
// by the next, and nothing is the same for all three.
type key struct {
	priority int // negative: the highest comes first
	at       int64
	id       string
}

func (o order) key(r *row) key {
	switch o {
	case longest:
		return key{at: since(r), id: r.ID}
	case newest:
		return key{at: -since(r), id: r.ID}
	case recent:
		return key{at: -cmp.Or(r.LastUser, r.Updated), id: r.ID}
	default:
		return key{priority: -r.Priority, at: since(r), id: r.ID}
	}
}

func (k key) compare(o key) int {
	return cmp.Or(cmp.Compare(k.priority, o.priority), cmp.Compare(k.at, o.at), strings.Compare(k.id, o.id))
}

func (o order) compare(a, b *row) int { return o.key(a).compare(o.key(b)) }

// String and parseKey make a key the cursor of a page, and back.
func (k key) String() string {
	return strconv.Itoa(k.priority) + "," + strconv.FormatInt(k.at, 10) + "," + k.id
}

func parseKey(s string) (key, bool) {
	part := strings.SplitN(s, ",", 3)
	if len(part) != 3 {
		return key{}, false
	}
	priority, err := strconv.Atoi(part[0])
	at, err2 := strconv.ParseInt(part[1], 10, 64)
	return key{priority, at, part[2]}, err == nil && err2 == nil
}

func since(r *row) int64 {
	if r.Enqueued != 0 {
		return r.Enqueued
	}
	return r.Created
}

// fill reads what was said last in rows that nobody has looked at yet.
func (h *Handler) fill(ctx context.Context, list []*row) {
	var need []int
	h.view.mu.Lock()
	for i, r := range list {
		if r.Last == nil {
			need = append(need, i)
		}
	}
	h.view.mu.Unlock()
	_ = together(ctx, 4, len(need), func(ctx context.Context, n int) error { // a row without it is only less telling
		i := need[n]
		log, err := h.engine.Log(ctx, list[i].facts.id, max(0, list[i].Seq-30), 60)
		if err != nil {
			return err
		}
		full := *list[i]
		if full.Last = lastSaid(log, h.labelsOf(full.Queue)); full.Last == nil {
			full.Last = &said{}
		}
		h.view.mu.Lock()
		if now := h.view.rows[full.facts.id]; now == list[i] {
			h.view.rows[full.facts.id] = &full
		}
		h.view.mu.Unlock()
		list[i] = &full
		return nil
	})
}

// list pages through what is open, in pages of 200 rows:
//
//	list   new (default), mine, others, bot, or all: the first three
//	queue  only this one's
//	q      only those with this text in the user's name, the agent's, a tag or a
//	       skill, in whatever case. What was said is not looked at: the desk does
//	       not know it of every row.
//	sort   priority (default): as the queue is served; longest or newest: who came
//	       first or last, whatever the priority; recent (default of bot): to whom
//	       something happened last
//	after  next of the page before, in the same order: what comes behind it
//
// The answer has rows; total, which counts all that pass the filter, from the
// first on; and next, if there are more. After is a place, not a number of rows:
// what arrives or goes meanwhile makes no hole. A page is told of that by its
// events anyway.
func (h *Handler) list(c *call) (any, error) {
	in, p := parseListing(c.r.URL.Query())
	if p != nil {
		return nil, p
	}
	h.view.mu.Lock()
	ready := h.view.ready
	var list []*row
	for _, r := range h.view.rows {
		if c.actor.sees(&r.facts) && in.wants(r, &c.actor) {
			list = append(list, r)
		}
	}
	h.view.mu.Unlock()
	if !ready {
		return nil, errNotRunning
	}
	slices.SortFunc(list, in.order.compare)
	total := len(list)
	if in.after != nil {
		at, _ := slices.BinarySearchFunc(list, *in.after, func(r *row, k key) int {
			if in.order.key(r).compare(k) <= 0 {
				return -1
			}
			return 1
		})
		list = list[at:]
	}
	answer := map[string]any{"total": total}
	if len(list) > window {
		list = list[:window]
		answer["next"] = in.order.key(list[window-1]).String()
	}
	h.fill(c.ctx(), list)
	out := []*row{}
	for _, r := range list {
		out = append(out, r.view(&c.actor))
	}
	answer["rows"] = out
	return answer, nil
}

// A listing is what somebody wants to see of what is open.
type listing struct {
	list, queue, text string
	order             order
	after             *key
}

func parseListing(q url.Values) (in listing, p *problem) {
	in = listing{list: cmp.Or(q.Get("list"), "new"), queue: q.Get("queue"), text: strings.ToLower(strings.TrimSpace(q.Get("q")))}
	if !slices.Contains([]string{"new", "mine", "others", "bot", "all"}, in.list) {
		return in, invalid("list", "is none of the lists")
	}
	if len(in.queue) > 500 || len(in.text) > 500 {
		return in, invalid("filter", "is too long")
	}
	in.order = cmp.Or(order(q.Get("sort")), usual(in.list))
	if !slices.Contains([]order{served, longest, newest, recent}, in.order) {
		return in, invalid("sort", "is none of the orders")
	}
	if s := q.Get("after"); s != "" {
		k, ok := parseKey(s)
		if !ok {
			return in, invalid("after", "is no place in a list")
		}
		in.after = &k
	}
	return in, nil
}

// wants reports whether a row, which the actor sees, is one of those.
func (in *listing) wants(r *row, a *Actor) bool {
	switch of := listOf(r, a); {
	case of != in.list && (in.list != "all" || of == "bot"):
		return false
	case in.queue != "" && r.Queue != in.queue:
		return false
	case in.text == "":
		return true
	}
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), in.text) }
	return has(r.Name) || has(r.AgentName) || slices.ContainsFunc(r.Skills, func(s handoff.Skill) bool { return has(s.Name) }) ||
		a.reads(&r.facts) && slices.ContainsFunc(r.Tags, has) // nor is he told by what is found
}
