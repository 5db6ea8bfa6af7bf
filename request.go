package handoff

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"
)

// A Request asks for a person.
type Request struct {
	// Conversation is whose user it is about. Turn says that the bot asks, and
	// with which right; it may stand in place of Conversation.
	Conversation string
	Turn         Turn

	Queue     string // empty: Config.Choose does
	Skills    []Skill
	Language  string // agents must speak it; empty: any
	Mode      Mode
	Priority  int
	Within    time.Duration // in a queue with a Target: instead of it
	Preferred string        // an agent to ask first
	Exclude   []string      // agents who must not get it

	Reason  Reason // why; default ReasonUser
	Flags   []string
	Tags    []string
	Note    string            // for the agent
	Summary string            // for the agent
	Data    map[string]string // variables, for the agent
	Answers map[string]string // intake answers that the bot has already, as good as given to the form of Queue; see Engine.Request
	History []Past            // what was said before, if the host has no Config.History
	NoForm  bool              // do not ask the queue's intake form

	User    *Contact
	Channel string
	Locale  string // the user's language for notices
	URL     string

	ID string // makes the call idempotent; empty: one request at a time is
}

// A Requested is what became of a request.
type Requested struct {
	Handoff  Handoff
	Place    Place // unknown while no queue of ours has it
	Turn     Turn  // open when the bot goes on while the user waits
	Existing bool  // there was an open request already
}

func (r *Request) check() error {
	for _, s := range r.History {
		switch s.From.Role {
		case "", RoleUser, RoleBot, RoleAgent, RoleSupervisor:
		default:
			return &InvalidError{Field: "Request.History.From.Role", Why: "is unknown"}
		}
		if err := first(checkName("Request.History.ID", s.ID), checkText("Request.History.Text", s.Text),
			checkFiles("Request.History", s.Files)); err != nil {
			return err
		}
	}
	if len(r.History) > maxPast {
		return &InvalidError{Field: "Request.History", Why: "has more than " + strconv.Itoa(maxPast) + " messages"}
	}
	n := r.need()
	if n.Queue == "" {
		n.Queue = "?" // to be chosen
	}
	return first(checkName("Request.Conversation", r.Conversation), n.check("Request"), r.User.check("Request.User"),
		checkOptional("Request.Reason", string(r.Reason)), checkNames("Request.Flags", r.Flags), checkNames("Request.Tags", r.Tags),
		checkText("Request.Note", r.Note), checkText("Request.Summary", r.Summary), checkMap("Request.Data", r.Data),
		checkMap("Request.Answers", r.Answers), checkOptional("Request.Channel", r.Channel),
		checkOptional("Request.Locale", r.Locale), checkText("Request.URL", r.URL), checkOptional("Request.ID", r.ID))
}

func (r *Request) need() Need {
	return Need{
		Queue: r.Queue, Skills: r.Skills, Language: r.Language, Mode: r.Mode, Priority: r.Priority, Within: r.Within,
		Preferred: r.Preferred, Exclude: r.Exclude,
	}
}

// Request asks for a person. It is idempotent: while a request of the
// conversation is open, that one is returned. The user is told only after it
// is stored.
//
// Answers to fields of the queue's form are checked as [Engine.Answer] checks
// them, lead where it would lead, and are not asked for again. With those that
// lead to another queue, and nothing left to ask before it, that queue is asked
// at the door. A queue that answers lead to, or that it is diverted to, and that
// does not serve users in the Mode of the request does it in its own.
//
// A request with a turn is refused with ErrStale when the turn is over. A
// queue that is closed, full or without agents gives an *UnavailableError; the
// attempt is recorded with what the request brought, the bot keeps control and
// its turn stays good.
func (e *Engine) Request(ctx context.Context, r Request) (Requested, error) {
	if r.Conversation == "" {
		r.Conversation = r.Turn.Conversation
	}
	if r.Reason == "" {
		r.Reason = ReasonUser
	}
	if err := first(checkContext(ctx), r.check()); err != nil {
		return Requested{}, err
	}
	q, err := e.queueFor(ctx, &r)
	if err != nil {
		return Requested{}, err
	}
	if r.Turn.Call != "" && r.Turn.Conversation != r.Conversation {
		return Requested{}, &InvalidError{Field: "Request.Turn", Why: "is of another conversation"}
	}
	if err := q.allows("Request.Mode", r.Mode); err != nil {
		return Requested{}, err
	}
	if r.Preferred != "" {
		if _, err := e.agent(ctx, "Request.Preferred", r.Preferred); err != nil {
			return Requested{}, err
		}
	}
	if err := e.checkSkills(ctx, "Request.Skills", q, r.Skills); err != nil {
		return Requested{}, err
	}
	ways, err := e.ways(&r, q)
	if err != nil {
		return Requested{}, err
	}
	c := r.command(ways[0])
	op := "request/" + r.ID
	if r.ID == "" {
		op = "request/" + newID()
	}
	var unknown error
	for try := 0; ; try++ {
		look := e.latest
		if try == 0 && e.tx == nil {
			// Few conversations were erased. In one that was, the first number
			// is used up, and opening it conflicts.
			look = e.newest
		}
		h, err := look(ctx, r.Conversation)
		var out Requested
		if err == nil {
			out, err = e.request(ctx, &r, h, ways, c, op)
		}
		switch {
		case errors.Is(err, ErrConflict) || errors.Is(err, ErrDuplicate):
		case isUnknown(err) && try < 3:
			unknown = err
		default:
			if isUnknown(err) {
				unknown = err
			}
			return out, unclear(unknown, err)
		}
		if try >= tries {
			return out, unclear(unknown, err)
		}
		if err := backOff(ctx, err, try); err != nil {
			return Requested{}, unclear(unknown, err)
		}
	}
}

func (r *Request) command(w way) cRequest {
	c := cRequest{
		who: Party{Role: RoleUser}, need: r.need(), reason: r.Reason,
		about: about{user: r.User, language: r.Locale, channel: r.Channel, url: r.URL},
		flags: slices.Clone(r.Flags), tags: slices.Clone(r.Tags), note: r.Note, summary: r.Summary,
		data: r.Data, answers: r.Answers, past: slices.Clone(r.History), skip: r.NoForm, units: 1,
	}
	c.wanted = w.queue.Name
	c.need.Exclude = slices.Clone(r.Exclude)
	c.take(w, r.Mode)
	if r.Turn.Call != "" {
		c.who = Party{Role: RoleBot, ID: r.Turn.Bot}
		if !r.Turn.Unwatched {
			c.turn = &r.Turn
		}
	}
	return c
}

// request settles a request in the conversation whose latest handoff is h.
func (e *Engine) request(ctx context.Context, r *Request, h *Handoff, ways []way, c cRequest, op string) (Requested, error) {
	open := h != nil && h.IsOpen()
	if open && h.State != StateBot {
		if found, err := e.entry(ctx, h.ID, op); err != nil || found == nil {
			if err == nil && c.turn != nil && (c.turn.Number != h.ID.Number || c.turn.Epoch != h.Epoch) {
				err = ErrStale
			}
			if err != nil {
				return Requested{}, err
			}
		}
		out, err := e.requested(ctx, h)
		out.Existing = true
		return out, err
	}
	if r.Turn.Call != "" && r.Turn.Unwatched && (h != nil && (h.ID.Number != r.Turn.Number || h.Epoch != r.Turn.Epoch) || open) {
		return Requested{}, e.giveBack(ctx, r.Turn)
	}
	if !open && c.turn != nil {
		return Requested{}, ErrStale
	}
	if open {
		past, err := e.unknownPast(ctx, h, c.past)
		if err != nil {
			return Requested{}, err
		}
		c.past = past
	}
	var o outcome
	var err error
	var refused *UnavailableError
	for _, w := range ways {
		c.take(w, r.Mode)
		door, derr := e.door(ctx, w.queue, &c.need)
		if derr != nil {
			return Requested{}, derr
		}
		if door == nil {
			o, err = e.settle(ctx, h, open, r, c, op)
			if !errors.Is(err, ErrUnavailable) {
				refused = nil
				break
			}
			door = &UnavailableError{Queue: w.queue.Name, Why: ReasonFull} // the key of its length is held
		}
		if refused == nil {
			refused = door
		}
	}
	if refused != nil {
		c.take(ways[0], r.Mode)
		o, err = e.settle(ctx, h, open, r, cRefuse{request: c, why: refused}, op)
	}
	if err != nil {
		return Requested{}, err
	}
	if refused != nil {
		refused.Record = o.h.ID
		out := Requested{Handoff: *o.h, Turn: r.Turn}
		if !open {
			out.Turn, err = e.freshTurn(ctx, o.h, r.Turn)
		}
		return out, errors.Join(err, refused)
	}
	return e.requested(ctx, o.h)
}

// settle commits what becomes of a request, in the open handoff or in a new one.
func (e *Engine) settle(ctx context.Context, h *Handoff, open bool, r *Request, c command, op string) (outcome, error) {
	if open {
		return e.apply(ctx, h, c, op)
	}
	return e.openNext(ctx, r.Conversation, h, append(e.asked(r.Turn), named{c, op})...)
}

// freshTurn returns the turn for the messages of an unwatched one, in the
// handoff that now watches them.
func (e *Engine) freshTurn(ctx context.Context, h *Handoff, t Turn) (Turn, error) {
	if n := len(t.Messages); n > 0 {
		return e.turn(ctx, h, receiveCall(t.Messages[n-1].ID))
	}
	return Turn{Conversation: h.ID.Conversation, Number: h.ID.Number, Epoch: h.Epoch, State: h.State, Bot: h.Bot}, nil
}

// asked turns the messages of an unwatched turn into messages of the handoff
// that is being opened.
func (e *Engine) asked(t Turn) []command {
	var out []command
	if t.Unwatched {
		for _, m := range t.Messages {
			out = append(out, cReceive{said: said{id: m.ID, text: m.Text, files: m.Files, payload: m.Payload, at: m.At}})
		}
	}
	return out
}

// named is a command within another one, with entries under its own name.
type named struct {
	command
	op string
}

func (n named) apply(x *change) error {
	op, made := x.op, x.made
	x.op, x.made = n.op, 0
	err := n.command.apply(x)
	x.op, x.made = op, made
	return err
}

func (e *Engine) requested(ctx context.Context, h *Handoff) (Requested, error) {
	out := Requested{Handoff: *h}
	out.Turn = Turn{Conversation: h.ID.Conversation, Number: h.ID.Number, Epoch: h.Epoch, State: h.State, Bot: h.Bot}
	if h.Controller().Role == RoleBot && len(h.own.Calls) > 0 {
		t, err := e.turn(ctx, h, h.own.Calls[len(h.own.Calls)-1].ID)
		if err != nil {
			return out, err
		}
		out.Turn = t
	}
	if h.State == StateWaiting || h.State == StateOffered {
		p, err := e.place(ctx, h)
		if err != nil {
			return out, nil //nolint:nilerr // the request is stored; its place is only a courtesy
		}
		out.Place = p
	}
	return out, nil
}

// A Response is an answer to an intake form.
type Response struct {
	Field string // empty: the field that is asked now
	Value string
	Skip  bool // leave this field out
	Back  bool // ask the field before again
	Rest  bool // leave out all that is left
	ID    string
}

// Answer takes an answer to the intake form. An answer that is not valid is an
// *InvalidError that names the field, and the question stays.
func (e *Engine) Answer(ctx context.Context, conversation string, r Response) (Handoff, error) {
	if err := first(checkName("conversation", conversation), checkOptional("Response.Field", r.Field),
		checkText("Response.Value", r.Value), checkOptional("Response.ID", r.ID)); err != nil {
		return Handoff{}, err
	}
	h, err := e.Open(ctx, conversation)
	if err != nil {
		return Handoff{}, err
	}
	op := "answer/" + r.ID
	if r.ID == "" {
		op = "answer/" + newID()
	}
	o, err := e.do(ctx, h.ID, op, func(h *Handoff) (command, error) {
		c := cAnswer{field: r.Field, value: r.Value, skip: r.Skip, back: r.Back, all: r.Rest}
		d, err := e.formDoor(ctx, h, r)
		c.facts = d
		return c, err
	})
	return e.result(o, err)
}

// Cancel is the user who no longer wants a person; left says that he has gone.
// Cancelling what is not open is a *StateError.
func (e *Engine) Cancel(ctx context.Context, conversation string, left bool) (Handoff, error) {
	if err := checkName("conversation", conversation); err != nil {
		return Handoff{}, err
	}
	h, err := e.latest(ctx, conversation)
	if err != nil {
		return Handoff{}, err
	}
	if h == nil || h.own.Tombstone {
		return Handoff{}, ErrNotFound
	}
	o, err := e.do(ctx, h.ID, "cancel", func(*Handoff) (command, error) {
		return cCancel{who: Party{Role: RoleUser}, left: left}, nil
	})
	return e.result(o, err)
}

// LeaveMessage stores a message for a team that is not there: an offline form
// or a wish to be called back.
func (e *Engine) LeaveMessage(ctx context.Context, id ID, text string, data map[string]string) (Handoff, error) {
	if err := first(checkID(id), checkText("text", text), checkMap("data", data)); err != nil {
		return Handoff{}, err
	}
	if text == "" && len(data) == 0 {
		return Handoff{}, &InvalidError{Field: "text", Why: "is empty"}
	}
	o, err := e.do(ctx, id, "leave/"+strconv.FormatUint(hash(text), 16), func(*Handoff) (command, error) {
		return cLeave{who: Party{Role: RoleUser}, text: text, data: data}, nil
	})
	return e.result(o, err)
}

// Rate stores what the user thought of a human stretch, from 1 to 5, once.
func (e *Engine) Rate(ctx context.Context, id ID, score int, comment string) (Handoff, error) {
	if err := first(checkID(id), checkText("comment", comment)); err != nil {
		return Handoff{}, err
	}
	if score < 1 || score > 5 {
		return Handoff{}, &InvalidError{Field: "score", Why: "is not between 1 and 5"}
	}
	o, err := e.do(ctx, id, "rate", func(*Handoff) (command, error) { return cRate{score: score, comment: comment}, nil })
	return e.result(o, err)
}

func (e *Engine) result(o outcome, err error) (Handoff, error) {
	if err != nil {
		return Handoff{}, err
	}
	return *o.h, nil
}
