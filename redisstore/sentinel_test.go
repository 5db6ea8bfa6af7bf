package redisstore_test

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff/internal/enginetest"
	"github.com/seed-2a427302/handoff/internal/servertest"
	"github.com/seed-2a427302/handoff/redisstore"
)

// A Sentinel's client goes on with the replica that is made the primary. What
// the replica had confirmed is there.
func TestSentinel(t *testing.T) {
	ctx := t.Context()
	port := freePort(t)
	primary := dial(t, start(t, "--port", port, "--bind", "127.0.0.1"))
	replica := dial(t, start(t, "--port", freePort(t), "--bind", "127.0.0.1", "--replicaof", "127.0.0.1", port))
	enginetest.Eventually(t, "a replica", func() bool {
		return replica.InfoMap(ctx, "replication").Val()["Replication"]["master_link_status"] == "up"
	})
	c := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: "desk", SentinelAddrs: []string{sentinel(t, "desk", port)}, ContextTimeoutEnabled: true,
	})
	t.Cleanup(func() { _ = c.Close() })
	s := redisstore.New(c, redisstore.Options{})
	require.NoError(t, s.Migrate(ctx, redisstore.Latest))
	require.NoError(t, s.Commit(ctx, record("before"), entry(1)))
	require.NoError(t, primary.Wait(ctx, 1, 0).Err())

	info := primary.InfoMap(ctx, "server").Val()
	pid, err := strconv.Atoi(info["Server"]["process_id"])
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	n := 0
	enginetest.Eventually(t, "a commit on the new primary", func() bool {
		n++ // one that failed may be stored all the same
		return s.Commit(ctx, record(fmt.Sprint("after ", n)), entry(1)) == nil
	})
	_, err = s.Get(ctx, record("before").ID)
	require.NoError(t, err)
	require.Equal(t, "master", replica.InfoMap(ctx, "replication").Val()["Replication"]["role"])
}

// sentinel starts one that watches the server of a port, and returns its address.
func sentinel(t *testing.T, name, watched string) string {
	t.Helper()
	bin, err := exec.LookPath(cmp.Or(os.Getenv("HANDOFF_TEST_REDIS_SERVER"), "redis-server"))
	if err != nil {
		bin, err = exec.LookPath("valkey-server")
	}
	if err != nil {
		servertest.Missing(t, "Redis, for a sentinel", err, "install redis-server")
	}
	address := net.JoinHostPort("127.0.0.1", freePort(t))
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	settings := filepath.Join(t.TempDir(), "sentinel.conf")
	require.NoError(t, os.WriteFile(settings, fmt.Appendf(nil,
		"bind 127.0.0.1\nport %[1]s\nsentinel monitor %[2]s 127.0.0.1 %[3]s 1\nsentinel down-after-milliseconds %[2]s 500\nsentinel failover-timeout %[2]s 5000\n",
		port, name, watched), 0o600))
	cmd := exec.Command(bin, settings, "--sentinel") //nolint:gosec // where this machine has it
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	c := redis.NewSentinelClient(&redis.Options{Addr: address})
	t.Cleanup(func() { _ = c.Close() })
	enginetest.Eventually(t, "a sentinel that knows the replica", func() bool {
		list, err := c.Replicas(t.Context(), name).Result()
		return err == nil && len(list) == 1
	})
	return address
}
