package throwaway

import (
	"errors"
	"net"
	"os/exec"
	"path/filepath"
)

// Redis runs redis-server with an append-only file, or valkey-server where
// there is no other, with these arguments ("--appendfsync", "always"). It
// returns a URL. stop ends the server and removes its data.
func Redis(args ...string) (url string, stop func(), err error) {
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		if bin, err = exec.LookPath("valkey-server"); err != nil {
			return "", nil, errors.New("neither redis-server nor valkey-server is installed")
		}
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
