-- Commits items, each judged alone, in order. All that is checked comes before
-- all that is written, and nothing that is written can fail.
--
-- An item is: rid, the version that was read, the number of the last entry
-- that was read, how many entries, keys and cursors follow; the fields F; for
-- each entry its field, itself, its id's field and its number; for each key
-- name, units and max; for each cursor its field, sink and the number owed.
local A = ARGV
local known = {nil, nil, iq, iS, nil, ia, iU, nil, il, ir, ic, nil, iw, ik} -- where I has a field of F
local function commit(n)
	local rid = A[n]
	local key = P .. 'r:' .. rid
	local ne, nk, no = tonumber(A[n + 3]), tonumber(A[n + 4]), tonumber(A[n + 5])
	local f = n + 5 -- field i of F is at f+i
	local e = f + #F + 1
	local k = e + 4 * ne
	local o = k + 3 * nk
	local last = o + 3 * no

	local cursors, ids = #I, #I + no
	local old
	if A[n + 1] == '0' then
		if call('EXISTS', key) == 1 then return last, {'conflict'} end
		old = {}
	else
		local names = {unpack(I)}
		for i = o, last - 1, 3 do names[#names + 1] = A[i] end
		for i = e, k - 1, 4 do names[#names + 1] = A[i + 2] end
		old = hmget(key, names)
	end
	if (old[iv] or '0') ~= A[n + 1] then return last, {'conflict'} end
	if (old[is] or '0') ~= A[n + 2] then return last, {'gap'} end
	local new = not old[iv]

	local have
	if A[f + 14] ~= (old[ik] or '') then
		have = units(old[ik])
		for i = k, o - 1, 3 do
			local name, want, had = A[i], tonumber(A[i + 1]), have[A[i]] or 0
			if want > had then
				local used = 0
				for _, u in ipairs(call('HVALS', P .. 'key:' .. name)) do used = used + u end
				if used - math.max(had, 0) + want > tonumber(A[i + 2]) then
					return last, {'held', name, call('HGETALL', P .. 'key:' .. name)}
				end
			end
		end
	end

	local seen = {}
	for i = 1, ne do
		local id = A[e + 4 * i - 2]
		if old[ids + i] or seen[id] then return last, {'duplicate'} end
		seen[id] = true
	end

	-- From here on everything is written.
	local q, state, agent, user, line, rank, created, wake = A[f + 3], A[f + 4], A[f + 6], A[f + 7], A[f + 9], A[f + 10], A[f + 11], A[f + 13]
	if new or line ~= old[il] or q ~= old[iq] or rank ~= old[ir] then
		if not new and old[il] ~= '' then
			call('ZREM', P .. 'rank:' .. old[iq], old[ir] .. rid)
			call('ZREM', P .. 'line:' .. old[iq], old[il] .. '\0' .. old[ir] .. rid)
		end
		if line ~= '' then
			call('ZADD', P .. 'rank:' .. q, '0', rank .. rid)
			call('ZADD', P .. 'line:' .. q, '0', line .. '\0' .. rank .. rid)
		end
	end
	local moved = new or created ~= old[ic]
	if moved or shelf(state) ~= shelf(old[iS]) then
		if not new then call('ZREM', shelf(old[iS]), old[ic] .. rid) end
		call('ZADD', shelf(state), '0', created .. rid)
	end
	if moved or agent ~= old[ia] then
		if not new and old[ia] ~= '' then call('ZREM', P .. 'agent:' .. old[ia], old[ic] .. rid) end
		if agent ~= '' then call('ZADD', P .. 'agent:' .. agent, '0', created .. rid) end
	end
	if moved or user ~= old[iU] then
		if not new and old[iU] ~= '' then call('ZREM', P .. 'user:' .. old[iU], old[ic] .. rid) end
		if user ~= '' then call('ZADD', P .. 'user:' .. user, '0', created .. rid) end
	end
	if new then call('ZADD', P .. 'n:' .. string.sub(rid, 1, -21), '0', string.sub(rid, -19)) end
	local hidden = old[ih] and old[ih] ~= ''
	if wake ~= (old[iw] or '') or hidden then
		if wake == '' then call('ZREM', P .. 'due', rid) else call('ZADD', P .. 'due', wake, rid) end
	end
	if have then
		for i = k, o - 1, 3 do
			local name, want = A[i], tonumber(A[i + 1])
			if want > 0 and want ~= have[name] then call('HSET', P .. 'key:' .. name, rid, A[i + 1]) end
			if want > 0 then have[name] = nil end
		end
		for name in pairs(have) do call('HDEL', P .. 'key:' .. name, rid) end
	end

	-- What was not changed is not written.
	local set, m = {}, 0
	for i = 1, #F do
		local at = known[i]
		if not at or A[f + i] ~= old[at] then
			set[m + 1], set[m + 2] = F[i], A[f + i]
			m = m + 2
		end
	end
	for i = e, k - 1 do
		m = m + 1
		set[m] = A[i]
	end

	-- Where a record stands under a sink, it stays: an earlier time than the
	-- true one is put right by a claim, and most commits write nothing here.
	local z, late, before = old[iz] or '', {}, tonumber(A[n + 2])
	for i = o, last - 1, 3 do
		if not string.find(z, '\0' .. A[i + 1] .. '\0', 1, true) then
			local seq = cursor(old[cursors + (i - o) / 3 + 1])
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
		set[#set + 1], set[#set + 2] = 'z', watch(rid, late, z)
	end
	if hidden then
		set[#set + 1], set[#set + 2] = 'h', ''
		call('ZREM', P .. 'busy', rid)
	end
	hset(key, set)
	return last, {'ok'}
end

local out, n = {}, 1
while n <= #A do
	n, out[#out + 1] = commit(n)
end
return out
