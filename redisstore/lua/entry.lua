-- The entry of ARGV[1] with the id ARGV[2]: its number and itself.
local key = P .. 'r:' .. ARGV[1]
local seq = call('HGET', key, 'i' .. ARGV[2])
if not seq then return false end
return {seq, call('HGET', key, 'e' .. seq)}
