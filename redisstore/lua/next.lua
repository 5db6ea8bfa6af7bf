-- The records at the head of some lines of one queue, in the order of rank:
-- as many looks as there are lines, however many records wait in others. ARGV:
-- queue, the place behind which to begin (empty: at the head), how many to
-- give and to look at, how many states are wanted, these, and the lines.
local key, after, most, budget, ns = P .. 'line:' .. ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local states = {}
for i = 6, 5 + ns do states[ARGV[i]] = true end

local function less(a, b)
	for k = 1, math.min(#a, #b) do
		local x, y = string.byte(a, k), string.byte(b, k)
		if x ~= y then return x < y end
	end
	return #a < #b
end

local heads = {}
local function fill(h, from)
	h.list, h.i = call('ZRANGEBYLEX', key, from, '(' .. h.line .. '\1', 'LIMIT', 0, h.chunk), 1
	h.chunk = math.min(4 * h.chunk, 100)
end
for i = 6 + ns, #ARGV do
	local h = {line = ARGV[i], chunk = 1}
	fill(h, after == '' and '[' .. h.line .. '\0' or '(' .. h.line .. '\0' .. after)
	if #h.list > 0 then heads[#heads + 1] = h end
end

local out, count, looked = {}, 0, 0
while true do
	local best, place
	for _, h in ipairs(heads) do
		if h.i > #h.list and #h.list > 0 then fill(h, '(' .. h.list[#h.list]) end
		local m = h.list[h.i]
		if m then
			local p = string.sub(m, #h.line + 2)
			if not best or less(p, place) then best, place = h, p end
		end
	end
	if not best then return {'', out} end
	best.i = best.i + 1
	looked = looked + 1
	local rid = string.sub(place, 17)
	local r = call('HMGET', P .. 'r:' .. rid, unpack(F))
	if r[1] and (ns == 0 or states[r[4]]) then
		count = count + 1
		out[#out + 1], out[#out + 2] = rid, r
	end
	if count == most or looked == budget then return {place, out} end
end
