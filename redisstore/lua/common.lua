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
local call = redis.call
