-- Commits items, each judged alone, in order. All that is checked comes before
-- all that is written, and nothing that is written can fail, unless somebody
-- else uses the store's names. Check looks at those that all records share, and
-- a conversation's own is written first.
--
-- An item is: conversation, number, the version that was read, the number of
-- the last entry that was read, how many entries, keys and cursors follow; the
-- fields F; for each entry its field, itself, its id's field and its number;
-- for each key name, units and max; for each cursor its field, sink and the
-- number owed. The answer has 0 for each item, or what is wrong with it.
--
-- All of this is made anew for each commit. A table, a closure or a string
-- costs about as much as a command finds or writes in that time, so what most
-- commits do not need is made where it is needed.
local A = ARGV
local names -- of fields: F without the body, h, and z
local h, z = 16, 17

local function commit(n)
	local rid = A[n] .. '\0' .. A[n + 1]
	local key = P .. 'r:' .. rid
	local ne, nk, no = tonumber(A[n + 4]), tonumber(A[n + 5]), tonumber(A[n + 6])
	local f = n + 6 -- field i of F is at f+i
	local e = f + 17
	local k = e + 4 * ne
	local o = k + 3 * nk
	local last = o + 3 * no
	local new = A[n + 2] == '0'

	if not names and (not new or ne > 1000) then
		names = {'v', 's', 'q', 'S', 'O', 'a', 'U', 't', 'l', 'r', 'c', 'u', 'w', 'k', 'o', 'h', 'z', nil, nil, nil, nil} -- nil is room
	end

	-- old is what names names, then cursors and the numbers of entries with
	-- these ids.
	local old
	if new then
		if call('EXISTS', key) == 1 then return last, {'conflict'} end
		if A[n + 3] ~= '0' then return last, {'gap'} end
		old = {}
	else
		local m = z
		for i = o, last - 1, 3 do
			m = m + 1
			names[m] = A[i]
		end
		for i = e + 2, k - 1, 4 do
			m = m + 1
			names[m] = A[i]
		end
		if m <= 4000 then old = call('HMGET', key, unpack(names, 1, m)) else old = (tools())(key, names, m) end
		if (old[1] or '0') ~= A[n + 2] then return last, {'conflict'} end
		if (old[2] or '0') ~= A[n + 3] then return last, {'gap'} end
	end

	local have
	if A[f + 14] ~= (old[14] or '') then
		have = {}
		if old[14] then
			for name, units in string.gmatch(old[14], '([^%z]*)%z(%-?%d+)%z%-?%d+%z') do have[name] = tonumber(units) end
		end
		for i = k, o - 1, 3 do
			local name, want, had = A[i], tonumber(A[i + 1]), have[A[i]] or 0
			if want > had then
				local used = had > 0 and want - had or want
				local all = call('HVALS', P .. 'key:' .. name)
				for j = 1, #all do used = used + all[j] end
				if used > tonumber(A[i + 2]) then
					return last, {'held', name, call('HGETALL', P .. 'key:' .. name)}
				end
			end
		end
	end

	local seen = ne > 2 and {}
	local ids = z + no
	for i = e + 2, k - 1, 4 do
		ids = ids + 1
		if old[ids] or i > e + 2 and A[i] == A[e + 2] or seen and seen[A[i]] then return last, {'duplicate'} end
		if seen then seen[A[i]] = true end
	end

	-- From here on everything is written.
	if new then
		call('ZADD', P .. 'n:' .. A[n], '0', A[n + 1])
		-- On a server that was emptied, or to which nobody has migrated, what is
		-- stored now would be taken for somebody else's.
		call('SET', P .. 'layout', LAYOUT, 'NX')
	end
	local q, state, agent, user, line, rank, wake = A[f + 3], A[f + 4], A[f + 6], A[f + 7], A[f + 9], A[f + 10], A[f + 13]
	local oq, oagent, ouser, oline, orank = old[3] or '', old[6] or '', old[7] or '', old[9] or '', old[10]
	if line ~= oline or line ~= '' and (q ~= oq or rank ~= orank) then
		if oline ~= '' then
			local at = orank .. rid
			call('ZREM', P .. 'rank:' .. oq, at)
			call('ZREM', P .. 'line:' .. oq, oline .. '\0' .. at)
		end
		if line ~= '' then
			local at = rank .. rid
			call('ZADD', P .. 'rank:' .. q, '0', at)
			call('ZADD', P .. 'line:' .. q, '0', line .. '\0' .. at)
		end
	end
	local shelf, was = state == 'ended' and 'past' or 'open', old[4] == 'ended' and 'past' or 'open'
	local moved = A[f + 11] ~= old[11]
	if moved or shelf ~= was or agent ~= oagent or user ~= ouser then
		local at = A[f + 11] .. rid
		local before = moved and not new and old[11] .. rid or at
		if moved or shelf ~= was then
			if not new then call('ZREM', P .. was, before) end
			call('ZADD', P .. shelf, '0', at)
		end
		if moved or agent ~= oagent then
			if oagent ~= '' then call('ZREM', P .. 'agent:' .. oagent, before) end
			if agent ~= '' then call('ZADD', P .. 'agent:' .. agent, '0', at) end
		end
		if moved or user ~= ouser then
			if ouser ~= '' then call('ZREM', P .. 'user:' .. ouser, before) end
			if user ~= '' then call('ZADD', P .. 'user:' .. user, '0', at) end
		end
	end
	local hidden = old[h] and old[h] ~= ''
	if hidden or wake ~= (old[13] or '') then
		if wake == '' then call('ZREM', P .. 'due', rid) else call('ZADD', P .. 'due', wake, rid) end
	end
	if have then
		for i = k, o - 1, 3 do
			local name, want = A[i], tonumber(A[i + 1])
			if want > 0 then
				if want ~= have[name] then call('HSET', P .. 'key:' .. name, rid, A[i + 1]) end
				have[name] = nil
			end
		end
		for name in pairs(have) do call('HDEL', P .. 'key:' .. name, rid) end
	end

	-- What was not changed is not written.
	local set, m = {}, 0
	if new and ne <= 1000 then
		call('HSET', key, 'v', A[f + 1], 's', A[f + 2], 'q', q, 'S', state, 'O', A[f + 5], 'a', agent, 'U', user, 't', A[f + 8],
			'l', line, 'r', rank, 'c', A[f + 11], 'u', A[f + 12], 'w', wake, 'k', A[f + 14], 'o', A[f + 15], 'b', A[f + 16],
			unpack(A, e, k - 1))
	else
		for i = 1, 15 do
			if A[f + i] ~= old[i] then
				set[m + 1], set[m + 2] = names[i], A[f + i]
				m = m + 2
			end
		end
		set[m + 1], set[m + 2] = 'b', A[f + 16]
		m = m + 2
		for i = e, k - 1 do
			m = m + 1
			set[m] = A[i]
		end
	end

	-- Where a record stands under a sink, it stays: an earlier time than the
	-- true one is put right by a claim, and most commits write nothing here.
	if no > 0 then
		local _, cursor, watch
		local under, late, before = old[z] or '', {}, tonumber(A[n + 3])
		for i = o, last - 1, 3 do
			if not string.find(under, '\0' .. A[i + 1] .. '\0', 1, true) then
				if not cursor then _, _, cursor, watch = tools() end
				local seq = cursor(old[z + 1 + (i - o) / 3])
				if seq < tonumber(A[i + 2]) then
					local lacks
					if seq < before then
						lacks = call('HGET', key, 'e' .. string.format('%d', seq + 1))
					elseif seq < before + ne then
						lacks = A[e + 4 * (seq - before) + 1]
					end
					if lacks then
						late[#late + 1] = {sink = A[i + 1], at = tonumber(string.match(lacks, '^%-?%d+'))}
					end
				end
			end
		end
		if #late > 0 then
			set[m + 1], set[m + 2] = 'z', watch(rid, late, under)
			m = m + 2
		end
	end
	if hidden then
		set[m + 1], set[m + 2] = 'h', ''
		call('ZREM', P .. 'busy', rid)
	end
	if m > 4000 then
		local _, hset = tools()
		hset(key, set)
	elseif m > 0 then
		call('HSET', key, unpack(set))
	end
	return last, 0
end

local out, n, all = {}, 1, #A
while n <= all do
	n, out[#out + 1] = commit(n)
end
return out
