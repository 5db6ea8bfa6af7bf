-- What some scripts share in addition to common.lua.
local function now()
	local t = call('TIME')
	return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- what a record lacks, by sink: the time of the oldest entry
local function lacking(key, owed)
	local names, sinks, seqs = {}, {}, {}
	for sink, name, seq in string.gmatch(owed or '', '([^%z]*)%z([^%z]*)%z(%d+)%z') do
		names[#names + 1], sinks[#sinks + 1], seqs[#seqs + 1] = '@' .. name, sink, tonumber(seq)
	end
	local out = {}
	if #names == 0 then return out end
	local have = hmget(key, names)
	for i = 1, #names do
		local seq, _, _, till = cursor(have[i])
		if seq < seqs[i] then
			local e = call('HGET', key, 'e' .. string.format('%d', seq + 1))
			if e then
				out[#out + 1] = {sink = sinks[i], name = string.sub(names[i], 2), at = tonumber(string.match(e, '^%-?%d+')), till = till}
			end
		end
	end
	return out
end

local function unwatch(rid, z)
	for sink in string.gmatch(string.sub(z or '', 2), '([^%z]*)%z') do
		call('ZREM', P .. 'late:' .. sink, rid)
	end
end

-- drop removes a record with everything that belongs to it.
local function drop(rid)
	local key = P .. 'r:' .. rid
	local r = call('HMGET', key, unpack(I))
	if not r[iv] then return end
	if r[il] ~= '' then
		call('ZREM', P .. 'rank:' .. r[iq], r[ir] .. rid)
		call('ZREM', P .. 'line:' .. r[iq], r[il] .. '\0' .. r[ir] .. rid)
	end
	call('ZREM', shelf(r[iS]), r[ic] .. rid)
	if r[ia] ~= '' then call('ZREM', P .. 'agent:' .. r[ia], r[ic] .. rid) end
	if r[iU] ~= '' then call('ZREM', P .. 'user:' .. r[iU], r[ic] .. rid) end
	for name in pairs(units(r[ik])) do
		call('HDEL', P .. 'key:' .. name, rid)
	end
	call('ZREM', P .. 'due', rid)
	call('ZREM', P .. 'busy', rid)
	unwatch(rid, r[iz])
	call('ZREM', P .. 'n:' .. string.sub(rid, 1, -21), string.sub(rid, -19))
	call('UNLINK', key)
end
