DROP FUNCTION handoff_commit;
DROP FUNCTION handoff_lock;
DROP TABLE handoff_cursor, handoff_entry, handoff_key, handoff_record;
