-- Everything is compared as bytes: COLLATE "C". Zero times are NULL.

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
	since         timestamptz,
	created       timestamptz,
	updated       timestamptz,
	wake          timestamptz,
	claimed_until timestamptz,
	behind        timestamptz, -- since when some receiver lacks something; NULL: none does
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
-- as short as the work that is open, whatever the history.
CREATE INDEX handoff_record_rank ON handoff_record (queue, priority DESC, since, conversation, number) WHERE line <> '';
CREATE INDEX handoff_record_line ON handoff_record (queue, line, priority DESC, since, conversation, number) WHERE line <> '';
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

-- Locks for names. Two names with one hash only wait for each other. The
-- number of the class keeps them apart from other users of advisory locks.
CREATE FUNCTION handoff_lock(kind text, name text) RETURNS void LANGUAGE sql VOLATILE SET search_path FROM CURRENT AS $$
	SELECT pg_advisory_xact_lock(hashtextextended(kind || chr(1) || current_schema() || chr(1) || name, 7316))
$$;

-- handoff_commit judges one commit and, if nothing speaks against it, makes
-- it. It answers with a word and never raises: a lost race is no error, and a
-- key, which may hold a user's id, does not get into the server's log.
--
-- Every commit locks its record before its keys, and keys in one order; that
-- is why two commits cannot wait for each other.
CREATE FUNCTION handoff_commit(
	p_conversation text, p_number bigint, p_version bigint, p_seq bigint,
	p_queue text, p_state text, p_outcome text, p_agent text, p_usr text, p_tags text[],
	p_line text, p_priority bigint, p_since timestamptz, p_created timestamptz, p_updated timestamptz, p_wake timestamptz,
	p_key_names text[], p_key_units bigint[], p_key_max bigint[],
	p_owed_sinks text[], p_owed_cursors text[], p_owed_seqs bigint[], p_body bytea,
	p_entry_ids text[], p_entry_seqs bigint[], p_entry_ats timestamptz[], p_entry_bodies bytea[]
) RETURNS TABLE (answer text, detail text) LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
	old      record;
	k        record;
	used     numeric;
	is_new   boolean;
	v_behind timestamptz;
BEGIN
	PERFORM handoff_lock('record', p_number || chr(1) || p_conversation);
	SELECT r.version, r.seq, r.key_names, r.key_units, r.behind INTO old
		FROM handoff_record r WHERE r.conversation = p_conversation AND r.number = p_number FOR UPDATE;
	is_new := NOT FOUND;
	IF is_new AND p_version <> 0 OR NOT is_new AND old.version <> p_version THEN
		RETURN QUERY SELECT 'conflict', '';
		RETURN;
	END IF;

	FOR k IN
		SELECT n.name, n.units, n.max
		FROM unnest(p_key_names, p_key_units, p_key_max) AS n(name, units, max)
		LEFT JOIN unnest(old.key_names, old.key_units) AS o(name, units) ON o.name = n.name
		WHERE n.units > coalesce(o.units, 0)
		ORDER BY n.name COLLATE "C"
	LOOP
		PERFORM handoff_lock('key', k.name);
		-- A new statement reads what was committed before the lock was had.
		SELECT coalesce(sum(h.units), 0) INTO used FROM handoff_key h
			WHERE h.name = k.name AND NOT (h.conversation = p_conversation AND h.number = p_number);
		IF used + k.units > k.max THEN
			RETURN QUERY SELECT 'held', k.name;
			RETURN;
		END IF;
	END LOOP;

	IF EXISTS (SELECT FROM handoff_entry e WHERE e.conversation = p_conversation AND e.number = p_number AND e.id = ANY (p_entry_ids))
		OR (SELECT count(DISTINCT i COLLATE "C") FROM unnest(p_entry_ids) i) < cardinality(p_entry_ids) THEN
		RETURN QUERY SELECT 'duplicate', '';
		RETURN;
	END IF;

	INSERT INTO handoff_entry (conversation, number, seq, id, at, body)
		SELECT p_conversation, p_number, e.seq, e.id, e.at, e.body
		FROM unnest(p_entry_seqs, p_entry_ids, p_entry_ats, p_entry_bodies) AS e(seq, id, at, body);

	-- Behind since the oldest entry that a receiver lacks.
	SELECT min(e.at) INTO v_behind
		FROM unnest(p_owed_cursors, p_owed_seqs) AS o(name, seq)
		LEFT JOIN handoff_cursor c ON c.conversation = p_conversation AND c.number = p_number AND c.name = o.name
		JOIN handoff_entry e ON e.conversation = p_conversation AND e.number = p_number AND e.seq = coalesce(c.seq, 0) + 1
		WHERE coalesce(c.seq, 0) < o.seq;

	IF is_new THEN
		INSERT INTO handoff_record VALUES (
			p_conversation, p_number, 1, p_seq, p_queue, p_state, p_outcome, p_agent, p_usr, p_tags,
			p_line, p_priority, p_since, p_created, p_updated, p_wake, NULL, v_behind,
			p_key_names, p_key_units, p_key_max, p_owed_sinks, p_owed_cursors, p_owed_seqs, p_body);
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
		END IF;
	END IF;
	IF is_new OR old.key_names <> p_key_names OR old.key_units <> p_key_units THEN
		INSERT INTO handoff_key (name, conversation, number, units)
			SELECT n.name, p_conversation, p_number, n.units FROM unnest(p_key_names, p_key_units) AS n(name, units)
			ON CONFLICT (name, conversation, number) DO UPDATE SET units = excluded.units;
	END IF;
	RETURN QUERY SELECT 'ok', '';
END
$$;
