-- ARGV: for each ack rid, cursor, seq, term, until (empty: at once) and
-- whether to keep the lead.
for n = 1, #ARGV, 6 do
	local rid, name = ARGV[n], ARGV[n + 1]
	local key, field = P .. 'r:' .. rid, '@' .. name
	local r = call('HMGET', key, 'o', 'h', 'z', field)
	if r[1] then
		local seq, term, tries, till = cursor(r[4])
		if tonumber(ARGV[n + 2]) > seq then seq, tries = tonumber(ARGV[n + 2]), 0 end
		local ended = till ~= '' and ARGV[n + 5] ~= '1' and tonumber(ARGV[n + 3]) == term
		if ended then
			till = ARGV[n + 4]
			if till == '' then tries = math.max(tries - 1, 0) end
		end
		call('HSET', key, field, string.format('%d %d %d %s', seq, term, tries, till))
		-- A claim that saw the lead has put the record aside until its end.
		if ended and r[1] ~= '' and (r[2] or '') == '' then
			local z = watch(rid, lacking(key, r[1]), r[3] or '')
			if z ~= (r[3] or '') then call('HSET', key, 'z', z) end
		end
	end
end
return 'ok'
