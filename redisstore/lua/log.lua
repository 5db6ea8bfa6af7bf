-- Entries of ARGV[1] from number ARGV[2] on, at most ARGV[3] of them: the first
-- one's number, and they. The log of a tombstone begins late, at f.
local key = P .. 'r:' .. ARGV[1]
local r = call('HMGET', key, 's', 'f')
local from = math.max(tonumber(ARGV[2]), tonumber(r[2] or 1))
local to = math.min(tonumber(r[1] or 0), from + tonumber(ARGV[3]) - 1)
local out = {string.format('%d', from)}
for first = from, to, 1000 do
	local names = {}
	for i = first, math.min(first + 999, to) do names[#names + 1] = 'e' .. string.format('%d', i) end
	for _, e in ipairs(call('HMGET', key, unpack(names))) do out[#out + 1] = e end
end
return out
