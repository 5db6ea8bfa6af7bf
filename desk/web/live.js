// How the page stays up to date: one stream for all tabs of a browser. One tab
// leads (Web Locks), reads the stream and passes events on; it falls back to
// polling where a proxy or middleware holds the stream back.
import { api, boot, keep, me, now, root, uid } from './base.js';
import { apply, changed, load, rememberMine, state } from './store.js';

export const tab = uid();
export const session = keep.get('session') || uid();
keep.set('session', session);

// Where Web Locks are missing, as they are over plain HTTP, each tab is alone: it
// has its own stream, and the server lets only some have one.
const channel = navigator.locks ? new BroadcastChannel(keep.name) : null;
export const alone = channel ? '' : tab;
// wire is what the stream and the polling both know of the connection.
export const wire = { cursor: '', every: boot.ping, beaten: 0, looking: '', tryAt: 0 };
let delay = 1000;
let stop = null; // ends the present stream or poll
let wakeUp = null; // ends the present pause
let buffer = null; // events that come while the snapshot is read

// --- silence: the server says something so often, or the connection is dead ------------
// Timers of a page that sleeps stand still, and so may one of the clocks: a
// machine that sleeps does not count that time, and a clock can be set.
let heard;
export const hear = () => { heard = [Date.now(), performance.now()]; };
hear();
const silence = () => Math.max(Date.now() - heard[0], performance.now() - heard[1]);
export const firstEvent = 8000; // a stream that says nothing for so long is held back on its way

export const since = () => (wire.cursor ? { 'Last-Event-ID': wire.cursor } : {});
export const pass = (m) => channel?.postMessage(m);

export function event(name, data, own = true) {
  if (own) pass({ name, data });
  if (name === 'hello') wire.every = data.ping || wire.every;
  if (buffer && name !== 'hello' && name !== 'ping') buffer.push([name, data]);
  else apply(name, data);
  // What another device said of oneself may be old news by now: the server is asked.
  if (own && name === 'team') for (const m of data.team) if (m.id === me.id && (m.there !== state.presence.there || (m.activity || '') !== (state.presence.activity || ''))) beat();
}

export function setLive(live) {
  if (state.live !== live) { state.live = live; state.liveSince = now(); }
  changed();
}

// resync begins anew while events are kept, then applies those. What another one
// reads may be older than what was missed.
export async function resync(signal, sent) {
  while (buffer) await new Promise((r) => setTimeout(r, 99));
  buffer = [];
  try {
    const c = await load(signal, sent);
    wire.cursor ||= c;
  } catch (e) {
    wire.cursor = ''; // nothing that follows makes up for what could not be read
    throw e;
  } finally {
    const list = buffer;
    buffer = null;
    for (const [n, d] of list) apply(n, d);
  }
}

// --- the leader
const polling = () => import('./poll.js');
async function lead() {
  state.leader = true;
  pass({ lead: true });
  if (state.ready) beat();
  setTimeout(() => state.leader && beat(), 5000);
  while (state.leader) {
    const ended = new AbortController();
    stop = ended;
    hear();
    try {
      const how = await (state.poll ? (await polling()).poll : stream)(ended.signal);
      if (how === 'poll' || how === 'silent') (await polling()).holdBack(how);
      if (how !== 'off') continue;
    } catch (e) {
      if (ended.signal.aborted) continue;
      if (e.status === 401) state.signIn = true;
      else if (e.status === 403) { state.forbidden = true; state.rows.clear(); for (const r of [...state.team.keys()]) state.team.delete(r); }
    }
    if (!state.leader) return;
    setLive('off');
    pass({ live: 'off' });
    const wait = delay * (0.7 + Math.random() * 0.6);
    state.retryAt = now() + wait;
    changed();
    await new Promise((r) => { wakeUp = r; setTimeout(r, wait); });
    delay = Math.min(delay * 2, 30000);
  }
}

// restart gives the present connection up for a new one, at once.
export function restart() {
  hear();
  stop?.abort();
}

export function alive() {
  delay = 1000;
  state.signIn = false;
  state.forbidden = false;
  setLive('live');
  pass({ live: 'live' });
}

export async function refused(res) {
  let body = {};
  try { body = await res.json(); } catch { /* a proxy's page */ }
  const e = new Error(body.code);
  e.status = res.status;
  return e;
}

// stream reads server-sent events with fetch, which tells what an answer was.
async function stream(signal) {
  const url = new URL('api/events?' + new URLSearchParams({ session, alone }), root);
  const own = new AbortController();
  const limit = setTimeout(() => own.abort(), firstEvent);
  let reader = null, text = '', again = 'off', said = false;
  try {
    const res = await fetch(url, { signal: AbortSignal.any([signal, own.signal]), headers: since() });
    if (res.status === 501) return 'poll';
    if (!res.ok) throw await refused(res);
    reader = res.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return again;
      clearTimeout(limit);
      said = true;
      hear();
      text += value;
      const parts = text.split('\n\n');
      text = parts.pop();
      for (const part of parts) {
        let name = '', data = '', id = '';
        for (const line of part.split('\n')) {
          if (line.startsWith('event: ')) name = line.slice(7);
          else if (line.startsWith('data: ')) data = line.slice(6);
          else if (line.startsWith('id: ')) id = line.slice(4);
        }
        if (id) wire.cursor = id;
        if (!name) continue;
        const d = JSON.parse(data);
        if (name === 'hello') { alive(); event(name, d); if (state.ready) beat(); }
        else if (name === 'reset') { pass({ reset: true }); await resync(signal, d); beat(); }
        else if (name === 'bye') again = d.why === 'stopping' ? 'off' : 'again';
        else { event(name, d); if (name === 'ping') beat(); }
      }
    }
  } catch (e) {
    if (own.signal.aborted && !signal.aborted && !said) return 'silent';
    throw e;
  } finally {
    clearTimeout(limit);
    reader?.cancel().catch(() => {});
  }
}

// --- presence: the page says that it is alive, for as long as it is ------------------------
let beating = false;
export async function beat() {
  if (!me.presence || beating) return;
  beating = true;
  wire.beaten = Date.now();
  try { event('presence', await api('POST', 'presence/beat', { session }, AbortSignal.timeout(10000))); } catch { /* the next ping */ }
  beating = false;
}
export async function wantPresence(online, activity) {
  event('presence', await api('PUT', 'presence', { session, online, activity }));
}

// --- which conversation is open here
export async function look(id) {
  wire.looking = id;
  try {
    const r = await api('POST', 'viewing', { session, tab, id });
    state.viewers.set(id, r.viewers);
    changed();
  } catch { /* a lookup shows what is wrong */ }
}

// retry tries at once to connect.
export function retry() { delay = 1000; wakeUp?.(); }

// wake is called when the page may have slept: a connection that is silent for
// longer than the server ever is has died meanwhile, whatever it looks like.
function wake() {
  if (!state.leader) { pass({ wake: true }); return; }
  retry();
  if (silence() > wire.every + 2000) restart();
  beat();
}

// follow reads everything once and then listens to the tab that leads.
function followLead() { resync().then(() => setLive('live'), () => { setLive('off'); setTimeout(() => state.leader || followLead(), 5000); }); }

export function start() {
  channel?.addEventListener('message', (e) => {
    const m = e.data;
    if (m.wake) { if (state.leader) wake(); return; }
    if (!state.leader) hear(); // what another tab says is no life of one's own stream
    if (m.lead && state.leader) return;
    if (m.reset) followLead();
    else if (m.live) { if (m.live === 'live') { state.signIn = false; } setLive(m.live); }
    else if (m.name) event(m.name, m.data, false);
  });
  const name = keep.name + 'lead';
  if (channel) {
    const ask = (options) => navigator.locks.request(name, options, lead).catch(() => {
      // Another tab took the lead: this one had been frozen, and may have missed something.
      state.leader = false;
      stop?.abort();
      wakeUp?.();
      followLead();
      ask({});
    });
    ask({});
    setInterval(() => {
      if (!state.leader && silence() > 2 * wire.every + 5000) { hear(); ask({ steal: true }); }
    }, 1000);
    navigator.locks.query().then((q) => {
      // Somebody leads already: this tab reads once and listens.
      if (q.held?.some((l) => l.name === name) && !state.leader) followLead();
    });
  } else {
    lead();
  }
  setInterval(() => {
    // A poll has a limit of its own, and a stream that begins too.
    if (state.leader && !state.poll && silence() > Math.max(wire.every * 1.5, wire.every + 5000)) restart();
  }, 1000);
  setInterval(() => { if (wire.looking) look(wire.looking); }, 30000);
  document.addEventListener('visibilitychange', () => (document.hidden ? changed : wake)());
  document.addEventListener('resume', wake);
  addEventListener('pageshow', (e) => { if (e.persisted) wake(); });
  addEventListener('online', () => { retry(); wire.tryAt = 0; if (state.leader) restart(); }); // perhaps another network
  addEventListener('focus', wake);
  addEventListener('pagehide', () => {
    rememberMine();
    if (wire.looking) api('POST', 'viewing', { session, tab, id: '' }).catch(() => {});
    if (me.presence && state.leader) api('POST', 'presence/leave', { session, alone }).catch(() => {});
  });
  setInterval(rememberMine, 15000);
}
