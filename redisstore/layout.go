package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Latest is the version of the layout that this build needs.
const Latest = 1

// A LayoutError says that the server does not have the layout that this build
// needs.
type LayoutError struct {
	Have, Need int    // versions; Have 0: there is none
	Foreign    string // something of another origin that is in the way
}

func (e *LayoutError) Error() string {
	switch {
	case e.Foreign != "":
		return fmt.Sprintf("redisstore: what is stored as %q is not this library's", e.Foreign)
	case e.Have == 0:
		return "redisstore: the layout does not exist; call Migrate"
	case e.Have > e.Need:
		return fmt.Sprintf("redisstore: the layout has version %d, which is newer than this build's %d", e.Have, e.Need)
	}
	return fmt.Sprintf("redisstore: the layout has version %d, this build needs %d; call Migrate", e.Have, e.Need)
}

// Migrate brings the layout to a version: Latest to use it, 0 to remove
// everything under the prefix. Any number of processes may call it at once. A
// layout that is newer than this build is a *LayoutError and stays as it is.
func (s *Store) Migrate(ctx context.Context, version int) error {
	if version < 0 || version > Latest {
		return fmt.Errorf("redisstore: migrate: there is no layout version %d", version)
	}
	// Version 0 comes before the removal, so that nobody uses half a store and
	// a removal that was cut off is found and goes on.
	have, err := s.layout(ctx, "migrate", strconv.Itoa(version))
	switch {
	case err != nil:
		return err
	case have > Latest:
		return &LayoutError{Have: have, Need: Latest}
	case version == 0:
		return s.clear(ctx)
	}
	return nil
}

// layout reads the version of the layout, and sets it unless want is empty.
func (s *Store) layout(ctx context.Context, op, want string) (have int, err error) {
	sc := layoutScript
	v, err := s.run(ctx, sc, want, Latest)
	if err != nil {
		return 0, wrap(ctx, op, err)
	}
	answer := list(v)
	if len(answer) == 2 {
		return 0, &LayoutError{Need: Latest, Foreign: text(answer[1])}
	}
	if len(answer) != 1 {
		return 0, fmt.Errorf("redisstore: %s: answer of type %T", op, v)
	}
	return int(number(answer[0])), nil
}

// clear removes every name with the store's tag, the layout's version last.
func (s *Store) clear(ctx context.Context) error {
	node, err := s.node(ctx)
	if err != nil {
		return wrap(ctx, "migrate", err)
	}
	layout := s.name + "layout"
	pattern := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(s.name) + "*"
	for cursor := uint64(0); ; {
		keys, next, err := node.Scan(ctx, cursor, pattern, 1000).Result()
		if err != nil {
			return wrap(ctx, "migrate", err)
		}
		for _, key := range keys {
			if key == layout {
				continue
			}
			if err := node.Unlink(ctx, key).Err(); err != nil {
				return wrap(ctx, "migrate", err)
			}
		}
		if cursor = next; cursor == 0 {
			return wrap(ctx, "migrate", node.Del(ctx, layout).Err())
		}
	}
}

// node returns a client of the one server that keeps the store.
func (s *Store) node(ctx context.Context) (redis.Cmdable, error) {
	if c, ok := s.client.(*redis.ClusterClient); ok {
		return c.MasterForKey(ctx, s.name)
	}
	return s.client, nil
}

// Check says whether this build can use the server: a *LayoutError when the
// layout is missing, newer or another one, ErrReadOnly, ErrClient, ErrEvicts,
// and ErrNotDurable when the server may lose what it has acknowledged, with
// what would be lost. Where the server does not let anybody look at its
// configuration, what it does not tell counts as not set.
func (s *Store) Check(ctx context.Context) error {
	if err := s.options(); err != nil {
		return err
	}
	node, err := s.node(ctx)
	if err != nil {
		return wrap(ctx, "check", err)
	}
	info, err := node.InfoMap(ctx, "replication", "memory", "persistence").Result()
	if err != nil {
		return wrap(ctx, "check", err)
	}
	setting := func(name string) string {
		for _, section := range info {
			if v, ok := section[name]; ok {
				return v
			}
		}
		return ""
	}
	if role := setting("role"); role != "master" {
		return fmt.Errorf("redisstore: check: %w: its role is %s", ErrReadOnly, role)
	}
	have, err := s.layout(ctx, "check", "")
	if err != nil {
		return err
	}
	if have != Latest {
		return &LayoutError{Have: have, Need: Latest}
	}
	if policy := setting("maxmemory_policy"); policy != "noeviction" {
		return fmt.Errorf("redisstore: check: %w: maxmemory-policy is %s", ErrEvicts, policy)
	}
	if setting("aof_enabled") != "1" {
		return fmt.Errorf("redisstore: check: %w: appendonly is off; a crash of the server takes everything since its last snapshot", ErrNotDurable)
	}
	sync := ""
	if found, err := node.ConfigGet(ctx, "appendfsync").Result(); err == nil {
		sync = found["appendfsync"]
	}
	if sync != "always" {
		return fmt.Errorf("redisstore: check: %w: appendfsync is %q; a crash of the server takes the last two seconds, or more with \"no\"", ErrNotDurable, sync)
	}
	return nil
}

// options looks for client options under which no store keeps its contract.
func (s *Store) options() error {
	keeps, replica := true, false
	switch c := s.client.(type) {
	case *redis.Client:
		keeps = c.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		keeps, replica = c.Options().ContextTimeoutEnabled, c.Options().ReadOnly
	}
	var errs []error
	if !keeps {
		errs = append(errs, errors.New("it does not keep deadlines: set ContextTimeoutEnabled"))
	}
	if replica {
		errs = append(errs, errors.New("it reads from replicas, which lag: unset ReadOnly, RouteByLatency and RouteRandomly"))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("redisstore: check: %w: %w", ErrClient, err)
	}
	return nil
}
