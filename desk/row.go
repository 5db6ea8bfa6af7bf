package desk

import (
	"cmp"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
)

// token returns a handoff's name in addresses: its number and the conversation,
// which is encoded where it holds more than letters, digits, "-" and "_".
func token(id handoff.ID) string {
	name := id.Conversation
	if !plain(name) {
		name = "~" + base64.RawURLEncoding.EncodeToString([]byte(name))
	}
	return strconv.FormatInt(id.Number, 10) + "." + name
}

// parseToken is the inverse of token. It takes no other spelling of an id.
func parseToken(s string) (handoff.ID, bool) {
	number, name, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 {
		return handoff.ID{}, false
	}
	if coded, ok := strings.CutPrefix(name, "~"); ok {
		b, err := base64.RawURLEncoding.DecodeString(coded)
		if err != nil {
			return handoff.ID{}, false
		}
		name = string(b)
	}
	id := handoff.ID{Conversation: name, Number: n}
	return id, name != "" && token(id) == s
}

func plain(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return s != ""
}

// A row is a handoff as lists show it.
type row struct {
	ID        string          `json:"id"`
	Version   int64           `json:"version"`
	Seq       int64           `json:"seq"`
	State     handoff.State   `json:"state"`
	Outcome   handoff.Outcome `json:"outcome,omitempty"`
	Queue     string          `json:"queue,omitempty"`
	Agent     string          `json:"agent,omitempty"`
	AgentName string          `json:"agentName,omitempty"`
	Provider  string          `json:"provider,omitempty"`
	Name      string          `json:"name"`
	Channel   string          `json:"channel,omitempty"`
	Language  string          `json:"language,omitempty"`
	Reason    handoff.Reason  `json:"reason,omitempty"`
	Priority  int             `json:"priority,omitempty"`
	Video     bool            `json:"video,omitempty"`
	Skills    []handoff.Skill `json:"skills,omitempty"`
	Tags      []string        `json:"tags,omitempty"`
	Flags     []string        `json:"flags,omitempty"`
	Created   int64           `json:"created"`
	Enqueued  int64           `json:"enqueued,omitempty"`
	Joined    int64           `json:"joined,omitempty"`
	Ended     int64           `json:"ended,omitempty"`
	Updated   int64           `json:"updated"`
	LastUser  int64           `json:"lastUser,omitempty"`
	LastSaid  int64           `json:"lastSaid,omitempty"`
	Away      int64           `json:"away,omitempty"`  // since when the agent is not there
	Quiet     int64           `json:"quiet,omitempty"` // when it ends because nobody writes: the user was warned
	Open      int             `json:"open,omitempty"`  // messages of the user that nobody has answered
	Attended  bool            `json:"attended,omitempty"`
	Left      bool            `json:"left,omitempty"` // the user left a message
	Pick      bool            `json:"pick,omitempty"` // it can be taken from the list, without an offer
	Score     int             `json:"score,omitempty"`
	Closing   string          `json:"closing,omitempty"`
	Last      *said           `json:"last,omitempty"`
	Offer     *offer          `json:"offer,omitempty"`    // to the one who reads this
	Asked     []string        `json:"asked,omitempty"`    // who is being asked
	Warm      int64           `json:"warm,omitempty"`     // the offer of a warm transfer that the one who reads this may take back
	Question  string          `json:"question,omitempty"` // what the user is asked and has not answered: the host's words
	Can       []Permission    `json:"can,omitempty"`

	facts  facts
	offers []handoff.Offer
}

// said is the last thing that somebody said.
type said struct {
	Role handoff.Role `json:"role"`
	Name string       `json:"name,omitempty"`
	Text string       `json:"text"`
	At   int64        `json:"at"`
	Note bool         `json:"note,omitempty"` // said to colleagues, not to the user
}

type offer struct {
	Number int64 `json:"number"`
	Until  int64 `json:"until"`
	Warm   bool  `json:"warm,omitempty"`
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func newRow(h *handoff.Handoff, style handoff.Style, last *said) *row {
	r := &row{
		ID: token(h.ID), Version: h.Version, Seq: h.Seq, State: h.State, Outcome: h.Outcome, Queue: h.Need.Queue,
		Agent: h.Agent, AgentName: h.AgentName, Provider: h.Provider, Name: userName(h), Channel: h.Channel, Language: h.Language, Reason: h.Reason,
		Priority: h.Need.Priority, Video: h.Need.Mode == handoff.ModeVideo, Skills: h.Need.Skills, Tags: h.Tags, Flags: h.Flags,
		Created: millis(h.Created), Enqueued: millis(h.Enqueued), Joined: millis(h.Joined), Ended: millis(h.Ended), Updated: millis(h.Updated),
		LastUser: millis(h.LastUser), LastSaid: millis(h.LastSaid), Away: millis(h.AwaySince()), Quiet: millis(h.QuietUntil()), Open: len(h.Pending),
		Attended: h.Attended, Left: h.LeftMessage, Closing: h.Closing, Last: last,
		facts: factsOf(h, style == handoff.Pull), offers: h.Offers, Pick: style == handoff.Pull || style == handoff.Broadcast,
	}
	if h.Rating != nil {
		r.Score = h.Rating.Score
	}
	if fields, next := h.Form(); next < len(fields) {
		r.Question = clip(cmp.Or(fields[next].Label, fields[next].Name), 200)
	}
	if h.State == handoff.StateEnded || h.State == handoff.StateWrapup {
		r.Open = 0 // who has gone waits for no answer
		r.Agent = cmp.Or(r.Agent, r.facts.last)
	}
	return r
}

func userName(h *handoff.Handoff) string {
	if h.User != nil {
		if h.User.Name != "" {
			return clip(h.User.Name, 200)
		}
		if h.User.ID != "" {
			return clip(h.User.ID, 200)
		}
	}
	return clip(h.ID.Conversation, 200)
}

// clip shortens a text to about n bytes, at a rune.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}

// lastSaid finds the last thing said in a page of the log, oldest first. Notes
// count: they tell colleagues where things stand.
func lastSaid(list []handoff.Entry, labels map[string]string) *said {
	for i := len(list) - 1; i >= 0; i-- {
		e := &list[i]
		switch e.Kind {
		case handoff.KindMessage, handoff.KindNote, handoff.KindLeft:
		default:
			continue
		}
		text := e.Labelled(labels)
		if text == "" && len(e.Files) > 0 {
			text = "📎 " + e.Files[0].Name
		}
		return &said{Role: e.From.Role, Name: e.From.Name, Text: clip(text, 160), At: millis(e.At), Note: e.Kind == handoff.KindNote}
	}
	return nil
}

// view returns r as an actor may see it, or nil.
func (r *row) view(a *Actor) *row {
	if !a.sees(&r.facts) {
		return nil
	}
	out := *r
	if !a.reads(&r.facts) {
		out.Last, out.Flags, out.Tags, out.Reason, out.Closing, out.Question = nil, nil, nil, "", "", ""
	}
	for i := range r.offers {
		o := &r.offers[i]
		out.Asked = append(out.Asked, o.Agent)
		if o.Agent == a.ID {
			out.Offer = &offer{Number: o.Number, Until: millis(o.Deadline), Warm: o.Warm}
		}
		if o.Warm && (r.Agent == a.ID && a.may(Work, &r.facts) || a.may(Direct, &r.facts)) {
			out.Warm = o.Number
		}
	}
	for _, p := range [...]Permission{Read, Answer, Work, Note, Whisper, Join, Direct} {
		ok := a.may(p, &r.facts)
		if p == Read {
			ok = a.reads(&r.facts)
		}
		if ok {
			out.Can = append(out.Can, p)
		}
	}
	return &out
}

// glimpse returns what the user himself knows of r: that it was, when, and how it
// ended.
func (r *row) glimpse() *row {
	return &row{ID: r.ID, State: r.State, Outcome: r.Outcome, Name: r.Name, Created: r.Created, Ended: r.Ended}
}

// waits reports whether somebody should take it.
func (r *row) waits() bool {
	return r.State == handoff.StateWaiting || r.State == handoff.StateOffered
}
