package livechat

import (
	"fmt"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// frame is a message of the Customer Chat RTM API: a response, or a push.
type frame struct {
	Action  string `json:"action"`
	Type    string `json:"type"` // response, push
	Success *bool  `json:"success"`
	Payload struct {
		ChatID string `json:"chat_id"`
		Queue  *queue `json:"queue"`
		Reason string `json:"reason"` // of customer_disconnected
		Typing *struct {
			Author     string `json:"author_id"`
			Recipients string `json:"recipients"` // all, agents
			Visibility string `json:"visibility"` // the same, elsewhere
			On         bool   `json:"is_typing"`
		} `json:"typing_indicator"`
	} `json:"payload"`
}

// request is one to the RTM API.
type request struct {
	Action  string `json:"action"`
	Payload fields `json:"payload"`
}

// login is who a customer is, and what he wants to be told.
func login(token string) request {
	return request{"login", fields{
		"token":  "Bearer " + token,
		"pushes": fields{"3.6": []string{"incoming_typing_indicator", "queue_position_updated", "customer_disconnected"}},
	}}
}

// What is the matter with a connection, if anything.
type trouble int

const (
	fine     trouble = iota
	over             // the next one may do better
	tokenOut         // the next one with another token
	unwanted         // LiveChat says not to come again
)

// trouble says what a frame means for the connection.
func (f *frame) trouble() trouble {
	switch {
	case f.Type == "response" && f.Action == "login" && f.Success != nil && !*f.Success:
		return tokenOut
	case f.Type != "push" || f.Action != "customer_disconnected":
		return fine
	}
	switch f.Payload.Reason {
	case "access_token_revoked", "access_token_expired":
		return tokenOut
	case "license_not_found", "license_expired", "misdirected_connection", "unsupported_version", "too_many_connections", "logged_out_remotely":
		return unwanted
	}
	return over
}

// news is what a frame tells of a chat; false: nothing. What agents write for each
// other is nothing.
func (f *frame) news(reference string, now time.Time) (handoff.ProviderEvent, bool) {
	x := payload{ChatID: f.Payload.ChatID}
	if f.Type != "push" || x.ChatID != reference {
		return handoff.ProviderEvent{}, false
	}
	switch t := f.Payload.Typing; {
	case f.Action == "incoming_typing_indicator" && t != nil && t.Author != "" && t.Recipients != "agents" && t.Visibility != "agents":
		ev := x.happened(handoff.EventTyping, reference+"/"+t.Author)
		ev.Agent, ev.Stopped = provider.Agent(t.Author, ""), !t.On
		return ev, true
	case f.Action == "queue_position_updated" && f.Payload.Queue != nil:
		q := f.Payload.Queue
		// A place that comes again is another one, but for whoever reads the same.
		id := fmt.Sprintf("%s/%d/%.0f/%d", reference, q.Position, q.Wait, now.Unix()/10)
		for _, ev := range x.waiting(q, id) {
			return ev, ev.Position > 0
		}
	}
	return handoff.ProviderEvent{}, false
}
