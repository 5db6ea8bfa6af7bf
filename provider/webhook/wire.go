package webhook

import (
	_ "embed"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema of everything that goes either way: its $defs
// "out" is what a console gets, "in" what it sends, and "answer.…" what it
// answers.
func Schema() []byte { return slices.Clone(schema) }

// envelope is the body of every webhook.
type envelope struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      any       `json:"data"`
}

// The types of what a console gets.
const (
	typeOpen         = "chat.open"
	typeFind         = "chat.find"
	typeState        = "chat.state"
	typeClose        = "chat.close"
	typeReturn       = "chat.return"
	typeSend         = "message.send"
	typeNote         = "note.add"
	typeTyping       = "user.typing"
	typeTicket       = "ticket.create"
	typeAvailability = "availability.get"
)

// kinds are the types of what a console sends.
var kinds = map[string]handoff.ProviderEventKind{
	"chat.queued":      handoff.EventQueued,
	"agent.joined":     handoff.EventJoined,
	"agent.left":       handoff.EventLeft,
	"agent.message":    handoff.EventMessage,
	"agent.note":       handoff.EventNote,
	"agent.typing":     handoff.EventTyping,
	"user.message":     handoff.EventUserMessage,
	"chat.transferred": handoff.EventTransferred,
	"chat.ended":       handoff.EventEnded,
	"chat.returned":    handoff.EventReturned,
	"chat.failed":      handoff.EventFailed,
}

type person struct {
	Role string `json:"role,omitempty"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

type file struct {
	Name string `json:"name,omitempty"`
	Type string `json:"type,omitempty"`
	URL  string `json:"url,omitempty"`
	Size int64  `json:"size,omitempty"`
}

type message struct {
	ID    string    `json:"id"`
	From  person    `json:"from"`
	Text  string    `json:"text"`
	Files []file    `json:"files,omitempty"`
	At    time.Time `json:"at"`
}

type user struct {
	ID         string            `json:"id,omitempty"`
	Name       string            `json:"name,omitempty"`
	Mail       string            `json:"mail,omitempty"`
	Phone      string            `json:"phone,omitempty"`
	Verified   bool              `json:"verified,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
}

type skill struct {
	Name     string `json:"name"`
	Level    int    `json:"level,omitempty"`
	Optional bool   `json:"optional,omitempty"`
}

// about is what a console gets to know of a handoff.
type about struct {
	Conversation string            `json:"conversation"`
	Number       int64             `json:"number"`
	Queue        string            `json:"queue"`
	Skills       []skill           `json:"skills,omitempty"`
	Language     string            `json:"language,omitempty"`
	Channel      string            `json:"channel,omitempty"`
	URL          string            `json:"url,omitempty"`
	Priority     int               `json:"priority,omitempty"`
	Preferred    string            `json:"preferred_agent,omitempty"`
	Reason       string            `json:"reason,omitempty"`
	Flags        []string          `json:"flags,omitempty"`
	Tags         []string          `json:"tags,omitempty"`
	Summary      string            `json:"summary,omitempty"`
	Answers      map[string]string `json:"answers,omitempty"`
	User         *user             `json:"user,omitempty"`
}

type openData struct {
	Attempt    string    `json:"attempt"`
	Handoff    about     `json:"handoff"`
	Note       string    `json:"note,omitempty"`
	Transcript []message `json:"transcript"`
}

type findData struct {
	Attempt string `json:"attempt"`
}

type chatData struct {
	Reference string   `json:"reference"`
	Reason    string   `json:"reason,omitempty"`
	On        *bool    `json:"on,omitempty"`
	Message   *message `json:"message,omitempty"`
	Again     bool     `json:"again,omitempty"`
}

type ticketData struct {
	Handoff about  `json:"handoff"`
	Text    string `json:"text"`
}

type availabilityData struct {
	Queue    string  `json:"queue"`
	Skills   []skill `json:"skills,omitempty"`
	Language string  `json:"language,omitempty"`
}

// answer is what a console answers, each type with some of the fields.
type answer struct {
	Reference    string  `json:"reference"`
	Found        *bool   `json:"found"`
	State        string  `json:"state"`
	Agent        *person `json:"agent"`
	Availability string  `json:"availability"`
}

// event is the data of what a console sends.
type event struct {
	Reference    string  `json:"reference"`
	Attempt      string  `json:"attempt"`
	Conversation string  `json:"conversation"`
	Agent        *person `json:"agent"`
	MessageID    string  `json:"message_id"`
	Text         string  `json:"text"`
	Files        []file  `json:"files"`
	Position     int     `json:"position"`
	WaitSeconds  float64 `json:"wait_seconds"`
	On           *bool   `json:"on"`
	Code         string  `json:"code"`
}

type incoming struct {
	Type      string          `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
}

func personOf(p handoff.Party) person { return person{Role: string(p.Role), ID: p.ID, Name: p.Name} }

func skillsOf(list []handoff.Skill) []skill {
	out := make([]skill, len(list))
	for i, s := range list {
		out[i] = skill{Name: s.Name, Level: s.Level, Optional: s.Optional}
	}
	return out
}

func filesOf(list []handoff.File) []file {
	out := make([]file, len(list))
	for i, f := range list {
		out[i] = file{Name: f.Name, Type: f.Type, URL: f.URL, Size: f.Size}
	}
	return out
}

func aboutOf(h *handoff.Handoff, r provider.Renderer) about {
	a := about{
		Conversation: h.ID.Conversation, Number: h.ID.Number, Queue: h.Need.Queue, Skills: skillsOf(h.Need.Skills),
		Language: h.Language, Channel: h.Channel, URL: h.URL, Priority: h.Need.Priority, Preferred: h.Need.Preferred,
		Reason: string(h.Reason), Flags: h.Flags, Tags: h.Tags, Summary: r.Redacted(h.Summary), Answers: maps.Clone(h.Answers),
	}
	for name, text := range a.Answers {
		a.Answers[name] = r.Redacted(text)
	}
	if u := h.User; u != nil {
		a.User = &user{ID: u.ID, Name: u.Name, Mail: u.Mail, Phone: u.Phone, Verified: u.Verified, Attributes: u.Attributes}
	}
	return a
}
