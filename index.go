package handoff

import (
	"math"
	"net/url"
	"strconv"
	"time"
)

// look is how long a handoff that waits for nothing may stay unseen. "Never"
// means: look again daily.
const look = 24 * time.Hour

// record returns what a store keeps of h. Keys, line and wake are functions of
// h alone: no command adds or removes one. Only a first commit takes more; see
// ID.opening.
func (r *rules) record(h *Handoff) Record {
	rec := Record{
		ID: h.ID, Version: h.Version, Seq: h.Seq,
		Queue: h.Need.Queue, State: h.State, Outcome: h.Outcome, Agent: h.Agent, Tags: h.Tags,
		Created: h.Created, Updated: h.Updated,
		Wake: h.wake(), Keys: h.keys(), Owed: h.own.Owed,
		Body: Body{value: h},
	}
	if h.User != nil {
		rec.User = h.User.ID
	}
	if rec.Agent == "" && len(h.Offers) == 1 {
		rec.Agent = h.Offers[0].Agent
	}
	if h.State == StateWaiting || h.State == StateOffered {
		rec.Line = h.Need.line()
		rec.Priority, rec.Since = r.queue(h.Need.Queue).since(&h.Need, h.Enqueued)
	}
	return rec
}

// wake returns when somebody must look at h: at the earliest deadline, and
// within a day if there is none and the end has not come.
func (h *Handoff) wake() time.Time {
	var at time.Time
	for _, d := range h.Deadlines {
		if at.IsZero() || d.At.Before(at) {
			at = d.At
		}
	}
	if at.IsZero() && h.State != StateEnded {
		at = h.Updated.Add(look)
	}
	return at
}

// isDue reports whether somebody must look at h.
func (h *Handoff) isDue(at time.Time) bool {
	wake := h.wake()
	return !wake.IsZero() && !wake.After(at)
}

// keys returns what h holds.
func (h *Handoff) keys() []Key {
	var keys []Key
	if h.IsOpen() {
		keys = append(keys, Key{Name: conversationKey(h.ID.Conversation), Max: 1, Units: 1})
	}
	if h.own.Seat != nil {
		keys = h.own.Seat.keys(keys)
	}
	for i := range h.Offers {
		if !h.Offers[i].Broadcast {
			keys = h.Offers[i].Seat.keys(keys)
		}
	}
	if h.own.QueueMax > 0 && (h.State == StateWaiting || h.State == StateOffered) {
		keys = append(keys, Key{Name: "queue/" + h.Need.Queue, Max: h.own.QueueMax, Units: 1})
	}
	if b := h.live(); b != nil && b.Session.Reference != "" && h.State != StateEnded {
		keys = append(keys, Key{Name: bindingKey(b.Provider, b.Session.Reference), Max: 1, Units: 1})
	}
	if k := h.own.Kept; k != nil && k.Number != nil {
		n := k.Number
		keys = append(keys, Key{Name: n.Key, Max: math.MaxInt32, Units: n.Units})
	}
	return keys
}

func (s *seat) keys(keys []Key) []Key {
	keys = append(keys, Key{Name: seatKey(s.Agent), Max: s.Max, Units: s.Units})
	if s.Queue != "" {
		keys = append(keys, Key{Name: queueSeatKey(s.Agent, s.Queue), Max: s.QueueMax, Units: 1})
	}
	if s.Channel != "" {
		keys = append(keys, Key{Name: channelSeatKey(s.Agent, s.Channel), Max: s.ChannelMax, Units: 1})
	}
	return keys
}

func conversationKey(conversation string) string { return "conversation/" + conversation }

func seatKey(agent string) string { return "seat/" + agent }

// queueSeatKey escapes the agent, so that the slash tells him from the queue.
func queueSeatKey(agent, queue string) string {
	return "queueseat/" + url.PathEscape(agent) + "/" + queue
}

func channelSeatKey(agent, channel string) string {
	return "channelseat/" + url.PathEscape(agent) + "/" + channel
}

func bindingKey(provider, reference string) string {
	return "provider/" + url.PathEscape(provider) + "/" + reference
}

// attempt returns the id by which a platform knows an attempt to open a chat.
func attempt(id ID, binding int64) string {
	return url.QueryEscape(id.Conversation) + "." + strconv.FormatInt(id.Number, 10) + "." + strconv.FormatInt(binding, 10)
}
