package pgstore_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2a427302/handoff"
	"github.com/seed-2a427302/handoff/pgstore"
)

const seats = 3 // of each agent

// raceSize is small; HANDOFF_RACE=full makes it 8 processes, 20 agents and
// 5,000 requests.
type raceSize struct{ processes, agents, requests, chat int } // a chat is so many milliseconds at most

func size() raceSize {
	if os.Getenv("HANDOFF_RACE") == "full" {
		return raceSize{8, 20, 5000, 30}
	}
	return raceSize{3, 5, 150, 30}
}

// Processes share agents whose seats are scarce. A ledger, kept outside of the
// engine, counts what each agent has at once.
func TestRace(t *testing.T) {
	for _, broken := range race(t, size(), "") {
		t.Error(broken)
	}
}

// The same with a store that looks and then writes, without a lock between:
// the test must notice.
func TestRaceNaive(t *testing.T) {
	broken := race(t, raceSize{3, 1, 60, 300}, "naive")
	require.NotEmpty(t, broken, "a store without locks passes")
	t.Log(broken)
}

// race returns what was broken.
func race(t *testing.T, n raceSize, plant string) (broken []string) {
	ctx := t.Context()
	schema := nextSchema()
	s, pool := openPool(t, pgstore.Options{Schema: schema})
	if plant == "naive" {
		makeNaive(t, pool, schema)
	}
	in := quoted(schema) + "."
	_, err := pool.Exec(ctx, "CREATE TABLE "+in+"load (agent text PRIMARY KEY, n int NOT NULL, peak int NOT NULL);"+
		"CREATE TABLE "+in+"taken (conversation text, number bigint, agent text, offer bigint, PRIMARY KEY (conversation, number, agent, offer))")
	require.NoError(t, err)
	for i := range n.agents {
		_, err := pool.Exec(ctx, "INSERT INTO "+in+"load VALUES ($1, 0, 0)", agentName(i))
		require.NoError(t, err)
	}
	before := deadlocks(t, pool)

	begun := time.Now()
	var list []*child
	for i := range n.processes {
		list = append(list, start(t, "race", schema, "RACE_AGENTS="+strconv.Itoa(n.agents), "RACE_CHAT="+strconv.Itoa(n.chat),
			"RACE_FROM="+strconv.Itoa(n.requests*i/n.processes), "RACE_TO="+strconv.Itoa(n.requests*(i+1)/n.processes)))
	}
	for left := n.requests; left > 0; {
		time.Sleep(100 * time.Millisecond)
		for _, c := range list {
			c.gone(t)
		}
		ended, err := s.Count(ctx, handoff.Query{States: []handoff.State{handoff.StateEnded}})
		require.NoError(t, err)
		left = n.requests - ended
		if plant != "" && time.Since(begun) > time.Minute {
			break // a broken store need not get anywhere
		}
	}
	took := time.Since(begun)
	total, err := s.Count(ctx, handoff.Query{})
	require.NoError(t, err)
	t.Log(total, "records")
	for _, c := range list {
		require.NoError(t, c.stop())
	}
	t.Logf("%d processes, %d agents, %d requests: %v, %.0f a second", n.processes, n.agents, n.requests, took.Round(time.Millisecond), float64(n.requests)/took.Seconds())

	rows, err := pool.Query(ctx, "SELECT agent || ' had ' || peak FROM "+in+"load WHERE peak > $1", seats)
	require.NoError(t, err)
	over, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	broken = append(broken, over...)
	rows, err = pool.Query(ctx, "SELECT conversation || ' was taken ' || count(*) || ' times' FROM "+in+"taken GROUP BY conversation HAVING count(*) > 1")
	require.NoError(t, err)
	twice, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	broken = append(broken, twice...)
	if d := deadlocks(t, pool) - before; d > 0 {
		broken = append(broken, fmt.Sprint(d, " deadlocks"))
	}
	if plant == "" {
		broken = append(broken, order(t, s, n)...)
	}
	return broken
}

func agentName(i int) string { return fmt.Sprintf("agent%02d", i) }

func deadlocks(t *testing.T, pool *pgxpool.Pool) (n int64) {
	t.Helper()
	require.NoError(t, pool.QueryRow(t.Context(), "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").Scan(&n))
	return n
}

// order returns who was overtaken by more than could be on their way at once:
// each seat may be going to somebody who stood behind while he came.
func order(t *testing.T, s *pgstore.Store, n raceSize) (broken []string) {
	t.Helper()
	most := overtaken(t, s, n, "push")
	t.Logf("overtaken by at most %d", most)
	if bound := n.agents * seats; most > bound {
		broken = append(broken, fmt.Sprintf("somebody was overtaken by %d, more than the %d seats", most, bound))
	}
	// Those who help themselves do not keep the order, which shows that this
	// would be seen.
	assert.Positive(t, overtaken(t, s, n, "pull"))
	return broken
}

// overtaken returns by how many the one was overtaken who was overtaken most.
func overtaken(t *testing.T, s *pgstore.Store, n raceSize, queue string) (most int) {
	t.Helper()
	all, err := s.List(t.Context(), handoff.Query{Queue: queue})
	require.NoError(t, err)
	assert.Len(t, all, n.requests/2)
	e, err := handoff.New(handoff.Config{Store: s, Directory: raceStaff(n.agents), Queues: raceQueues})
	require.NoError(t, err)
	type stay struct{ since, until time.Time }
	var stays []stay
	for i := range all {
		log, err := e.Log(t.Context(), all[i].ID, 0, 1000)
		require.NoError(t, err)
		var st stay
		for j := range log {
			switch log[j].Kind {
			case handoff.KindEnqueued:
				st.since = log[j].At
			case handoff.KindOffered, handoff.KindJoined:
				if st.until.IsZero() {
					st.until = log[j].At
				}
			default:
			}
		}
		stays = append(stays, st)
	}
	slices.SortFunc(stays, func(a, b stay) int { return cmp.Or(a.since.Compare(b.since), a.until.Compare(b.until)) })
	for i := range stays {
		by := 0
		for j := i + 1; j < len(stays) && stays[j].since.Before(stays[i].until); j++ {
			if stays[j].until.Before(stays[i].until) && stays[j].since.After(stays[i].since) {
				by++
			}
		}
		most = max(most, by)
	}
	return most
}

// makeNaive takes the locks out of handoff_commit, and lets time pass between
// the look and the write.
func makeNaive(t *testing.T, pool *pgxpool.Pool, schema string) {
	t.Helper()
	var sql string
	require.NoError(t, pool.QueryRow(t.Context(), "SELECT pg_get_functiondef(($1::text || '.handoff_commit')::regproc)", quoted(schema)).Scan(&sql))
	naive := strings.ReplaceAll(sql, "PERFORM pg_advisory_xact_lock", "PERFORM")
	naive = strings.Replace(naive, "	INSERT INTO handoff_entry", "	PERFORM pg_sleep(0.05);\n	INSERT INTO handoff_entry", 1)
	require.NotEqual(t, sql, naive)
	require.Equal(t, 1, strings.Count(naive, "pg_sleep"))
	_, err := pool.Exec(t.Context(), naive)
	require.NoError(t, err)
}

// In one queue agents are asked, in the other they help themselves, several
// consoles of an agent at once.
var raceQueues = []handoff.Queue{
	{Name: "push", OfferTimeout: 5 * time.Minute, Ladder: []handoff.Rung{{After: time.Hour, Do: handoff.ToBot}}},
	{Name: "pull", Style: handoff.Pull, Ladder: []handoff.Rung{{After: time.Hour, Do: handoff.ToBot}}},
}

func raceStaff(n int) (staff handoff.Staff) {
	for i := range n {
		staff = append(staff, handoff.Agent{ID: agentName(i), Queues: []string{"push", "pull"}, Seats: seats})
	}
	return staff
}

// raceChild is one process: it asks for its share of people, and plays the
// agents whose offers it hears of.
func raceChild(ctx context.Context, s *pgstore.Store) error {
	number := func(name string) int { n, _ := strconv.Atoi(os.Getenv(name)); return n }
	pool, err := pgxpool.New(ctx, os.Getenv("HANDOFF_TEST_DSN"))
	if err != nil {
		return err
	}
	defer pool.Close()
	in := quoted(os.Getenv("HANDOFF_TEST_SCHEMA")) + "."
	var agents sync.WaitGroup
	var e *handoff.Engine
	play := func(id handoff.ID, by handoff.Actor, offer int64) {
		defer agents.Done()
		err := work(ctx, e, pool, in, id, by, offer)
		if err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "agent:", err)
		}
	}
	sink := handoff.SinkFunc(func(_ context.Context, h *handoff.Handoff, en *handoff.Entry) error {
		if o, ok := h.Offer(en.Agent); ok && en.Kind == handoff.KindOffered {
			agents.Add(1)
			go play(h.ID, handoff.By(en.Agent), o.Number)
		}
		return nil
	})
	e, err = handoff.New(handoff.Config{
		Store: s, Directory: raceStaff(number("RACE_AGENTS")), Queues: raceQueues, Sinks: map[string]handoff.Sink{"desk": sink},
	})
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	var users sync.WaitGroup
	for u := range 4 {
		users.Go(func() {
			for i := number("RACE_FROM") + u; i < number("RACE_TO"); i += 4 {
				_, err := e.Request(ctx, handoff.Request{Conversation: fmt.Sprint("c", i), Queue: raceQueues[i%2].Name})
				if err != nil && ctx.Err() == nil {
					fmt.Fprintln(os.Stderr, "request:", err)
				}
			}
		})
	}
	for range 4 {
		agents.Go(func() {
			for ctx.Err() == nil {
				pull(ctx, e, pool, in, handoff.By(agentName(rand.IntN(number("RACE_AGENTS")))))
			}
		})
	}
	users.Wait()
	err = <-done
	agents.Wait()
	return err
}

// pull is an agent who looks for something to do.
func pull(ctx context.Context, e *handoff.Engine, pool *pgxpool.Pool, in string, by handoff.Actor) {
	list, err := e.List(ctx, handoff.Query{Queue: "pull", Waiting: true, ByRank: true, Limit: 20})
	if err == nil && len(list) > 0 {
		err = work(ctx, e, pool, in, list[rand.IntN(len(list))].ID, by, 0)
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "pull:", err)
	}
	if err != nil || len(list) == 0 {
		time.Sleep(20 * time.Millisecond)
	}
}

// work is what an agent does with an offer: take it, and after a while end it.
// The ledger counts from after the one to before the other.
func work(ctx context.Context, e *handoff.Engine, pool *pgxpool.Pool, in string, id handoff.ID, by handoff.Actor, offer int64) error {
	_, err := e.Accept(ctx, id, by, offer)
	var state *handoff.StateError
	if errors.Is(err, handoff.ErrWithdrawn) || errors.Is(err, handoff.ErrFull) || errors.As(err, &state) {
		return nil // told again of what is over, or somebody else was faster
	}
	if err != nil {
		return err
	}
	tag, err := pool.Exec(ctx, "INSERT INTO "+in+"taken VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", id.Conversation, id.Number, by.ID, offer)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	if _, err := pool.Exec(ctx, "UPDATE "+in+"load SET n = n + 1, peak = greatest(peak, n + 1) WHERE agent = $1", by.ID); err != nil {
		return err
	}
	chat, _ := strconv.Atoi(os.Getenv("RACE_CHAT"))
	time.Sleep(time.Duration(rand.IntN(chat)) * time.Millisecond)
	if _, err := pool.Exec(ctx, "UPDATE "+in+"load SET n = n - 1 WHERE agent = $1", by.ID); err != nil {
		return err
	}
	_, err = e.End(ctx, id, by, handoff.Ending{})
	return err
}
