DROP FUNCTION handoff_attend;
DROP TABLE handoff_session, handoff_agent;
