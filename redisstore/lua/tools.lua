-- A call takes a few thousand arguments.
local function hmget(key, names, n)
	if n <= 4000 then return call('HMGET', key, unpack(names, 1, n)) end
	local out = {}
	for i = 1, n, 4000 do
		for _, v in ipairs(call('HMGET', key, unpack(names, i, math.min(i + 3999, n)))) do out[#out + 1] = v end
	end
	return out
end

local function hset(key, list)
	for i = 1, #list, 4000 do
		call('HSET', key, unpack(list, i, math.min(i + 3999, #list)))
	end
end

local function cursor(c)
	if not c then return 0, 0, 0, '' end
	local seq, term, tries, till = string.match(c, '^(%d+) (%d+) (%d+) (%-?%d*)$')
	return tonumber(seq), tonumber(term), tonumber(tries), till
end

-- watch puts a record under the sinks that lack something, where it does not
-- stand yet. It returns the field z.
local function watch(rid, list, z)
	local first = {}
	for _, l in ipairs(list) do
		if not string.find(z, '\0' .. l.sink .. '\0', 1, true) and (not first[l.sink] or l.at < first[l.sink]) then
			first[l.sink] = l.at
		end
	end
	for sink, at in pairs(first) do
		call('ZADD', P .. 'late:' .. sink, at, rid)
		z = (z == '' and '\0' or z) .. sink .. '\0'
	end
	return z
end
