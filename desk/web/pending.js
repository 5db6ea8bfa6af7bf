// Messages on their way. They are kept in this browser until the server has them,
// so that neither a reload nor a crash loses one, and go out under the id that
// they were given first, which makes a repeat harmless.
import { html } from './vendor/preact-htm.js';
import { api, keep, now, t, visible } from './base.js';
import { apply, changed, state, toast, watchers } from './store.js';
import { Button, Icon } from './ui.js';
import { Text } from './text.js';

const pending = new Map(); // id of a handoff → its messages, the first first
const start = 'sending:', longest = 7 * 86400000;
const routes = { reply: 'messages', join: 'join', note: 'notes', whisper: 'whisper' };
const none = [];
export const onTheirWay = (id) => pending.get(id) ?? none;

function set(id, list) { if (list.length) pending.set(id, list); else pending.delete(id); }
function mark(m, change) {
  Object.assign(m, change);
  if (onTheirWay(m.to).includes(m)) keep.set(start + m.id, m); // else the log has it by now, or another tab has dropped it
  changed();
}
function drop(m) { set(m.to, onTheirWay(m.to).filter((x) => x.id !== m.id)); changed(); }
function forget(m) { keep.set(start + m.id, undefined); drop(m); }

// Another tab may send them too, or has closed: what one of them knows, all know.
function adopt(m) {
  const list = onTheirWay(m.to), old = list.find((x) => x.id === m.id);
  if (old) Object.assign(old, m); else set(m.to, [...list, m].sort((a, b) => a.at - b.at));
}
for (const k of keep.keys(start)) {
  const m = keep.get(k);
  if (m && now() - m.at < longest) adopt(m.state === 'sending' ? { ...m, state: 'waiting' } : m);
  else keep.set(k, undefined);
}
addEventListener('storage', (e) => {
  if (!e.key?.startsWith(keep.name + start)) return;
  const m = keep.get(e.key.slice(keep.name.length));
  if (m) adopt(m); else for (const list of pending.values()) list.filter((x) => e.key.endsWith(x.id)).forEach(drop);
  changed();
});

// settle drops what has arrived in the log.
export function settle(id, fresh) {
  for (const m of onTheirWay(id)) if (fresh.some((e) => e.message === m.id || e.id.endsWith('/' + m.id))) forget(m);
}

// send lets a message go, behind those that wait already. It says 'stale' where
// the user has written something since, and keeps nothing then.
export async function send(m, force) {
  const before = onTheirWay(m.to);
  set(m.to, [...before, m]);
  mark(m, { at: now(), force: Boolean(force), state: 'waiting' });
  if (before.some((x) => x.state === 'waiting')) { flush(); return 'waiting'; }
  const how = await deliver(m);
  if (how === 'stale') forget(m);
  return how;
}

async function deliver(m) {
  mark(m, { state: 'sending' });
  try {
    const body = m.mode === 'reply' || m.mode === 'join' ? { id: m.id, text: m.text, seen: m.seen, force: m.force } : { op: m.id, text: m.text };
    const e = await api('POST', `handoffs/${m.to}/${routes[m.mode]}`, body);
    m.state = 'sent';
    keep.set(start + m.id, undefined);
    for (const f of watchers) f(m.to, [e]);
    setTimeout(() => drop(m), 5000); // it stays in sight until the log has it
    return 'sent';
  } catch (e) {
    if (e.code === 'stale') return 'stale';
    if (e.status === 0 || e.status === 401 || e.status >= 500) mark(m, { state: 'waiting', why: e.words }); // goes out by itself
    else mark(m, { state: 'failed', why: e.words });
    if (e.body?.current) apply('rows', { rows: [e.body.current] });
    return m.state;
  }
}

// What could not be sent goes out when there is a connection again, in order. What
// the user has written meanwhile is shown first, and the agent is asked.
let flushing = false;
async function flush() {
  if (flushing) return;
  flushing = true;
  for (const id of [...pending.keys()]) {
    for (const m of [...onTheirWay(id)]) {
      if (m.state === 'stale') break;
      if (m.state !== 'waiting' || !onTheirWay(id).includes(m)) continue;
      const how = await deliver(m);
      if (how === 'sent') continue;
      if (how === 'stale') mark(m, { state: 'stale' });
      // Who is elsewhere is told. What waits goes out by itself.
      if (how !== 'waiting' && decodeURIComponent(state.path.slice(2)) !== id) toast(words(m), 'error');
      break;
    }
  }
  flushing = false;
}
setInterval(() => { if (state.live === 'live') flush(); }, 3000);

const words = (m) => (m.state === 'stale' ? t('stale', { who: visible(m.who) }) : `${t('failed')}${t('colon')} ${m.why}`);

// again is what the agent says to one that was not sent: he has seen what is shown.
function again(m, seen) {
  const asked = m.state === 'stale';
  for (const x of onTheirWay(m.to)) if (x.state !== 'sent') mark(x, { seen });
  mark(m, { state: 'waiting', force: asked });
  return flush();
}

export function PendingMessage({ m, seen }) {
  const no = m.state === 'failed' || m.state === 'stale';
  return html`<div class="entry ${m.mode === 'note' || m.mode === 'whisper' ? 'note' : 'agent'} pending ${no ? 'failed' : ''} ${m.state === 'stale' ? 'asks' : m.state}"><div class="bubble"><p dir="auto"><${Text} text=${m.text} bare /></p><div class="by">
    ${no ? html`<${Icon} name="warn" /><span role="alert">${words(m)}</span><${Button} onClick=${() => again(m, seen)}>${t(m.state === 'stale' ? 'send.anyway' : 'retry')}</${Button}><${Button} kind="ghost" onClick=${() => forget(m)}>${t('discard')}</${Button}>` : html`<${Icon} name="clock" />${t(m.state === 'waiting' ? 'pending.offline' : 'pending')}`}</div></div></div>`;
}
