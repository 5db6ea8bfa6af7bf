package pgstore

import (
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/seed-2a427302/handoff"
)

// queries are the statements with the schema's name in them.
type queries struct {
	commit, batch, lock, get, latest, holders, lines, log string
	entry                                                 string
	due, late, lead, exists, ack                          string
	ahead, list, perLine, count                           string
	versions, version, remove, tomb                       string
}

func newQueries(schema string) queries {
	q := func(s string) string { return strings.ReplaceAll(s, "@", schema+".") }
	// Those that fmt.Sprintf completes.
	format := func(s string) string { return strings.ReplaceAll(s, "@", strings.ReplaceAll(schema, "%", "%%")+".") }
	return queries{
		commit: q(`SELECT answer, detail FROM @handoff_commit($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,
			$17::text[],$18::bigint[],$19::bigint[],$20::text[],$21::text[],$22::bigint[],$23,$24::text[],$25::bigint[],$26::timestamptz[],$27::bytea[])`),
		batch: q(`SELECT answers, details FROM @handoff_commit_set($1::text[],$2::text[],
			$3::text[],$4::bigint[],$5::bigint[],$6::bigint[],$7::text[],$8::text[],$9::text[],$10::text[],$11::text[],$12::text[],
			$13::text[],$14::bigint[],$15::timestamptz[],$16::timestamptz[],$17::timestamptz[],$18::timestamptz[],
			$19::text[],$20::text[],$21::text[],$22::text[],$23::text[],$24::text[],$25::bytea[],
			$26::bigint[],$27::boolean[],$28::timestamptz[],
			$29::bigint[],$30::text[],$31::bigint[],$32::timestamptz[],$33::bytea[],
			$34::bigint[],$35::text[],$36::bigint[],$37::bigint[],$38::bigint[],$39::text)`),
		lock:   q(`SELECT @handoff_lock($1::text[], $2::text[])`),
		get:    q(`SELECT ` + columns + ` FROM @handoff_record r WHERE conversation = $1 AND number = $2`),
		latest: q(`SELECT ` + columns + ` FROM @handoff_record r WHERE conversation = $1 ORDER BY number DESC LIMIT 1`),
		holders: q(`SELECT k.name, k.conversation, k.number, k.units FROM unnest($1::text[]) WITH ORDINALITY AS w(name, n)
			JOIN @handoff_key k ON k.name = w.name COLLATE "C" ORDER BY w.n, k.conversation, k.number`),
		// A look into the index for each line, however many records stand in it.
		lines: q(`WITH RECURSIVE walk AS (
			(SELECT line FROM @handoff_record WHERE queue = $1 AND line <> '' ORDER BY line LIMIT 1)
			UNION ALL
			SELECT (SELECT r.line FROM @handoff_record r WHERE r.queue = $1 AND r.line <> '' AND r.line > walk.line ORDER BY r.line LIMIT 1)
			FROM walk WHERE walk.line IS NOT NULL)
			SELECT line FROM walk WHERE line IS NOT NULL`),
		log:   q(`SELECT id, seq, at, body FROM @handoff_entry WHERE conversation = $1 AND number = $2 AND seq > $3 ORDER BY seq LIMIT $4`),
		entry: q(`SELECT id, seq, at, body FROM @handoff_entry WHERE conversation = $1 AND number = $2 AND id = $3`),
		// The CTE is run once. A subquery might be run again for each row, with
		// other rows, and more would be claimed than were asked for.
		due: q(`WITH d AS MATERIALIZED (SELECT conversation, number FROM @handoff_record
				WHERE wake <= $1::timestamptz AND (claimed_until IS NULL OR claimed_until <= $1::timestamptz)
				ORDER BY wake LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED)
			UPDATE @handoff_record r SET claimed_until = $1::timestamptz + $2::interval
			FROM d WHERE r.conversation = d.conversation AND r.number = d.number RETURNING ` + columns),
		late: q(`SELECT conversation, number, sink, cursor FROM @handoff_late($1, $2, $3, $4::text[], $5)`),
		lead: q(`INSERT INTO @handoff_cursor AS c (conversation, number, name, term, tries, until)
			SELECT conversation, number, $3::text, 1, 1, $5::timestamptz FROM @handoff_record WHERE conversation = $1 AND number = $2
			ON CONFLICT (conversation, number, name) DO UPDATE SET term = c.term + 1, tries = c.tries + 1, until = $5::timestamptz
			WHERE c.until IS NULL OR c.until <= $4::timestamptz RETURNING seq, tries, term`),
		exists: q(`SELECT EXISTS (SELECT FROM @handoff_record WHERE conversation = $1 AND number = $2)`),
		ack: q(`INSERT INTO @handoff_cursor AS c (conversation, number, name, seq)
			SELECT conversation, number, $3::text, $4::bigint FROM @handoff_record WHERE conversation = $1 AND number = $2
			ON CONFLICT (conversation, number, name) DO UPDATE SET
				tries = CASE WHEN $4::bigint > c.seq THEN 0
					WHEN $7::boolean OR $5::bigint <> c.term OR c.until IS NULL OR $6::timestamptz IS NOT NULL THEN c.tries
					ELSE greatest(c.tries - 1, 0) END, seq = greatest(c.seq, $4::bigint),
				until = CASE WHEN $7::boolean OR $5::bigint <> c.term OR c.until IS NULL THEN c.until ELSE $6::timestamptz END`),
		// In two parts, each with the index's own order: a comparison of all columns at once ends a walk only where the
		// first of them decides, and without an order the server may read the whole table, which it takes for short.
		// The limit of each part is in the text, rounded up; see perLine.
		ahead: format(`SELECT count(*) FROM (SELECT FROM (
			(SELECT 1 FROM @handoff_record WHERE queue = $1 AND line <> '' AND ~priority < ~$2::bigint
				ORDER BY ~priority, since, conversation, number LIMIT %[1]s)
			UNION ALL
			(SELECT 1 FROM @handoff_record WHERE queue = $1 AND line <> '' AND ~priority = ~$2::bigint
				AND (since, conversation, number) < ($3::timestamptz, $4::text, $5::bigint)
				ORDER BY since, conversation, number LIMIT %[1]s)) y LIMIT $6::bigint) x`),
		list: q(`SELECT ` + columns + ` FROM @handoff_record r`),
		// The first of each line and then the first of them all: as many index
		// look-ups as there are lines, however many records wait in others. How
		// many there are at most is in the text, rounded up: of a parameter the
		// server assumes the worst, and makes a new plan at each call, which takes
		// longer than the look-ups.
		perLine: format(`SELECT ` + columns + ` FROM (SELECT name FROM unnest($1::text[]) AS l(name) LIMIT %d) l CROSS JOIN LATERAL (
			SELECT ` + columns + ` FROM @handoff_record r WHERE r.line = l.name AND r.line <> ''`),
		count:    q(`SELECT count(*) FROM @handoff_record r`),
		versions: q(`SELECT number, version FROM @handoff_record WHERE conversation = $1 ORDER BY number`),
		version:  q(`SELECT version FROM @handoff_record WHERE conversation = $1 AND number = $2`),
		remove:   q(`SELECT @handoff_remove($1::text[], $2::bigint[])`),
		tomb: q(`INSERT INTO @handoff_record VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16, NULL, NULL,
			$17::text[],$18::bigint[],$19::bigint[],$20::text[],$21::text[],$22::bigint[],$23)`),
	}
}

// columns are what scanRecord reads.
const columns = `r.conversation, r.number, r.version, r.seq, r.queue, r.state, r.outcome, r.agent, r.usr, r.tags, r.line, r.priority,
	r.since, r.created, r.updated, r.wake, r.key_names, r.key_units, r.key_max, r.owed_sinks, r.owed_cursors, r.owed_seqs, r.body`

func scanRecord(row pgx.CollectableRow) (handoff.Record, error) {
	var r handoff.Record
	var state, outcome string
	var since, created, updated, wake pgtype.Timestamptz
	var keys, sinks, cursors []string
	var units, most, seqs []int64
	var body []byte
	err := row.Scan(&r.ID.Conversation, &r.ID.Number, &r.Version, &r.Seq, &r.Queue, &state, &outcome, &r.Agent, &r.User, &r.Tags,
		&r.Line, &r.Priority, &since, &created, &updated, &wake, &keys, &units, &most, &sinks, &cursors, &seqs, &body)
	if err != nil {
		return r, err
	}
	r.State, r.Outcome = handoff.State(state), handoff.Outcome(outcome)
	r.Since, r.Created, r.Updated, r.Wake = at(since), at(created), at(updated), at(wake)
	for i := range keys {
		r.Keys = append(r.Keys, handoff.Key{Name: keys[i], Units: int(units[i]), Max: int(most[i])})
	}
	for i := range sinks {
		r.Owed = append(r.Owed, handoff.Owed{Sink: sinks[i], Cursor: cursors[i], Seq: seqs[i]})
	}
	if len(r.Tags) == 0 {
		r.Tags = nil
	}
	r.Body = handoff.BodyOf(body)
	return r, nil
}

// recordArgs are a record's columns, in the order of handoff_commit.
func recordArgs(r handoff.Record) []any {
	keys, units, most := make([]string, len(r.Keys)), make([]int64, len(r.Keys)), make([]int64, len(r.Keys))
	for i, k := range r.Keys {
		keys[i], units[i], most[i] = k.Name, int64(k.Units), int64(k.Max)
	}
	sinks, cursors, seqs := make([]string, len(r.Owed)), make([]string, len(r.Owed)), make([]int64, len(r.Owed))
	for i, o := range r.Owed {
		sinks[i], cursors[i], seqs[i] = o.Sink, o.Cursor, o.Seq
	}
	return []any{
		r.ID.Conversation, r.ID.Number, r.Version, r.Seq,
		r.Queue, string(r.State), string(r.Outcome), r.Agent, r.User, texts(r.Tags),
		r.Line, int64(r.Priority), place(r.Since), place(r.Created), stamp(r.Updated), stamp(r.Wake),
		keys, units, most, sinks, cursors, seqs, bytes(r.Body),
	}
}

func commitArgs(r handoff.Record, entries []handoff.RecordEntry) []any {
	n := len(entries)
	ids, seqs, ats, bodies := make([]string, n), make([]int64, n), make([]pgtype.Timestamptz, n), make([][]byte, n)
	for i, e := range entries {
		ids[i], seqs[i], ats[i], bodies[i] = e.ID, e.Seq, stamp(e.At), bytes(e.Body)
	}
	return append(recordArgs(r), ids, seqs, ats, bodies)
}

// stamp makes NULL of a time that is not set.
func stamp(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()}
}

// place puts a time that is not set before all others.
func place(t time.Time) pgtype.Timestamptz {
	if t.IsZero() {
		return pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true}
	}
	return stamp(t)
}

// at is the inverse of stamp and place.
func at(t pgtype.Timestamptz) time.Time {
	if !t.Valid || t.InfinityModifier != pgtype.Finite {
		return time.Time{}
	}
	return t.Time.UTC()
}

// texts never returns NULL.
func texts(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// bytes never returns NULL.
func bytes(b handoff.Body) []byte {
	if raw := b.Bytes(); raw != nil {
		return raw
	}
	return []byte{}
}
