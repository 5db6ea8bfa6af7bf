// How the page stays up to date: one stream for all tabs of a browser. One tab
// leads (Web Locks), reads the stream and passes events on; it falls back to
// polling where a proxy or middleware holds the stream back.
import { api, keep, me, now, root, uid } from './base.js';
import { apply, changed, load, rememberMine, state } from './store.js';

export const tab = uid();
export const session = keep.get('session') || uid();
keep.set('session', session);

const channel = 'BroadcastChannel' in self ? new BroadcastChannel(keep.name) : null;
let cursor = '';
let heard = Date.now();
let delay = 1000;
let stop = null; // ends the present stream
let wakeUp = null; // ends the present pause
let buffer = null; // events that come while the snapshot is read

const pass = (m) => channel?.postMessage(m);

function event(name, data, own = true) {
  heard = Date.now();
  if (own) pass({ name, data });
  if (buffer && name !== 'hello' && name !== 'ping') buffer.push([name, data]);
  else apply(name, data);
}

function setLive(live) {
  if (state.live !== live) { state.live = live; state.liveSince = now(); }
  changed();
}

// resync reads everything while events are kept, then applies those.
async function resync(signal) {
  if (buffer) return;
  buffer = [];
  try {
    const c = await load(signal);
    cursor ||= c;
  } finally {
    const list = buffer;
    buffer = null;
    for (const [n, d] of list) apply(n, d);
  }
}

// --- the leader ------------------------------------------------------------------------
async function lead() {
  state.leader = true;
  pass({ lead: true });
  if (state.ready) beat();
  setTimeout(() => state.leader && beat(), 5000);
  for (;;) {
    const ended = new AbortController();
    stop = ended;
    try {
      const how = state.poll ? await poll(ended.signal) : await stream(ended.signal);
      if (how === 'poll') { state.poll = true; continue; }
      if (how === 'again') continue;
    } catch (e) {
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

function alive() {
  delay = 1000;
  state.signIn = false;
  state.forbidden = false;
  setLive('live');
  pass({ live: 'live' });
}

async function refused(res) {
  let body = {};
  try { body = await res.json(); } catch { /* a proxy's page */ }
  const e = new Error(body.code);
  e.status = res.status;
  return e;
}

// stream reads server-sent events with fetch, which tells what an answer was.
async function stream(signal) {
  const url = new URL('api/events', root);
  url.searchParams.set('session', session);
  const res = await fetch(url, { signal, headers: cursor ? { 'Last-Event-ID': cursor } : {} });
  if (res.status === 501) return 'poll';
  if (!res.ok) throw await refused(res);
  const reader = res.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '', again = 'off';
  // A stream that is silent for two pings is none.
  let timer = 0;
  const guard = () => { clearTimeout(timer); timer = setTimeout(() => reader.cancel().catch(() => {}), 50000); };
  guard();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return again;
      guard();
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
        if (id) cursor = id;
        if (!name) continue;
        const d = JSON.parse(data);
        if (name === 'hello') { alive(); event(name, d); beat(); }
        else if (name === 'reset') { pass({ reset: true }); await resync(signal); }
        else if (name === 'bye') { if (d.why === 'changed') cursor = ''; again = d.why === 'life' || d.why === 'changed' || d.why === 'kicked' ? 'again' : 'off'; }
        else { event(name, d); if (name === 'ping') beat(); }
      }
    }
  } finally {
    clearTimeout(timer);
    reader.cancel().catch(() => {});
  }
}

async function poll(signal) {
  const q = new URLSearchParams({ session, after: cursor, wait: '20' });
  const res = await fetch(new URL('api/changes?' + q, root), { signal });
  if (!res.ok) throw await refused(res);
  const d = await res.json();
  cursor = d.cursor;
  alive();
  for (const e of d.events) {
    if (e.event === 'reset') { pass({ reset: true }); await resync(signal); beat(); } else event(e.event, e.data);
    if (e.event === 'ping') beat();
  }
  return 'again';
}

// --- presence: the page says that it is alive, for as long as it is ------------------------
let beating = false;
export async function beat() {
  if (!me.presence || beating) return;
  beating = true;
  try { event('presence', await api('POST', 'presence/beat', { session })); } catch { /* the next ping */ }
  beating = false;
}
export async function wantPresence(online, activity) {
  event('presence', await api('PUT', 'presence', { session, online, activity }));
}

// --- which conversation is open here ----------------------------------------------------
let looking = '';
export async function look(id) {
  looking = id;
  try {
    const r = await api('POST', 'viewing', { session, tab, id });
    state.viewers.set(id, r.viewers);
    changed();
  } catch { /* a lookup shows what is wrong */ }
}

// retry tries at once to connect.
export function retry() { delay = 1000; wakeUp?.(); }

export function start() {
  channel?.addEventListener('message', (e) => {
    const m = e.data;
    heard = Date.now();
    if (m.lead && state.leader) return;
    if (m.reset) resync();
    else if (m.live) { if (m.live === 'live') { state.signIn = false; } setLive(m.live); }
    else if (m.name) event(m.name, m.data, false);
  });
  const name = keep.name + 'lead';
  if (navigator.locks) {
    const ask = (options) => navigator.locks.request(name, options, lead).catch(() => {
      // Another tab took the lead: this one had been frozen.
      state.leader = false;
      stop?.abort();
      wakeUp?.();
      ask({});
    });
    ask({});
    setInterval(() => {
      if (!state.leader && Date.now() - heard > 45000) { heard = Date.now(); ask({ steal: true }); }
      if (looking) look(looking);
    }, 60000 / 2);
    navigator.locks.query().then((q) => {
      // Somebody leads already: this tab reads once and listens.
      if (q.held?.some((l) => l.name === name) && !state.leader) { setLive('live'); resync().catch(() => setLive('off')); }
    });
  } else {
    lead();
  }
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return;
    retry();
    if (state.leader) beat();
  });
  addEventListener('online', retry);
  addEventListener('focus', retry);
  addEventListener('pagehide', () => {
    rememberMine();
    if (looking) api('POST', 'viewing', { session, tab, id: '' }).catch(() => {});
    if (me.presence && state.leader) api('POST', 'presence/leave', { session }).catch(() => {});
  });
  setInterval(rememberMine, 15000);
}
