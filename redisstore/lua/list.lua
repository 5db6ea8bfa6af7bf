-- Walks an index and gives the records that fulfil all conditions, in the
-- index's order. ARGV: what to give ('rows', 'count'); what a member has before
-- the rid, in bytes, and what to put before the rest of it; the bounds; how
-- many to give and to look at; how many indexes (their orders are merged); the
-- indexes; and for each condition the field, how many values, and the values.
-- The field t, tags, must hold one of the values; all others must be one.
-- '!l' is true of records that stand in a line.
-- The answer is the last member that was looked at, or '' at the end, and the
-- rows (rid and fields in turn) or their number.
local what, skip, before, low, high = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local most, budget, n = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])

-- Who only counts needs the fields that are compared and no others.
local at, need = {}, what == 'rows' and F or {'v'}
for i, f in ipairs(need) do at[f] = i end
local conditions, i = {}, 9 + n
while i <= #ARGV do
	local field = ARGV[i] == '!l' and 'l' or ARGV[i]
	if not at[field] then
		need[#need + 1] = field
		at[field] = #need
	end
	local c = {field = ARGV[i], any = {}}
	local values = tonumber(ARGV[i + 1])
	for j = i + 2, i + 1 + values do
		c.any[ARGV[j]] = true
	end
	conditions[#conditions + 1] = c
	i = i + 2 + values
end

local function fulfils(r)
	for _, c in ipairs(conditions) do
		if c.field == '!l' then
			if r[at.l] == '' then return false end
		elseif c.field == 't' then
			local found = false
			for tag in pairs(c.any) do found = found or string.find(r[at.t], '\0' .. tag .. '\0', 1, true) ~= nil end
			if not found then return false end
		elseif not c.any[r[at[c.field]]] then
			return false
		end
	end
	return true
end

-- Lua compares strings by locale, not as bytes.
local function less(a, b)
	for k = 1, math.min(#a, #b) do
		local x, y = string.byte(a, k), string.byte(b, k)
		if x ~= y then return x < y end
	end
	return #a < #b
end

-- One buffer for each index; the least head is next.
local heads = {}
local function fill(h)
	h.list, h.i = call('ZRANGEBYLEX', h.key, h.from, high, 'LIMIT', 0, h.chunk), 1
	h.chunk = math.min(2 * h.chunk, 500)
end
for j = 1, n do
	heads[j] = {key = ARGV[8 + j], from = low, chunk = math.min(most, 100)}
	fill(heads[j])
end
local function next_member()
	local best
	for _, h in ipairs(heads) do
		if h.i > #h.list and #h.list > 0 then
			h.from = '(' .. h.list[#h.list]
			fill(h)
		end
		if h.list[h.i] and (not best or less(h.list[h.i], best.list[best.i])) then best = h end
	end
	if not best then return nil end
	best.i = best.i + 1
	return best.list[best.i - 1]
end

local out, count, looked = {}, 0, 0
while true do
	local m = next_member()
	if not m then break end
	local rid = before .. string.sub(m, skip + 1)
	local r = call('HMGET', P .. 'r:' .. rid, unpack(need))
	looked = looked + 1
	if r[1] and fulfils(r) then
		count = count + 1
		if what == 'rows' then out[#out + 1], out[#out + 2] = rid, r end
	end
	if count == most or looked == budget then return {m, what == 'rows' and out or count} end
end
return {'', what == 'rows' and out or count}
