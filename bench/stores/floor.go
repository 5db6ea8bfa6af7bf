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
	floorMessage = "rows of a message, nothing judged, 8 callers"
	floorHash    = "hash of a request alone, 8 callers"
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

// recordFloor writes the hash that redisstore makes of a request: the record
// and two entries, in no index and without a key.
func recordFloor(client *redis.Client) func(context.Context, int) error {
	script := redis.NewScript(`return redis.call('HSET', KEYS[1], unpack(ARGV))`)
	var names atomic.Int64
	return func(ctx context.Context, _ int) error {
		n := names.Add(1)
		name := "c" + strconv.FormatInt(n, 10)
		return script.Run(ctx, client, []string{"{floor}:r:" + name},
			"v", "1", "s", "2", "q", "queue", "S", "waiting", "O", "", "a", "", "U", "u"+name, "t", "", "l", line(n), "r", "0123456789abcdef", "c", "01234567",
			"u", "1700000000000", "w", "1700000000000", "k", "conversation/"+name+"\x001\x001\x00", "o", "", "b", body.Bytes(),
			"e1", body.Bytes(), "irequest", "1", "e2", body.Bytes(), "ienqueued", "2").Err()
	}
}
