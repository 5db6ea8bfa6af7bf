-- Looks at the layout and changes its version: ARGV is the version that is
-- wanted ('' only looks) and the newest one known. The answer is the version
-- that was found and, if there is one, the name of what is not ours.
local want, newest = ARGV[1], tonumber(ARGV[2])
local kinds = {layout = 'string', open = 'zset', past = 'zset', due = 'zset', busy = 'zset'}
local there = {}
for name, kind in pairs(kinds) do
	local k = call('TYPE', P .. name).ok
	there[name] = k ~= 'none'
	if there[name] and k ~= kind then return {0, P .. name} end
end
local have = 0
if there.layout then
	have = tonumber(call('GET', P .. 'layout'))
	if not have or have % 1 ~= 0 or have < 0 then return {0, P .. 'layout'} end
else
	for name in pairs(kinds) do
		if there[name] then return {0, P .. name} end
	end
end
if want ~= '' and have <= newest and have ~= tonumber(want) then call('SET', P .. 'layout', want) end
return {have}
