package main

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

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

// rowsFloor writes the rows of a request into pgstore's tables, with all of
// their indexes, and those of a message to such a handoff.
type rowsFloor struct {
	pool        *pgxpool.Pool
	during      func(ctx context.Context, f func(context.Context, int) error) (float64, error)
	first, last atomic.Int64 // requests that are there: those after the first
	written     atomic.Int64 // messages
}

func newRowsFloor(ctx context.Context, pool *pgxpool.Pool, during func(context.Context, func(context.Context, int) error) (float64, error)) (*rowsFloor, error) {
	return &rowsFloor{pool: pool, during: during}, pgstore.New(pool, pgstore.Options{Schema: "floor"}).Migrate(ctx, pgstore.Latest)
}

func (f *rowsFloor) request(ctx context.Context, _ int) error {
	n := f.last.Add(1)
	name, now := "c"+strconv.FormatInt(n, 10), time.Now()
	_, err := f.pool.Exec(ctx, `WITH r AS (INSERT INTO floor.handoff_record VALUES ($1, 1, 1, 2, 'queue', 'waiting', '', '', 'u' || $1, '{}',
			$2, 0, $3, $3, $3, $4, NULL, NULL, ARRAY['conversation/' || $1], '{1}', '{1}', '{}', '{}', '{}', $5)),
		e AS (INSERT INTO floor.handoff_entry VALUES ($1, 1, 1, 'request', $3, $5), ($1, 1, 2, 'enqueued', $3, $5))
		INSERT INTO floor.handoff_key VALUES ('conversation/' || $1, $1, 1, 1)`, name, line(n), now, now.Add(24*time.Hour), body.Bytes())
	return err
}

func (f *rowsFloor) message(ctx context.Context, _ int) error {
	n, first := f.written.Add(1), f.first.Load()
	name := "c" + strconv.FormatInt(first+1+n%(f.last.Load()-first), 10)
	done, err := f.pool.Exec(ctx, `WITH u AS (UPDATE floor.handoff_record SET version = version + 1, seq = seq + 1, updated = $2, body = $3
			WHERE conversation = $1 AND number = 1 RETURNING seq)
		INSERT INTO floor.handoff_entry SELECT $1, 1, seq, $4, $2, $3 FROM u`, name, time.Now(), body.Bytes(), "message"+strconv.FormatInt(n, 10))
	if err == nil && done.RowsAffected() != 1 {
		err = fmt.Errorf("message %d to %s was not written", n, name) // a floor that writes nothing is none
	}
	return err
}

// requests and messages are how many a second are written.
func (f *rowsFloor) requests(ctx context.Context) (float64, error) {
	f.first.Store(f.last.Load())
	return fresh(f.pool, tables("floor"), func(ctx context.Context) (float64, error) { return f.during(ctx, f.request) })(ctx)
}

func (f *rowsFloor) messages(ctx context.Context) (float64, error) {
	if _, err := f.requests(ctx); err != nil {
		return 0, err
	}
	return f.during(ctx, f.message)
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
