-- The lines of queue ARGV[1]: a look into the index for each, however many
-- records stand in it.
local key, out, from = P .. 'line:' .. ARGV[1], {}, '-'
while true do
	local m = call('ZRANGEBYLEX', key, from, '+', 'LIMIT', 0, 1)[1]
	if not m then return out end
	local line = string.sub(m, 1, string.find(m, '\0', 1, true) - 1)
	out[#out + 1] = line
	from = '[' .. line .. '\1'
end
