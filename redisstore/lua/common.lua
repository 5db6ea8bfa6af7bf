-- What all scripts share. KEYS[1] is the prefix of every name, a hash tag and
-- a colon; names are made here because they depend on what is stored, and all
-- of them are in the tag's slot.
--
-- A record is one hash, P..'r:'..rid; rid is its conversation, a NUL and its
-- number with 19 digits. Fields of one letter are the record's, F in the order
-- in which they travel. Further fields:
--   h       hidden by a claim until this time
--   z       the sinks under which it stands in late:<sink>, each between NULs
--   f       the number of the first entry, where that is not 1
--   e<seq>  an entry: its time, a NUL, its id, a NUL, its body
--   i<id>   the number of the entry with that id
--   @<name> a cursor: seq, term, tries and until when it is led
-- Indexes are sorted sets whose members sort as bytes, with score 0; those by
-- time have milliseconds as scores.
local P = KEYS[1]
local F = {'v', 's', 'q', 'S', 'O', 'a', 'U', 't', 'l', 'r', 'c', 'u', 'w', 'k', 'o', 'b'}
local call = redis.call

-- what an index needs to know of a stored record
local I = {'v', 's', 'q', 'S', 'a', 'U', 'l', 'r', 'c', 'w', 'k', 'h', 'z'}
local iv, is, iq, iS, ia, iU, il, ir, ic, iw, ik, ih, iz = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13

-- A call takes a few thousand arguments.
local function hmget(key, names)
	if #names <= 4000 then return call('HMGET', key, unpack(names)) end
	local out = {}
	for i = 1, #names, 4000 do
		for _, v in ipairs(call('HMGET', key, unpack(names, i, math.min(i + 3999, #names)))) do out[#out + 1] = v end
	end
	return out
end

local function hset(key, list)
	for i = 1, #list, 4000 do
		call('HSET', key, unpack(list, i, math.min(i + 3999, #list)))
	end
end

-- units by name, of the field k
local function units(k)
	local out = {}
	for name, n in string.gmatch(k or '', '([^%z]*)%z(%-?%d+)%z%-?%d+%z') do
		out[name] = tonumber(n)
	end
	return out
end

local function cursor(c)
	if not c then return 0, 0, 0, '' end
	local seq, term, tries, till = string.match(c, '^(%d+) (%d+) (%d+) (%-?%d*)$')
	return tonumber(seq), tonumber(term), tonumber(tries), till
end

local function shelf(state) return state == 'ended' and P .. 'past' or P .. 'open' end

-- watch puts a record under the sinks that lack something, where it does not
-- stand yet. It returns the field z.
local function watch(rid, list, z)
	local first = {}
	for _, l in ipairs(list) do
		if not string.find(z, '\0' .. l.sink .. '\0', 1, true) and (not first[l.sink] or l.at < first[l.sink]) then
			first[l.sink] = l.at
		end
	end
	for sink, at in pairs(first) do
		call('ZADD', P .. 'late:' .. sink, at, rid)
		z = (z == '' and '\0' or z) .. sink .. '\0'
	end
	return z
end
