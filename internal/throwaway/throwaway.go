// Package throwaway starts servers of its own, from the binaries that the
// machine has, for tests and examples. They listen on a socket in a temporary
// folder and nowhere else, and end with the process that started them, whatever
// ended that.
package throwaway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"
)

// ErrUnsupported says that servers are started on Unix only.
var ErrUnsupported = errors.New("servers are started on Unix only")

// patience is how long a server may take to answer.
const patience = time.Minute

// A server is being started in a folder.
type server struct {
	dir  string
	user account // whom the server runs as
}

// folder makes the folder.
func folder(pattern string) (*server, error) {
	dir, err := os.MkdirTemp("", pattern)
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir}
	if s.user, err = unprivileged(dir); err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}

func (s *server) remove() { _ = os.RemoveAll(s.dir) }

// run starts the server, and waits until ask has its answer. stop ends it, and
// removes the folder.
func (s *server) run(signal string, ask func(net.Conn) error, socket, name string, args ...string) (stop func(), err error) {
	end, err := s.start(signal, ask, socket, name, args...)
	if err != nil {
		return nil, err
	}
	return func() { end(false) }, nil
}

// start is run for a server whose folder may be kept. A shell ends it with a
// signal and removes the folder when the pipe to it is closed: by end, or by the
// end of this process. Who forgets end lets the server end.
func (s *server) start(signal string, ask func(net.Conn) error, socket, name string, args ...string) (end func(keep bool), err error) {
	sh := exec.CommandContext(context.Background(), "/bin/sh", append([]string{ //nolint:gosec // where this machine has it
		"-c", `"$@" >>"$DIR/log" 2>&1 & pid=$!; word=$(cat); kill -` + signal + ` $pid; wait $pid; [ "$word" = keep ] || rm -rf "$DIR"`, "sh", name,
	}, args...)...)
	sh.Dir, sh.Env = "/", append(os.Environ(), "DIR="+s.dir)
	s.user.become(sh)
	pipe, err := sh.StdinPipe()
	if err == nil {
		err = sh.Start()
	}
	if err != nil {
		s.remove()
		return nil, err
	}
	var once sync.Once
	end = func(keep bool) {
		once.Do(func() {
			if keep {
				_, _ = io.WriteString(pipe, "keep")
			}
			_ = pipe.Close()
			_ = sh.Wait()
			if !keep {
				s.remove()
			}
		})
	}
	for deadline := time.Now().Add(patience); ; {
		if err = try(socket, ask); err == nil {
			return end, nil
		}
		if time.Now().After(deadline) {
			break
		}
		time.Sleep(20 * time.Millisecond) //nolint:forbidigo // there is nothing to wait on
	}
	log, _ := os.ReadFile(s.dir + "/log")
	end(false)
	return nil, fmt.Errorf("%s does not answer: %w: %.2000s", name, err, log)
}

func try(socket string, ask func(net.Conn) error) error {
	var d net.Dialer
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	return ask(conn)
}

// line reads up to the end of a line.
func line(conn net.Conn) (string, error) { return bufio.NewReader(conn).ReadString('\n') }
