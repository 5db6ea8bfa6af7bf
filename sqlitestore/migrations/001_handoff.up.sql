-- "@" is the prefix. Text is compared as bytes. Times are milliseconds since
-- 1970; the views show them as text.

CREATE TABLE "@record" (
	rec          INTEGER PRIMARY KEY, -- stands for the record in the other tables
	conversation TEXT NOT NULL,
	number       INTEGER NOT NULL,
	version      INTEGER NOT NULL,
	seq          INTEGER NOT NULL,
	queue        TEXT NOT NULL,
	state        TEXT NOT NULL,
	outcome      TEXT NOT NULL,
	agent        TEXT NOT NULL,
	usr          TEXT NOT NULL,
	tags         TEXT NOT NULL, -- JSON
	line         TEXT NOT NULL,
	rank         INTEGER NOT NULL, -- ~priority: turns the order round and cannot overflow
	since        INTEGER NOT NULL,
	created      INTEGER NOT NULL,
	updated      INTEGER NOT NULL,
	wake         INTEGER, -- NULL: never
	claimed      INTEGER, -- until when
	held         TEXT NOT NULL, -- JSON: the keys
	owed         TEXT NOT NULL, -- JSON
	body         BLOB NOT NULL,
	UNIQUE (conversation, number)
);

-- The hot indexes are partial: what has ended leaves them, so that they stay
-- as short as the work that is open, whatever the history. A place in a queue
-- is one row comparison, and counting those ahead reads nothing behind it.
CREATE INDEX "@record_rank" ON "@record" (queue, rank, since, conversation, number) WHERE line <> '';
CREATE INDEX "@record_line" ON "@record" (queue, line, rank, since, conversation, number) WHERE line <> '';
CREATE INDEX "@record_wake" ON "@record" (wake) WHERE wake IS NOT NULL;
CREATE INDEX "@record_open" ON "@record" (state, created, conversation, number) WHERE state <> 'ended';

-- History is found by these.
CREATE INDEX "@record_created" ON "@record" (created, conversation, number);
CREATE INDEX "@record_agent" ON "@record" (agent, created) WHERE agent <> '';
CREATE INDEX "@record_usr" ON "@record" (usr, created) WHERE usr <> '';

CREATE TABLE "@key" (
	name  TEXT NOT NULL,
	rec   INTEGER NOT NULL,
	units INTEGER NOT NULL,
	PRIMARY KEY (name, rec)
) WITHOUT ROWID;

-- A log is a range of n: finding it needs no index of its own, and an index
-- is what writing an entry costs most.
CREATE TABLE "@entry" (
	n    INTEGER PRIMARY KEY, -- rec and, in the last 24 bits, seq
	id   TEXT NOT NULL,
	at   INTEGER NOT NULL,
	body BLOB NOT NULL,
	rec  INTEGER AS (n >> 24),
	seq  INTEGER AS (n & 16777215)
);
CREATE UNIQUE INDEX "@entry_id" ON "@entry" (rec, id);

-- The last commits, for other processes.
CREATE TABLE "@change" (
	n   INTEGER PRIMARY KEY,
	rec INTEGER NOT NULL
);

CREATE TABLE "@cursor" (
	rec    INTEGER NOT NULL,
	name   TEXT NOT NULL,
	seq    INTEGER NOT NULL,
	term   INTEGER NOT NULL,
	tries  INTEGER NOT NULL,
	until  INTEGER, -- of the lead; NULL: nobody leads
	sink   TEXT NOT NULL, -- these three are of the record's last commit
	owed   INTEGER NOT NULL,
	behind INTEGER, -- the time of the oldest entry that it lacks; NULL: it lacks none
	PRIMARY KEY (rec, name)
) WITHOUT ROWID;
CREATE INDEX "@cursor_behind" ON "@cursor" (sink, behind) WHERE behind IS NOT NULL;

-- For people who look.
CREATE VIEW "@handoffs" AS
	SELECT conversation, number, state, outcome, queue, agent, usr AS user, tags, ~rank AS priority, seq AS entries, held AS keys,
		strftime('%Y-%m-%d %H:%M:%f', since / 1000.0, 'unixepoch') AS since,
		strftime('%Y-%m-%d %H:%M:%f', created / 1000.0, 'unixepoch') AS created,
		strftime('%Y-%m-%d %H:%M:%f', updated / 1000.0, 'unixepoch') AS updated,
		strftime('%Y-%m-%d %H:%M:%f', wake / 1000.0, 'unixepoch') AS wake
	FROM "@record";
CREATE VIEW "@log" AS
	SELECT r.conversation, r.number, e.seq, strftime('%Y-%m-%d %H:%M:%f', e.at / 1000.0, 'unixepoch') AS at, e.id, CAST(e.body AS TEXT) AS body
	FROM "@entry" e JOIN "@record" r ON r.rec = e.rec;
CREATE VIEW "@owed" AS
	SELECT r.conversation, r.number, c.sink, c.name AS cursor, c.seq, c.owed, c.tries,
		strftime('%Y-%m-%d %H:%M:%f', c.behind / 1000.0, 'unixepoch') AS behind,
		strftime('%Y-%m-%d %H:%M:%f', c.until / 1000.0, 'unixepoch') AS led_until
	FROM "@cursor" c JOIN "@record" r ON r.rec = c.rec
	WHERE c.behind IS NOT NULL;
