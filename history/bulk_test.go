package history_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/history"
)

// endless is a store that has a number of ended handoffs without keeping them,
// so that what a test measures is the export and nothing else.
type endless struct {
	handoff.Store // the rest is not called

	n   int
	log []handoff.RecordEntry
}

// newEndless returns a store of n handoffs with three messages each.
func newEndless(tb testing.TB, n int) *endless {
	tb.Helper()
	s := &endless{n: n}
	for i := range int64(3) {
		en := handoff.Entry{
			ID: fmt.Sprint("e", i), Seq: i + 1, At: time.UnixMilli(1_700_000_000_000 + i), Kind: handoff.KindMessage,
			From: handoff.Party{Role: handoff.RoleUser, Name: "Dana"}, Text: "I was charged twice for one order, and nobody answers the phone.",
		}
		b, err := json.Marshal(&en)
		require.NoError(tb, err)
		s.log = append(s.log, handoff.RecordEntry{ID: en.ID, Seq: en.Seq, At: en.At, Body: handoff.BodyOf(b)})
	}
	return s
}

func (s *endless) record(i int) handoff.Record {
	at := time.UnixMilli(1_700_000_000_000 + int64(i)).UTC()
	id := handoff.ID{Conversation: fmt.Sprint("c", i), Number: 1}
	b := fmt.Appendf(nil, `{"id":{"conversation":%[1]q,"number":1},"seq":3,"state":"ended","outcome":"resolved","attended":true,"epoch":4,`+
		`"user":{"id":"u%[2]d","name":"Dana"},"need":{"queue":"support"},"created":%[3]q,"ended":%[3]q,"updated":%[3]q}`,
		id.Conversation, i, at.Format(time.RFC3339Nano))
	return handoff.Record{ID: id, Seq: 3, State: handoff.StateEnded, Created: at, Updated: at, Body: handoff.BodyOf(b)}
}

// List implements handoff.Store for queries without conditions.
func (s *endless) List(_ context.Context, q handoff.Query) ([]handoff.Record, error) {
	first := 0
	if !q.After.IsZero() {
		first = max(0, int(q.After.At.UnixMilli()-1_700_000_000_000)+1)
	}
	var out []handoff.Record
	for i := first; i < s.n && len(out) < q.Limit; i++ {
		out = append(out, s.record(i))
	}
	return out, nil
}

// Log implements handoff.Store.
func (s *endless) Log(_ context.Context, _ handoff.ID, after int64, _ int) ([]handoff.RecordEntry, error) {
	return s.log[min(after, int64(len(s.log))):], nil
}

func engineOn(tb testing.TB, s handoff.Store) *handoff.Engine {
	tb.Helper()
	e, err := handoff.New(handoff.Config{Store: s, Directory: handoff.Staff{}, Queues: []handoff.Queue{{Name: "support"}}})
	require.NoError(tb, err)
	return e
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// 100,000 handoffs leave as JSON Lines, and memory stays where it was after the
// first thousand.
func TestExportKeepsMemoryFlat(t *testing.T) {
	many := 100_000
	if underRace {
		many /= 10 // it proves nothing about memory then
	}
	e := engineOn(t, newEndless(t, many))
	var begin, most uint64
	r, w := io.Pipe()
	lines := make(chan int, 1)
	go func() {
		n := 0
		s := bufio.NewScanner(r)
		for s.Scan() {
			n++
		}
		lines <- n
	}()
	p, err := history.Export{Format: history.JSONLines, Done: func(p history.Progress) error {
		switch {
		case p.Handoffs == 1000:
			begin = heap()
		case p.Handoffs%10_000 == 0:
			most = max(most, heap())
		}
		return nil
	}}.Write(t.Context(), w, e)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.Equal(t, many, p.Handoffs)
	require.Equal(t, 3*many, p.Entries)
	require.Equal(t, 5*many, <-lines)
	t.Logf("heap after 1,000: %d KiB, most later: %d KiB", begin/1024, most/1024)
	require.Less(t, most, begin+4<<20)
}

func BenchmarkExport(b *testing.B) {
	for _, f := range []history.Format{history.JSONLines, history.Text, history.HTML, history.CSV, history.Table} {
		b.Run(string(f), func(b *testing.B) {
			e := engineOn(b, newEndless(b, b.N))
			b.ReportAllocs()
			b.ResetTimer()
			_, err := history.Export{Format: f}.Write(b.Context(), io.Discard, e)
			require.NoError(b, err)
		})
	}
}
