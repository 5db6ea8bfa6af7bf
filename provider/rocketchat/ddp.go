package rocketchat

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/provider"
)

// frame is a message of DDP, Rocket.Chat's real-time protocol.
type frame struct {
	Msg        string          `json:"msg"`
	ID         json.RawMessage `json:"id"` // of a ping, to be said again
	Collection string          `json:"collection"`
	Fields     struct {
		Event string            `json:"eventName"`
		Args  []json.RawMessage `json:"args"`
	} `json:"fields"`
}

// word is a message to the server.
type word struct {
	Msg     string          `json:"msg"`
	ID      json.RawMessage `json:"id,omitempty"`
	Version string          `json:"version,omitempty"`
	Support []string        `json:"support,omitempty"`
	Name    string          `json:"name,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  []any           `json:"params,omitempty"`
}

const (
	ofRoom   = "stream-notify-room"
	ofWaiter = "stream-livechat-room"

	isTyping = "user-typing"
)

// subscriptions are to what is told of a room to its visitor: who writes, by its
// new and its old name, and who waits.
func subscriptions(room, token string) []any {
	who := map[string]any{"useCollection": false, "args": []any{map[string]string{"token": token, "visitorToken": token}}}
	sub := func(id, stream, event string) any {
		return word{Msg: "sub", ID: quoted(id), Name: stream, Params: []any{event, who}}
	}
	return []any{sub("1", ofRoom, room+"/user-activity"), sub("2", ofRoom, room+"/typing"), sub("3", ofWaiter, room)}
}

// unsubscriptions end them.
func unsubscriptions() (out []any) {
	for _, id := range []string{"1", "2", "3"} {
		out = append(out, word{Msg: "unsub", ID: quoted(id)})
	}
	return out
}

func quoted(id string) json.RawMessage { return json.RawMessage(`"` + id + `"`) }

// news is what a frame tells of a room; false: nothing. self is the name of its visitor.
func (f *frame) news(room, self string, now time.Time) (handoff.ProviderEvent, bool) {
	if f.Msg != "changed" || len(f.Fields.Args) == 0 {
		return handoff.ProviderEvent{}, false
	}
	switch event, of := strings.CutPrefix(f.Fields.Event, room); {
	case !of:
	case f.Collection == ofRoom && (event == "/user-activity" || event == "/typing"):
		return f.writes(room, self)
	case f.Collection == ofWaiter && event == "":
		var data struct {
			Type string    `json:"type"`
			Data queueData `json:"data"`
		}
		if json.Unmarshal(f.Fields.Args[0], &data) == nil && data.Type == "queueData" {
			return data.Data.event(room, now)
		}
	}
	return handoff.ProviderEvent{}, false
}

// writes is somebody who writes in a room, or no longer does. He is told without his
// name: it is the one that he logs in with, and the room's agent is known. What the
// visitor said of himself, on another connection of ours, comes back.
func (f *frame) writes(room, self string) (handoff.ProviderEvent, bool) {
	var who string
	if len(f.Fields.Args) < 2 || json.Unmarshal(f.Fields.Args[0], &who) != nil || who == "" || who == self {
		return handoff.ProviderEvent{}, false
	}
	ev := handoff.ProviderEvent{Kind: handoff.EventTyping, Reference: provider.Name(room), ID: provider.Name(room + "/typing/" + who)}
	ev.Agent = provider.Agent("", "")
	var on bool
	var activities []string
	switch {
	case json.Unmarshal(f.Fields.Args[1], &activities) == nil:
		on = slices.Contains(activities, isTyping)
		if !on && len(activities) > 0 {
			return ev, false // something else that he does
		}
	case json.Unmarshal(f.Fields.Args[1], &on) != nil:
		return ev, false
	}
	ev.Stopped = !on
	return ev, true
}

// queueData is a place in the queue, with the wait that Rocket.Chat estimates.
type queueData struct {
	Spot int     `json:"spot"`
	Wait float64 `json:"estimatedWaitTimeSeconds"` // missing: unknown
}

func (q queueData) event(room string, now time.Time) (handoff.ProviderEvent, bool) {
	if q.Spot < 1 {
		return handoff.ProviderEvent{}, false
	}
	const most = 1e6 // seconds
	return placed(room, q.Spot, time.Duration(min(max(q.Wait, 0), most)*float64(time.Second)), now), true
}

// placed is a place, and a wait if it is known. One that comes again is another one,
// but for whoever reads the same.
func placed(room string, place int, wait time.Duration, at time.Time) handoff.ProviderEvent {
	id := fmt.Sprintf("%s/place/%d/%d/%d", room, place, int64(wait.Minutes()), at.Unix()/20)
	return handoff.ProviderEvent{
		ID: provider.Name(id), Kind: handoff.EventQueued, Reference: room, At: at.UTC(), Position: place, Wait: wait,
	}
}
