package systemtest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/modeltest/check"
	"github.com/seed-2a427302/handoff/pgstore"
)

// soakFor is how long a soak takes: HANDOFF_SOAK, or a few seconds. Nothing can
// be said about growth in less than 20 minutes: what is learned of waits and
// of agents is kept for a while, and fills first.
func soakFor(t *testing.T) (d time.Duration, long bool) {
	t.Helper()
	s := os.Getenv("HANDOFF_SOAK")
	if s == "" {
		return 3 * time.Second, false
	}
	d, err := time.ParseDuration(s)
	require.NoError(t, err)
	return d, d >= 20*time.Minute
}

// Three processes live conversation after conversation on PostgreSQL. No
// invariant is broken, neither heaps nor goroutines grow, tables do not bloat,
// and in the end nothing is lost.
func TestSoak(t *testing.T) {
	length, long := soakFor(t)
	k, err := kindNamed("postgres")
	require.NoError(t, err)
	place := k.place(t)
	s := mustOpen(t, k, place)
	o := newOutside(t)
	w, err := newSurvivor(t.Context(), s, o.socket, newFuse(""), soakConfig)
	require.NoError(t, err)
	_, dsn, _ := strings.Cut(place, " ")
	a := newAuditor(t, o, s, w.e, dsn)
	tables := &tables{place: place}

	var list []*child
	var pulses [3]pulses
	for i := range pulses {
		c := start(t, "soak", k, place, "SOAK_OUTSIDE="+o.socket, fmt.Sprint("SOAK_NAME=p", i))
		list = append(list, c)
		go pulses[i].listen(c)
	}
	every := min(10*time.Second, length/3)
	for begun := time.Now(); time.Since(begun) < length; {
		time.Sleep(every)
		for _, c := range list {
			c.gone(t)
		}
		for _, broken := range a.look(t, list) {
			t.Error(broken)
		}
		tables.look(t)
		if t.Failed() {
			break
		}
	}
	for _, c := range list {
		require.NoError(t, c.stop())
	}
	w, broken := o.settle(t, s, openIn(t, &patient{s}), time.Minute)
	for _, broken := range append(broken, o.audit(t, s, w.e)...) {
		t.Error(broken)
	}
	t.Logf("%v, %d looks, %d conversations", length, a.looks, len(a.seen))
	for i := range pulses {
		pulses[i].judge(t, i, long)
	}
	tables.judge(t, long)
}

// An auditor checks what was touched since it looked before.
type auditor struct {
	s       *pgstore.Store
	e       *handoff.Engine // does not run
	dsn     string
	checker *check.Checker
	reader  *check.Reader
	since   time.Time
	looks   int
	seen    map[string]bool
	before  []string // what was open at the look before
}

func newAuditor(t *testing.T, o *outside, s handoff.Store, e *handoff.Engine, dsn string) *auditor {
	t.Helper()
	ps, ok := s.(*pgstore.Store)
	require.True(t, ok)
	staff := check.NewStaff()
	for _, a := range crashStaff {
		staff.Set(time.Time{}, a.ID, a.Seats, true)
	}
	return &auditor{
		s: ps, e: e, dsn: dsn, seen: map[string]bool{}, reader: &check.Reader{Agents: []string{"ann", "bob"}},
		checker: check.New(check.Rules{Queues: crashQueues, Channel: true, Sinks: []string{"audit"}, Ledger: o.ledger, Staff: staff}),
	}
}

// look stops all processes for a moment and checks what is open, what was, and
// what is new. What they have sent may still be on its way into the database,
// so that all is read in one transaction that sees one moment.
func (a *auditor) look(t *testing.T, list []*child) (broken []string) {
	t.Helper()
	for _, c := range list {
		require.NoError(t, c.cmd.Process.Signal(syscall.SIGSTOP))
	}
	defer func() {
		for _, c := range list {
			require.NoError(t, c.cmd.Process.Signal(syscall.SIGCONT))
		}
	}()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, a.dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(ctx)) }()
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	require.NoError(t, err)
	s := a.s.Tx(tx)
	a.reader.Store = s
	a.reader.Engine, _ = a.e.On(s)
	now := time.Now()
	names := append(openIn(t, s), a.before...)
	fresh, err := s.List(ctx, handoff.Query{From: a.since.Add(-time.Minute)})
	require.NoError(t, err)
	for i := range fresh {
		names = append(names, fresh[i].ID.Conversation)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for _, name := range names {
		a.seen[name] = true
	}
	a.looks, a.since, a.before = a.looks+1, now, openIn(t, s)
	snapshot, err := a.reader.Read(ctx, now, names...)
	require.NoError(t, err)
	for _, v := range a.checker.Next(snapshot) {
		broken = append(broken, v.String())
	}
	return broken
}

// openIn lists the conversations that have an open handoff.
func openIn(t *testing.T, s handoff.Store) (names []string) {
	t.Helper()
	states := slices.DeleteFunc(handoff.States(), func(s handoff.State) bool { return s == handoff.StateEnded })
	list, err := s.List(context.Background(), handoff.Query{States: states})
	require.NoError(t, err)
	for i := range list {
		names = append(names, list[i].ID.Conversation)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// pulses are what a process told of itself.
type pulses struct {
	mu   sync.Mutex
	list []pulse
}

func (p *pulses) listen(c *child) {
	for c.out.Scan() {
		var x pulse
		if json.Unmarshal(c.out.Bytes(), &x) == nil {
			p.mu.Lock()
			p.list = append(p.list, x)
			p.mu.Unlock()
		}
	}
}

// judge compares the last quarter with the second.
func (p *pulses) judge(t *testing.T, process int, long bool) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	require.NotEmpty(t, p.list)
	for _, figure := range []struct {
		name string
		of   func(pulse) float64
	}{
		{"heap", func(x pulse) float64 { return float64(x.Heap) }},
		{"goroutines", func(x pulse) float64 { return float64(x.Goroutines) }},
	} {
		values := make([]float64, len(p.list))
		for i := range values {
			values[i] = figure.of(p.list[i])
		}
		first, last := kept(values)
		growth := last/first - 1
		t.Logf("process %d: %s %.0f, then %.0f: %+.1f %%", process, figure.name, first, last, 100*growth)
		if long {
			assert.LessOrEqual(t, growth, 0.05, "%s of process %d", figure.name, process)
		}
	}
}

// kept returns what was never given back in the second quarter and in the last:
// the least of each. What is in flight comes on top of it, more of it when
// the machine is busy with something else, and is at some moment next to
// nothing; what leaks is there at every moment.
func kept(values []float64) (first, last float64) {
	n := len(values)
	return slices.Min(values[n/4 : n/2+1]), slices.Min(values[n*3/4:])
}

// Work in flight that doubles is no leak; a leak of one thing in a minute is
// found in half an hour of it.
func TestSoakKept(t *testing.T) {
	busy, leak := make([]float64, 1800), make([]float64, 1800)
	for i := range busy {
		flight := float64(i*7%5) * float64(1+i/900) // twice as much in the second half
		busy[i], leak[i] = 20+flight, 20+flight+float64(i/60)
	}
	first, last := kept(busy)
	assert.LessOrEqual(t, last/first-1, 0.05)
	first, last = kept(leak)
	assert.Greater(t, last/first-1, 0.05)
}

// tables are the sizes of what is stored, at each look.
type tables struct {
	place string
	list  []map[string]int64
}

// hot are the indexes that are to stay as short as the work that is open. That
// of Wake is not: what has ended stands in it until it is deleted.
var hot = []string{"handoff_record_rank", "handoff_record_line", "handoff_record_behind", "handoff_record_open"}

// look notes the sizes of indexes, and of tables the rows that are there and
// those that are dead.
func (s *tables) look(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	schema, dsn, _ := strings.Cut(s.place, " ")
	conn, err := pgx.Connect(ctx, dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(ctx)) }()
	rows, err := conn.Query(ctx, `SELECT indexrelname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes WHERE schemaname = $1
		UNION ALL SELECT relname || ' live', n_live_tup FROM pg_stat_user_tables WHERE schemaname = $1
		UNION ALL SELECT relname || ' dead', n_dead_tup FROM pg_stat_user_tables WHERE schemaname = $1
		UNION ALL SELECT relname || ' bytes', pg_table_size(relid) FROM pg_stat_user_tables WHERE schemaname = $1`, schema)
	require.NoError(t, err)
	sizes := map[string]int64{}
	var name string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&name, &n}, func() error { sizes[name] = n; return nil })
	require.NoError(t, err)
	s.list = append(s.list, sizes)
}

// mostRoom is by how much a row may take more room than after the first third of the
// time: what is dead may be half of what lives, see judge, and the room that it
// had stays in the table until something new is put there. Room that is never
// used again goes beyond that.
const mostRoom = 1.5

// perRow returns how many bytes of a table there were for each of its rows after
// the first third of the time, and at the end. A table does not get shorter when
// rows go, so it is compared with the most that it has held until then; and where
// there are few rows, a page or some more or less are nothing.
func (s *tables) perRow(table string) (before, after float64) {
	third := (len(s.list) - 1) / 3
	const pages = 64 << 10
	peak := int64(1)
	for i, sizes := range s.list {
		peak = max(peak, sizes[table+" live"])
		after = float64(sizes[table+" bytes"]+pages) / float64(peak)
		if i == third {
			before = after
		}
	}
	return before, after
}

// A table whose rows come and go, or grow in number, is as large as it has to be;
// one whose room is never used again is found in half an hour.
func TestSoakPerRow(t *testing.T) {
	busy, grows, leak := &tables{}, &tables{}, &tables{}
	for i := range int64(180) {
		flight := i * 7 % 5 * 100 // dead, or gone
		add := func(s *tables, live, bytes int64) {
			s.list = append(s.list, map[string]int64{"x live": live, "x bytes": bytes, "few live": 3, "few bytes": 8192 + i/100*8192})
		}
		add(busy, 2000-flight, 500*(2000+flight))
		add(grows, 100*i, 500*(100*i+1000))
		add(leak, 2000, 500*(2000+20*i))
	}
	for _, s := range []*tables{busy, grows} {
		for _, table := range []string{"x", "few"} {
			before, after := s.perRow(table)
			assert.LessOrEqual(t, after, mostRoom*before, table)
		}
	}
	before, after := leak.perRow("x")
	assert.Greater(t, after, mostRoom*before)
}

// judge looks at dead rows, at the room that rows take and at the hot indexes. What
// is dead is removed by the server's autovacuum, once a minute where there is
// enough of it.
func (s *tables) judge(t *testing.T, long bool) {
	t.Helper()
	first, last := s.list[len(s.list)/2], s.list[len(s.list)-1]
	// What an engine remembers of the last minutes follows the work of these.
	var rows []int64
	for quarter := range 5 {
		rows = append(rows, s.list[(len(s.list)-1)*quarter/4]["handoff_record live"])
	}
	t.Logf("handoff_record: %d rows after each quarter of the time", rows)
	for _, table := range []string{"handoff_record", "handoff_entry", "handoff_key", "handoff_cursor"} {
		live, dead := last[table+" live"], last[table+" dead"]
		before, after := s.perRow(table)
		t.Logf("%s: %d rows, %d dead, %.0f bytes a row, then %.0f", table, live, dead, before, after)
		if long {
			assert.LessOrEqual(t, dead, live/2+5000, "dead rows in %s", table)
			assert.LessOrEqual(t, after, mostRoom*before, "bytes a row of %s", table)
		}
	}
	for _, index := range hot {
		t.Logf("%s: %d bytes, then %d", index, first[index], last[index])
		if long {
			assert.LessOrEqual(t, last[index], first[index]+first[index]/4+64<<10, index)
		}
	}
}
