// What the page knows, and who wants to be told when it changes.
import { useEffect, useState } from './vendor/preact-htm.js';
import { api, boot, get, keep, me, now, root, sync, t, uid, visible } from './base.js';

export const state = {
  rows: new Map(), queues: [], team: new Map(), next: {}, ready: false,
  live: 'connecting', liveSince: 0, retryAt: 0, build: boot.build, newBuild: false, signIn: false, forbidden: false,
  presence: { there: '', activity: '' }, toasts: [], keys: [], want: '', path: '', query: new URLSearchParams(),
  seen: keep.get('seen', {}), lost: keep.get('lost', []), viewers: new Map(), typing: new Map(), edits: { replies: 0, rules: 0, hours: 0 }, leader: false, status: '', alert: '',
};

const listeners = new Set();
let frame = 0, ran = 0;
// changed tells the components, at most once for each frame, or each second
// where nobody looks. Timers of a page that was hidden for long come up to a
// minute late, so that the first change does not wait for one. A frame (1) that
// did not come before the page was hidden does not come.
export function changed() {
  if (frame > document.hidden) return;
  const run = () => { frame = 0; ran = Date.now(); for (const f of [...listeners]) f(); };
  frame = 1 + document.hidden;
  if (frame < 2) requestAnimationFrame(run);
  else if (Date.now() - ran < 1000) setTimeout(run, 1000);
  else queueMicrotask(run);
}
// painted comes once what has changed can be seen, or where nobody looks at once.
const painted = () => new Promise((r) => { if (document.hidden) r(); else { requestAnimationFrame(() => setTimeout(r)); setTimeout(r, 500); } });
export function useStore() {
  const [, set] = useState(0);
  useEffect(() => {
    const f = () => set((n) => n + 1);
    listeners.add(f);
    return () => listeners.delete(f);
  }, []);
  return state;
}

// --- settings
export const settings = {
  soundRequests: true, soundMessages: true, repeat: false, notify: false, previewText: true, enterSends: true, shortcuts: true, theme: 'auto', density: 'cosy',
  ...keep.get('settings', {}),
};
export function setSetting(key, value) {
  settings[key] = value;
  keep.set('settings', settings);
  applySettings();
  changed();
}
export function applySettings() {
  const d = document.documentElement;
  if (settings.theme === 'auto') delete d.dataset.theme; else d.dataset.theme = settings.theme;
  d.dataset.density = settings.density;
}

// --- where we are
export function readPlace() {
  const path = location.pathname.startsWith(root.pathname) ? location.pathname.slice(root.pathname.length) : '';
  state.path = path;
  state.keys &&= []; // they were meant for another place
  state.want = '';
  state.query = new URLSearchParams(location.search);
  changed();
}
export function go(path, { replace } = {}) {
  const url = new URL(path, root);
  if (url.href !== location.href) history[replace ? 'replaceState' : 'pushState'](null, '', url);
  readPlace();
}
export const link = (path) => new URL(path, root).pathname + new URL(path, root).search;
export function follow(e) {
  if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
  const a = e.target.closest?.('a[href]');
  if (!a || a.target || !a.href.startsWith(root.href) || a.hasAttribute('download')) return;
  e.preventDefault();
  go(a.href.slice(root.href.length));
}

// --- toasts and what screen readers hear
export function toast(text, kind = 'info') {
  const id = uid();
  state.toasts = [...state.toasts.slice(-3), { id, text, kind }];
  if (kind === 'error') state.alert = text; else state.status = text;
  changed();
  setTimeout(() => dropToast(id), kind === 'error' ? 9000 : 5000);
}
export function dropToast(id) {
  state.toasts = state.toasts.filter((x) => x.id !== id);
  changed();
}
export const failed = (e) => { if (e.name !== 'AbortError') toast(e.words ?? t('error.internal'), 'error'); };

let lastStatus = 0;
function announceWaiting() {
  if (now() - lastStatus < 10000) return;
  const n = waitingShown(waiting());
  if (!n) return;
  lastStatus = now();
  state.status = t('status.waiting', { n });
}
// The page knows the first of a long list; how many there are it is told.
export function waitingShown(list) {
  return Math.max(list.length, state.queues.filter((x) => me.queues == null || me.queues.includes(x.name)).reduce((n, x) => n + x.waiting, 0));
}

// --- rows
export const isMine = (r) => r.agent === me.id && r.state !== 'ended';
export const waits = (r) => r.state === 'waiting' || r.state === 'offered';
export const inOrder = (a, b) => (b.priority || 0) - (a.priority || 0) || (a.enqueued || a.created) - (b.enqueued || b.created) || (a.id < b.id ? -1 : 1);
export const waiting = () => [...state.rows.values()].filter((r) => waits(r) && r.can?.includes('answer')).sort(inOrder);
export const mine = () => [...state.rows.values()].filter(isMine).sort((a, b) => (b.open > 0) - (a.open > 0) || (b.lastUser || b.joined) - (a.lastUser || a.joined));
export const offers = () => [...state.rows.values()].filter((r) => r.offer && r.offer.until > now()).sort((a, b) => a.offer.until - b.offer.until);
// memberName is what somebody is called, asking who is being asked for a conversation.
export const memberName = (id, name) => state.team.get(id)?.name || name || id;
export const asking = (r) => (r.asked || []).map((id) => visible(memberName(id))).join(', ');
export const unread = (r) => isMine(r) && (r.lastUser || 0) > (state.seen[r.id] || 0);

export function titleOf(name) {
  const n = [...state.rows.values()].filter((r) => unread(r) || r.offer && r.offer.until > now()).length;
  return `${n ? `(${n}) ` : ''}${name ? name + ' · ' : ''}${boot.title}`;
}

export function markSeen(r) {
  if (!r || !r.lastUser || (state.seen[r.id] || 0) >= r.lastUser) return;
  sawUntil(r.id, r.lastUser);
  // The other devices are told once things have come to rest.
  clearTimeout(telling.get(r.id));
  telling.set(r.id, setTimeout(() => {
    telling.delete(r.id);
    const row = state.rows.get(r.id);
    if (row && isMine(row)) api('PUT', `handoffs/${r.id}/seen`, { at: state.seen[r.id] }).catch(() => {});
  }, 300));
}
const telling = new Map();
function sawUntil(id, at) {
  if ((state.seen[id] || 0) >= at) return;
  state.seen[id] = at;
  const keys = Object.keys(state.seen);
  if (keys.length > 500) for (const k of keys.slice(0, 200)) delete state.seen[k];
  keep.set('seen', state.seen);
  changed();
}

// alarms is told what is worth a sound: set by notify.js.
export const alarms = { request() {}, message() {} };

function putRow(r, quiet) {
  const old = state.rows.get(r.id);
  if (old && old.version > r.version) return;
  // A lookup without what was said last keeps what is known.
  if (old && !r.last && old.last && r.can?.includes('read')) r.last = old.last;
  if (r.state === 'ended') {
    if (old) state.rows.delete(r.id);
    state.rows.set(r.id, r);
    trimEnded();
  } else state.rows.set(r.id, r);
  if (old && isMine(old) && !isMine(r) && waits(r)) lostOne(r);
  if (state.ready && isMine(r) !== Boolean(old && isMine(old))) rememberMine();
  if (quiet) return;
  if (r.offer && !old?.offer) {
    state.status = `${visible(r.name)} · ${t(r.offer.warm ? 'offer.warm' : 'offer')}`;
    lastStatus = now();
    alarms.request(r, true);
  } else if (waits(r) && !(old && waits(old)) && r.can?.includes('answer')) alarms.request(r, false);
  if (isMine(r) && old && (r.lastUser || 0) > (old.lastUser || 0)) alarms.message(r);
}
// Ended rows are kept for as long as somebody may be looking at them.
function trimEnded() {
  const ended = [...state.rows.values()].filter((r) => r.state === 'ended');
  for (const r of ended.slice(0, Math.max(0, ended.length - 50))) state.rows.delete(r.id);
}

// left is what the agent gave away himself: no card says that it was lost.
const left = new Set();
export const leaving = (id) => { left.add(id); setTimeout(() => left.delete(id), 60000); };
function lostOne(r) {
  if (left.has(r.id) || state.lost.some((x) => x.id === r.id)) return;
  setLost([...state.lost, { id: r.id, name: r.name }]);
}
// What was lost stays lost until it was read, in a page that is loaded anew too.
export const setLost = (list) => { state.lost = list; keep.set('lost', list.length ? list : undefined); };

// --- events
export const watchers = new Set(); // of entries: the open conversation
export function apply(name, data, quiet) {
  switch (name) {
    case 'rows':
      for (const r of data.rows ?? []) putRow(r, quiet);
      for (const g of data.gone ?? []) gone(g);
      announceWaiting();
      break;
    case 'entries':
      if (data.entries.some((e) => e.role === 'user')) state.typing.delete(data.id);
      for (const f of watchers) f(data.id, data.entries);
      return;
    case 'draft': dispatchEvent(new CustomEvent('desk:draft', { detail: data })); return;
    case 'queues': state.queues = data.queues; break;
    case 'team': for (const m of data.team) state.team.set(m.id, m); for (const id of data.gone ?? []) state.team.delete(id); break;
    case 'viewing': state.viewers.set(data.id, data.viewers); break;
    case 'typing':
      state.typing.set(data.id, data.on ? now() + 6000 : 0);
      setTimeout(changed, 6100);
      break;
    case 'seen': sawUntil(data.id, data.at); return;
    case 'edited': state.edits[data.list]++; break;
    case 'presence': state.presence = data; break;
    case 'hello': hello(data); return;
    case 'ping': sync(data.now); break;
    default: return; // of a newer server
  }
  changed();
}

function hello(data) {
  sync(data.now);
  if (data.build !== state.build) state.newBuild = true;
  Object.assign(me, data.me);
  state.signIn = state.forbidden = false;
  changed();
}

function gone(g) {
  const old = state.rows.get(g.id);
  state.rows.delete(g.id);
  for (const f of watchers) f(g.id, null, g);
  if (old && isMine(old)) lostOne(old);
}

// load begins anew with what the server sent, or else reads it.
export async function load(signal, sent) {
  const s = sent?.cursor ? sent : await get('snapshot', signal);
  sync(s.now);
  const before = [...state.rows.values()].filter(isMine);
  const known = state.ready ? before.map((r) => ({ id: r.id, name: r.name })) : keep.get('mine', []);
  const old = state.rows;
  state.rows = new Map();
  for (const r of s.rows ?? []) {
    const o = old.get(r.id);
    putRow(o && o.version > r.version ? o : r, true);
  }
  for (const m of known) {
    const r = state.rows.get(m.id);
    if (!(r && isMine(r)) && r && waits(r)) lostOne(m);
  }
  Object.assign(me, s.me);
  Object.assign(boot, s.lists);
  state.queues = s.queues;
  state.next = s.next ?? {};
  for (const [id, at] of Object.entries(s.seen ?? {})) sawUntil(id, at);
  if (state.ready) for (const k in state.edits) state.edits[k]++; // who knows what was missed
  state.ready = true;
  for (const f of watchers) f(null, null);
  changed();
  await painted(); // what nobody waits for is asked for once there is something to see
  if (me.can.includes('team')) {
    state.team = new Map((await get('team', signal)).team.map((m) => [m.id, m]));
    state.teamRead = true;
    changed();
  }
  return s.cursor;
}
export function rememberMine() {
  keep.set('mine', [...state.rows.values()].filter(isMine).map((r) => ({ id: r.id, name: r.name })));
}
