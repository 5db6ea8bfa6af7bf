package redisstore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed-2a427302/handoff"
)

// A Presence is a handoff.Sessions on Redis, under the prefix of a Store. It
// decides by the times that callers pass. Expiry needs no write: an agent
// whose last session has run out is offline for every later question, since
// the moment when it ran out.
type Presence struct{ s *Store }

var _ handoff.Sessions = (*Presence)(nil)

// Presence returns the presence under the store's prefix.
func (s *Store) Presence() *Presence { return &Presence{s: s} }

// Want is handoff.Sessions's.
func (p *Presence) Want(ctx context.Context, agent string, online bool, activity string, now time.Time) error {
	if !clean(activity) {
		return &handoff.InvalidError{Field: "activity", Why: "is not valid UTF-8 without NUL"}
	}
	wants := "0"
	if online {
		wants = "1"
	}
	return p.do(ctx, "want", agent, "", wants, activity, now, now)
}

// Begin is handoff.Sessions's.
func (p *Presence) Begin(ctx context.Context, agent, session string, now, expires time.Time) error {
	if err := word("session", session); err != nil {
		return err
	}
	return p.do(ctx, "begin", agent, session, "", "", now, expires)
}

// Beat is handoff.Sessions's.
func (p *Presence) Beat(ctx context.Context, agent, session string, now, expires time.Time) error {
	if err := word("session", session); err != nil {
		return err
	}
	return p.do(ctx, "beat", agent, session, "", "", now, expires)
}

// End is handoff.Sessions's.
func (p *Presence) End(ctx context.Context, agent, session string, now time.Time) error {
	if err := word("session", session); err != nil {
		return err
	}
	return p.do(ctx, "end", agent, session, "", "", now, now)
}

func (p *Presence) do(ctx context.Context, verb, agent, session, wants, activity string, now, expires time.Time) error {
	if err := word("agent", agent); err != nil {
		return err
	}
	hash := sha256.Sum256([]byte(session))
	v, err := p.s.run(ctx, attendScript, verb, agent, session, hash[:16], wants, activity, now.UnixMilli(), expires.UnixMilli())
	if err != nil {
		return wrap(ctx, verb, err)
	}
	switch answer := text(v); {
	case answer == "used":
		return handoff.ErrDuplicate
	case answer == "unknown" && verb != "end":
		return handoff.ErrNotFound
	}
	return nil
}

// word checks an id.
func word(field, s string) error {
	switch {
	case s == "":
		return &handoff.InvalidError{Field: field, Why: "is empty"}
	case !clean(s):
		return &handoff.InvalidError{Field: field, Why: "is not valid UTF-8 without NUL"}
	}
	return nil
}

// Agents is handoff.Presence's.
func (p *Presence) Agents(ctx context.Context, ids []string, now time.Time) ([]handoff.Status, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	cmds, err := p.s.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, id := range ids {
			pipe.HGetAll(ctx, p.s.name+"p:"+id)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, wrap(ctx, "agents", err)
	}
	out := make([]handoff.Status, len(ids))
	for i, cmd := range cmds {
		c, ok := cmd.(*redis.MapStringStringCmd)
		if !ok {
			return nil, fmt.Errorf("redisstore: agents: a command of type %T", cmd)
		}
		out[i] = status(c.Val(), now)
		out[i].Agent = ids[i]
	}
	return out, nil
}

// status says what is stored of an agent at a time.
func status(fields map[string]string, now time.Time) (st handoff.Status) {
	if len(fields) == 0 {
		return st
	}
	var last time.Time
	for f, v := range fields {
		if !strings.HasPrefix(f, ":") {
			continue
		}
		if t := at(v); t.After(last) {
			last = t
		}
	}
	st.Availability, st.Since, st.Activity = handoff.Offline, at(fields["since"]), fields["activity"]
	if online := fields["online"] == "1"; online && last.After(now) {
		st.Availability = handoff.Online
	} else if online {
		st.Since = last
	}
	return st
}
