package redisstore

import (
	"context"
	"crypto/sha1" //nolint:gosec // the name by which the server knows a script
	_ "embed"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// A script runs on the server, alone. Its flags let the server refuse it
// before it begins: one that writes, on a replica and when the memory is used
// up. So nothing is ever half written.
type script struct {
	source, sha string
	writes      bool
}

var (
	//go:embed lua/common.lua
	common string
	//go:embed lua/fields.lua
	fieldsOf string
	//go:embed lua/tools.lua
	tools string
	//go:embed lua/more.lua
	more string
)

func newScript(body string, writes bool) *script {
	s := &script{writes: writes}
	flags := "#!lua flags=no-writes\n"
	if writes {
		flags = "#!lua\n"
	}
	s.source = flags + common + body
	sum := sha1.Sum([]byte(s.source)) //nolint:gosec // as above
	s.sha = hex.EncodeToString(sum[:])
	return s
}

var (
	//go:embed lua/commit.lua
	commitLua string
	//go:embed lua/claim.lua
	claimLua string
	//go:embed lua/lead.lua
	leadLua string
	//go:embed lua/ack.lua
	ackLua string
	//go:embed lua/erase.lua
	eraseLua string
	//go:embed lua/latest.lua
	latestLua string
	//go:embed lua/log.lua
	logLua string
	//go:embed lua/entry.lua
	entryLua string
	//go:embed lua/lines.lua
	linesLua string
	//go:embed lua/list.lua
	listLua string
	//go:embed lua/next.lua
	nextLua string
	//go:embed lua/attend.lua
	attendLua string
	//go:embed lua/layout.lua
	layoutLua string

	commitScript = newScript("local LAYOUT = '"+strconv.Itoa(Latest)+"'\nlocal function tools()\n"+tools+"return hmget, hset, cursor, watch\nend\n"+commitLua, true)
	claimScript  = newScript(fieldsOf+tools+more+claimLua, true)
	leadScript   = newScript(tools+more+leadLua, true)
	ackScript    = newScript(tools+more+ackLua, true)
	eraseScript  = newScript(fieldsOf+tools+more+eraseLua, true)
	attendScript = newScript(tools+more+attendLua, true)
	layoutScript = newScript(tools+more+layoutLua, true)
	latestScript = newScript(fieldsOf+latestLua, false)
	logScript    = newScript(logLua, false)
	entryScript  = newScript(entryLua, false)
	linesScript  = newScript(linesLua, false)
	listScript   = newScript(fieldsOf+listLua, false)
	nextScript   = newScript(fieldsOf+nextLua, false)
)

// once is a command that the client must not send again by itself: after a
// lost answer nobody knows whether it was carried out, and a second commit
// would answer "conflict" to who has won.
type once struct{ *redis.Cmd }

func (once) NoRetry() bool { return true }

// run runs a script by its name, and sends it whole to a server that does not
// know it, which happens once for each server. The answer of a script that
// found nothing is nil.
func (s *Store) run(ctx context.Context, sc *script, args ...any) (any, error) {
	v, err := s.send(ctx, sc.writes, "evalsha", sc.sha, args)
	if err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") {
		v, err = s.send(ctx, sc.writes, "eval", sc.source, args)
	}
	if errors.Is(err, redis.Nil) {
		return nil, nil //nolint:nilnil // nothing is an answer
	}
	return v, err
}

func (s *Store) send(ctx context.Context, writes bool, verb, what string, args []any) (any, error) {
	list := make([]any, 0, 4+len(args))
	list = append(list, verb, what, "1", s.name)
	cmd := redis.NewCmd(ctx, append(list, args...)...)
	if writes {
		_ = s.client.Process(ctx, once{cmd})
	} else {
		_ = s.client.Process(ctx, cmd)
	}
	return cmd.Result()
}

// tag makes the prefix of all names: a hash tag and a colon. What would end
// the tag too soon is escaped, so that no two prefixes give one tag and each
// gives a tag at all.
func tag(prefix string) string {
	return "{" + strings.NewReplacer("%", "%25", "{", "%7B", "}", "%7D").Replace(prefix) + "}:"
}

// text returns a bulk answer as a string; "" if it is something else.
func text(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case int64:
		return strconv.FormatInt(t, 10)
	}
	return ""
}

// list returns an array answer; nil if it is something else.
func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func number(v any) int64 {
	if n, ok := v.(int64); ok {
		return n
	}
	n, _ := strconv.ParseInt(text(v), 10, 64)
	return n
}
