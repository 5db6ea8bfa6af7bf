DROP FUNCTION handoff_commit_batch;

-- As it was in version 3.

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
	is_new   boolean := p_version = 0;
	again    boolean := false;
	n_keys   int := cardinality(p_key_names);
	n_ids    int := cardinality(p_entry_ids);
	changed  boolean := cardinality(p_key_names) > 0;
	taken    int[] := '{}'; -- which keys of the record it gets more of
	had      bigint[] := '{}'; -- units before, of each key of the record
	i        int;
	used     numeric;
	v_behind timestamptz;
BEGIN
	detail := '';
	IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
		answer := 'isolation';
		RETURN;
	END IF;
	-- An expression without a table, not a statement: it is much cheaper.
	IF pg_advisory_xact_lock(handoff_hash('c', p_conversation)) IS NULL THEN END IF;
	-- Whether a new record exists is found by inserting it or, if something
	-- else speaks against that, below: that it exists is the first to be said.
	IF NOT is_new THEN
		SELECT r.version, r.seq, r.key_names, r.key_units, r.behind,
				EXISTS (SELECT FROM handoff_entry e WHERE e.conversation = p_conversation AND e.number = p_number AND e.id = p_entry_ids[1]) AS again
			INTO old FROM handoff_record r WHERE r.conversation = p_conversation AND r.number = p_number;
		IF NOT FOUND OR old.version <> p_version THEN
			answer := 'conflict';
			RETURN;
		END IF;
		IF p_seq - n_ids <> old.seq THEN
			answer := 'gap';
			RETURN;
		END IF;
		again := old.again;
		changed := old.key_names <> p_key_names OR old.key_units <> p_key_units;
	ELSIF p_seq <> n_ids THEN
		answer := 'gap';
	END IF;

	IF changed AND answer IS NULL THEN
		FOR i IN 1..n_keys LOOP
			had[i] := 0;
			IF NOT is_new THEN
				had[i] := coalesce(old.key_units[array_position(old.key_names, p_key_names[i])], 0);
			END IF;
			IF p_key_units[i] > had[i] THEN
				taken := taken || i;
			END IF;
		END LOOP;
		IF cardinality(taken) > 1 THEN
			SELECT array_agg(t ORDER BY p_key_names[t] COLLATE "C") INTO taken FROM unnest(taken) AS t;
		END IF;
		FOREACH i IN ARRAY taken LOOP
			IF pg_advisory_xact_lock(handoff_hash('k', p_key_names[i])) IS NULL THEN END IF;
			SELECT coalesce(sum(h.units), 0) INTO used FROM handoff_key h
				WHERE h.name = p_key_names[i] AND NOT (h.conversation = p_conversation AND h.number = p_number);
			IF used + p_key_units[i] > p_key_max[i] THEN
				answer := 'held';
				detail := p_key_names[i];
				EXIT;
			END IF;
		END LOOP;
	END IF;

	IF answer IS NULL THEN
		IF again THEN
			answer := 'duplicate';
		ELSIF n_ids > 1 AND ((SELECT count(DISTINCT e COLLATE "C") FROM unnest(p_entry_ids) e) < n_ids
			OR NOT is_new AND EXISTS (SELECT FROM handoff_entry e WHERE e.conversation = p_conversation AND e.number = p_number AND e.id = ANY (p_entry_ids))) THEN
			answer := 'duplicate';
		END IF;
	END IF;
	IF answer IS NOT NULL THEN
		IF is_new AND EXISTS (SELECT FROM handoff_record r WHERE r.conversation = p_conversation AND r.number = p_number) THEN
			answer := 'conflict';
			detail := '';
		END IF;
		RETURN;
	END IF;

	-- An earlier time than the true one is corrected by handoff_late. Left as
	-- it is, it spares most commits of a conversation that goes on an index
	-- entry in each index.
	IF cardinality(p_owed_seqs) > 0 THEN
		IF is_new THEN -- and nothing was delivered yet
			IF 0 < ANY (p_owed_seqs) THEN
				v_behind := coalesce(p_entry_ats[1], '-infinity');
			END IF;
		ELSE
			v_behind := old.behind;
		END IF;
	END IF;

	IF is_new THEN
		INSERT INTO handoff_record VALUES (
			p_conversation, p_number, 1, p_seq, p_queue, p_state, p_outcome, p_agent, p_usr, p_tags,
			p_line, p_priority, p_since, p_created, p_updated, p_wake, NULL, v_behind,
			p_key_names, p_key_units, p_key_max, p_owed_sinks, p_owed_cursors, p_owed_seqs, p_body)
			ON CONFLICT DO NOTHING;
		IF NOT FOUND THEN
			answer := 'conflict';
			RETURN;
		END IF;
	END IF;
	IF n_ids = 1 THEN
		INSERT INTO handoff_entry VALUES (p_conversation, p_number, p_entry_seqs[1], p_entry_ids[1], p_entry_ats[1], p_entry_bodies[1]);
	ELSIF n_ids = 2 THEN
		INSERT INTO handoff_entry VALUES (p_conversation, p_number, p_entry_seqs[1], p_entry_ids[1], p_entry_ats[1], p_entry_bodies[1]),
			(p_conversation, p_number, p_entry_seqs[2], p_entry_ids[2], p_entry_ats[2], p_entry_bodies[2]);
	ELSE
		INSERT INTO handoff_entry (conversation, number, seq, id, at, body)
			SELECT p_conversation, p_number, e.seq, e.id, e.at, e.body
			FROM unnest(p_entry_seqs, p_entry_ids, p_entry_ats, p_entry_bodies) AS e(seq, id, at, body);
	END IF;
	IF NOT is_new THEN
		IF v_behind IS NULL AND cardinality(p_owed_seqs) > 0 THEN
			SELECT min(coalesce(e.at, '-infinity')) INTO v_behind
				FROM unnest(p_owed_cursors, p_owed_seqs) AS o(name, seq)
				LEFT JOIN handoff_cursor c ON c.conversation = p_conversation AND c.number = p_number AND c.name = o.name
				JOIN handoff_entry e ON e.conversation = p_conversation AND e.number = p_number AND e.seq = coalesce(c.seq, 0) + 1
				WHERE coalesce(c.seq, 0) < o.seq;
		END IF;
		UPDATE handoff_record r SET
			version = p_version + 1, seq = p_seq, queue = p_queue, state = p_state, outcome = p_outcome, agent = p_agent,
			usr = p_usr, tags = p_tags, line = p_line, priority = p_priority, since = p_since, created = p_created,
			updated = p_updated, wake = p_wake, claimed_until = NULL, behind = v_behind,
			key_names = p_key_names, key_units = p_key_units, key_max = p_key_max,
			owed_sinks = p_owed_sinks, owed_cursors = p_owed_cursors, owed_seqs = p_owed_seqs, body = p_body
		WHERE r.conversation = p_conversation AND r.number = p_number;
	END IF;

	IF changed THEN
		IF NOT is_new THEN
			FOR i IN 1..cardinality(old.key_names) LOOP
				IF NOT old.key_names[i] = ANY (p_key_names) THEN
					DELETE FROM handoff_key h WHERE h.name = old.key_names[i] AND h.conversation = p_conversation AND h.number = p_number;
				END IF;
			END LOOP;
		END IF;
		FOR i IN 1..n_keys LOOP
			IF had[i] <> p_key_units[i] THEN
				INSERT INTO handoff_key VALUES (p_key_names[i], p_conversation, p_number, p_key_units[i])
					ON CONFLICT (name, conversation, number) DO UPDATE SET units = excluded.units;
			END IF;
		END LOOP;
	END IF;
	answer := 'ok';
END
$$;
