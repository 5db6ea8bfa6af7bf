-- handoff_commit_set does what handoff_commit_batch does, which stays for builds
-- that need no more than version 4, in less time: an argument is read where it
-- stands in its list, which costs less than to make rows of 23 lists, and what
-- the caller knows of the keys need not be found out. A few commits at once gain
-- the most, since a statement over many lists takes long to set up.
--
-- Each commit is judged alone, in order, against what is stored and the ones
-- before it, as handoff_commit judges it; but what is read and written is read
-- and written for all of them at once.
--
-- No two items are of one record, and none names a key twice. Lists within an
-- item travel as text, since the arrays of an array are all of one length.
-- p_counts says how many entries an item has, p_twins whether two of them have
-- one id, p_firsts when the first was. p_lock_conversations and p_lock_keys are
-- all names, sorted. p_want_* are the keys of all items again, by item and name,
-- with the place of each in p_lock_keys.
--
-- Plans are made once for each connection and are the same whatever the tables
-- hold: look-ups in indexes, one for each item.
--
-- p_patience is how long it waits for a lock, '' for as long as it takes. Who
-- holds one for long, as a transaction of the host may, is to hold up his own
-- conversation, and not all that travel with it.
CREATE FUNCTION handoff_commit_set(
	p_lock_conversations text[], p_lock_keys text[],
	p_conversations text[], p_numbers bigint[], p_versions bigint[], p_seqs bigint[],
	p_queues text[], p_states text[], p_outcomes text[], p_agents text[], p_usrs text[], p_tags text[],
	p_lines text[], p_priorities bigint[], p_sinces timestamptz[], p_createds timestamptz[], p_updateds timestamptz[], p_wakes timestamptz[],
	p_key_names text[], p_key_units text[], p_key_max text[],
	p_owed_sinks text[], p_owed_cursors text[], p_owed_seqs text[], p_bodies bytea[],
	p_counts bigint[], p_twins boolean[], p_firsts timestamptz[],
	p_entry_items bigint[], p_entry_ids text[], p_entry_seqs bigint[], p_entry_ats timestamptz[], p_entry_bodies bytea[],
	p_want_items bigint[], p_want_names text[], p_want_units bigint[], p_want_max bigint[], p_want_places bigint[],
	p_patience text,
	OUT answers text[], OUT details text[]
) LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT
	SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
	n       int := cardinality(p_numbers);
	all_items int[] := ARRAY(SELECT generate_series(1, cardinality(p_numbers)));
	any_new boolean := 0 = ANY (p_versions);
	any_old boolean := 0 <> ANY (p_versions);
	again   boolean[] := p_twins; -- whether an item has an entry that is known
	-- The keys of which an item may get more or less, ordered by item and name.
	c_items  bigint[] := p_want_items;
	c_names  text[] := p_want_names;
	c_had    bigint[]; -- NULL: it did not name the key
	c_want   bigint[] := p_want_units; -- NULL: it names the key no more
	c_max    bigint[] := p_want_max;
	c_places bigint[] := p_want_places; -- where the key stands in used
	c_used   bigint[]; -- units that are taken in the store, of keys of which it gets more
	used     bigint[] := '{}'; -- units that are taken, those of the items before counted
	changes  int;
	gone     boolean := false; -- an item names a key no more
	moved    boolean := false; -- an item has more or less of a key than before
	added    boolean := false; -- an item names a key that it did not name
	item     int;
	i        int := 1;
	j        int;
	last     int;
	locked   text;
BEGIN
	details := array_fill(''::text, ARRAY[n]);
	IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
		answers := array_fill('isolation'::text, ARRAY[n]);
		RETURN;
	END IF;
	IF p_patience <> '' AND set_config('lock_timeout', p_patience, true) IS NULL THEN END IF;
	-- As handoff_lock does it, without the call of a function that has settings.
	FOREACH locked IN ARRAY p_lock_conversations LOOP
		IF pg_advisory_xact_lock(handoff_hash('c', locked)) IS NULL THEN END IF;
	END LOOP;
	FOREACH locked IN ARRAY p_lock_keys LOOP
		IF pg_advisory_xact_lock(handoff_hash('k', locked)) IS NULL THEN END IF;
	END LOOP;

	answers := ARRAY(
		SELECT coalesce((
				SELECT CASE WHEN r.version <> p_versions[t] THEN 'conflict' WHEN r.seq <> p_seqs[t] - p_counts[t] THEN 'gap' ELSE '' END
				FROM handoff_record r WHERE r.conversation = p_conversations[t] AND r.number = p_numbers[t]),
			CASE WHEN p_versions[t] <> 0 THEN 'conflict' WHEN p_seqs[t] <> p_counts[t] THEN 'gap' ELSE '' END)
		FROM unnest(all_items) AS t);
	IF any_old THEN
		FOREACH item IN ARRAY ARRAY(
			SELECT e.item FROM unnest(p_entry_items) WITH ORDINALITY AS e(item, n)
			WHERE EXISTS (SELECT FROM handoff_entry x WHERE x.conversation = p_conversations[e.item] AND x.number = p_numbers[e.item] AND x.id = p_entry_ids[e.n])
		) LOOP
			again[item] := true;
		END LOOP;
		SELECT array_agg(c.item), array_agg(c.name), array_agg(c.had), array_agg(c.want), array_agg(c.max), array_agg(c.place),
				array_agg(CASE WHEN c.want > coalesce(c.had, 0) THEN (SELECT coalesce(sum(h.units), 0)::bigint FROM handoff_key h WHERE h.name = c.name) END)
			INTO c_items, c_names, c_had, c_want, c_max, c_places, c_used
			FROM (
				SELECT b.item, b.name, b.had, b.want, b.max, max(b.place) OVER (PARTITION BY b.name) AS place
				FROM (
					SELECT a.item, a.name, max(a.had) AS had, max(a.want) AS want, max(a.max) AS max, max(a.place) AS place
					FROM (
						SELECT w.item, w.name COLLATE "C" AS name, NULL::bigint AS had, p_want_units[w.n] AS want, p_want_max[w.n] AS max, p_want_places[w.n] AS place
							FROM unnest(p_want_items, p_want_names) WITH ORDINALITY AS w(item, name, n)
						UNION ALL
						SELECT t, k.name, k.units, NULL, NULL, NULL
							FROM unnest(all_items) AS t
							JOIN handoff_record r ON r.conversation = p_conversations[t] AND r.number = p_numbers[t], unnest(r.key_names, r.key_units) AS k(name, units)
							WHERE p_versions[t] <> 0
					) a GROUP BY a.item, a.name
				) b WHERE b.had IS DISTINCT FROM b.want
				ORDER BY b.item, b.name
			) c;
	ELSE
		c_had := array_fill(NULL::bigint, ARRAY[cardinality(p_want_items)]);
		c_used := ARRAY(SELECT (SELECT coalesce(sum(h.units), 0)::bigint FROM handoff_key h WHERE h.name = w.name) FROM unnest(p_want_names) AS w(name));
	END IF;
	changes := coalesce(cardinality(c_items), 0);
	FOR i IN 1..changes LOOP
		IF c_used[i] IS NOT NULL THEN
			used[c_places[i]] := c_used[i];
		END IF;
	END LOOP;
	WHILE i <= changes LOOP
		item := c_items[i];
		last := i;
		WHILE last < changes AND c_items[last + 1] = item LOOP
			last := last + 1;
		END LOOP;
		IF answers[item] = '' THEN
			FOR j IN i..last LOOP
				IF c_want[j] > coalesce(c_had[j], 0) AND used[c_places[j]] - coalesce(c_had[j], 0) + c_want[j] > c_max[j] THEN
					answers[item] := 'held';
					details[item] := c_names[j];
					EXIT;
				END IF;
			END LOOP;
			IF answers[item] = '' AND NOT again[item] THEN
				FOR j IN i..last LOOP
					IF c_places[j] IS NOT NULL THEN -- else it is given back, and nobody here takes it
						used[c_places[j]] := used[c_places[j]] - coalesce(c_had[j], 0) + coalesce(c_want[j], 0);
					END IF;
					IF c_want[j] IS NULL THEN
						gone := true;
					ELSIF c_had[j] IS NULL THEN
						added := true;
					ELSE
						moved := true;
					END IF;
				END LOOP;
			END IF;
		END IF;
		i := last + 1;
	END LOOP;
	FOR i IN 1..n LOOP
		IF answers[i] = '' THEN
			answers[i] := CASE WHEN again[i] THEN 'duplicate' ELSE 'ok' END;
		END IF;
	END LOOP;
	IF NOT 'ok' = ANY (answers) THEN
		RETURN;
	END IF;

	IF any_new THEN
		INSERT INTO handoff_record
			SELECT p_conversations[t], p_numbers[t], 1, p_seqs[t], p_queues[t], p_states[t], p_outcomes[t], p_agents[t], p_usrs[t], p_tags[t]::text[],
				p_lines[t], p_priorities[t], p_sinces[t], p_createds[t], p_updateds[t], p_wakes[t], NULL,
				CASE WHEN 0 < ANY (p_owed_seqs[t]::bigint[]) THEN coalesce(p_firsts[t], '-infinity') END, -- nothing was delivered yet
				p_key_names[t]::text[], p_key_units[t]::bigint[], p_key_max[t]::bigint[],
				p_owed_sinks[t]::text[], p_owed_cursors[t]::text[], p_owed_seqs[t]::bigint[], p_bodies[t]
			FROM unnest(all_items) AS t
			WHERE p_versions[t] = 0 AND answers[t] = 'ok';
	END IF;
	INSERT INTO handoff_entry (conversation, number, seq, id, at, body)
		SELECT p_conversations[e.item], p_numbers[e.item], p_entry_seqs[e.n], p_entry_ids[e.n], p_entry_ats[e.n], p_entry_bodies[e.n]
		FROM unnest(p_entry_items) WITH ORDINALITY AS e(item, n)
		WHERE answers[e.item] = 'ok';
	IF any_old THEN
		UPDATE handoff_record r SET
			version = p_versions[t] + 1, seq = p_seqs[t], queue = p_queues[t], state = p_states[t], outcome = p_outcomes[t], agent = p_agents[t],
			usr = p_usrs[t], tags = p_tags[t]::text[], line = p_lines[t], priority = p_priorities[t], since = p_sinces[t], created = p_createds[t],
			updated = p_updateds[t], wake = p_wakes[t], claimed_until = NULL,
			behind = CASE WHEN p_owed_seqs[t] = '{}' THEN NULL WHEN r.behind IS NOT NULL THEN r.behind ELSE ( -- see handoff_commit
				SELECT min(coalesce(e.at, '-infinity'))
				FROM unnest(p_owed_cursors[t]::text[], p_owed_seqs[t]::bigint[]) AS o(name, seq)
				LEFT JOIN handoff_cursor c ON c.conversation = p_conversations[t] AND c.number = p_numbers[t] AND c.name = o.name
				JOIN handoff_entry e ON e.conversation = p_conversations[t] AND e.number = p_numbers[t] AND e.seq = coalesce(c.seq, 0) + 1
				WHERE coalesce(c.seq, 0) < o.seq) END,
			key_names = p_key_names[t]::text[], key_units = p_key_units[t]::bigint[], key_max = p_key_max[t]::bigint[],
			owed_sinks = p_owed_sinks[t]::text[], owed_cursors = p_owed_cursors[t]::text[], owed_seqs = p_owed_seqs[t]::bigint[], body = p_bodies[t]
		FROM unnest(all_items) AS t
		WHERE p_versions[t] <> 0 AND answers[t] = 'ok' AND r.conversation = p_conversations[t] AND r.number = p_numbers[t];
	END IF;

	IF gone THEN
		DELETE FROM handoff_key h USING unnest(c_items, c_names, c_want) AS c(item, name, want)
			WHERE c.want IS NULL AND answers[c.item] = 'ok' AND h.name = c.name AND h.conversation = p_conversations[c.item] AND h.number = p_numbers[c.item];
	END IF;
	IF moved THEN
		INSERT INTO handoff_key (name, conversation, number, units)
			SELECT c_names[c.n], p_conversations[c.item], p_numbers[c.item], c_want[c.n]
			FROM unnest(c_items) WITH ORDINALITY AS c(item, n)
			WHERE c_had[c.n] IS NOT NULL AND c_want[c.n] IS NOT NULL AND answers[c.item] = 'ok'
			ON CONFLICT (name, conversation, number) DO UPDATE SET units = excluded.units;
	END IF;
	IF added THEN
		INSERT INTO handoff_key (name, conversation, number, units)
			SELECT c_names[c.n], p_conversations[c.item], p_numbers[c.item], c_want[c.n]
			FROM unnest(c_items) WITH ORDINALITY AS c(item, n)
			WHERE c_had[c.n] IS NULL AND c_want[c.n] <> 0 AND answers[c.item] = 'ok'; -- nothing can be in the way
	END IF;
END
$$;
