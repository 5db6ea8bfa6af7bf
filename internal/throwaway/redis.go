package throwaway

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
)

// redisBinary names in the environment the server that Redis runs.
const redisBinary = "HANDOFF_TEST_REDIS_SERVER"

// Redis runs redis-server with an append-only file, or valkey-server where
// there is no other, with these arguments ("--appendfsync", "always").
// HANDOFF_TEST_REDIS_SERVER names another binary, which then must be there. It
// returns a URL. stop ends the server and removes its data.
func Redis(args ...string) (url string, stop func(), err error) {
	bin, err := redisServer()
	if err != nil {
		return "", nil, err
	}
	s, err := folder("redis")
	if err != nil {
		return "", nil, err
	}
	socket := filepath.Join(s.dir, "redis.sock")
	stop, err = s.run("KILL", ping, socket, bin, append([]string{
		"--port", "0", "--unixsocket", socket, "--unixsocketperm", "777", "--dir", s.dir, "--save", "", "--appendonly", "yes",
		"--maxmemory-policy", "noeviction",
	}, args...)...)
	return "unix://" + socket, stop, err
}

// redisServer finds the server. Who asks for one by name gets no other.
func redisServer() (string, error) {
	if name := os.Getenv(redisBinary); name != "" {
		bin, err := exec.LookPath(name)
		if err != nil {
			return "", fmt.Errorf("%s: %w", redisBinary, err)
		}
		return bin, nil
	}
	for _, name := range []string{"redis-server", "valkey-server"} {
		if bin, err := exec.LookPath(name); err == nil {
			return bin, nil
		}
	}
	return "", errors.New("neither redis-server nor valkey-server is installed")
}

// ping asks for a sign of life. A server that loads its data answers otherwise.
func ping(conn net.Conn) error {
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	answer, err := line(conn)
	if err == nil && answer != "+PONG\r\n" {
		err = errors.New(answer)
	}
	return err
}
