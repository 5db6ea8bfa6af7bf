package pgstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/seed-2a427302/handoff"
)

// A Presence is a handoff.Sessions on PostgreSQL, in the schema of a Store. It
// decides by the times that callers pass. Expiry needs no write: an agent
// whose last session has run out is offline for every later question, since
// the moment when it ran out.
type Presence struct {
	db             db
	attend, agents string
}

var _ handoff.Sessions = (*Presence)(nil)

// Presence returns the presence in the store's schema.
func (s *Store) Presence() *Presence {
	schema := pgx.Identifier{s.schema}.Sanitize() + "."
	return &Presence{
		db:     s.db,
		attend: "SELECT " + schema + "handoff_attend($1, $2, $3, $4, $5, $6, $7)",
		agents: `SELECT a.online, a.since, a.activity, l.last FROM unnest($1::text[]) WITH ORDINALITY AS w(agent, n)
			LEFT JOIN ` + schema + `handoff_agent a ON a.agent = w.agent
			LEFT JOIN LATERAL (SELECT max(s.expires) AS last FROM ` + schema + `handoff_session s WHERE s.agent = a.agent AND NOT s.over) l ON true
			ORDER BY w.n`,
	}
}

// Want is handoff.Sessions's.
func (p *Presence) Want(ctx context.Context, agent string, online bool, activity string, now time.Time) error {
	if !clean(activity) {
		return unclean("activity")
	}
	return p.do(ctx, "want", agent, "", online, activity, now, now)
}

// Begin is handoff.Sessions's.
func (p *Presence) Begin(ctx context.Context, agent, session string, now, expires time.Time) error {
	if err := word("session", session); err != nil {
		return err
	}
	return p.do(ctx, "begin", agent, session, false, "", now, expires)
}

// Beat is handoff.Sessions's.
func (p *Presence) Beat(ctx context.Context, agent, session string, now, expires time.Time) error {
	if err := word("session", session); err != nil {
		return err
	}
	return p.do(ctx, "beat", agent, session, false, "", now, expires)
}

// End is handoff.Sessions's.
func (p *Presence) End(ctx context.Context, agent, session string, now time.Time) error {
	if err := word("session", session); err != nil {
		return err
	}
	return p.do(ctx, "end", agent, session, false, "", now, now)
}

func (p *Presence) do(ctx context.Context, verb, agent, session string, wants bool, activity string, now, expires time.Time) error {
	if err := word("agent", agent); err != nil {
		return err
	}
	var answer string
	if err := p.db.QueryRow(ctx, p.attend, verb, agent, session, wants, activity, stamp(now), stamp(expires)).Scan(&answer); err != nil {
		return wrap(verb, tooLong(err, slices.Values([]name{{"agent", agent, true}, {"session", session, true}})))
	}
	switch {
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
		return unclean(field)
	}
	return nil
}

// Agents is handoff.Presence's.
func (p *Presence) Agents(ctx context.Context, ids []string, now time.Time) ([]handoff.Status, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	// An id that cannot be stored is one that nobody heard of.
	asked := make([]string, len(ids))
	for i, id := range ids {
		if word("", id) == nil {
			asked[i] = id
		}
	}
	rows, err := p.db.Query(ctx, p.agents, asked)
	if err != nil {
		return nil, wrap("agents", err)
	}
	out := make([]handoff.Status, 0, len(ids))
	var online *bool
	var since, last pgtype.Timestamptz
	var activity *string
	_, err = pgx.ForEachRow(rows, []any{&online, &since, &activity, &last}, func() error {
		st := handoff.Status{Agent: ids[len(out)]}
		if online != nil {
			st.Availability, st.Since, st.Activity = handoff.Offline, at(since), *activity
			if end := at(last); *online && end.After(now) {
				st.Availability = handoff.Online
			} else if *online {
				st.Since = end
			}
		}
		out = append(out, st)
		return nil
	})
	if err == nil && len(out) != len(ids) {
		err = fmt.Errorf("%d agents of %d", len(out), len(ids))
	}
	return out, wrap("agents", err)
}
