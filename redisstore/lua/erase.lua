-- ARGV: how much to remove ('one', 'all'), the number and the version that the
-- latest record must have; for 'one' its rid; for 'all' the conversation, the
-- tombstone's rid and its fields F.
if ARGV[1] == 'one' then
	local v = call('HGET', P .. 'r:' .. ARGV[4], 'v')
	if not v then return 'ok' end
	if v ~= ARGV[3] then return 'conflict' end
	drop(ARGV[4])
	return 'ok'
end
local conversation, rid = ARGV[4], ARGV[5]
local numbers = call('ZRANGE', P .. 'n:' .. conversation, 0, -1)
if numbers[#numbers] ~= ARGV[2] or call('HGET', P .. 'r:' .. conversation .. '\0' .. ARGV[2], 'v') ~= ARGV[3] then return 'conflict' end
for _, number in ipairs(numbers) do drop(conversation .. '\0' .. number) end
drop(rid)
local set = {}
for i = 1, #F do set[2 * i - 1], set[2 * i] = F[i], ARGV[5 + i] end
local q, state, agent, user, line, rank, created, wake = ARGV[8], ARGV[9], ARGV[11], ARGV[12], ARGV[14], ARGV[15], ARGV[16], ARGV[18]
if line ~= '' then
	call('ZADD', P .. 'rank:' .. q, 0, rank .. rid)
	call('ZADD', P .. 'line:' .. q, 0, line .. '\0' .. rank .. rid)
end
call('ZADD', shelf(state), 0, created .. rid)
if agent ~= '' then call('ZADD', P .. 'agent:' .. agent, 0, created .. rid) end
if user ~= '' then call('ZADD', P .. 'user:' .. user, 0, created .. rid) end
if wake ~= '' then call('ZADD', P .. 'due', wake, rid) end
call('ZADD', P .. 'n:' .. string.sub(rid, 1, -21), 0, string.sub(rid, -19))
set[#set + 1], set[#set + 2] = 'f', string.format('%d', ARGV[7] + 1)
hset(P .. 'r:' .. rid, set)
return 'ok'
