package handoff

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// A Config says what an engine is made of. Store is required, and Directory
// where our own agents serve a queue. Every other zero value is a working
// default. A duration of zero means the default, Never (-1) switches off.
type Config struct {
	Store     Store
	Queues    []Queue
	Choose    []Choice        // which queue, for requests that name none; the first that holds
	Directory Directory       // who exists
	Presence  Presence        // who is there; nil: the Directory, if it knows (Staff does), else nobody
	Channel   Channel         // shows things to users; nil: hosts pull with FollowUser
	Bot       Bot             // is called back; nil: the bot only answers messages
	Providers []Provider      // platforms where agents work
	Sinks     map[string]Sink // named receivers of every entry
	History   History         // what was said before the engine knew
	CRM       CRM             // customer records for agents; nil: none
	Redact    Redactor        // what may be kept and passed on; nil: everything
	Router    Router          // picks agents; nil: MostSpecialised
	Notices   Notices         // words for users; nil: English
	Hooks     Hooks           // metrics and tracing
	Logger    *slog.Logger    // nil: silent. No content is logged.

	// Unwatched leaves conversations alone until somebody asks for a person.
	// Reply is then a check that is true at that moment, and shows the text
	// without a log.
	Unwatched bool

	// Escalation asks for a person by itself; the zero value is off.
	Escalation Escalation

	Rooms      VideoRooms // rooms for video sessions; nil: there are none
	Summariser Summariser // a model that sums up; nil: by rules
	Suggester  Suggester  // a model that suggests replies to agents; nil: none

	// StoreDown says what Receive answers while the store cannot be read.
	StoreDown StoreDown

	BotTimeout time.Duration // for the bot to answer a message; default 1m
	BotIdle    time.Duration // after which a quiet conversation is no longer watched; default 30m
	BotQueue   string        // where a user goes whose bot has failed; empty: he is told

	KeepEnded     time.Duration // ended handoffs are kept that long; default Never: for ever
	KeepContained time.Duration // those that no person had, and in which nothing was left for one; default and least 25h

	Poll         time.Duration // how often due work is looked for; default 1s
	Sweep        time.Duration // how often every queue is looked at; default 5s
	Lease        time.Duration // of a claim and a lead; default 10s
	Overdue      time.Duration // after which anybody delivers what somebody should have; default 5s
	StoreTimeout time.Duration // of a store call; default 10s
	SendTimeout  time.Duration // of a delivery; default 10s
	SendTries    int           // after which a failing delivery is given up; default 30
	SendFor      time.Duration // or after this time; default 24h
	Workers      int           // deliveries and timers at once; default 16
}

// StoreDown is a policy.
type StoreDown string

// What Receive does while the store cannot be read.
const (
	// StoreDownHold returns the error: nobody answers until the store is back.
	// The host repeats the message under its id.
	StoreDownHold StoreDown = ""
	// StoreDownBot returns the error together with a turn that is Blind: the
	// host may let its bot answer on its own account. A person who has the
	// conversation does not see that.
	StoreDownBot StoreDown = "bot"
)

func (c *Config) makesTickets(provider string) bool {
	return slices.ContainsFunc(c.Providers, func(p Provider) bool {
		_, ok := p.(Ticketer)
		return ok && p.Info().Name == provider
	})
}

func (c *Config) problems() []error {
	var out []error
	bad := func(field, why string) { out = append(out, &InvalidError{Field: field, Why: why}) }
	if c.Store == nil {
		bad("Store", "is required")
	}
	custody := map[string]Custody{}
	for i, p := range c.Providers {
		path := fmt.Sprintf("Providers[%d]", i)
		if p == nil {
			bad(path, "is nil")
			continue
		}
		info := p.Info()
		if err := checkName(path+".Name", info.Name); err != nil {
			out = append(out, err)
		}
		if _, ok := custody[info.Name]; ok {
			bad(path+".Name", "occurs twice")
		}
		if info.Custody != CustodyQueue && info.Custody != CustodyConversation {
			bad(path+".Custody", "is unknown")
		}
		_, push := p.(Receiver)
		_, pull := p.(Streamer)
		if !push && !pull {
			bad(path, "is neither a Receiver nor a Streamer: nothing tells what its agents do")
		}
		custody[info.Name] = info.Custody
	}
	names := map[string]bool{}
	for i := range c.Queues {
		if names[c.Queues[i].Name] {
			bad(fmt.Sprintf("Queues[%d].Name", i), "occurs twice")
		}
		names[c.Queues[i].Name] = true
	}
	for i := range c.Queues {
		q := &c.Queues[i]
		out = append(out, q.problems(fmt.Sprintf("Queues[%d]", i), names, custody)...)
		if q.Tickets != "" && !c.makesTickets(q.Tickets) {
			bad(fmt.Sprintf("Queues[%d].Tickets", i), "is not one of Providers that makes tickets")
		}
		if q.Offline.Ticket && q.Tickets == "" && !slices.ContainsFunc(q.Providers, c.makesTickets) {
			bad(fmt.Sprintf("Queues[%d].Offline.Ticket", i), "needs Tickets")
		}
		for j, rung := range q.Ladder {
			if rung.Do == Tell && c.words(q.Name, rung.Notice) == "" {
				bad(fmt.Sprintf("Queues[%d].Ladder[%d].Notice", i, j), "has no words in Notices")
			}
		}
		if len(q.Providers) == 0 && c.Directory == nil {
			bad("Directory", fmt.Sprintf("is required: queue %d has no provider", i))
		}
	}
	out = append(out, c.Escalation.problems(c, names)...)
	out = append(out, validate("Notices", c.Notices)...)
	out = append(out, validate("Rooms", c.Rooms)...)
	out = append(out, c.choiceProblems(names)...)
	if c.BotQueue != "" && !names[c.BotQueue] {
		bad("BotQueue", "is not one of Queues")
	}
	for name, sink := range c.Sinks {
		if err := checkName("Sinks", name); err != nil {
			out = append(out, err)
		}
		if sink == nil {
			bad("Sinks", "has one that is nil")
		}
		if v, ok := sink.(interface{ CheckConfig(c *Config) error }); ok {
			out = append(out, problemsOf(fmt.Sprintf("Sinks[%.40q]", name), v.CheckConfig(c))...)
		}
	}
	for _, d := range []struct {
		name string
		d    time.Duration
	}{
		{"BotTimeout", c.BotTimeout},
		{"BotIdle", c.BotIdle},
		{"KeepEnded", c.KeepEnded},
		{"KeepContained", c.KeepContained},
		{"SendFor", c.SendFor},
	} {
		if err := checkDuration(d.name, d.d); err != nil {
			out = append(out, err)
		}
	}
	for _, d := range []struct {
		name string
		n    int64
	}{
		{"Poll", int64(c.Poll)},
		{"Sweep", int64(c.Sweep)},
		{"Lease", int64(c.Lease)},
		{"Overdue", int64(c.Overdue)},
		{"StoreTimeout", int64(c.StoreTimeout)},
		{"SendTimeout", int64(c.SendTimeout)},
		{"SendTries", int64(c.SendTries)},
		{"Workers", int64(c.Workers)},
	} {
		if d.n < 0 {
			bad(d.name, "is negative")
		}
	}
	switch c.StoreDown {
	case StoreDownHold, StoreDownBot:
	default:
		bad("StoreDown", "is unknown")
	}
	return out
}

// words returns what a user without a language would be told.
func (c *Config) words(queue, notice string) string {
	if c.Notices == nil {
		return English{}.Text(Notice{Key: notice, Queue: queue})
	}
	return c.Notices.Text(Notice{Key: notice, Queue: queue})
}

// resolve fills in the defaults.
func (c *Config) resolve() {
	orDefault(&c.BotTimeout, time.Minute)
	orDefault(&c.BotIdle, 30*time.Minute)
	orDefault(&c.KeepEnded, Never)
	orDefault(&c.KeepContained, 25*time.Hour)
	orDefault(&c.Poll, time.Second)
	orDefault(&c.Sweep, 5*time.Second)
	orDefault(&c.Lease, 10*time.Second)
	orDefault(&c.Overdue, 5*time.Second)
	orDefault(&c.StoreTimeout, 10*time.Second)
	orDefault(&c.SendTimeout, 10*time.Second)
	orDefault(&c.SendFor, 24*time.Hour)
	if c.SendTries == 0 {
		c.SendTries = 30
	}
	if c.Workers == 0 {
		c.Workers = 16
	}
	if c.Router == nil {
		c.Router = MostSpecialised
	}
	if c.Notices == nil {
		c.Notices = English{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Presence == nil {
		if p, ok := c.Directory.(Presence); ok {
			c.Presence = p
		}
	}
	if c.Directory == nil {
		c.Directory = Staff(nil)
	}
	if c.Presence == nil {
		c.Presence = Staff(nil)
	}
}

func (c *Config) rules() *rules {
	r := &rules{
		queues: map[string]*Queue{}, custody: map[string]Custody{}, noters: map[string]bool{},
		bot: c.Bot != nil, channel: c.Channel != nil, unwatched: c.Unwatched,
		botTimeout: c.BotTimeout, botIdle: c.BotIdle, botQueue: cmp.Or(c.BotQueue, c.Escalation.Queue),
		silent: c.Escalation.Silent, summaries: c.Summariser != nil,
		importing: c.History != nil, keepIdle: c.KeepContained, keepEnded: c.KeepEnded,
		notices: c.Notices, fallback: Queue{}.resolve(c.Router),
	}
	tickets := map[string]bool{}
	for _, p := range c.Providers {
		info := p.Info()
		r.custody[info.Name] = info.Custody
		_, r.noters[info.Name] = p.(Noter)
		_, tickets[info.Name] = p.(Ticketer)
	}
	for _, q := range c.Queues {
		q.Ladder, q.Providers = slices.Clone(q.Ladder), slices.Clone(q.Providers)
		if i := slices.IndexFunc(q.Providers, func(p string) bool { return tickets[p] }); q.Tickets == "" && i >= 0 {
			q.Tickets = q.Providers[i]
		}
		r.queues[q.Name] = q.resolve(c.Router)
		r.remember = max(1, r.remember, q.AgentMost)
	}
	for name := range c.Sinks {
		r.sinks = append(r.sinks, name)
	}
	slices.Sort(r.sinks)
	r.labels = labels(r.queues)
	return r
}
