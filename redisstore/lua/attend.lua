-- Does one thing with an agent as he is at a time, and notes whether that
-- makes him come or go. ARGV: verb, agent, session, a hash of the session's id,
-- what he wants ('1', '0'), his activity, now, and when the session expires.
-- Live sessions are fields :<session> with their expiry; ids that were used are
-- kept in a set, as hashes, so that none comes back.
local verb, session, t, expires = ARGV[1], ':' .. ARGV[3], tonumber(ARGV[7]), tonumber(ARGV[8])
local key, used = P .. 'p:' .. ARGV[2], P .. 'used:' .. ARGV[2]
local flat = call('HGETALL', key)
local a = {}
for i = 1, #flat, 2 do a[flat[i]] = flat[i + 1] end
if #flat == 0 then
	if verb ~= 'want' and verb ~= 'begin' then return 'unknown' end
	a = {wants = '0', activity = '', online = '0', since = ARGV[7]}
end

local function last()
	local at
	for f, v in pairs(a) do
		if string.sub(f, 1, 1) == ':' then
			v = tonumber(v)
			if not at or v > at then at = v end
		end
	end
	return at
end

local l = last()
if a.online == '1' and l <= t then a.online, a.since = '0', string.format('%d', l) end
local gone = {}
for f, v in pairs(a) do
	if string.sub(f, 1, 1) == ':' and tonumber(v) <= t then gone[#gone + 1] = f end
end
for _, f in ipairs(gone) do a[f] = nil end

local answer = 'ok'
if verb == 'want' then
	a.wants, a.activity = ARGV[5], ARGV[6]
elseif verb == 'begin' then
	if call('SADD', used, ARGV[4]) == 0 then answer = 'used' else a[session] = ARGV[8] end
elseif not a[session] then
	answer = 'unknown'
elseif verb == 'beat' then
	if expires > tonumber(a[session]) then a[session] = ARGV[8] end
else
	gone[#gone + 1], a[session] = session, nil
end

l = last()
local online = (a.wants == '1' and l and l > t) and '1' or '0'
if online ~= a.online then a.online, a.since = online, ARGV[7] end
local set = {}
for f, v in pairs(a) do set[#set + 1], set[#set + 2] = f, v end
hset(key, set)
if #gone > 0 then call('HDEL', key, unpack(gone)) end
return answer
