-- handoff_commit does what it did, with a statement less.

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
		ELSIF n_ids > 1 THEN
			IF n_ids > 8 THEN
				again := (SELECT count(DISTINCT e COLLATE "C") FROM unnest(p_entry_ids) e) < n_ids;
			ELSE -- a few are compared without a statement
				FOR i IN 2..n_ids LOOP
					again := again OR p_entry_ids[i] = ANY (p_entry_ids[1:i - 1]);
				END LOOP;
			END IF;
			IF again THEN
				answer := 'duplicate';
			ELSIF NOT is_new THEN -- apart from the line before, or it is planned for each new record as well
				IF EXISTS (SELECT FROM handoff_entry e WHERE e.conversation = p_conversation AND e.number = p_number AND e.id = ANY (p_entry_ids)) THEN
					answer := 'duplicate';
				END IF;
			END IF;
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
				IF is_new THEN -- nothing can be in the way, and to be ready for it writes more
					INSERT INTO handoff_key VALUES (p_key_names[i], p_conversation, p_number, p_key_units[i]);
				ELSE
					INSERT INTO handoff_key VALUES (p_key_names[i], p_conversation, p_number, p_key_units[i])
						ON CONFLICT (name, conversation, number) DO UPDATE SET units = excluded.units;
				END IF;
			END IF;
		END LOOP;
	END IF;
	answer := 'ok';
END
$$;

-- handoff_commit_batch makes many commits. Each is judged alone, in order,
-- against what is stored and the ones before it, as handoff_commit judges it;
-- but what is read and written is read and written for all of them at once,
-- since a statement costs more than most of what it does here.
--
-- No two items are of one record, and none names a key twice. Lists within an
-- item travel as text, since the arrays of an array are all of one length.
-- p_counts says how many entries an item has, p_twins whether two of them have
-- one id, p_firsts when the first was. p_lock_conversations and p_lock_keys are all names, sorted.
--
-- Plans are made once for each connection and are the same whatever the tables
-- hold: look-ups in indexes, one for each item.
CREATE FUNCTION handoff_commit_batch(
	p_lock_conversations text[], p_lock_keys text[],
	p_conversations text[], p_numbers bigint[], p_versions bigint[], p_seqs bigint[],
	p_queues text[], p_states text[], p_outcomes text[], p_agents text[], p_usrs text[], p_tags text[],
	p_lines text[], p_priorities bigint[], p_sinces timestamptz[], p_createds timestamptz[], p_updateds timestamptz[], p_wakes timestamptz[],
	p_key_names text[], p_key_units text[], p_key_max text[],
	p_owed_sinks text[], p_owed_cursors text[], p_owed_seqs text[], p_bodies bytea[],
	p_counts bigint[], p_twins boolean[], p_firsts timestamptz[],
	p_entry_items bigint[], p_entry_ids text[], p_entry_seqs bigint[], p_entry_ats timestamptz[], p_entry_bodies bytea[],
	OUT answers text[], OUT details text[]
) LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT
	SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	n       bigint := cardinality(p_numbers);
	any_new boolean := 0 = ANY (p_versions);
	any_old boolean := 0 <> ANY (p_versions);
	again   boolean[] := p_twins; -- whether an item has an entry that is known
	known   bigint[];
	-- The keys of which an item gets more or less, ordered by item and name.
	c_items bigint[];
	c_names text[];
	c_had   bigint[]; -- NULL: it did not name the key
	c_want  bigint[]; -- NULL: it names the key no more
	c_max   bigint[];
	c_used  bigint[]; -- units that are taken in the store
	c_place bigint[]; -- where the key stands in used
	used    bigint[] := '{}'; -- units that are taken, those of the items before counted
	changes bigint;
	item    bigint;
	i       bigint := 1;
	j       bigint;
	last    bigint;
BEGIN
	details := array_fill(''::text, ARRAY[n::int]);
	IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
		answers := array_fill('isolation'::text, ARRAY[n::int]);
		RETURN;
	END IF;
	IF handoff_lock(p_lock_conversations, p_lock_keys) IS NULL THEN END IF;

	SELECT array_agg(CASE WHEN coalesce(r.version, 0) <> t.version THEN 'conflict' WHEN coalesce(r.seq, 0) <> t.seq - t.entries THEN 'gap' END ORDER BY t.n)
		INTO answers
		FROM unnest(p_conversations, p_numbers, p_versions, p_seqs, p_counts) WITH ORDINALITY AS t(conversation, number, version, seq, entries, n)
		LEFT JOIN handoff_record r ON r.conversation = t.conversation AND r.number = t.number;
	IF any_old THEN
		SELECT array_agg(e.item) INTO known
			FROM unnest(p_entry_items, p_entry_ids) AS e(item, id)
			JOIN handoff_entry x ON x.conversation = p_conversations[e.item] AND x.number = p_numbers[e.item] AND x.id = e.id;
		FOREACH item IN ARRAY coalesce(known, '{}') LOOP
			again[item] := true;
		END LOOP;
	END IF;

	SELECT array_agg(c.item ORDER BY c.item, c.name), array_agg(c.name ORDER BY c.item, c.name), array_agg(c.had ORDER BY c.item, c.name),
			array_agg(c.want ORDER BY c.item, c.name), array_agg(c.max ORDER BY c.item, c.name), array_agg(c.place ORDER BY c.item, c.name),
			array_agg(CASE WHEN c.taken THEN (SELECT coalesce(sum(h.units), 0)::bigint FROM handoff_key h WHERE h.name = c.name) END ORDER BY c.item, c.name)
		INTO c_items, c_names, c_had, c_want, c_max, c_place, c_used
		FROM (
			SELECT b.item, b.name, b.had, b.want, b.max, dense_rank() OVER w AS place, bool_or(b.want > coalesce(b.had, 0)) OVER (PARTITION BY b.name) AS taken
			FROM (
				SELECT a.item, a.name, max(a.had) AS had, max(a.want) AS want, max(a.max) AS max
				FROM (
					SELECT t.n AS item, k.name COLLATE "C" AS name, NULL::bigint AS had, k.units AS want, k.max
						FROM unnest(p_key_names, p_key_units, p_key_max) WITH ORDINALITY AS t(names, units, max, n),
							unnest(t.names::text[], t.units::bigint[], t.max::bigint[]) AS k(name, units, max)
						WHERE t.names <> '{}'
					UNION ALL
					SELECT t.n, k.name, k.units, NULL, NULL
						FROM unnest(p_conversations, p_numbers) WITH ORDINALITY AS t(conversation, number, n)
						JOIN handoff_record r ON r.conversation = t.conversation AND r.number = t.number, unnest(r.key_names, r.key_units) AS k(name, units)
				) a GROUP BY a.item, a.name
			) b WHERE b.had IS DISTINCT FROM b.want
			WINDOW w AS (ORDER BY b.name)
		) c;
	changes := coalesce(cardinality(c_items), 0);
	FOR i IN 1..changes LOOP
		used[c_place[i]] := c_used[i];
	END LOOP;
	WHILE i <= changes LOOP
		item := c_items[i];
		last := i;
		WHILE last < changes AND c_items[last + 1] = item LOOP
			last := last + 1;
		END LOOP;
		IF answers[item] IS NULL THEN
			FOR j IN i..last LOOP
				IF c_want[j] > coalesce(c_had[j], 0) AND used[c_place[j]] - coalesce(c_had[j], 0) + c_want[j] > c_max[j] THEN
					answers[item] := 'held';
					details[item] := c_names[j];
					EXIT;
				END IF;
			END LOOP;
			IF answers[item] IS NULL AND NOT again[item] THEN
				FOR j IN i..last LOOP
					used[c_place[j]] := used[c_place[j]] - coalesce(c_had[j], 0) + coalesce(c_want[j], 0);
				END LOOP;
			END IF;
		END IF;
		i := last + 1;
	END LOOP;
	FOR i IN 1..n LOOP
		IF answers[i] IS NULL THEN
			answers[i] := CASE WHEN again[i] THEN 'duplicate' ELSE 'ok' END;
		END IF;
	END LOOP;
	IF NOT 'ok' = ANY (answers) THEN
		RETURN;
	END IF;

	IF any_new THEN
		INSERT INTO handoff_record
			SELECT t.conversation, t.number, 1, t.seq, t.queue, t.state, t.outcome, t.agent, t.usr, t.tags::text[],
				t.line, t.priority, t.since, t.created, t.updated, t.wake, NULL,
				CASE WHEN 0 < ANY (t.owed_seqs::bigint[]) THEN coalesce(p_firsts[t.n], '-infinity') END, -- nothing was delivered yet
				t.key_names::text[], t.key_units::bigint[], t.key_max::bigint[], t.owed_sinks::text[], t.owed_cursors::text[], t.owed_seqs::bigint[], t.body
			FROM unnest(p_conversations, p_numbers, p_versions, p_seqs, p_queues, p_states, p_outcomes, p_agents, p_usrs, p_tags,
				p_lines, p_priorities, p_sinces, p_createds, p_updateds, p_wakes, p_key_names, p_key_units, p_key_max,
				p_owed_sinks, p_owed_cursors, p_owed_seqs, p_bodies) WITH ORDINALITY
				AS t(conversation, number, version, seq, queue, state, outcome, agent, usr, tags,
				line, priority, since, created, updated, wake, key_names, key_units, key_max, owed_sinks, owed_cursors, owed_seqs, body, n)
			WHERE t.version = 0 AND answers[t.n] = 'ok';
	END IF;
	INSERT INTO handoff_entry (conversation, number, seq, id, at, body)
		SELECT p_conversations[e.item], p_numbers[e.item], e.seq, e.id, e.at, e.body
		FROM unnest(p_entry_items, p_entry_seqs, p_entry_ids, p_entry_ats, p_entry_bodies) AS e(item, seq, id, at, body)
		WHERE answers[e.item] = 'ok';
	IF any_old THEN
		UPDATE handoff_record r SET
			version = t.version + 1, seq = t.seq, queue = t.queue, state = t.state, outcome = t.outcome, agent = t.agent,
			usr = t.usr, tags = t.tags::text[], line = t.line, priority = t.priority, since = t.since, created = t.created,
			updated = t.updated, wake = t.wake, claimed_until = NULL,
			behind = CASE WHEN t.owed_seqs = '{}' THEN NULL WHEN r.behind IS NOT NULL THEN r.behind ELSE ( -- see handoff_commit
				SELECT min(coalesce(e.at, '-infinity'))
				FROM unnest(t.owed_cursors::text[], t.owed_seqs::bigint[]) AS o(name, seq)
				LEFT JOIN handoff_cursor c ON c.conversation = t.conversation AND c.number = t.number AND c.name = o.name
				JOIN handoff_entry e ON e.conversation = t.conversation AND e.number = t.number AND e.seq = coalesce(c.seq, 0) + 1
				WHERE coalesce(c.seq, 0) < o.seq) END,
			key_names = t.key_names::text[], key_units = t.key_units::bigint[], key_max = t.key_max::bigint[],
			owed_sinks = t.owed_sinks::text[], owed_cursors = t.owed_cursors::text[], owed_seqs = t.owed_seqs::bigint[], body = t.body
		FROM unnest(p_conversations, p_numbers, p_versions, p_seqs, p_queues, p_states, p_outcomes, p_agents, p_usrs, p_tags,
			p_lines, p_priorities, p_sinces, p_createds, p_updateds, p_wakes, p_key_names, p_key_units, p_key_max,
			p_owed_sinks, p_owed_cursors, p_owed_seqs, p_bodies) WITH ORDINALITY
			AS t(conversation, number, version, seq, queue, state, outcome, agent, usr, tags,
			line, priority, since, created, updated, wake, key_names, key_units, key_max, owed_sinks, owed_cursors, owed_seqs, body, n)
		WHERE t.version <> 0 AND answers[t.n] = 'ok' AND r.conversation = t.conversation AND r.number = t.number;
	END IF;

	IF changes > 0 THEN
		IF any_old THEN
			DELETE FROM handoff_key h USING unnest(c_items, c_names, c_want) AS c(item, name, want)
				WHERE c.want IS NULL AND answers[c.item] = 'ok' AND h.name = c.name AND h.conversation = p_conversations[c.item] AND h.number = p_numbers[c.item];
			INSERT INTO handoff_key (name, conversation, number, units)
				SELECT c.name, p_conversations[c.item], p_numbers[c.item], c.want
				FROM unnest(c_items, c_names, c_had, c_want) AS c(item, name, had, want)
				WHERE c.had IS NOT NULL AND c.want IS NOT NULL AND answers[c.item] = 'ok'
				ON CONFLICT (name, conversation, number) DO UPDATE SET units = excluded.units;
		END IF;
		INSERT INTO handoff_key (name, conversation, number, units)
			SELECT c.name, p_conversations[c.item], p_numbers[c.item], c.want
			FROM unnest(c_items, c_names, c_had, c_want) AS c(item, name, had, want)
			WHERE c.had IS NULL AND c.want <> 0 AND answers[c.item] = 'ok'; -- nothing can be in the way
	END IF;
END
$$;
