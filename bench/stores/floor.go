package main

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
)

// A floor is what a commit writes, in one command that judges nothing: no
// version, no key and no entry is looked up. No store with these tables or
// names can be faster.

const (
	floorRequest = "rows of a request, nothing judged, 8 callers"
	floorJudged  = "rows of a request, barely judged, 8 callers"
	floorMessage = "rows of a message, nothing judged, 8 callers"
	floorOffers  = "rows of offers, by the hundred, nothing judged"
	floorHash    = "hash of a request alone, 8 callers"
	floorNames   = "all that a request writes, nothing judged, 8 callers"
)

// newRowsFloor returns what writes the rows of a request into pgstore's tables,
// with all of their indexes, and what writes those of a message to such a
// handoff.
func newRowsFloor(ctx context.Context, pool *pgxpool.Pool) (request, message func(context.Context, int) error, err error) {
	if err := pgstore.New(pool, pgstore.Options{Schema: "floor"}).Migrate(ctx, pgstore.Latest); err != nil {
		return nil, nil, err
	}
	var requests, messages atomic.Int64
	request = func(ctx context.Context, _ int) error {
		n := requests.Add(1)
		name, now := "c"+strconv.FormatInt(n, 10), time.Now()
		_, err := pool.Exec(ctx, `WITH r AS (INSERT INTO floor.handoff_record VALUES ($1, 1, 1, 2, 'queue', 'waiting', '', '', 'u' || $1, '{}',
				$2, 0, $3, $3, $3, $4, NULL, NULL, ARRAY['conversation/' || $1], '{1}', '{1}', '{}', '{}', '{}', $5)),
			e AS (INSERT INTO floor.handoff_entry VALUES ($1, 1, 1, 'request', $3, $5), ($1, 1, 2, 'enqueued', $3, $5))
			INSERT INTO floor.handoff_key VALUES ('conversation/' || $1, $1, 1, 1)`, name, line(n), now, now.Add(24*time.Hour), body.Bytes())
		return err
	}
	message = func(ctx context.Context, _ int) error {
		n := messages.Add(1)
		name := "c" + strconv.FormatInt(1+(n-1)%max(1, requests.Load()), 10)
		done, err := pool.Exec(ctx, `WITH u AS (UPDATE floor.handoff_record SET version = version + 1, seq = seq + 1, updated = $2, body = $3
				WHERE conversation = $1 AND number = 1 RETURNING seq)
			INSERT INTO floor.handoff_entry SELECT $1, 1, seq, $4, $2, $3 FROM u`, name, time.Now(), body.Bytes(), "message"+strconv.FormatInt(n, 10))
		if err == nil && done.RowsAffected() != 1 {
			err = fmt.Errorf("message %d to %s was not written", n, name) // a floor that writes nothing is none
		}
		return err
	}
	return request, message, nil
}

// newJudgedFloor returns what writes the rows of a request in one command that
// judges as little as can be: one key of one unit, always two entries. It has
// five arguments where a record has 27, and a key that is taken while it waits
// for the lock escapes it. What a store needs in addition comes on top.
func newJudgedFloor(pool *pgxpool.Pool) func(context.Context, int) error {
	var requests atomic.Int64
	return func(ctx context.Context, _ int) error {
		n := requests.Add(1)
		name, now := "judged"+strconv.FormatInt(n, 10), time.Now()
		done, err := pool.Exec(ctx, `WITH l AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended('c' || $1, 1)),
				pg_advisory_xact_lock(hashtextextended('kconversation/' || $1, 1))),
			r AS (INSERT INTO floor.handoff_record SELECT $1, 1, 1, 2, 'queue', 'waiting', '', '', 'u' || $1, '{}',
				$2, 0, $3, $3, $3, $4, NULL, NULL, ARRAY['conversation/' || $1], '{1}', '{1}', '{}', '{}', '{}', $5 FROM l
				WHERE current_setting('transaction_isolation') = 'read committed'
				AND (SELECT coalesce(sum(units), 0) FROM floor.handoff_key WHERE name = 'conversation/' || $1) + 1 <= 1
				ON CONFLICT DO NOTHING RETURNING 1),
			e AS (INSERT INTO floor.handoff_entry SELECT $1, 1, e.seq, e.id, $3, $5 FROM r, (VALUES (1, 'request'), (2, 'enqueued')) AS e(seq, id))
			INSERT INTO floor.handoff_key SELECT 'conversation/' || $1, $1, 1, 1 FROM r`, name, line(n), now, now.Add(24*time.Hour), body.Bytes())
		if err == nil && done.RowsAffected() != 1 {
			err = fmt.Errorf("request %s was not written", name)
		}
		return err
	}
}

// newOffersFloor returns what writes the rows of offers by the hundred, in one
// command for each hundred, to handoffs that wait.
func newOffersFloor(ctx context.Context, d *database, size effort) (func(context.Context) (float64, error), error) {
	const conns = 8
	// Plans as handoff_commit_set has them.
	pool, err := d.pool(ctx, conns, "enable_seqscan", "enable_hashjoin", "enable_mergejoin")
	if err != nil {
		return nil, err
	}
	s := pgstore.New(pool, pgstore.Options{Schema: "floor"})
	if err := s.Migrate(ctx, pgstore.Latest); err != nil {
		return nil, err
	}
	l := newLoad(s, size, "f")
	return func(ctx context.Context) (float64, error) {
		items, err := l.waiting(ctx, size.items)
		if err != nil {
			return 0, err
		}
		return byTheHundred(ctx, conns, items, func(ctx context.Context, part []handoff.Item) error {
			names, agents := make([]string, len(part)), make([]string, len(part))
			for i := range part {
				names[i], agents[i] = part[i].Record.ID.Conversation, part[i].Record.Agent
			}
			done, err := pool.Exec(ctx, `WITH t AS (SELECT t.conversation, t.agent FROM unnest($1::text[], $2::text[]) AS t(conversation, agent)),
				e AS (INSERT INTO floor.handoff_entry SELECT conversation, 1, 3, 'offer', $3, $5 FROM t),
				k AS (INSERT INTO floor.handoff_key SELECT 'seat/' || agent, conversation, 1, 1 FROM t)
				UPDATE floor.handoff_record r SET version = 2, seq = 3, state = 'offered', agent = t.agent, line = '', updated = $3, wake = $4,
					key_names = r.key_names || ('seat/' || t.agent), key_units = '{1,1}', key_max = '{1,3}', body = $5
				FROM t WHERE r.conversation = t.conversation AND r.number = 1`,
				names, agents, part[0].Record.Updated, part[0].Record.Wake, body.Bytes())
			if err == nil && done.RowsAffected() != int64(len(part)) {
				err = fmt.Errorf("%d of %d offers were written", done.RowsAffected(), len(part))
			}
			return err
		})
	}, nil
}

// recordFloor writes the hash that redisstore makes of a request: the record
// and two entries, in no index and without a key.
func recordFloor(client *redis.Client) func(context.Context, int) error {
	return hashFloor(client, "{floor}:r:", `return redis.call('HSET', KEYS[1], unpack(ARGV))`)
}

// namesFloor writes in addition the six members of indexes and the key, as
// redisstore's script calls them.
func namesFloor(client *redis.Client) func(context.Context, int) error {
	return hashFloor(client, "{floor}:s:", `
		local A, call, key = ARGV, redis.call, KEYS[1]
		local rank, at = A[20] .. key, A[22] .. key
		call('ZADD', '{floor}:rank', '0', rank)
		call('ZADD', '{floor}:line', '0', A[18] .. '\0' .. rank)
		call('ZADD', '{floor}:open', '0', at)
		call('ZADD', '{floor}:user:' .. A[14], '0', at)
		call('ZADD', '{floor}:n:' .. key, '0', '1')
		call('ZADD', '{floor}:due', A[26], key)
		call('HSET', '{floor}:key:' .. A[28], key, '1')
		return call('HSET', key, unpack(A))`)
}

func hashFloor(client *redis.Client, prefix, source string) func(context.Context, int) error {
	script := redis.NewScript(source)
	var names atomic.Int64
	return func(ctx context.Context, _ int) error {
		n := names.Add(1)
		name := "c" + strconv.FormatInt(n, 10)
		now := strconv.FormatInt(1700000000000+n, 10) // as time passes
		return script.Run(ctx, client, []string{prefix + name},
			"v", "1", "s", "2", "q", "queue", "S", "waiting", "O", "", "a", "", "U", "u"+name, "t", "", "l", line(n), "r", "000"+now, "c", now[5:],
			"u", now, "w", now, "k", "conversation/"+name+"\x001\x001\x00", "o", "", "b", body.Bytes(),
			"e1", body.Bytes(), "irequest", "1", "e2", body.Bytes(), "ienqueued", "2").Err()
	}
}
