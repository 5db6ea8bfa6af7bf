DROP FUNCTION handoff_commit_set;
