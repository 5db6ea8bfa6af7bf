-- ARGV: rid, cursor, now, until.
local key, field = P .. 'r:' .. ARGV[1], '@' .. ARGV[2]
local r = call('HMGET', key, 'v', field)
if not r[1] then return {'missing'} end
local seq, term, tries, till = cursor(r[2])
if till ~= '' and tonumber(ARGV[3]) < tonumber(till) then return {'leased'} end
call('HSET', key, field, string.format('%d %d %d %s', seq, term + 1, tries + 1, ARGV[4]))
return {'ok', seq, tries + 1, term + 1}
