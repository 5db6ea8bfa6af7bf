package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/seed-2a427302/handoff"
)

// Get is handoff.Store's.
func (s *Store) Get(ctx context.Context, id handoff.ID) (handoff.Record, error) {
	if !clean(id.Conversation) || id.Number < 0 {
		return handoff.Record{}, handoff.ErrNotFound
	}
	name := rid(id)
	row, err := s.client.HMGet(ctx, s.name+"r:"+name, fieldNames...).Result()
	if err != nil {
		return handoff.Record{}, wrap(ctx, "get", err)
	}
	if r, ok := record(name, row); ok {
		return r, nil
	}
	return handoff.Record{}, handoff.ErrNotFound
}

// Latest is handoff.Store's.
func (s *Store) Latest(ctx context.Context, conversation string) (handoff.Record, error) {
	if !clean(conversation) {
		return handoff.Record{}, handoff.ErrNotFound
	}
	v, err := s.run(ctx, latestScript, conversation)
	if err != nil {
		return handoff.Record{}, wrap(ctx, "latest", err)
	}
	if found := list(v); len(found) == 2 {
		if r, ok := record(text(found[0]), list(found[1])); ok {
			return r, nil
		}
	}
	return handoff.Record{}, handoff.ErrNotFound
}

// Holders is handoff.Store's.
func (s *Store) Holders(ctx context.Context, keys ...string) ([]handoff.Holding, error) {
	var out []handoff.Holding
	cmds, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, key := range keys {
			p.Do(ctx, "hgetall", s.name+"key:"+key)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, wrap(ctx, "holders", err)
	}
	for i, cmd := range cmds {
		c, ok := cmd.(*redis.Cmd)
		if !ok {
			return nil, fmt.Errorf("redisstore: holders: a command of type %T", cmd)
		}
		out = append(out, holdings(keys[i], flat(c.Val()))...)
	}
	return out, nil
}

// flat returns the fields and values of a hash in turn. The newer protocol
// answers with a map.
func flat(v any) []any {
	m, ok := v.(map[any]any)
	if !ok {
		return list(v)
	}
	out := make([]any, 0, 2*len(m))
	for k, v := range m {
		out = append(out, k, v)
	}
	return out
}

// Lines is handoff.Store's.
func (s *Store) Lines(ctx context.Context, queue string) ([]string, error) {
	v, err := s.run(ctx, linesScript, queue)
	if err != nil {
		return nil, wrap(ctx, "lines", err)
	}
	found := list(v)
	out := make([]string, len(found))
	for i := range found {
		out[i] = text(found[i])
	}
	return out, nil
}

// Log is handoff.Store's.
func (s *Store) Log(ctx context.Context, id handoff.ID, after int64, limit int) ([]handoff.RecordEntry, error) {
	if !clean(id.Conversation) || id.Number < 0 || limit <= 0 {
		return nil, nil
	}
	after = max(after, 0)
	v, err := s.run(ctx, logScript, rid(id), strconv.FormatInt(after+1, 10), strconv.Itoa(limit))
	if err != nil {
		return nil, wrap(ctx, "log", err)
	}
	found := list(v)
	if len(found) < 2 {
		return nil, nil
	}
	out := make([]handoff.RecordEntry, len(found)-1)
	for i := range out {
		out[i] = entryOf(number(found[0])+int64(i), text(found[i+1]))
	}
	return out, nil
}

// Entry is handoff.Store's.
func (s *Store) Entry(ctx context.Context, id handoff.ID, entry string) (handoff.RecordEntry, error) {
	if !clean(id.Conversation) || !clean(entry) || id.Number < 0 {
		return handoff.RecordEntry{}, handoff.ErrNotFound
	}
	v, err := s.run(ctx, entryScript, rid(id), entry)
	if err != nil {
		return handoff.RecordEntry{}, wrap(ctx, "entry", err)
	}
	if found := list(v); len(found) == 2 && found[1] != nil {
		return entryOf(number(found[0]), text(found[1])), nil
	}
	return handoff.RecordEntry{}, handoff.ErrNotFound
}

// Ahead is handoff.AheadCounter's.
func (s *Store) Ahead(ctx context.Context, r handoff.Record, limit int) (int, error) {
	n, err := s.client.ZLexCount(ctx, s.name+"rank:"+r.Queue, "-", "("+rank(r.Priority, r.Since)+rid(r.ID)).Result()
	if limit > 0 {
		n = min(n, int64(limit))
	}
	return int(n), wrap(ctx, "ahead", err)
}
