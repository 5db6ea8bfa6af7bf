-- Gives work to one caller: ARGV is the lease, the limit, the grace, the time
-- (empty: the server's), and the sinks that the caller serves. The answer is the time, what is due (rid and
-- fields in turn) and what is late (rid, sink and cursor in turn).
local t, lease, limit, grace = tonumber(ARGV[4]) or now(), tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local most = 1000 -- looked at in one call, so that none takes long

-- What was hidden or led, and is no longer.
for _, rid in ipairs(call('ZRANGEBYSCORE', P .. 'busy', '-inf', t, 'LIMIT', 0, most)) do
	local key = P .. 'r:' .. rid
	local r = call('HMGET', key, 'h', 'z', 'o')
	if r[1] and r[1] ~= '' and tonumber(r[1]) > t then
		call('ZADD', P .. 'busy', r[1], rid)
	else
		call('ZREM', P .. 'busy', rid)
		call('HSET', key, 'h', '', 'z', watch(rid, lacking(key, r[3]), r[2] or ''))
	end
end

local given, order = {}, {}
local function give(rid)
	if not given[rid] then
		given[rid] = true
		order[#order + 1] = rid
	end
end

local due = {}
for _, rid in ipairs(call('ZRANGEBYSCORE', P .. 'due', '-inf', t, 'LIMIT', 0, limit)) do
	due[#due + 1] = rid
	due[#due + 1] = call('HMGET', P .. 'r:' .. rid, unpack(F))
	give(rid)
end

-- look puts right where a record stands under a sink, and gives what is late.
local late, count, looked = {}, 0, 0
local function look(rid, sink)
	local key = P .. 'r:' .. rid
	local r = call('HMGET', key, 'z', 'o')
	local mine, first, led = {}, nil, nil
	for _, l in ipairs(lacking(key, r[2])) do
		if l.sink == sink then
			if l.till ~= '' and tonumber(l.till) > t then
				if not led or tonumber(l.till) < led then led = tonumber(l.till) end
			else
				if not first or l.at < first then first = l.at end
				if l.at < t - grace then mine[#mine + 1] = l.name end
			end
		end
	end
	for _, name in ipairs(mine) do
		if count == limit then break end
		count = count + 1
		late[#late + 1], late[#late + 2], late[#late + 3] = rid, sink, name
		give(rid)
	end
	if #mine > 0 then return true end
	if first and not led then
		call('ZADD', P .. 'late:' .. sink, first, rid)
		return false
	end
	if led then
		call('ZADD', P .. 'busy', 'LT', first and math.min(led, first + grace) or led, rid)
	end
	call('ZREM', P .. 'late:' .. sink, rid)
	local at, to = string.find(r[1], '\0' .. sink .. '\0', 1, true)
	if at then
		local z = string.sub(r[1], 1, at) .. string.sub(r[1], to + 1)
		call('HSET', key, 'z', z == '\0' and '' or z)
	end
	return false
end

-- One of each sink in turn: a sink with many that nobody can deliver must not
-- stand before the others.
local kept, open = {}, {}
for i = 5, #ARGV do
	if not kept[ARGV[i]] then
		kept[ARGV[i]] = 0
		open[#open + 1] = ARGV[i]
	end
end
while #open > 0 do
	local again = {}
	for _, sink in ipairs(open) do
		while count < limit and looked < most do
			local next = call('ZRANGEBYSCORE', P .. 'late:' .. sink, '-inf', '(' .. string.format('%d', t - grace), 'LIMIT', kept[sink], 1)
			if #next == 0 then break end
			looked = looked + 1
			if look(next[1], sink) then
				kept[sink] = kept[sink] + 1
				again[#again + 1] = sink
				break
			end
		end
	end
	open = again
end

local till = t + lease
for _, rid in ipairs(order) do
	local key = P .. 'r:' .. rid
	local r = call('HMGET', key, 'w', 'z', 'o')
	if r[1] ~= '' then call('ZADD', P .. 'due', math.max(tonumber(r[1]), till), rid) end
	unwatch(rid, r[2])
	call('HSET', key, 'h', string.format('%d', till), 'z', '')
	if r[3] ~= '' then call('ZADD', P .. 'busy', till, rid) end
end
return {t, due, late}
