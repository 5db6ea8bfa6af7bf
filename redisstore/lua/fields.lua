-- The fields of a record, in the order in which they travel.
local F = {'v', 's', 'q', 'S', 'O', 'a', 'U', 't', 'l', 'r', 'c', 'u', 'w', 'k', 'o', 'b'}
