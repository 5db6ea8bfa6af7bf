package systemtest

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A ledger counts, outside of every engine and store, what each agent has at
// once. Processes tell it over a socket and wait for its answer: of a chat
// after it was accepted, and before it is ended. So it never counts more than
// there is, and what it counts too much is a fault of the system.
type ledger struct {
	socket string

	mu     sync.Mutex
	load   map[string]int
	peak   map[string]int
	chats  map[string]bool     // each accept once, however often it was told
	taken  map[string][]string // by conversation
	faults []string
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	l := &ledger{
		socket: filepath.Join(t.TempDir(), "l"),
		load:   map[string]int{}, peak: map[string]int{}, chats: map[string]bool{}, taken: map[string][]string{},
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "unix", l.socket)
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go l.serve(conn)
		}
	}()
	return l
}

func (l *ledger) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	for in := bufio.NewScanner(conn); in.Scan(); {
		if _, err := fmt.Fprintln(conn, l.note(in.Text())); err != nil {
			return
		}
	}
}

// note does what a process says.
func (l *ledger) note(line string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	verb, rest, _ := strings.Cut(line, " ")
	switch word := strings.Fields(rest); verb {
	case "take": // conversation, offer, agent
		if l.chats[rest] {
			return "again"
		}
		l.chats[rest] = true
		agent := word[2]
		l.taken[word[0]] = append(l.taken[word[0]], agent)
		l.load[agent]++
		l.peak[agent] = max(l.peak[agent], l.load[agent])
	case "give":
		l.load[word[0]]--
	default:
		l.faults = append(l.faults, line)
	}
	return "ok"
}

// broken returns what must not be.
func (l *ledger) broken(seats int) (broken []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for agent, n := range l.peak {
		if n > seats {
			broken = append(broken, fmt.Sprintf("%s had %d at once", agent, n))
		}
	}
	for conversation, agents := range l.taken {
		if len(agents) > 1 {
			broken = append(broken, fmt.Sprintf("%s was taken by %v", conversation, agents))
		}
	}
	slices.Sort(broken)
	return append(broken, l.faults...)
}

// A teller is one process's line to the ledger.
type teller struct {
	mu   sync.Mutex
	conn net.Conn
	in   *bufio.Scanner
}

func dialLedger(ctx context.Context, socket string) (*teller, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	return &teller{conn: conn, in: bufio.NewScanner(conn)}, nil
}

func (l *teller) tell(format string, args ...any) (answer string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " ")
	if _, err := fmt.Fprintln(l.conn, line); err != nil {
		return "", err
	}
	if !l.in.Scan() {
		return "", fmt.Errorf("the ledger is gone: %w", l.in.Err())
	}
	return l.in.Text(), nil
}
