package handoff

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A Room is where a video session takes place: a link for each side.
type Room struct {
	User  string `json:"user"`
	Agent string `json:"agent"`
}

// VideoRooms makes rooms for video sessions. Room is called before the session
// begins, possibly several times and concurrently; the same id gives the same
// room. An id is never used for two sessions.
type VideoRooms interface {
	Room(ctx context.Context, h Handoff, id string) (Room, error)
}

// RoomLinks is a VideoRooms for services where whoever knows the link is in the
// room, such as Jitsi Meet: "https://meet.example.com/{room}". A {name} in the
// template becomes the name under which each side is shown. Room names cannot
// be guessed without Secret, which all replicas share.
type RoomLinks struct {
	Template string
	Secret   []byte // at least 16 bytes
}

// Validate checks template and secret.
func (r RoomLinks) Validate() error {
	var problems []error
	u, err := url.Parse(strings.NewReplacer("{room}", "room", "{name}", "name").Replace(r.Template))
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "":
		problems = append(problems, &InvalidError{Field: "Template", Why: "is no https address"})
	case !strings.Contains(r.Template, "{room}"):
		problems = append(problems, &InvalidError{Field: "Template", Why: "has no {room}"})
	case strings.Count(r.Template, "{") != strings.Count(r.Template, "{room}")+strings.Count(r.Template, "{name}"):
		problems = append(problems, &InvalidError{Field: "Template", Why: "has a placeholder other than {room} and {name}"})
	}
	if len(r.Secret) < 16 {
		problems = append(problems, &InvalidError{Field: "Secret", Why: "is shorter than 16 bytes"})
	}
	return errors.Join(problems...)
}

// Room returns the links.
func (r RoomLinks) Room(_ context.Context, h Handoff, id string) (Room, error) {
	mac := hmac.New(sha256.New, r.Secret)
	fmt.Fprintf(mac, "%d/%s/%s", len(h.ID.Conversation), h.ID, id)
	room := strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil)))[:26]
	link := func(name string) string {
		return strings.NewReplacer("{room}", room, "{name}", url.PathEscape(name)).Replace(r.Template)
	}
	user := ""
	if h.User != nil {
		user = h.User.Name
	}
	return Room{User: link(user), Agent: link(h.AgentName)}, nil
}

// room makes the room of the next video session of h, as agent will have it.
func (e *Engine) room(ctx context.Context, h *Handoff, shown string) (*Room, error) {
	if e.cfg.Rooms == nil {
		return nil, nil //nolint:nilnil // the host has its own way
	}
	ctx, cancel := context.WithTimeout(ctx, e.cfg.SendTimeout)
	defer cancel()
	c := *h
	c.AgentName = shown
	room, err := e.cfg.Rooms.Room(ctx, c, strconv.Itoa(h.own.Rooms+1))
	if err != nil {
		return nil, err
	}
	if room.User == "" || room.Agent == "" {
		return nil, errors.New("handoff: a video room has no links")
	}
	return &room, nil
}

// AskForVideo notes that the user would like to be seen. The agent begins the
// session with Video. Who is not with an agent asks with Request.
func (e *Engine) AskForVideo(ctx context.Context, conversation string) (Handoff, error) {
	h, err := e.Open(ctx, conversation)
	if err != nil {
		return Handoff{}, err
	}
	if err := e.rules.queue(h.Need.Queue).allows("Mode", ModeVideo); err != nil {
		return Handoff{}, err
	}
	o, err := e.do(ctx, h.ID, "video/user/"+newID(), func(*Handoff) (command, error) { return cAskVideo{}, nil })
	return e.result(o, err)
}

// Video makes a text chat a video session: the user gets the link, the agent
// finds his in Handoff.Room. It takes as many of the agent's seats as the queue
// says; ErrFull if they are not free.
func (e *Engine) Video(ctx context.Context, id ID, a Actor) (Handoff, error) {
	if e.cfg.Rooms == nil {
		return Handoff{}, &InvalidError{Field: "Config.Rooms", Why: "is not set"}
	}
	o, err := e.act(ctx, id, a, "video", "", func(h *Handoff) (command, error) {
		q := e.rules.queue(h.Need.Queue)
		if err := q.allows("Mode", ModeVideo); err != nil {
			return nil, err
		}
		who, err := e.agent(ctx, "Actor.ID", a.ID)
		if err != nil {
			return nil, err
		}
		if !who.Video {
			return nil, &InvalidError{Field: "Actor.ID", Why: "takes no video sessions"}
		}
		room, err := e.room(ctx, h, h.AgentName)
		if err != nil {
			return nil, err
		}
		c := *h
		c.own.Units = q.VideoUnits
		return cVideo{who: a, units: q.VideoUnits, seat: e.seat(&who, &c, h.Need.Queue), room: *room}, nil
	})
	return e.result(o, err)
}

// session says how the queue serves somebody who asks for a mode, and what seats
// that takes.
func (q *Queue) session(asked Mode) (Mode, int) {
	if q.allows("", asked) != nil {
		asked = q.Modes[0]
	}
	if asked == ModeVideo {
		return asked, q.VideoUnits
	}
	return asked, 1
}

// allows checks that a queue serves users in a way.
func (q *Queue) allows(field string, m Mode) error {
	if len(q.Modes) == 0 || slices.Contains(q.Modes, m) {
		return nil
	}
	return &InvalidError{Field: field, Why: "is not one that the queue serves"}
}
