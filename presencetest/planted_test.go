package presencetest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/memstore"
)

// planted is a small Sessions with one bug at a time.
type planted struct {
	mu     sync.Mutex
	bug    string
	agents map[string]*person
	order  []string
}

type person struct {
	wants    bool
	activity string
	sessions map[string]*sitting
	online   bool
	since    time.Time
}

type sitting struct {
	expires time.Time
	ended   bool
}

func (p *planted) is(bug string) bool { return p.bug == bug }

func (p *planted) key(agent string) string {
	switch p.bug {
	case "names folded":
		return strings.ToLower(agent)
	case "names trimmed":
		return strings.TrimSpace(agent)
	}
	return agent
}

func (p *planted) session(agent, session string) string {
	if p.is("agents mixed up") {
		return agent + "/" + session
	}
	return session
}

func (p *planted) person(agent string) *person {
	agent = p.key(agent)
	if p.agents[agent] == nil {
		p.agents[agent] = &person{sessions: map[string]*sitting{}}
		p.order = append(p.order, agent)
	}
	return p.agents[agent]
}

// table returns where a person's sessions are.
func (p *planted) table(a *person) map[string]*sitting {
	if p.is("agents mixed up") || p.is("session ids are global") {
		return p.person("everybody").sessions
	}
	return a.sessions
}

func (a *person) last() (last time.Time, some bool) {
	for _, s := range a.sessions {
		if !s.ended && s.expires.After(last) {
			last, some = s.expires, true
		}
	}
	return last, some
}

// state computes the availability at a time.
func (p *planted) state(a *person, now time.Time) (bool, time.Time) {
	last, some := a.last()
	if p.is("expiry ignored") && some {
		last = now.Add(time.Hour)
	}
	alive := last.After(now) || p.is("alive at the expiry") && last.Equal(now)
	wants := a.wants
	switch p.bug {
	case "intent is enough":
		alive = true
	case "a session is enough":
		wants = true
	case "only the first session counts":
		alive = false
		for id, s := range a.sessions {
			if (id == "s" || id == "s1") && !s.ended && s.expires.After(now) {
				alive = true
			}
		}
	}
	online := wants && alive
	if online == a.online {
		return online, a.since
	}
	if !online && a.wants && !alive && some {
		if p.is("expired since it was asked") {
			return online, now
		}
		return online, last
	}
	return online, now
}

func (p *planted) write(agent string, now time.Time, f func(a *person) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.person(agent)
	if !p.is("a late write hides an expiry") {
		a.online, a.since = p.state(a, now)
	}
	was := a.online
	if a.since.IsZero() {
		a.since = now
	}
	err := f(a)
	a.online, a.since = p.state(a, now)
	if a.online != was && !p.is("a late write hides an expiry") {
		a.since = now
	}
	return err
}

func (p *planted) Want(_ context.Context, agent string, online bool, activity string, now time.Time) error {
	return p.write(agent, now, func(a *person) error {
		a.wants, a.activity = online, activity
		if p.is("activity kept") && a.activity != "" {
			a.activity = "busy"
		}
		if p.is("wanting again moves Since") {
			a.since = now
		}
		if p.is("logging out ends the sessions") && !online {
			clear(a.sessions)
		}
		return nil
	})
}

func (p *planted) Begin(_ context.Context, agent, session string, now, expires time.Time) error {
	session = p.session(agent, session)
	return p.write(agent, now, func(a *person) error {
		all := p.table(a)
		if old := all[session]; old != nil {
			switch {
			case p.is("ended id reused") && old.ended, p.is("expired id reused") && !old.expires.After(now),
				p.is("live id begun again") && !old.ended && old.expires.After(now):
			case p.is("a refused Begin extends"):
				old.expires = expires
				return handoff.ErrDuplicate
			default:
				return handoff.ErrDuplicate
			}
		}
		all[session] = &sitting{expires: expires}
		a.sessions[session] = all[session]
		if p.is("begin changes intent") {
			a.wants = true
		}
		if p.is("begin moves Since") {
			a.since = now
		}
		return nil
	})
}

func (p *planted) Beat(_ context.Context, agent, session string, now, expires time.Time) error {
	session = p.session(agent, session)
	if a := p.agents[p.key(agent)]; a == nil && !p.is("beat makes strangers known") {
		return handoff.ErrNotFound
	}
	return p.write(agent, now, func(a *person) error {
		s := a.sessions[session]
		switch {
		case s == nil && p.is("beat begins"):
			a.sessions[session] = &sitting{expires: expires}
			return nil
		case s == nil:
			return handoff.ErrNotFound
		case s.ended && p.is("beat revives ended"):
			s.ended = false
		case !s.expires.After(now) && p.is("beat revives expired"):
		case s.expires.Equal(now) && p.is("beat at the expiry"):
		case s.ended || !s.expires.After(now):
			if p.is("late beat is silent") {
				return nil
			}
			return handoff.ErrNotFound
		}
		if p.is("beat does nothing") {
			return nil
		}
		if expires.After(s.expires) || p.is("earlier expiry shortens") {
			s.expires = expires
		} else if p.is("earlier expiry is an error") {
			return handoff.ErrConflict
		}
		if p.is("beat moves Since") {
			a.since = now
		}
		return nil
	})
}

func (p *planted) End(_ context.Context, agent, session string, now time.Time) error {
	session = p.session(agent, session)
	if a := p.agents[p.key(agent)]; a == nil && !p.is("end makes strangers known") {
		return nil
	}
	return p.write(agent, now, func(a *person) error {
		s := p.table(a)[session]
		switch {
		case s == nil && p.is("end of nothing is an error"):
			return handoff.ErrNotFound
		case p.is("one end ends all"):
			for _, s := range a.sessions {
				s.ended = true
			}
		case s == nil || p.is("end does nothing"):
			return nil
		case p.is("end forgets the id"):
			delete(a.sessions, session)
		default:
			s.ended = true
		}
		if p.is("end changes intent") {
			a.wants = false
		}
		if p.is("end moves Since") {
			a.since = now
		}
		return nil
	})
}

func (p *planted) Agents(_ context.Context, ids []string, now time.Time) ([]handoff.Status, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []handoff.Status
	for _, id := range ids {
		st := handoff.Status{Agent: id}
		a := p.agents[p.key(id)]
		if a == nil && p.is("unknown is offline") {
			st.Availability = handoff.Offline
		}
		if a == nil && p.is("unknown is left out") {
			continue
		}
		if a != nil {
			online, since := p.state(a, now)
			st.Availability, st.Since, st.Activity = handoff.Offline, since, a.activity
			if online {
				st.Availability = handoff.Online
			}
			if p.is("Since is never told") {
				st.Since = time.Time{}
			}
			if p.is("asking writes") {
				for _, s := range a.sessions {
					s.ended = s.ended || !s.expires.After(now)
				}
				a.online, a.since = online, since
			}
			if p.is("activity is lost") {
				st.Activity = ""
			}
		}
		out = append(out, st)
	}
	switch {
	case p.is("ids sorted"):
		slices.SortFunc(out, func(a, b handoff.Status) int { return strings.Compare(a.Agent, b.Agent) })
	case p.is("repeats left out"):
		out = slices.CompactFunc(out, func(a, b handoff.Status) bool { return a.Agent == b.Agent })
		seen := map[string]bool{}
		out = slices.DeleteFunc(out, func(s handoff.Status) bool { defer func() { seen[s.Agent] = true }(); return seen[s.Agent] })
	case p.is("a thousand at most"):
		out = out[:min(len(out), 1000)]
	}
	return out, nil
}

func verdictOn(t *testing.T, bug string) string {
	t.Helper()
	var all []string
	for _, c := range sessionCases() {
		all = append(all, c.run(t.Context(), &planted{bug: bug, agents: map[string]*person{}})...)
	}
	return strings.Join(all, "\n")
}

// Each planted bug is caught, with the rule that it breaks.
func TestPlantedSessions(t *testing.T) {
	require.Empty(t, verdictOn(t, ""), "without a bug nothing is found")
	for bug, rule := range map[string]string{
		"beat revives ended":            "a heartbeat never revives a session that has ended",
		"beat revives expired":          "a heartbeat never revives a session that has expired",
		"beat at the expiry":            "a heartbeat never revives a session that has expired",
		"late beat is silent":           "it returns ErrNotFound",
		"beat begins":                   "a heartbeat begins nothing",
		"beat makes strangers known":    "a heartbeat begins nothing",
		"beat does nothing":             "a heartbeat extends a live session",
		"beat moves Since":              "does not change since when",
		"earlier expiry shortens":       "a heartbeat with an earlier expiry",
		"earlier expiry is an error":    "a heartbeat with an earlier expiry",
		"begin changes intent":          "beginning a session never changes what the agent wants",
		"begin moves Since":             "the others come and go without changing since when",
		"intent is enough":              "never by one of the two alone",
		"a session is enough":           "never by one of the two alone",
		"expiry ignored":                "a session lives until it expires",
		"alive at the expiry":           "a session lives until it expires",
		"expired since it was asked":    "the agent is offline since that time",
		"a late write hides an expiry":  "also when it began with an expiry that nobody noticed",
		"asking writes":                 "times are arguments",
		"only the first session counts": "while at least one of his sessions",
		"one end ends all":              "while at least one of his sessions lives",
		"end does nothing":              "offline since his last live one ended or expired",
		"end forgets the id":            "a session id that the agent used before is ErrDuplicate",
		"end of nothing is an error":    "ending a session that is not there is no error",
		"end makes strangers known":     "ending a session that is not there is no error and changes nothing",
		"end moves Since":               "ending a session that is not there is no error and changes nothing",
		"end changes intent":            "the others come and go",
		"ended id reused":               "a session id that the agent used before is ErrDuplicate",
		"expired id reused":             "a session id that the agent used before is ErrDuplicate",
		"live id begun again":           "a session id that the agent used before is ErrDuplicate",
		"a refused Begin extends":       "and changes nothing",
		"logging out ends the sessions": "the availability changes at once with what the agent wants",
		"wanting again moves Since":     "wanting the same again is no change",
		"activity kept":                 "the agent's own word",
		"activity is lost":              "the agent's own word",
		"Since is never told":           "Since says since when the availability holds",
		"unknown is offline":            "an id that the presence never heard of is Unknown",
		"unknown is left out":           "Agents returns one status for each id",
		"ids sorted":                    "in the order of ids",
		"repeats left out":              "one status for each id",
		"a thousand at most":            "however many",
		"names folded":                  "names are compared as bytes",
		"names trimmed":                 "names are compared as bytes",
		"agents mixed up":               "names are compared as bytes",
		"session ids are global":        "a session belongs to its agent",
	} {
		t.Run(bug, func(t *testing.T) {
			found := verdictOn(t, bug)
			require.NotEmpty(t, found, "the suite misses it")
			assert.Contains(t, found, rule)
		})
	}
}

// wrong is a foreign presence with one bug at a time.
type wrong struct {
	handoff.Presence
	bug string
}

func (w wrong) Agents(ctx context.Context, ids []string, now time.Time) ([]handoff.Status, error) {
	list, err := w.Presence.Agents(ctx, ids, now)
	for i := range list {
		switch st := &list[i]; {
		case w.bug == "unknown is offline" && st.Availability == handoff.Unknown, w.bug == "all offline":
			st.Availability = handoff.Offline
		case w.bug == "Since is to come":
			st.Since = now.Add(time.Hour)
		case w.bug == "other words":
			st.Availability = "available"
		}
	}
	switch w.bug {
	case "ids sorted":
		slices.SortFunc(list, func(a, b handoff.Status) int { return strings.Compare(a.Agent, b.Agent) })
	case "known only":
		list = slices.DeleteFunc(list, func(s handoff.Status) bool { return s.Availability == handoff.Unknown })
	case "everybody for nobody":
		if len(ids) == 0 {
			return []handoff.Status{{Agent: "on"}}, nil
		}
	}
	return list, err
}

func TestPlantedPresence(t *testing.T) {
	check := func(t *testing.T, bug string) string {
		p, now := memstore.NewPresence(), time.Now()
		require.NoError(t, p.Want(t.Context(), "on", true, "", now))
		require.NoError(t, p.Begin(t.Context(), "on", "s", now, now.Add(time.Hour)))
		require.NoError(t, p.Want(t.Context(), "off", false, "", now))
		return strings.Join(checkFloor(t.Context(), Floor{Presence: wrong{p, bug}, Online: []string{"on"}, Offline: []string{"off"}}), "\n")
	}
	require.Empty(t, check(t, ""))
	for bug, rule := range map[string]string{
		"unknown is offline":   "never heard of is Unknown",
		"all offline":          "an availability is online, offline or unknown",
		"other words":          "an availability is online, offline or unknown",
		"Since is to come":     "never a time to come",
		"ids sorted":           "in the order of ids",
		"known only":           "one status for each id",
		"everybody for nobody": "asking about nobody",
	} {
		t.Run(bug, func(t *testing.T) { assert.Contains(t, check(t, bug), rule) })
	}
}

// directory is a DirectoryWriter with one bug at a time.
type directory struct {
	*memstore.Directory
	bug  string
	mine map[string]handoff.Agent // kept without a copy
}

func (d directory) Get(ctx context.Context, id string) (handoff.Agent, error) {
	switch d.bug {
	case "names folded":
		id = strings.ToLower(id)
	case "a stranger is empty":
		a, _ := d.Directory.Get(ctx, id)
		return a, nil
	case "shares its maps":
		if a, ok := d.mine[id]; ok {
			return a, nil
		}
	}
	a, err := d.Directory.Get(ctx, id)
	if d.bug == "Get tells less" {
		a.Queues = nil
	}
	return a, err
}

func (d directory) List(ctx context.Context, queue string) ([]handoff.Agent, error) {
	if d.bug == "queue ignored" {
		queue = ""
	}
	list, err := d.Directory.List(ctx, queue)
	if d.bug == "unsorted" {
		slices.Reverse(list)
	}
	if d.bug == "one is missing" && queue != "" && len(list) > 1 {
		list = list[1:]
	}
	if d.bug == "an unknown queue fails" && len(list) == 0 {
		return nil, handoff.ErrNotFound
	}
	return list, err
}

func (d directory) Put(ctx context.Context, a handoff.Agent) error {
	d.mine[a.ID] = a
	old, err := d.Directory.Get(ctx, a.ID)
	switch {
	case d.bug == "Put merges" && err == nil && a.Name == "":
		a.Name = old.Name
	case d.bug == "levels lost":
		a.Skills = nil
	}
	return d.Directory.Put(ctx, a)
}

func (d directory) Delete(ctx context.Context, id string) error {
	delete(d.mine, id)
	if d.bug == "Delete does nothing" {
		return nil
	}
	return d.Directory.Delete(ctx, id)
}

func TestPlantedDirectory(t *testing.T) {
	check := func(t *testing.T, bug string) string {
		d := directory{memstore.NewDirectory(handoff.Agent{ID: "a", Queues: []string{"q"}}, handoff.Agent{ID: "b", Queues: []string{"q"}},
			handoff.Agent{ID: "c", Queues: []string{"other"}}), bug, map[string]handoff.Agent{}}
		return strings.Join(checkDirectory(t.Context(), d), "\n")
	}
	require.Empty(t, check(t, ""))
	for bug, rule := range map[string]string{
		"names folded":           "names are compared as bytes",
		"a stranger is empty":    "Get returns ErrNotFound",
		"shares its maps":        "can be changed without changing the directory",
		"Get tells less":         "List and Get tell the same",
		"queue ignored":          "all of them and nobody else",
		"one is missing":         "all of them and nobody else",
		"unsorted":               "sorted by ID",
		"an unknown queue fails": "a queue without agents is an empty list",
		"Put merges":             "Put replaces the agent",
		"levels lost":            "Put keeps every field",
		"Delete does nothing":    "Delete removes an agent",
	} {
		t.Run(bug, func(t *testing.T) { assert.Contains(t, check(t, bug), rule) })
	}
}
