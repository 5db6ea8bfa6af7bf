// What every other module stands on: where we are, words, time, the API.
export const root = new URL('../../', import.meta.url);
export const boot = JSON.parse(document.getElementById('boot').textContent);
export const me = boot.me;
export const can = (p) => me.can.includes(p);

// --- storage: this browser's, for this desk and this actor
const prefix = `desk:${root.pathname}:${me.id}:`;
export const keep = {
  name: prefix,
  get(key, fallback) {
    try { const s = localStorage.getItem(prefix + key); return s === null ? fallback : JSON.parse(s); } catch { return fallback; }
  },
  set(key, value) {
    try {
      if (value === undefined || value === '') localStorage.removeItem(prefix + key);
      else localStorage.setItem(prefix + key, JSON.stringify(value));
    } catch { /* full, or not allowed: the page goes on without */ }
  },
  keys(start) {
    try { return Object.keys(localStorage).filter((k) => k.startsWith(prefix + start)).map((k) => k.slice(prefix.length)); } catch { return []; }
  },
};

// --- language: the actor's, unless this browser was told another one
const chosen = keep.get('language');
if (chosen && chosen !== boot.language && boot.languages.includes(chosen)) {
  try {
    const r = await (await fetch(new URL('api/words/' + encodeURIComponent(chosen), root))).json();
    boot.words = r.words;
    boot.language = document.documentElement.lang = chosen;
    document.documentElement.dir = r.dir;
  } catch { /* the actor's language will do */ }
}

// --- words
const words = boot.words;
const plurals = new Intl.PluralRules(boot.language);

// t returns the words for a key. With n in the parameters the plural form is
// picked: key.one, key.few, … or key.other.
export function t(key, p) {
  let s = p && 'n' in p ? words[`${key}.${plurals.select(p.n)}`] ?? words[`${key}.other`] ?? words[key] : words[key];
  if (s === undefined) return key;
  if (p) s = s.replace(/\{(\w+)\}/g, (m, k) => (k in p ? String(typeof p[k] === 'number' ? number(p[k]) : p[k]) : m));
  return s;
}
export const has = (key) => key in words;
const numbers = new Intl.NumberFormat(boot.language);
export const number = (n) => numbers.format(n);

// code turns a code of the engine into words, and an unknown one into itself.
export const code = (kind, value) => (value ? words[`${kind}.${value}`] ?? String(value).replaceAll('_', ' ') : '');

// --- time: the server's, since a browser's clock may be wrong
let skew = boot.now - Date.now();
export const sync = (now) => { if (now) skew = now - Date.now(); };
export const now = () => Date.now() + skew;

const clock = new Intl.DateTimeFormat(boot.language, { timeStyle: 'short' });
const day = new Intl.DateTimeFormat(boot.language, { weekday: 'short', day: 'numeric', month: 'short' });
export const atClock = (ms) => clock.format(ms);
export const atDay = (ms) => day.format(ms);
export const sameDay = (a, b) => new Date(a).toDateString() === new Date(b).toDateString();
export const when = (ms) => (sameDay(ms, now()) ? atClock(ms) : `${atDay(ms)} ${atClock(ms)}`);

// span is a duration like 4:05 or 1:02:03.
export function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, '0');
  const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}
// counted is a duration as a unit's word, how many of them, and how long one is.
export function counted(ms) {
  const s = Math.round(ms / 1000), [unit, of] = s < 90 ? ['seconds', 1] : s < 5400 ? ['minutes', 60] : s < 129600 ? ['hours', 3600] : ['days', 86400];
  return [unit, Math.round(s / of), of * 1000];
}
// spoken is a duration in words, for those who listen and for settings.
export const spoken = (ms) => { const [unit, n] = counted(ms); return ms < 0 ? t('never') : t(unit, { n }); };

// --- names
export const uid = () => crypto.randomUUID ? crypto.randomUUID() : Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');

// visible shows characters that would reorder what stands around them.
export const visible = (s) => String(s ?? '').replace(/[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/g, '\u25af');

// --- API
// Failed is an answer that is none, with what the server said.
export class Failed extends Error {
  constructor(status, body) { super(body.code || 'offline'); this.status = status; this.code = body.code || 'offline'; this.body = body; }
  get words() {
    const b = this.body;
    const key = `error.${this.code}`;
    const who = b.current?.agentName || b.current?.agent || '';
    if (this.code === 'taken' && who) return t('error.taken_by', { who: visible(who) });
    if (this.code === 'unavailable') return t('error.unavailable', { why: code('reason', b.why) });
    if (this.code === 'invalid') return (b.fields ?? [b]).map((f) => t('error.invalid', { field: f.field, why: wrong(f) })).join(' ');
    return has(key) ? t(key) : t('error.internal');
  }
}

// wrong says why a field was refused: in English where the server has no code for it.
export const wrong = (f) => (f.code ? t('wrong.' + f.code, f.n && { n: f.n }) : f.why);

let onSignIn = () => {};
export const signInNeeded = (f) => { onSignIn = f; };

// within is a signal that also comes after a time. A request on a connection
// that died in silence would wait for ever.
export const within = (ms, signal) => (signal ? AbortSignal.any([signal, AbortSignal.timeout(ms)]) : AbortSignal.timeout(ms));

export async function api(method, path, body, stop) {
  const signal = within(30000, stop);
  let res;
  try {
    res = await fetch(new URL('api/' + path, root), {
      method, signal, headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body), keepalive: method !== 'GET' && JSON.stringify(body ?? '').length < 30000,
    });
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    throw new Failed(0, {});
  }
  if (res.status === 204) return null;
  let data = {};
  try { data = await res.json(); } catch (e) {
    if (e.name === 'AbortError') throw e;
    if (res.ok) throw new Failed(0, {}); // broken off, or a proxy's page
  }
  if (res.ok) return data;
  if (res.status === 401) onSignIn(true);
  throw new Failed(res.status, data);
}
export const get = (path, signal) => api('GET', path, undefined, signal);
// act does something to a handoff. The same op again has no further effect.
export const act = (id, verb, body = {}) => api('POST', `handoffs/${id}/${verb}`, { op: uid(), ...body });
