package sqlitestore

import (
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-2a427302/handoff"
)

// queries are the statements with the prefix in them.
type queries struct {
	names func(string) string // puts the prefix in the place of "@"

	get, latest, holders, lines, log, entry        string
	stored, used, hasEntry, insert, chat, update   string
	addEntry, setKey, dropKey                      string
	cursors, cursor, addCursor, setCursor, entryAt string
	due, late, hide, find                          string
	versions, version                              string
	remove                                         []string
	ahead, list, perLine, count                    string
	schemaVersion, touch                           string
	addChange, oldChange, newest, fresh            string
}

// columns are what scanRecord reads and recordArgs gives.
const columns = `conversation, number, version, seq, queue, state, outcome, agent, usr, tags, line, rank, since, created, updated, wake, held, owed, body`

func newQueries(prefix string) queries {
	prefix = strings.ReplaceAll(prefix, `"`, `""`)
	q := func(s string) string { return strings.ReplaceAll(s, "@", prefix) }
	late := `FROM "@cursor" c JOIN "@record" r ON r.rec = c.rec
		WHERE c.sink = ? AND c.behind IS NOT NULL AND c.behind < ? AND (c.until IS NULL OR c.until <= ?) AND (r.claimed IS NULL OR r.claimed <= ?)
		ORDER BY c.behind LIMIT ?`
	return queries{
		names:  q,
		get:    q(`SELECT ` + columns + ` FROM "@record" WHERE conversation = ? AND number = ?`),
		latest: q(`SELECT ` + columns + ` FROM "@record" WHERE conversation = ? ORDER BY number DESC LIMIT 1`),
		holders: q(`SELECT k.name, r.conversation, r.number, k.units FROM json_each(?) w CROSS JOIN "@key" k ON k.name = w.value
			JOIN "@record" r ON r.rec = k.rec ORDER BY w.key, r.conversation, r.number`),
		// A look into the index for each line, however many records stand in it.
		lines: q(`WITH RECURSIVE walk (line) AS (
			SELECT (SELECT min(line) FROM "@record" WHERE queue = ?1 AND line <> '')
			UNION ALL
			SELECT (SELECT min(r.line) FROM "@record" r WHERE r.queue = ?1 AND r.line <> '' AND r.line > walk.line) FROM walk WHERE walk.line IS NOT NULL)
			SELECT line FROM walk WHERE line IS NOT NULL`),
		log: q(`SELECT e.id, e.seq, e.at, e.body FROM "@record" r CROSS JOIN "@entry" e ON e.n > (r.rec << 24 | ?3) AND e.n <= (r.rec << 24 | 16777215)
			WHERE r.conversation = ?1 AND r.number = ?2 ORDER BY e.n LIMIT ?4`),
		entry: q(`SELECT e.id, e.seq, e.at, e.body FROM "@record" r CROSS JOIN "@entry" e ON e.rec = r.rec
			WHERE r.conversation = ? AND r.number = ? AND e.id = ?`),

		stored: q(`SELECT rec, version, seq, queue, state, agent, usr, line, rank, since, created, wake, held, owed,
			EXISTS (SELECT 1 FROM "@entry" e WHERE e.rec = r.rec AND e.id = ?) FROM "@record" r WHERE conversation = ? AND number = ?`),
		used:     q(`SELECT coalesce(sum(units), 0) FROM "@key" WHERE name = ? AND rec <> ?`),
		hasEntry: q(`SELECT EXISTS (SELECT 1 FROM "@entry" WHERE rec = ? AND id = ?)`),
		insert:   q(`INSERT INTO "@record" (` + columns + `) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`),
		// An update touches the indexes of all columns that it names, changed or
		// not. This one names none that is in an index, and most commits of a
		// conversation need no other.
		chat: q(`UPDATE "@record" SET version = ?, seq = ?, outcome = ?, tags = ?, updated = ?, claimed = NULL, held = ?, owed = ?, body = ? WHERE rec = ?`),
		update: q(`UPDATE "@record" SET version = ?, seq = ?, outcome = ?, tags = ?, updated = ?, claimed = NULL, held = ?, owed = ?, body = ?,
			queue = ?, state = ?, agent = ?, usr = ?, line = ?, rank = ?, since = ?, created = ?, wake = ? WHERE rec = ?`),
		addEntry: q(`INSERT INTO "@entry" (n, id, at, body) VALUES (?,?,?,?)`),
		setKey:   q(`INSERT INTO "@key" (name, rec, units) VALUES (?,?,?) ON CONFLICT (name, rec) DO UPDATE SET units = excluded.units`),
		dropKey:  q(`DELETE FROM "@key" WHERE name = ? AND rec = ?`),

		cursors:   q(`SELECT name, seq, term, tries, until, sink, owed, behind FROM "@cursor" WHERE rec = ?`),
		cursor:    q(`SELECT name, seq, term, tries, until, sink, owed, behind FROM "@cursor" WHERE rec = ? AND name = ?`),
		addCursor: q(`INSERT INTO "@cursor" (seq, term, tries, until, sink, owed, behind, rec, name) VALUES (?,?,?,?,?,?,?,?,?)`),
		setCursor: q(`UPDATE "@cursor" SET seq = ?, term = ?, tries = ?, until = ?, sink = ?, owed = ?, behind = ? WHERE rec = ? AND name = ?`),
		entryAt:   q(`SELECT at FROM "@entry" WHERE n = ?`),

		due: q(`SELECT rec, ` + columns + ` FROM "@record" WHERE wake IS NOT NULL AND wake <= ? AND (claimed IS NULL OR claimed <= ?)
			ORDER BY wake, conversation, number LIMIT ?`),
		late: q(`SELECT r.rec, r.conversation, r.number, c.name ` + late),
		hide: q(`UPDATE "@record" SET claimed = ? WHERE rec = ?`),
		find: q(`SELECT rec FROM "@record" WHERE conversation = ? AND number = ?`),

		versions: q(`SELECT rec, number, version FROM "@record" WHERE conversation = ? ORDER BY number`),
		version:  q(`SELECT rec, version FROM "@record" WHERE conversation = ? AND number = ?`),
		remove: []string{
			q(`DELETE FROM "@key" WHERE rec = ?1 AND name IN (SELECT value ->> 'key' FROM json_each((SELECT held FROM "@record" WHERE rec = ?1)))`),
			q(`DELETE FROM "@entry" WHERE n > ?1 << 24 AND n <= (?1 << 24 | 16777215)`),
			q(`DELETE FROM "@cursor" WHERE rec = ?`),
			q(`DELETE FROM "@record" WHERE rec = ?`),
		},

		ahead: q(`SELECT count(*) FROM (SELECT 1 FROM "@record" WHERE queue = ? AND line <> ''
			AND (rank, since, conversation, number) < (?,?,?,?) LIMIT ?)`),
		list: q(`SELECT ` + columns + ` FROM "@record" r`),
		// The first of each line and then the first of them all: as many index
		// look-ups as there are lines, however many records wait in others.
		perLine: q(`SELECT ` + columns + ` FROM json_each(?) l CROSS JOIN "@record" r ON r.rec IN (
			SELECT r.rec FROM "@record" r WHERE r.line = l.value AND r.line <> ''`),
		count: q(`SELECT count(*) FROM "@record" r`),

		schemaVersion: q(`SELECT coalesce(max(version), 0) FROM "@schema"`),
		addChange:     q(`INSERT INTO "@change" (rec) VALUES (?)`),
		oldChange:     q(`DELETE FROM "@change" WHERE n <= ?`),
		newest:        q(`SELECT coalesce(max(n), 0) FROM "@change"`),
		fresh: q(`SELECT max(c.n), r.conversation, r.number, CASE WHEN r.line <> '' AND r.agent = '' THEN r.queue ELSE '' END FROM "@change" c JOIN "@record" r ON r.rec = c.rec
			WHERE c.n > ? GROUP BY c.rec ORDER BY 1`),
		touch: q(`UPDATE "@schema" SET version = version`),
	}
}

// keyJSON and owedJSON are how a record's lists are stored.
type (
	keyJSON struct {
		Name  string `json:"key"`
		Max   int    `json:"max"`
		Units int    `json:"units"`
	}
	owedJSON struct {
		Sink   string `json:"sink"`
		Cursor string `json:"cursor"`
		Seq    int64  `json:"seq"`
	}
)

// lists are a record's lists as stored.
type lists struct{ tags, held, owed string }

func encodeLists(r *handoff.Record) (l lists) {
	keys, owed := make([]keyJSON, len(r.Keys)), make([]owedJSON, len(r.Owed))
	for i, k := range r.Keys {
		keys[i] = keyJSON(k)
	}
	for i, o := range r.Owed {
		owed[i] = owedJSON(o)
	}
	return lists{text(r.Tags, len(r.Tags)), text(keys, len(keys)), text(owed, len(owed))}
}

func text(list any, n int) string {
	if n == 0 {
		return "[]"
	}
	b, _ := json.Marshal(list) //nolint:errchkjson // strings and numbers, checked before
	return string(b)
}

func decode[T any](text string) (list []T, err error) {
	if text == "[]" {
		return nil, nil
	}
	err = json.Unmarshal([]byte(text), &list)
	return list, err
}

func decodeKeys(text string) (out []handoff.Key, err error) {
	list, err := decode[keyJSON](text)
	for _, k := range list {
		out = append(out, handoff.Key(k))
	}
	return out, err
}

func decodeOwed(text string) (out []handoff.Owed, err error) {
	list, err := decode[owedJSON](text)
	for _, o := range list {
		out = append(out, handoff.Owed(o))
	}
	return out, err
}

// scanRecord reads columns, behind those that dest is for.
func scanRecord(rows *sql.Rows, dest ...any) (r handoff.Record, err error) {
	var l lists
	var rank, since, created, updated int64
	var wake sql.NullInt64
	var body []byte
	err = rows.Scan(append(dest, &r.ID.Conversation, &r.ID.Number, &r.Version, &r.Seq, &r.Queue, &r.State, &r.Outcome, &r.Agent, &r.User, &l.tags,
		&r.Line, &rank, &since, &created, &updated, &wake, &l.held, &l.owed, &body)...)
	if err != nil {
		return r, err
	}
	r.Priority = int(^rank)
	r.Since, r.Created, r.Updated, r.Wake = at(since), at(created), at(updated), time.Time{}
	if wake.Valid {
		r.Wake = at(wake.Int64)
	}
	r.Body = handoff.BodyOf(body)
	var e1, e2, e3 error
	r.Tags, e1 = decode[string](l.tags)
	r.Keys, e2 = decodeKeys(l.held)
	r.Owed, e3 = decodeOwed(l.owed)
	return r, errors.Join(e1, e2, e3)
}

// recordArgs are a record's columns.
func recordArgs(r *handoff.Record, version int64, l lists) []any {
	return []any{
		r.ID.Conversation, r.ID.Number, version, r.Seq, r.Queue, string(r.State), string(r.Outcome), r.Agent, r.User, l.tags,
		r.Line, ^int64(r.Priority), stamp(r.Since), stamp(r.Created), stamp(r.Updated), wake(r.Wake), l.held, l.owed, bytes(r.Body),
	}
}

// stamp and at turn a time into milliseconds and back. A time that is not set
// is one before all others.
func stamp(t time.Time) int64 { return t.UnixMilli() }

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// wake makes NULL of a time that is not set.
func wake(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}

// bytes never returns NULL.
func bytes(b handoff.Body) []byte {
	if raw := b.Bytes(); raw != nil {
		return raw
	}
	return []byte{}
}

// badName says that a record or an entry has a name that no store keeps.
func badName(field string) error {
	return &handoff.InvalidError{Field: field, Why: "is not valid UTF-8 without NUL"}
}

// checkNames looks at every text of a record.
func checkNames(r *handoff.Record) error {
	for _, f := range []struct{ field, value string }{
		{"conversation", r.ID.Conversation},
		{"queue", r.Queue},
		{"state", string(r.State)},
		{"outcome", string(r.Outcome)},
		{"agent", r.Agent},
		{"user", r.User},
		{"line", r.Line},
	} {
		if !isName(f.value) {
			return badName(f.field)
		}
	}
	for _, tag := range r.Tags {
		if !isName(tag) {
			return badName("tag")
		}
	}
	for i, k := range r.Keys {
		if !isName(k.Name) {
			return badName("key")
		}
		for j := range i {
			if r.Keys[j].Name == k.Name {
				return errTwice
			}
		}
	}
	for i, o := range r.Owed {
		if !isName(o.Sink) || !isName(o.Cursor) {
			return badName("owed")
		}
		for j := range i {
			if r.Owed[j].Cursor == o.Cursor {
				return errTwice
			}
		}
	}
	return nil
}

func isName(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
