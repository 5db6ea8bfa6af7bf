DROP FUNCTION handoff_commit, handoff_late, handoff_remove, handoff_lock, handoff_hash;
DROP VIEW handoff_owed;
DROP TABLE handoff_cursor, handoff_entry, handoff_key, handoff_record;
