-- Everything is compared as bytes: COLLATE "C". Times that are not set are
-- '-infinity' where they are sorted by, and NULL where nothing happens without
-- them.

CREATE TABLE handoff_record (
	conversation  text COLLATE "C" NOT NULL,
	number        bigint NOT NULL,
	version       bigint NOT NULL,
	seq           bigint NOT NULL,
	queue         text COLLATE "C" NOT NULL,
	state         text COLLATE "C" NOT NULL,
	outcome       text COLLATE "C" NOT NULL,
	agent         text COLLATE "C" NOT NULL,
	usr           text COLLATE "C" NOT NULL,
	tags          text[] NOT NULL,
	line          text COLLATE "C" NOT NULL,
	priority      bigint NOT NULL,
	since         timestamptz NOT NULL,
	created       timestamptz NOT NULL,
	updated       timestamptz,
	wake          timestamptz,
	claimed_until timestamptz,
	behind        timestamptz, -- some receiver may lack something that is as old as this; NULL: none does
	key_names     text[] NOT NULL,
	key_units     bigint[] NOT NULL,
	key_max       bigint[] NOT NULL,
	owed_sinks    text[] NOT NULL,
	owed_cursors  text[] NOT NULL,
	owed_seqs     bigint[] NOT NULL,
	body          bytea NOT NULL,
	PRIMARY KEY (conversation, number)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);

-- The hot indexes are partial: what has ended leaves them, so that they stay
-- as short as the work that is open, whatever the history (that of wakes keeps
-- what is to be deleted one day, behind all that is due). ~priority turns the
-- order round and cannot overflow, so that a place in a queue is one row
-- comparison and counting those ahead reads nothing behind it.
CREATE INDEX handoff_record_rank ON handoff_record (queue, (~priority), since, conversation, number) WHERE line <> '';
CREATE INDEX handoff_record_line ON handoff_record (queue, line, (~priority), since, conversation, number) WHERE line <> '';
CREATE INDEX handoff_record_wake ON handoff_record (wake) WHERE wake IS NOT NULL;
CREATE INDEX handoff_record_behind ON handoff_record (behind) WHERE behind IS NOT NULL;
CREATE INDEX handoff_record_open ON handoff_record (state, created, conversation, number) WHERE state <> 'ended';

-- History is found by these.
CREATE INDEX handoff_record_created ON handoff_record (created, conversation, number);
CREATE INDEX handoff_record_agent ON handoff_record (agent, created) WHERE agent <> '';
CREATE INDEX handoff_record_usr ON handoff_record (usr, created) WHERE usr <> '';

CREATE TABLE handoff_key (
	name         text COLLATE "C" NOT NULL,
	conversation text COLLATE "C" NOT NULL,
	number       bigint NOT NULL,
	units        bigint NOT NULL,
	PRIMARY KEY (name, conversation, number)
);

CREATE TABLE handoff_entry (
	conversation text COLLATE "C" NOT NULL,
	number       bigint NOT NULL,
	seq          bigint NOT NULL,
	id           text COLLATE "C" NOT NULL,
	at           timestamptz,
	body         bytea NOT NULL,
	PRIMARY KEY (conversation, number, seq)
);
CREATE UNIQUE INDEX handoff_entry_id ON handoff_entry (conversation, number, id);

CREATE TABLE handoff_cursor (
	conversation text COLLATE "C" NOT NULL,
	number       bigint NOT NULL,
	name         text COLLATE "C" NOT NULL,
	seq          bigint NOT NULL DEFAULT 0,
	term         bigint NOT NULL DEFAULT 0,
	tries        bigint NOT NULL DEFAULT 0,
	until        timestamptz,
	PRIMARY KEY (conversation, number, name)
) WITH (fillfactor = 70);

-- Who must still get what. at is the time of the oldest entry that is lacking.
CREATE VIEW handoff_owed AS
	SELECT r.conversation, r.number, o.sink, o.cursor, coalesce(c.seq, 0) AS seq, o.seq AS owed, e.at, c.tries, c.until AS led_until
	FROM handoff_record r
	CROSS JOIN LATERAL unnest(r.owed_sinks, r.owed_cursors, r.owed_seqs) AS o(sink, cursor, seq)
	LEFT JOIN handoff_cursor c ON c.conversation = r.conversation AND c.number = r.number AND c.name = o.cursor
	LEFT JOIN handoff_entry e ON e.conversation = r.conversation AND e.number = r.number AND e.seq = coalesce(c.seq, 0) + 1
	WHERE coalesce(c.seq, 0) < o.seq;

-- The number of the lock of a conversation ('c') or of a key ('k'). Two names
-- with one number only wait for each other.
CREATE FUNCTION handoff_hash(kind text, name text) RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT hashtextextended(kind || chr(1) || current_schema() || chr(1) || name, 7316)
$$;

-- handoff_lock takes the locks that a batch needs before it begins: first the
-- conversations, then the keys. The arrays are sorted.
CREATE FUNCTION handoff_lock(p_conversations text[], p_keys text[]) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
	n text;
BEGIN
	FOREACH n IN ARRAY p_conversations LOOP
		PERFORM pg_advisory_xact_lock(handoff_hash('c', n));
	END LOOP;
	FOREACH n IN ARRAY p_keys LOOP
		PERFORM pg_advisory_xact_lock(handoff_hash('k', n));
	END LOOP;
END
$$;

-- handoff_commit judges one commit and, if nothing speaks against it, makes
-- it. It answers with a word and does not raise: a lost race is no error, and
-- a key, which may hold a user's id, does not get into the server's log.
--
-- Every commit locks its conversation and then the keys of which it takes
-- more, in one order; that is why two commits cannot wait for each other in a
-- circle. What is read after a lock was had is what was committed before,
-- which holds of READ COMMITTED only.
CREATE FUNCTION handoff_commit(
	p_conversation text, p_number bigint, p_version bigint, p_seq bigint,
	p_queue text, p_state text, p_outcome text, p_agent text, p_usr text, p_tags text[],
	p_line text, p_priority bigint, p_since timestamptz, p_created timestamptz, p_updated timestamptz, p_wake timestamptz,
	p_key_names text[], p_key_units bigint[], p_key_max bigint[],
	p_owed_sinks text[], p_owed_cursors text[], p_owed_seqs bigint[], p_body bytea,
	p_entry_ids text[], p_entry_seqs bigint[], p_entry_ats timestamptz[], p_entry_bodies bytea[],
	OUT answer text, OUT detail text
) LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
	old      record;
	k        record;
	used     numeric;
	is_new   boolean;
	v_behind timestamptz;
BEGIN
	detail := '';
	IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
		answer := 'isolation';
		RETURN;
	END IF;
	PERFORM pg_advisory_xact_lock(handoff_hash('c', p_conversation));
	SELECT r.version, r.seq, r.key_names, r.key_units, r.behind INTO old
		FROM handoff_record r WHERE r.conversation = p_conversation AND r.number = p_number;
	is_new := NOT FOUND;
	IF is_new AND p_version <> 0 OR NOT is_new AND old.version <> p_version THEN
		answer := 'conflict';
		RETURN;
	END IF;
	IF p_seq - cardinality(p_entry_ids) <> coalesce(old.seq, 0) THEN
		answer := 'gap';
		RETURN;
	END IF;

	IF cardinality(p_key_names) > 0 AND (is_new OR old.key_names <> p_key_names OR old.key_units <> p_key_units) THEN
		FOR k IN
			SELECT n.name, n.units, n.max
			FROM unnest(p_key_names, p_key_units, p_key_max) AS n(name, units, max)
			LEFT JOIN unnest(old.key_names, old.key_units) AS o(name, units) ON o.name = n.name
			WHERE n.units > coalesce(o.units, 0)
			ORDER BY n.name COLLATE "C"
		LOOP
			PERFORM pg_advisory_xact_lock(handoff_hash('k', k.name));
			SELECT coalesce(sum(h.units), 0) INTO used FROM handoff_key h
				WHERE h.name = k.name AND NOT (h.conversation = p_conversation AND h.number = p_number);
			IF used + k.units > k.max THEN
				answer := 'held';
				detail := k.name;
				RETURN;
			END IF;
		END LOOP;
	END IF;

	IF NOT is_new AND EXISTS (SELECT FROM handoff_entry e WHERE e.conversation = p_conversation AND e.number = p_number AND e.id = ANY (p_entry_ids))
		OR cardinality(p_entry_ids) > 1 AND (SELECT count(DISTINCT i COLLATE "C") FROM unnest(p_entry_ids) i) < cardinality(p_entry_ids) THEN
		answer := 'duplicate';
		RETURN;
	END IF;

	INSERT INTO handoff_entry (conversation, number, seq, id, at, body)
		SELECT p_conversation, p_number, e.seq, e.id, e.at, e.body
		FROM unnest(p_entry_seqs, p_entry_ids, p_entry_ats, p_entry_bodies) AS e(seq, id, at, body);

	-- An earlier time than the true one is corrected by handoff_late. Left as
	-- it is, it spares most commits of a conversation that goes on an index
	-- entry in each index.
	IF NOT is_new AND cardinality(p_owed_seqs) > 0 THEN
		v_behind := old.behind;
	END IF;
	IF v_behind IS NULL AND cardinality(p_owed_seqs) > 0 THEN
		SELECT min(coalesce(e.at, '-infinity')) INTO v_behind
			FROM unnest(p_owed_cursors, p_owed_seqs) AS o(name, seq)
			LEFT JOIN handoff_cursor c ON c.conversation = p_conversation AND c.number = p_number AND c.name = o.name
			JOIN handoff_entry e ON e.conversation = p_conversation AND e.number = p_number AND e.seq = coalesce(c.seq, 0) + 1
			WHERE coalesce(c.seq, 0) < o.seq;
	END IF;

	IF is_new THEN
		INSERT INTO handoff_record VALUES (
			p_conversation, p_number, 1, p_seq, p_queue, p_state, p_outcome, p_agent, p_usr, p_tags,
			p_line, p_priority, p_since, p_created, p_updated, p_wake, NULL, v_behind,
			p_key_names, p_key_units, p_key_max, p_owed_sinks, p_owed_cursors, p_owed_seqs, p_body);
		IF cardinality(p_key_names) > 0 THEN
			INSERT INTO handoff_key (name, conversation, number, units)
				SELECT n.name, p_conversation, p_number, n.units FROM unnest(p_key_names, p_key_units) AS n(name, units);
		END IF;
	ELSE
		UPDATE handoff_record r SET
			version = p_version + 1, seq = p_seq, queue = p_queue, state = p_state, outcome = p_outcome, agent = p_agent,
			usr = p_usr, tags = p_tags, line = p_line, priority = p_priority, since = p_since, created = p_created,
			updated = p_updated, wake = p_wake, claimed_until = NULL, behind = v_behind,
			key_names = p_key_names, key_units = p_key_units, key_max = p_key_max,
			owed_sinks = p_owed_sinks, owed_cursors = p_owed_cursors, owed_seqs = p_owed_seqs, body = p_body
		WHERE r.conversation = p_conversation AND r.number = p_number;
		IF old.key_names <> p_key_names OR old.key_units <> p_key_units THEN
			DELETE FROM handoff_key h USING unnest(old.key_names) AS o(name)
				WHERE h.name = o.name AND h.conversation = p_conversation AND h.number = p_number AND NOT o.name = ANY (p_key_names);
			INSERT INTO handoff_key (name, conversation, number, units)
				SELECT n.name, p_conversation, p_number, n.units FROM unnest(p_key_names, p_key_units) AS n(name, units)
				ON CONFLICT (name, conversation, number) DO UPDATE SET units = excluded.units;
		END IF;
	END IF;
	answer := 'ok';
END
$$;

-- handoff_late gives deliveries that are late to one caller: those of sinks
-- that he serves and that nobody leads. It claims their records, and puts
-- right the column behind of records that it looks at on the way.
CREATE FUNCTION handoff_late(p_now timestamptz, p_lease interval, p_grace interval, p_sinks text[], p_limit bigint)
RETURNS TABLE (conversation text, number bigint, sink text, cursor text) LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
	v_conversations text[];
	v_numbers       bigint[];
BEGIN
	-- Records with something to do, whether to deliver or to put right. The
	-- others, whose sink nobody serves here, do not count against a limit.
	SELECT array_agg(f.conversation), array_agg(f.number) INTO v_conversations, v_numbers FROM (
		SELECT r.conversation, r.number, o.mine, row_number() OVER (PARTITION BY o.mine ORDER BY r.behind) AS n
		FROM handoff_record r
		LEFT JOIN LATERAL (
			SELECT min(coalesce(w.at, '-infinity')) AS at,
				bool_or(w.sink = ANY (p_sinks) AND w.at <= p_now - p_grace AND (w.led_until IS NULL OR w.led_until <= p_now)) AS mine
			FROM handoff_owed w WHERE w.conversation = r.conversation AND w.number = r.number
		) o ON true
		WHERE r.behind <= p_now - p_grace AND (r.claimed_until IS NULL OR r.claimed_until <= p_now)
			AND (o.mine OR o.at IS DISTINCT FROM r.behind)
		ORDER BY r.behind LIMIT 1000
	) f WHERE f.n <= p_limit OR f.mine IS NOT TRUE;
	IF v_numbers IS NULL THEN
		RETURN;
	END IF;
	-- Whoever is committing now puts it right himself.
	SELECT array_agg(f.conversation), array_agg(f.number) INTO v_conversations, v_numbers FROM (
		SELECT r.conversation, r.number
		FROM handoff_record r JOIN unnest(v_conversations, v_numbers) AS m(conversation, number) ON r.conversation = m.conversation AND r.number = m.number
		WHERE r.behind IS NOT NULL AND (r.claimed_until IS NULL OR r.claimed_until <= p_now)
		FOR NO KEY UPDATE OF r SKIP LOCKED
	) f;
	IF v_numbers IS NULL THEN
		RETURN;
	END IF;
	-- A new statement sees the locked records as they are now.
	UPDATE handoff_record r SET behind = o.at, claimed_until = CASE WHEN o.mine THEN p_now + p_lease ELSE r.claimed_until END
		FROM unnest(v_conversations, v_numbers) AS m(conversation, number)
		LEFT JOIN LATERAL (
			SELECT min(coalesce(w.at, '-infinity')) AS at,
				bool_or(w.sink = ANY (p_sinks) AND w.at <= p_now - p_grace AND (w.led_until IS NULL OR w.led_until <= p_now)) AS mine
			FROM handoff_owed w WHERE w.conversation = m.conversation AND w.number = m.number
		) o ON true
		WHERE r.conversation = m.conversation AND r.number = m.number;
	RETURN QUERY
		SELECT w.conversation, w.number, w.sink, w.cursor
		FROM unnest(v_conversations, v_numbers) AS m(conversation, number)
		JOIN handoff_owed w ON w.conversation = m.conversation AND w.number = m.number
		WHERE w.sink = ANY (p_sinks) AND w.at <= p_now - p_grace AND (w.led_until IS NULL OR w.led_until <= p_now)
		LIMIT p_limit;
END
$$;

-- handoff_remove removes records with all that belongs to them. The caller
-- holds the locks of their conversations.
CREATE FUNCTION handoff_remove(p_conversations text[], p_numbers bigint[]) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
BEGIN
	DELETE FROM handoff_key x USING unnest(p_conversations, p_numbers) AS d(conversation, number)
		JOIN handoff_record r ON r.conversation = d.conversation AND r.number = d.number, unnest(r.key_names) AS k(name)
		WHERE x.name = k.name AND x.conversation = d.conversation AND x.number = d.number;
	DELETE FROM handoff_record x USING unnest(p_conversations, p_numbers) AS d(conversation, number) WHERE x.conversation = d.conversation AND x.number = d.number;
	DELETE FROM handoff_entry x USING unnest(p_conversations, p_numbers) AS d(conversation, number) WHERE x.conversation = d.conversation AND x.number = d.number;
	DELETE FROM handoff_cursor x USING unnest(p_conversations, p_numbers) AS d(conversation, number) WHERE x.conversation = d.conversation AND x.number = d.number;
END
$$;
