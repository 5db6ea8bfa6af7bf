package main

import (
	"context"
	"fmt"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
)

// openOffers is about offers by the hundred beside River's work. Each has eight
// connections of its own, and as many callers as do best here: of one to eight
// who commit batches, four. Neither side tells others of what is done: what that
// costs has a goal of its own.
func openOffers(ctx context.Context, d *database, size effort) (*suite, error) {
	const callers = 4
	pool, err := d.pool(ctx, 8)
	if err != nil {
		return nil, err
	}
	peer, err := newRiver(ctx, pool)
	if err != nil {
		return nil, err
	}
	s, err := d.store(ctx, "offers", 8, pgstore.Options{NoListen: true})
	if err != nil {
		return nil, err
	}
	least, err := newOffersFloor(ctx, d, size, callers)
	if err != nil {
		return nil, err
	}
	l := newLoad(s, size, "o")
	offers := func(callers int) measure {
		return rate(fmt.Sprintf("offer, by the hundred, %d callers", callers), fresh(pool, tables("offers"), l.batches(callers)))
	}
	return &suite{
		measures: []measure{
			rate("river work, tuned", peer.work(true, size.items)), offers(callers), rate(floorOffers, least),
			rate("river work, default", peer.work(false, size.items/2)), offers(8),
		},
		goals: []goal{
			atLeast("offers by the hundred / river work tuned", "offer, by the hundred, 4 callers", "river work, tuned", 1.4).
				because(operationsProfile).above(floorOffers),
			atLeast("offers by the hundred / river work default", "offer, by the hundred, 4 callers", "river work, default", 10).because(operationsProfile),
		},
	}, nil
}

// newOffersFloor returns what writes the rows of offers by the hundred, in one
// command for each hundred, to handoffs that wait.
func newOffersFloor(ctx context.Context, d *database, size effort, callers int) (func(context.Context) (float64, error), error) {
	// Plans as handoff_commit_set has them.
	pool, err := d.pool(ctx, 8, "enable_seqscan", "enable_hashjoin", "enable_mergejoin")
	if err != nil {
		return nil, err
	}
	s := pgstore.New(pool, pgstore.Options{Schema: "least"})
	if err := s.Migrate(ctx, pgstore.Latest); err != nil {
		return nil, err
	}
	l := newLoad(s, size, "f")
	return fresh(pool, tables("least"), func(ctx context.Context) (float64, error) {
		items, err := l.waiting(ctx, size.items)
		if err != nil {
			return 0, err
		}
		return byTheHundred(ctx, callers, items, func(ctx context.Context, part []handoff.Item) error {
			names, agents := make([]string, len(part)), make([]string, len(part))
			for i := range part {
				names[i], agents[i] = part[i].Record.ID.Conversation, part[i].Record.Agent
			}
			done, err := pool.Exec(ctx, `WITH t AS (SELECT t.conversation, t.agent FROM unnest($1::text[], $2::text[]) AS t(conversation, agent)),
				e AS (INSERT INTO least.handoff_entry SELECT conversation, 1, 3, 'offer', $3, $5 FROM t),
				k AS (INSERT INTO least.handoff_key SELECT 'seat/' || agent, conversation, 1, 1 FROM t)
				UPDATE least.handoff_record r SET version = 2, seq = 3, state = 'offered', agent = t.agent, line = '', updated = $3, wake = $4,
					key_names = r.key_names || ('seat/' || t.agent), key_units = '{1,1}', key_max = '{1,3}', body = $5
				FROM t WHERE r.conversation = t.conversation AND r.number = 1`,
				names, agents, part[0].Record.Updated, part[0].Record.Wake, body.Bytes())
			if err == nil && done.RowsAffected() != int64(len(part)) {
				err = fmt.Errorf("%d of %d offers were written", done.RowsAffected(), len(part))
			}
			return err
		})
	}), nil
}
