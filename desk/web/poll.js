// Polling, where a stream does not come through.
import { root, within } from './base.js';
import { state } from './store.js';
import { alive, alone, beat, event, firstEvent, hear, look, pass, refused, restart, resync, session, setLive, since, wire } from './live.js';

const soon = 30000, latest = 600000; // until a stream is tried again
const pause = 4000; // of a tab that is alone
let later = soon, probing = false, polled = false;
function tryLater() { wire.tryAt = Date.now() + later; later = Math.min(later * 2, latest); }

// holdBack begins to poll: the server cannot stream, or what it streams is held back.
export function holdBack(why) {
  if (state.live === 'live') setLive('off'); // nobody knows until the first answer
  state.poll = true;
  polled = false;
  if (why === 'poll') later = latest;
  tryLater();
}

// probe looks beside the polling whether a stream comes through by now. It says
// what it knows, so that it is not sent everything.
async function probe() {
  probing = true;
  const c = new AbortController();
  const limit = setTimeout(() => c.abort(), firstEvent);
  try {
    const res = await fetch(new URL('api/events?alone=' + alone, root), { signal: c.signal, headers: since() });
    if (res.ok && (await res.body.getReader().read()).value) { state.poll = false; later = soon; restart(); }
  } catch { /* it does not */ }
  clearTimeout(limit);
  c.abort();
  tryLater();
  probing = false;
}

// A host's server, or what stands before it, may end a request before the desk
// has answered. Then no answer may take so long, and that is remembered.
let longest = 20, before = longest; // seconds

export async function poll(signal) {
  // The first answer comes at once: it says whether there is a connection. So do
  // all that a tab asks for which is alone: others like it have streams, and a
  // browser has six connections for all of them.
  if (polled && alone) await new Promise((r) => setTimeout(r, pause));
  const wait = polled && !alone ? Math.max(1, Math.min(longest, Math.round(wire.every / 1000))) : 0;
  const began = performance.now();
  // A browser tries again by itself what ended without an answer, and says nothing meanwhile.
  const life = setInterval(beat, wire.every);
  try {
    await ask(wait, signal);
  } catch (e) {
    const took = performance.now() - began;
    if (!signal.aborted && took > 900 && wait && e.status !== 401 && e.status !== 403) {
      // Perhaps there is no connection, and perhaps it only took too long: the next tells.
      before = longest;
      longest = Math.max(1, Math.floor(Math.min(wait, took / 1000) / 2));
      polled = false;
      beat();
      return 'again';
    }
    if (!polled) longest = before;
    later = soon; // when the whole connection fails, that says nothing about streams
    tryLater();
    throw e;
  } finally {
    clearInterval(life);
  }
  before = longest;
  if (Date.now() - wire.beaten > wire.every * 0.9) beat(); // also where there is always something to tell
  if (Date.now() > wire.tryAt && !probing) probe();
  return 'again';
}

async function ask(wait, signal) {
  const q = new URLSearchParams({ session, after: wire.cursor, wait: String(wait) });
  const limit = within(wait * 1000 + 10000, signal);
  const res = await fetch(new URL('api/changes?' + q, root), { signal: limit });
  if (!res.ok) throw await refused(res);
  const d = await res.json();
  hear();
  wire.cursor = d.cursor;
  alive();
  if (!polled && wire.looking) look(wire.looking);
  polled = true;
  for (const e of d.events) {
    if (e.event === 'reset') { pass({ reset: true }); await resync(signal, e.data); } else event(e.event, e.data);
  }
}
