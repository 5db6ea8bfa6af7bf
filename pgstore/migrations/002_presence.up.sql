-- Who wants to work, and whose console is open.

CREATE TABLE handoff_agent (
	agent    text COLLATE "C" PRIMARY KEY,
	wants    boolean NOT NULL,
	activity text NOT NULL,
	online   boolean NOT NULL, -- as of the last write: sessions run out without one
	since    timestamptz NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE handoff_session (
	agent   text COLLATE "C" NOT NULL,
	session text COLLATE "C" NOT NULL,
	expires timestamptz NOT NULL,
	over    boolean NOT NULL DEFAULT false, -- stays, so that no id comes back
	PRIMARY KEY (agent, session)
) WITH (fillfactor = 70);
CREATE INDEX handoff_session_live ON handoff_session (agent) WHERE NOT over;

-- handoff_attend does one thing with an agent as he is at a time, and notes
-- whether that makes him come or go. The agent's row is the lock.
CREATE FUNCTION handoff_attend(
	p_verb text, p_agent text, p_session text, p_wants boolean, p_activity text, p_now timestamptz, p_expires timestamptz
) RETURNS text LANGUAGE plpgsql VOLATILE SET search_path FROM CURRENT AS $$
DECLARE
	a      record;
	was    record;
	last   timestamptz;
	answer text := 'ok';
BEGIN
	IF p_verb IN ('want', 'begin') THEN
		INSERT INTO handoff_agent VALUES (p_agent, false, '', false, p_now) ON CONFLICT DO NOTHING;
	END IF;
	SELECT * INTO a FROM handoff_agent h WHERE h.agent = p_agent FOR UPDATE;
	IF NOT FOUND THEN
		RETURN 'unknown';
	END IF;
	was := a;
	SELECT max(s.expires) INTO last FROM handoff_session s WHERE s.agent = p_agent AND NOT s.over;
	IF a.online AND last <= p_now THEN
		a.online := false;
		a.since := last;
	END IF;
	UPDATE handoff_session s SET over = true WHERE s.agent = p_agent AND NOT s.over AND s.expires <= p_now;

	CASE p_verb
	WHEN 'want' THEN
		a.wants := p_wants;
		a.activity := p_activity;
	WHEN 'begin' THEN
		INSERT INTO handoff_session (agent, session, expires) VALUES (p_agent, p_session, p_expires) ON CONFLICT DO NOTHING;
		IF NOT FOUND THEN
			answer := 'used';
		END IF;
	WHEN 'beat' THEN
		UPDATE handoff_session s SET expires = greatest(s.expires, p_expires) WHERE s.agent = p_agent AND s.session = p_session AND NOT s.over;
		IF NOT FOUND THEN
			answer := 'unknown';
		END IF;
	WHEN 'end' THEN
		UPDATE handoff_session s SET over = true WHERE s.agent = p_agent AND s.session = p_session AND NOT s.over;
	END CASE;

	SELECT max(s.expires) INTO last FROM handoff_session s WHERE s.agent = p_agent AND NOT s.over;
	IF (a.wants AND coalesce(last > p_now, false)) <> a.online THEN
		a.online := NOT a.online;
		a.since := p_now;
	END IF;
	IF a IS DISTINCT FROM was THEN
		UPDATE handoff_agent h SET wants = a.wants, activity = a.activity, online = a.online, since = a.since WHERE h.agent = p_agent;
	END IF;
	RETURN answer;
END
$$;
