-- As they were in version 1.

CREATE OR REPLACE FUNCTION handoff_lock(p_conversations text[], p_keys text[]) RETURNS void LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
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

CREATE OR REPLACE FUNCTION handoff_commit(
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
