-- What some scripts share in addition to common.lua and tools.lua.
local function shelf(state) return state == 'ended' and P .. 'past' or P .. 'open' end

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
	local have = hmget(key, names, #names)
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
	local r = call('HMGET', key, 'v', 'q', 'S', 'a', 'U', 'l', 'r', 'c', 'k', 'z')
	if not r[1] then return end
	local q, state, agent, user, line, rank, created, keys, z = unpack(r, 2, 10)
	if line ~= '' then
		call('ZREM', P .. 'rank:' .. q, rank .. rid)
		call('ZREM', P .. 'line:' .. q, line .. '\0' .. rank .. rid)
	end
	call('ZREM', shelf(state), created .. rid)
	if agent ~= '' then call('ZREM', P .. 'agent:' .. agent, created .. rid) end
	if user ~= '' then call('ZREM', P .. 'user:' .. user, created .. rid) end
	for name in string.gmatch(keys, '([^%z]*)%z%-?%d+%z%-?%d+%z') do
		call('HDEL', P .. 'key:' .. name, rid)
	end
	call('ZREM', P .. 'due', rid)
	call('ZREM', P .. 'busy', rid)
	unwatch(rid, z)
	call('ZREM', P .. 'n:' .. string.sub(rid, 1, -21), string.sub(rid, -19))
	call('UNLINK', key)
end
