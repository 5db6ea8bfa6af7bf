-- The record of a conversation, ARGV[1], with the highest number.
local last = call('ZRANGE', P .. 'n:' .. ARGV[1], -1, -1)
if #last == 0 then return false end
local rid = ARGV[1] .. '\0' .. last[1]
return {rid, call('HMGET', P .. 'r:' .. rid, unpack(F))}
