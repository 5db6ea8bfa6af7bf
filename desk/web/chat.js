// One conversation: what was said, and what may be said now.
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from './vendor/preact-htm.js';
import { act, api, atClock, atDay, boot, can, code, get, keep, me, now, sameDay, span, t, uid, visible, when } from './base.js';
import { apply, asking, changed, failed, go, leaving, link, markSeen, memberName, settings, state, titleOf, toast, unread, useStore, waits, watchers } from './store.js';
import { preparedReplies } from './replies.js';
import { Avatar, Badge, Button, Clock, Countdown, Empty, Icon, icons, lazy, Loading, Menu, Name, once, useTick } from './ui.js';
import { Out, Text } from './text.js';
import { look, session, wantPresence } from './live.js';
import { accept, declineItems } from './inbox.js';
import { dealt, Outcome } from './outcome.js';
import { onTheirWay, PendingMessage, send as sendOff, settle } from './pending.js';

// What is beside it, and what is asked before something that matters, are not
// waited for. The questions are read in a quiet moment: there may be no
// connection when they are needed.
const ask = (name) => lazy(() => import('./dialogs.js'), name, true);
const questions = { transfer: ask('TransferDialog'), end: ask('EndDialog'), takeover: ask('TakeOverDialog'), why: ask('WhyDialog') };
const Details = lazy(() => import('./details.js'), 'Details', true);
setTimeout(() => import('./dialogs.js').catch(() => {}), 5000);

Object.assign(icons, {
  send: 'M4 12l16-8-6 16-3-7z', note: 'M5 4h14v10l-5 6H5zM14 20v-6h5M8 9h8M8 13h3', back: 'M15 5l-7 7 7 7', play: 'M8 5l11 7-11 7z', transfer: 'M4 8h14l-3.5-3.5M20 16H6l3.5 3.5',
  end: 'M5 5h14v14H5zM9 9l6 6M15 9l-6 6', copy: 'M9 9h11v11H9zM5 15H4V4h11v1', whisper: 'M4 5h16v11h-8l-4 4v-4H4zM8 9h8M8 12.5h4', bolt: 'M13 3L5 14h6l-1 7 8-11h-6z', file: 'M6 3h8l4 4v14H6zM14 3v4h4',
});

const cache = new Map(); // id → what was read of it, for coming back quickly
watchers.add((id, list, gone) => { if (gone) cache.delete(id); else if (id === null) cache.clear(); });

export function Chat({ id }) {
  const s = useStore();
  const [one, setOne] = useState(cache.get(id)?.one ?? null);
  const [entries, setEntries] = useState(cache.get(id)?.entries ?? []);
  const [from, setFrom] = useState(cache.get(id)?.from ?? 0);
  const [wrong, setWrong] = useState(null);
  const [goneBy, setGone] = useState(null);
  const [details, setDetails] = useState(matchMedia('(min-width: 72rem)').matches && keep.get('details', true));
  const [dialog, setDialog] = useState('');
  const known = useRef(entries);
  const reading = useRef(null);
  const here = useRef(null); // ends with the view, and with the right to read it
  const over = useRef(false); // it is gone: nothing is asked about it any more
  const had = useRef(null); // the row, as long as it may be read
  const row = s.rows.get(id) ?? one?.row;

  const put = (list, start) => {
    known.current = list;
    setEntries(list);
    if (start !== undefined) setFrom(start);
    cache.set(id, { one: cache.get(id)?.one, entries: list, from: start ?? cache.get(id)?.from ?? 0 });
    if (cache.size > 20) cache.delete(cache.keys().next().value);
  };
  const drop = (g) => {
    // Who was asked, and is no longer, has lost nothing: it is where it was.
    const kept = had.current?.offer?.warm && g.why !== 'ended' && (!g.agent || g.agent === had.current.agent);
    const why = kept ? { ...g, why: 'unasked' } : g;
    over.current = true; look(''); reading.current?.abort(); here.current?.abort(); cache.delete(id); known.current = []; setEntries([]); setOne(null); setGone((old) => !old || why.by ? why : old); // a read that fails later knows less
  };
  // A refusal may be older than what the list says by now: then it is asked again.
  const refused = (why, again) => { if (state.rows.get(id)?.can?.includes('read')) setTimeout(() => again(), 500); else drop({ why }); };
  const add = (list) => {
    const fresh = list.filter((e) => e.seq > (known.current.at(-1)?.seq ?? 0));
    if (!fresh.length) return;
    // What comes before the first read is a part of what that brings.
    if (fresh[0].seq !== (known.current.at(-1)?.seq ?? 0) + 1) { catchUp(); return; }
    settle(id, fresh);
    put([...known.current, ...fresh]);
  };
  const catchUp = async () => {
    if (over.current) return;
    if (reading.current) { reading.current.again = true; return; }
    const c = new AbortController();
    reading.current = c;
    try {
      const after = known.current.at(-1)?.seq;
      const r = await get(`handoffs/${id}/log?` + (after ? `after=${after}` : 'limit=200'), c.signal);
      if (c.signal.aborted) return;
      settle(id, r.entries);
      put([...known.current, ...r.entries.filter((e) => e.seq > (known.current.at(-1)?.seq ?? 0))], after ? undefined : r.from);
      if (r.entries.length >= 200 && after) c.again = true;
    } catch (e) {
      if (e.status === 404 || e.status === 403) refused('forbidden', catchUp);
      else if (e.status === 0 && state.live === 'live') setTimeout(catchUp, 3000); // nothing else would ask for it
      else if (e.name !== 'AbortError' && e.status !== 0 && e.status !== 401) failed(e);
    } finally {
      if (reading.current === c) reading.current = null;
      if (c.again && !c.signal.aborted) catchUp();
    }
  };
  const reread = async (signal) => {
    if (over.current) return;
    try {
      const o = await get('handoffs/' + id, signal);
      setOne(o);
      setWrong(null);
      cache.set(id, { ...(cache.get(id) ?? { entries: known.current, from: 0 }), one: o });
      if (!state.rows.has(id) || state.rows.get(id).version < o.row.version) apply('rows', { rows: [o.row] });
      state.viewers.set(id, o.viewers);
      changed();
    } catch (e) {
      if (e.name === 'AbortError') return;
      if (e.status === 404 || e.status === 403) refused(known.current.length ? 'forbidden' : 'not_found', reread);
      else setWrong(e);
    }
  };

  useEffect(() => {
    const c = new AbortController();
    const f = (which, list, g) => {
      if (which === id && list) add(list);
      else if (which === id && g) drop(g);
      else if (which === null && !over.current) { look(id); catchUp(); reread(c.signal); }
    };
    watchers.add(f);
    look(id).then(() => c.signal.aborted || catchUp());
    reread(c.signal);
    return () => { over.current = true; c.abort(); here.current?.abort(); reading.current?.abort(); reading.current = null; watchers.delete(f); look(''); };
  }, [id]);

  // A row that is ahead of the entries shown means that some did not come.
  useEffect(() => {
    if (!row || !known.current.length || row.seq <= known.current.at(-1).seq) return undefined;
    const x = setTimeout(catchUp, 250);
    return () => clearTimeout(x);
  }, [row?.seq, entries.length]);
  // What is not in a row is read again when the row changes.
  useEffect(() => {
    if (!one || !row || row.version <= one.row.version) return undefined;
    const c = new AbortController();
    const x = setTimeout(() => reread(c.signal), 400);
    return () => { clearTimeout(x); c.abort(); };
  }, [row?.version]);
  useEffect(() => {
    const f = () => reread();
    addEventListener('desk:reread', f);
    return () => removeEventListener('desk:reread', f);
  }, [id]);
  // Its title is read out, rather than all that was said in it.
  const title = one && row ? t('transcript.of', { who: visible(row.name) }) : '';
  useEffect(() => { if (title) { state.status = title; changed(); } }, [title]);
  useEffect(() => { if (goneBy) { state.status = t('gone.' + goneBy.why); changed(); } }, [goneBy]);
  // What was to be done with what another has by now, or nobody, is asked no more, unless that is what is being done here.
  const past = row?.state === 'ended' || row?.state === 'wrapup';
  useEffect(() => {
    if (!dialog || state.doing === id) return;
    setDialog('');
    toast(past ? t('gone.ended') : t(row?.agent ? 'gone.by' : 'gone.forbidden', { who: visible(row?.agentName || row?.agent) }));
  }, [row?.agent, past]);
  // The right to read it has gone: so does what was read.
  const mayRead = row?.can?.includes('read');
  if (mayRead) had.current = row;
  useEffect(() => { if (row && one && !mayRead) drop({ why: 'taken', by: row.agentName || row.agent, agent: row.agent }); }, [mayRead]);
  // And should it come back, so does the conversation.
  useEffect(() => { if (goneBy && mayRead) { over.current = false; setGone(null); look(id); reread(); catchUp(); } }, [mayRead]);
  useEffect(() => { if (row && unread(row) && !document.hidden && document.hasFocus()) markSeen(row); });
  useEffect(() => {
    const f = () => { const r = state.rows.get(id); if (r && unread(r)) markSeen(r); };
    addEventListener('focus', f);
    return () => removeEventListener('focus', f);
  }, [id]);
  useEffect(() => { document.title = titleOf(row ? visible(row.name) : ''); }, [row?.name, s.rows]);
  useLayoutEffect(() => {
    const f = (e) => { if (questions[e.detail]) setDialog(e.detail); };
    addEventListener('desk:want', f);
    return () => removeEventListener('desk:want', f);
  }, []);
  // On a screen that has become narrow details would lie over the conversation.
  useEffect(() => {
    const wide = matchMedia('(min-width: 72rem)'), f = () => setDetails(wide.matches && keep.get('details', true));
    wide.addEventListener('change', f);
    return () => wide.removeEventListener('change', f);
  }, []);
  // What was wanted before all was drawn is wanted now.
  const drawn = goneBy || wrong || row && one;
  useLayoutEffect(() => {
    const detail = state.want;
    if (!drawn || !detail) return;
    state.want = '';
    dispatchEvent(new CustomEvent('desk:want', { detail }));
  });

  if (goneBy) return html`<section class="pane none" aria-label=${t('conversation')}><h1 class="hidden">${t('conversation')}</h1><${Empty} icon="eye" title=${t('gone.' + goneBy.why)} text=${goneBy.by ? t(goneBy.why === 'unasked' ? 'gone.kept' : 'gone.by', { who: visible(goneBy.by) }) : t('gone.text')}><a class="button" href=${link(location.search)}>${t('back.inbox')}</a></${Empty}></section>`;
  if (wrong && !one) return html`<section class="pane none"><h1 class="hidden">${t('conversation')}</h1><${Empty} icon="warn" title=${t('error.title')} text=${wrong.words ?? t('error.internal')}><${Button} onClick=${() => reread()}>${t('retry')}</${Button}></${Empty}></section>`;
  if (!row || !one) return html`<section class="pane"><${Loading} /></section>`;

  const earlier = async () => {
    const first = known.current[0]?.seq ?? 1;
    here.current?.abort();
    const { signal } = here.current = new AbortController();
    const r = await get(`handoffs/${id}/log?before=${first}&limit=200`, signal);
    if (!signal.aborted) put([...r.entries, ...known.current], r.from);
  };
  const toggle = () => { setDetails(!details); keep.set('details', !details); };
  return html`<section class="pane ${details ? 'with-details' : ''}" aria-label=${t('conversation')}>
    <${Head} r=${row} one=${one} details=${details} toggle=${toggle} dialog=${setDialog} />
    <${Banner} r=${row} one=${one} dialog=${setDialog} />
    <${Transcript} id=${id} r=${row} one=${one} entries=${entries} from=${from} earlier=${earlier} />
    <${Foot} r=${row} one=${one} entries=${entries} dialog=${setDialog} />
    ${details && html`<${Details} r=${row} one=${one} close=${toggle} />`}
    ${dialog && one && html`<${questions[dialog]} r=${row} one=${one} close=${() => setDialog('')} />`}
  </section>`;
}

const canDo = (r, p) => !boot.readOnly && r.can?.includes(p);

// does something to a handoff, and shows what it has become.
const does = (r, verb, body) => act(r.id, verb, body).then((g) => g && apply('rows', { rows: [g] }));
const extend = (r) => does(r, 'extend', { seconds: 600 }).then(() => toast(t('extended')), failed);

function Head({ r, one, details, toggle, dialog }) {
  const s = useStore();
  const open = r.state === 'active' || r.state === 'held', mine = r.agent === me.id && open;
  const others = s.viewers.get(r.id) ?? [];
  const looking = others.length > 0 && t('viewing', { n: others.length, who: visible(others[0].name), more: others.length - 1 });
  const direct = canDo(r, 'direct');
  const hold = () => does(r, r.state === 'held' ? 'resume' : 'hold').catch(failed);
  const video = () => does(r, 'video').catch(failed);
  const requeue = async () => { leaving(r.id); try { await act(r.id, 'requeue'); toast(t('requeued')); } catch (e) { failed(e); } };
  const more = [
    mine && boot.video && r.state === 'active' && !r.video && { text: t('video.start'), icon: 'video', act: video },
    (mine || direct && open || direct && r.state === 'offered') && { text: t('requeue'), icon: 'back', act: requeue },
    mine && { text: t('extend'), icon: 'clock', act: () => extend(r) },
    ...(one.buttons ?? []).map((b) => ({ text: visible(b.label), icon: 'bolt', act: () => does(r, 'run', { rule: b.rule }).then(() => { toast(t('rule.ran', { what: visible(b.label) })); dispatchEvent(new CustomEvent('desk:reread')); }, failed) })),
    waits(r) && { text: t('why'), icon: 'info', act: () => dialog('why') },
    direct && !mine && r.state !== 'ended' && r.state !== 'wrapup' && { text: t('takeover'), icon: 'bolt', act: () => dialog('takeover') },
    direct && !mine && open && { text: t('end.force'), icon: 'end', kind: 'danger', act: () => dialog('end') },
    { text: t('copy.id'), icon: 'copy', act: () => navigator.clipboard?.writeText(`${one.conversation}#${one.number}`).then(() => toast(t('copied')), () => {}) },
  ];
  return html`<header class="head">
    <a class="button ghost backlink" href=${link(location.search)} aria-label=${t('back.inbox')}><${Icon} name="back" /></a>
    <${Avatar} name=${r.name} />
    <div class="who"><h1 tabindex="-1"><${Name} name=${r.name} /></h1>
      <p>${r.queue && html`<span class="chip">${r.queue}</span>`}<span class="chip state ${r.state}">${code('state', r.state)}</span>${r.agent && !mine && html`<span class="muted">${r.agentName || r.agent}</span>`}${waits(r) && html`<${Clock} since=${r.enqueued || r.created} warn=${120000} late=${300000} label=${t('waiting')} />`}${r.state === 'ended' && html`<${Outcome} r=${r} />`}
      ${looking && html`<span class="looking" role="img" title=${looking} aria-label=${looking}><${Icon} name="eye" /><span>${looking}</span></span>`}</p></div>
    <div class="tools">
      ${mine && html`<${Button} icon=${r.state === 'held' ? 'play' : 'pause'} kind="ghost" label=${t(r.state === 'held' ? 'resume' : 'hold')} onClick=${hold} disabled=${boot.readOnly} />`}
      ${(mine || direct && (open || waits(r))) && html`<${Button} icon="transfer" kind="ghost" label=${t('transfer')} onClick=${() => dialog('transfer')} />`}
      ${mine && html`<${Button} icon="check" kind="finish" onClick=${() => dialog('end')}>${t('end.finish')}</${Button}>`}
      <${Menu} icon="more" kind="ghost" label=${t('more.actions')} items=${more} />
      <${Button} icon="info" kind="ghost ${details ? 'on' : ''}" label=${t('details')} aria-pressed=${details ? 'true' : 'false'} onClick=${toggle} />
    </div></header>`;
}

// What was asked of a colleague can be taken back until he answers.
function TakeBack({ r }) {
  const take = async () => {
    const who = asking(r);
    try { await does(r, 'take-back', { offer: r.warm }); toast(t('warm.withdrawn', { who })); } catch (e) { failed(e); if (e.body?.current) apply('rows', { rows: [e.body.current] }); }
  };
  return html`<${Button} icon="back" onClick=${take}>${t('warm.back')}</${Button}>`;
}

// Two buttons stay together: where there is no room they stand below the words.
const both = (a, b) => (a && b ? html`<div class="buttons">${a}${b}</div>` : a || b);

function Banner({ r, one, dialog }) {
  const back = r.warm && !boot.readOnly && html`<${TakeBack} r=${r} />`;
  const asked = r.warm && ` ${t('asked', { who: asking(r) })}.`;
  if (r.state === 'bot') return html`<div class="banner watch"><${Icon} name="eye" /><span>${t('watch.bot')}</span>${canDo(r, 'direct') && html`<${Button} icon="bolt" onClick=${() => dialog('takeover')}>${t('takeover')}</${Button}>`}</div>`;
  if ((r.state === 'active' || r.state === 'held') && r.agent !== me.id) return html`<div class="banner watch"><${Icon} name="eye" /><span>${t(can('whisper') ? 'watch.silent' : 'watch.public', { who: visible(r.agentName || r.agent) })}${asked}</span>${both(back, canDo(r, 'direct') && html`<${Button} icon="bolt" onClick=${() => dialog('takeover')}>${t('takeover')}</${Button}>`)}</div>`;
  if (one.room && r.agent === me.id && r.state === 'active') return html`<div class="banner"><${Icon} name="video" /><span>${t('video.running')}${asked}</span><${Out} href=${one.room} text=${t('video.open')} />${back}</div>`;
  if (r.state === 'held') return html`<div class="banner amber"><${Icon} name="pause" /><span>${t('held.text', { who: visible(r.name) })}${asked}</span>${both(back, html`<${Button} icon="play" onClick=${() => does(r, 'resume').catch(failed)}>${t('resume')}</${Button}>`)}</div>`;
  if (r.state === 'active' && r.asked?.length) return html`<div class="banner amber"><${Icon} name="transfer" /><span>${t('warm.waiting', { who: asking(r) })}</span>${back}</div>`;
  if (r.state === 'ended' && r.left && !dealt(r)) return html`<div class="banner amber"><${Icon} name="note" /><span>${t('left.open')}</span>${canDo(r, 'note') && html`<${Button} icon="check" onClick=${() => does(r, 'tags', { add: [boot.dealt] }).catch(failed)}>${t('left.deal')}</${Button}>`}</div>`;
  if (r.quiet > now()) return html`<div class="banner amber"><${Icon} name="clock" /><span><span role="status">${t('quiet.text', { who: visible(r.name) })}</span> <${Countdown} until=${r.quiet} /></span>${canDo(r, 'work') && html`<${Button} icon="clock" onClick=${() => extend(r)}>${t('extend')}</${Button}>`}</div>`;
  if (r.away) return html`<div class="banner amber"><${Icon} name="warn" /><span>${t('agent.away')}</span></div>`;
  return null;
}

// --- what was said -------------------------------------------------------------------------
const shown = new Set(['requested', 'enqueued', 'offered', 'declined', 'lapsed', 'joined', 'agent_left', 'agent_away', 'agent_back', 'held', 'resumed', 'transferred', 'returned', 'ended', 'refused', 'rated', 'undelivered', 'answered', 'relaxed', 'extended', 'handed', 'tagged', 'bot_failed', 'gave_up', 'withdrawn']);
// An offer that goes by itself, because somebody else was faster, tells nobody anything; nor does a user who steps through a form.
const silent = (e) => e.kind === 'withdrawn' && !e.from || e.kind === 'answered' && !e.label;
const said = new Set(['message', 'notice', 'note', 'whisper', 'left_message']);

function Transcript({ id, r, one, entries, from, earlier }) {
  const s = useStore();
  const box = useRef(null);
  const stick = useRef(true);
  const [before, setBefore] = useState([]);
  const [first, setFirst] = useState(one.number);
  const [showBot, setShowBot] = useState(false);
  const wait = onTheirWay(id);
  const { bot, rest } = useMemo(() => split(entries, r.state, from), [entries, r.state, from]);
  const collapse = bot.filter((e) => said.has(e.kind)).length > 6 && !showBot && r.state !== 'bot';
  const typing = (s.typing.get(id) || 0) > now();
  // What was there when it was opened is no news: only what comes is read out.
  const opened = useRef(0);
  if (!opened.current && entries.length) opened.current = entries.at(-1).seq;
  const past = rest.filter((e) => e.seq <= opened.current), fresh = rest.slice(past.length);
  const toEnd = () => { const b = box.current; if (b && stick.current) b.scrollTop = b.scrollHeight; };
  // Who reads what is older is told that something came, and is taken to what he sends himself.
  const [newer, setNewer] = useState(false);
  const was = useRef({ seq: 0, sent: 0 });
  useLayoutEffect(() => {
    const w = was.current, seq = entries.at(-1)?.seq ?? 0;
    if (wait.length > w.sent) stick.current = true;
    if (stick.current) setNewer(false);
    else if (entries.some((e) => e.seq > w.seq && said.has(e.kind))) setNewer(true);
    was.current = { seq, sent: wait.length };
    toEnd();
  }, [entries, wait.length, typing, collapse, r.question]);
  // A keyboard on the screen, a longer draft or a turned phone leaves less room. Who has not scrolled since is still at the end.
  const room = useRef('');
  const sizeOf = (b) => b.clientWidth + ' ' + b.clientHeight;
  useEffect(() => {
    const b = box.current, o = new ResizeObserver(() => { room.current = sizeOf(b); toEnd(); });
    o.observe(b);
    return () => o.disconnect();
  }, []);
  const hold = async (f) => {
    // What comes above must not move what is being read.
    const b = box.current, height = b.scrollHeight, top = b.scrollTop;
    stick.current = false;
    try { await f(); } catch (e) { failed(e); return; }
    changed();
    requestAnimationFrame(() => requestAnimationFrame(() => { b.scrollTop = top + b.scrollHeight - height; }));
  };
  // Some at a time, the last first, down to what is still kept.
  const earlierOnes = () => hold(async () => { const x = await get(`handoffs/${id}/before?to=${first}`); setBefore([...before, ...x.before]); setFirst(parseInt(x.before.at(-1)?.row.id ?? 1, 10)); });
  return html`<div class="transcript" ref=${box} tabindex="0" role="region" aria-label=${t('transcript.of', { who: visible(r.name) })} onScroll=${(e) => { const b = e.currentTarget; if (room.current === sizeOf(b) && (stick.current = b.scrollHeight - b.scrollTop - b.clientHeight < 60)) setNewer(false); }}>
    <div class="older">
      ${first > 1 && html`<${Button} kind="ghost" icon="history" onClick=${earlierOnes}>${t('before.show')}</${Button}>`}
      ${[...before].reverse().map((b) => html`<details class="before" key=${b.row.id}><summary>${t('before.title', { day: when(b.row.created), what: code('outcome', b.row.outcome) || code('state', b.row.state) })}</summary>${b.entries.map((e) => html`<${Entry} e=${e} r=${r} key=${e.id} />`)}</details>`)}
      ${from > 0 && html`<${Button} kind="ghost" onClick=${() => hold(earlier)}>${t('older.show')}</${Button}>`}
      ${collapse && html`<${Button} kind="ghost" icon="bot" aria-expanded="false" onClick=${() => hold(async () => setShowBot(true))}>${t('bot.show', { n: bot.filter((e) => said.has(e.kind)).length })}</${Button}>`}
      ${!collapse && bot.length > 0 && r.state !== 'bot' && html`<div class="part" role="separator"><span>${t('part.bot')}</span></div>`}
      ${(collapse ? bot.slice(-2) : bot).map((e, i, all) => html`<${Entry} key=${e.id} e=${e} last=${all[i - 1]} r=${r} />`)}
    </div>
    <div>${past.map((e, i) => html`<${Entry} key=${e.id} e=${e} last=${i ? past[i - 1] : bot.at(-1)} r=${r} />`)}</div>
    <div role="log" aria-label=${t('transcript.new')} aria-relevant="additions">
      ${fresh.map((e, i) => html`<${Entry} key=${e.id} e=${e} last=${fresh[i - 1] ?? past.at(-1) ?? bot.at(-1)} r=${r} />`)}
    </div>
    <div>
      ${wait.map((m) => html`<${PendingMessage} key=${m.id} m=${m} seen=${entries.at(-1)?.seq ?? 0} />`)}
      ${r.question && html`<p class="event question"><${Icon} name="clock" /><span>${t('question.asked', { what: visible(r.question) })}</span></p>`}
      ${typing && html`<p class="typing">${t('typing', { who: visible(r.name) })}<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span></p>`}
    </div>
    ${newer && html`<${Button} kind="primary newer" onClick=${() => { stick.current = true; setNewer(false); toEnd(); box.current.focus(); }}>${t('newer.show')}</${Button}>`}
  </div>`;
}

// split tells the bot's part from what followed, and leaves out what tells nobody anything.
// Of a long conversation the end is loaded first: as long as the request is not, what
// there is follows it.
function split(entries, s, from) {
  const list = entries.filter((e) => said.has(e.kind) || shown.has(e.kind) && !silent(e) && !(e.kind === 'enqueued' && entries.some((x) => x.kind === 'requested' && x.seq > e.seq - 4)) && !(e.kind === 'ended' && entries.some((x) => x.kind === 'ended' && x.seq < e.seq))); // the end of the wrap-up is no second end
  const at = list.findIndex((e) => (from ? ['requested'] : ['requested', 'joined', 'enqueued', 'left_message']).includes(e.kind));
  if (from && at < 0) return { bot: [], rest: list };
  if (s === 'bot' || at < 0) return { bot: s === 'bot' ? [] : list, rest: s === 'bot' ? list : [] };
  // History that came with the request belongs to what was before it.
  const past = list.slice(at).filter((e) => e.past);
  return { bot: [...list.slice(0, at), ...past].sort((a, b) => a.at - b.at), rest: list.slice(at).filter((e) => !e.past) };
}

// Entry is made once, and again when a name in it changes.
const Entry = once(({ e, last, r }) => [e, last, r.name, memberName(e.from), memberName(e.agent)], entryOf);
function entryOf({ e, last, r }) {
  const newDay = last && !sameDay(last.at, e.at);
  const part = { requested: 'queue', joined: 'human' }[e.kind];
  return html`${newDay && html`<div class="part" role="separator"><span>${atDay(e.at)}</span></div>`}${part && html`<div class="part" role="separator"><span>${t('part.' + part)}</span></div>`}<${Line} e=${e} last=${newDay ? null : last} r=${r} />`;
}

function Line({ e, last, r }) {
  const side = e.role === 'user' ? 'user' : e.role === 'bot' ? 'bot' : 'agent';
  const name = e.role === 'user' ? r.name : e.role === 'bot' ? t('role.bot') : e.from === me.id ? t('you') : e.name || memberName(e.from) || t('role.agent');
  const same = last && last.kind === e.kind && last.role === e.role && last.from === e.from && e.at - last.at < 120000 && said.has(last.kind);
  const time = html`<time datetime=${new Date(e.at).toISOString()}>${atClock(e.at)}</time>`;
  switch (e.kind) {
    case 'message': return html`<div class="entry ${side} ${same ? 'same' : ''}" data-seq=${e.seq}>${!same && html`<${Avatar} name=${e.role === 'user' ? r.name : e.from === me.id ? me.name : name} role=${e.role} small />`}<div class="bubble">
      <div class="by ${same ? 'hidden' : ''}"><${Name} name=${name} />${side === 'agent' && e.role === 'supervisor' && html`<${Badge}>${t('role.supervisor')}</${Badge}>`} ${time}</div>${e.text && html`<p dir="auto"><${Text} text=${e.text} bare /></p>`}<${Files} files=${e.files} /></div></div>`;
    case 'notice': return html`<div class="event notice" data-seq=${e.seq}><${Icon} name="info" /><span><span class="muted">${t('notice.by')}</span> <${Text} text=${e.text} /></span>${time}</div>`;
    case 'note': return html`<div class="entry note" data-seq=${e.seq}><div class="bubble"><div class="by"><${Icon} name="note" /><strong>${t('note')}</strong><span class="muted">${t('note.only')}</span> <${Name} name=${name} /> ${time}</div><p dir="auto"><${Text} text=${e.text} bare /></p></div></div>`;
    case 'whisper': return html`<div class="entry note whisper" data-seq=${e.seq}><div class="bubble"><div class="by"><${Icon} name="whisper" /><strong>${t('whisper')}</strong><span class="muted">${t('whisper.only')}</span> <${Name} name=${name} /> ${time}</div><p dir="auto"><${Text} text=${e.text} bare /></p></div></div>`;
    case 'left_message': return html`<div class="entry user" data-seq=${e.seq}><div class="bubble"><div class="by"><strong>${t('left')}</strong> ${time}</div><p dir="auto"><${Text} text=${e.text} bare /></p></div></div>`;
    case 'undelivered': return html`<div class="event bad" data-seq=${e.seq}><${Icon} name="warn" /><span>${t('ev.undelivered')}</span>${time}</div>`;
    default: return html`<div class="event" data-seq=${e.seq}><span><${EventText} e=${e} /></span>${time}</div>`;
  }
}
function EventText({ e }) {
  const who = visible(e.agent && e.agent !== e.from ? memberName(e.agent, e.agentName) : memberName(e.from, e.name));
  const why = e.reason && code('reason', e.reason);
  const d = e.data ?? {};
  const what = Object.entries(d).map(([k, v]) => `\u2068${visible(v > 0 ? `${k} ${v}` : k)}\u2069`).join(', '); // from right to left too its sign stands before it
  const text = t(d.action === 'widen' ? 'ev.widened' : e.kind === 'answered' && d.skipped ? 'ev.skipped' : 'ev.' + e.kind, { who, by: visible(memberName(e.from, e.name)), why, what, score: d.score ?? '', field: visible(e.label), queue: d.queue ?? '', to: visible(d.queue || who) });
  return html`${text}${why && e.reason !== 'user_requested' && e.reason !== e.kind && ['requested', 'agent_left', 'lapsed', 'refused', 'declined', 'ended'].includes(e.kind) ? ` · ${why}` : ''}${e.text && e.kind !== 'rated' ? html` · <${Text} text=${e.text} />` : e.kind === 'rated' && e.text ? html`${t('colon')} <${Text} text=${e.text} />` : ''}`;
}

function Files({ files }) {
  if (!files?.length) return null;
  return html`<ul class="files">${files.map((f) => html`<li><${Icon} name="file" /><span>${f.url ? html`<${Out} href=${f.url} text=${f.name || f.url} />` : visible(f.name || t('file'))}</span>${f.size ? html`<span class="muted nowrap">${size(f.size)}</span>` : ''}</li>`)}</ul>`;
}
const size = (n) => n < 1024 ? `${n} B` : n < 1048576 ? `${Math.round(n / 1024)} KB` : `${(n / 1048576).toFixed(1)} MB`;

// --- what may be done now ------------------------------------------------------------------------
function Foot({ r, one, entries, dialog }) {
  useTick();
  if (boot.readOnly) return html`<footer class="foot locked"><${Icon} name="eye" /><span>${t('read_only')}</span></footer>`;
  const mine = r.agent === me.id;
  if (r.state === 'wrapup' && mine) return html`<footer class="foot"><div class="choice"><p><strong>${t('wrapup.title')}</strong> <span class="muted">${t('wrapup.text')}</span></p><${Button} kind="primary" icon="check" onClick=${() => does(r, 'end').then(() => go(location.search), failed)}>${t('wrapup.done')}</${Button}></div><${Composer} r=${r} entries=${entries} modes=${['note']} /></footer>`;
  if (waits(r) && canDo(r, 'answer')) {
    const offered = r.offer && r.offer.until > now();
    return html`<footer class="foot"><div class="choice"><p>${offered ? html`<strong>${t(r.offer.warm ? 'offer.warm' : 'offer')}</strong> <${Countdown} until=${r.offer.until} />` : html`<strong>${t('preview')}</strong> <span class="muted">${r.state === 'offered' ? t('asked', { who: asking(r) }) : t(r.pick ? 'preview.text' : 'preview.push')}</span>`}</p>
      <div class="buttons">${offered || r.pick ? html`<${Button} kind="primary" icon="check" onClick=${() => accept(r)}>${t('accept')}</${Button}>` : me.presence && state.presence.there !== 'online' && html`<${Button} onClick=${() => wantPresence(true, '').catch(failed)}>${t('presence.back')}</${Button}>`}${offered && html`<${Menu} label=${t('decline')} text=${t('decline')} items=${declineItems(r)} />`}</div></div>
      ${canDo(r, 'whisper') && html`<${Composer} r=${r} entries=${entries} modes=${['note']} />`}</footer>`;
  }
  if (r.offer && r.offer.until > now()) return html`<footer class="foot"><div class="choice"><p><strong>${t('offer.warm')}</strong> <${Countdown} until=${r.offer.until} /></p><div class="buttons"><${Button} kind="primary" icon="check" onClick=${() => accept(r)}>${t('accept')}</${Button}><${Menu} label=${t('decline')} text=${t('decline')} items=${declineItems(r)} /></div></div></footer>`;
  const modes = [r.state === 'active' && mine && 'reply', r.state !== 'ended' && !mine && canDo(r, 'join') && 'join', !mine && (r.state === 'active' || r.state === 'held') && canDo(r, 'whisper') && 'whisper', canDo(r, 'note') && 'note'].filter(Boolean);
  if (!modes.length) return html`<footer class="foot locked"><${Icon} name="eye" /><span>${t('locked')}</span></footer>`;
  // Silent watching does not begin with a message to the user.
  if (modes[0] === 'join' && r.state !== 'bot') modes.push(modes.shift());
  return html`<footer class="foot"><${Composer} key=${r.id} r=${r} entries=${entries} modes=${modes} drafts=${one.drafts} /></footer>`;
}

// Where styles let the field grow with its text, nothing is measured at a key.
const sizesItself = CSS.supports('field-sizing', 'content');
const draftKey = (id, mode) => `draft:${id}:${mode}`;

// The composer belongs to one handoff and one kind of message: a draft never
// turns up in another conversation, and never as another kind.
// synced is what this browser and the server last agreed on for a draft: at that
// time, that text. What differs from it was written here and stays.
const syncKey = (id, mode) => `drafted:${id}:${mode}`;
async function tellDraft(id, mode, text) {
  if ((keep.get(syncKey(id, mode))?.text ?? '') === text) return;
  try { const { at } = await api('PUT', `handoffs/${id}/draft`, { mode, text, session }); keep.set(syncKey(id, mode), text ? { text, at } : undefined); } catch { /* this browser has it */ }
}

function Composer({ r, entries, modes, drafts }) {
  const [mode, setMode] = useState(() => modes.includes(keep.get('mode:' + r.id)) ? keep.get('mode:' + r.id) : modes[0]);
  const at = modes.includes(mode) ? mode : modes[0];
  // A text belongs to its mode: when that changes, also because a right has
  // ended, it never is another one's, not even for a moment.
  const [typing, setTyping] = useState({});
  const text = typing.mode === at ? typing.text : keep.get(draftKey(r.id, at), '');
  const setText = (v) => setTyping({ mode: at, text: v });
  const [stale, setStale] = useState(false);
  const [pick, setPick] = useState(null);
  const box = useRef(null);
  const save = useRef(0);
  const typed = useRef(0);
  const told = useRef(0);
  // A draft of another device takes the place of one that nobody has changed here.
  const adopt = (list) => {
    for (const d of list ?? []) {
      const known = keep.get(syncKey(r.id, d.mode)) ?? { text: '', at: 0 };
      const here = d.mode === at ? latest.current.text : keep.get(draftKey(r.id, d.mode), '');
      if (d.at <= known.at || here !== known.text) continue;
      keep.set(syncKey(r.id, d.mode), d.text ? { text: d.text, at: d.at } : undefined);
      keep.set(draftKey(r.id, d.mode), d.text || undefined);
      if (d.mode === at) setText(d.text);
    }
  };
  useEffect(() => adopt(drafts), [drafts]);
  useEffect(() => {
    const f = (e) => { if (e.detail.id === r.id && e.detail.session !== session) adopt([e.detail.draft]); };
    addEventListener('desk:draft', f);
    return () => removeEventListener('desk:draft', f);
  });
  const ideas = async () => {
    try {
      const x = await get(`handoffs/${r.id}/suggestions`);
      setPick(x.suggestions.length ? { list: x.suggestions.map((s) => ({ text: s, idea: true })), at: 0 } : null);
      if (!x.suggestions.length) toast(t('suggest.none'));
      box.current?.focus();
    } catch (e) { failed(e); }
  };
  const latest = useRef({});
  latest.current = { text, key: draftKey(r.id, at) };
  useEffect(() => { setStale(false); setPick(null); }, [at]);
  useEffect(() => {
    const f = () => keep.set(latest.current.key, latest.current.text);
    addEventListener('pagehide', f);
    return () => { removeEventListener('pagehide', f); f(); };
  }, []);
  useLayoutEffect(() => { if (sizesItself) return; const b = box.current; b.style.blockSize = 'auto'; b.style.blockSize = Math.min(b.scrollHeight + 2, 220) + 'px'; }, [text, at]);
  useLayoutEffect(() => {
    const f = (e) => { if (modes.includes(e.detail)) { choose(e.detail); box.current.focus(); } };
    addEventListener('desk:want', f);
    return () => removeEventListener('desk:want', f);
  });
  // What another tab of this browser writes is shown here too, so that neither writes over the other.
  useEffect(() => {
    const f = (e) => { if (e.key === keep.name + latest.current.key) setText(keep.get(latest.current.key, '')); };
    addEventListener('storage', f);
    return () => removeEventListener('storage', f);
  });
  useEffect(() => { if (at === 'reply' && matchMedia('(min-width: 48rem)').matches) box.current.focus(); }, []);
  const choose = (m) => { keep.set(latest.current.key, text); keep.set('mode:' + r.id, m === modes[0] ? undefined : m); setMode(m); };
  const input = (v) => {
    setText(v);
    clearTimeout(save.current);
    const key = draftKey(r.id, at);
    keep.set(key, v);
    save.current = setTimeout(() => { clearTimeout(told.current); told.current = setTimeout(() => tellDraft(r.id, at, v), 1200); }, 300);
    if (at !== 'note' && at !== 'whisper' && v.startsWith('/') && !v.includes('\n')) offer(v.slice(1).toLowerCase()); else setPick(null);
    if (at === 'reply' && (v ? Date.now() - typed.current > 3000 : typed.current)) { typed.current = v && Date.now(); api('POST', `handoffs/${r.id}/typing`, { on: !!v }).catch(() => {}); }
  };
  const offer = async (q) => {
    const all = await preparedReplies();
    const named = (x) => x.name.toLowerCase().startsWith(q);
    const list = all.filter((x) => !x.off && [x.name, x.category, x.text].some((y) => y?.toLowerCase().includes(q))).sort((a, b) => named(b) - named(a)).slice(0, 8);
    if (!latest.current.text.startsWith('/')) { setPick(null); return; }
    setPick({ list, at: 0 });
    if (!list.length) { state.status = t('replies.none'); changed(); }
  };
  const take = (x) => { if (!x) return; input(x.idea ? x.text : fill(x.text, r)); setPick(null); box.current.focus(); };
  const send = async (force) => {
    const v = text.trim();
    if (!v) return;
    const m = { id: uid(), to: r.id, who: r.name, text: v, mode: at, seen: entries.at(-1)?.seq ?? 0 };
    const sent = sendOff(m, force); // it is kept before the draft goes
    clearTimeout(save.current);
    clearTimeout(told.current);
    keep.set(draftKey(r.id, at), undefined);
    tellDraft(r.id, at, '');
    setText('');
    setStale(false);
    setPick(null);
    typed.current = 0;
    changed();
    if (await sent === 'stale') {
      const now = latest.current.text;
      const back = now ? v + '\n' + now : v;
      if (latest.current.key === draftKey(r.id, m.mode)) { setText(back); setStale(true); box.current?.focus(); }
      keep.set(draftKey(r.id, m.mode), back);
    }
  };
  const key = (e) => {
    if (e.isComposing || e.keyCode === 229) return;
    if (pick?.list.length) {
      if (e.key === 'ArrowDown' || e.key === 'ArrowUp') { e.preventDefault(); setPick({ ...pick, at: (pick.at + (e.key === 'ArrowDown' ? 1 : pick.list.length - 1)) % pick.list.length }); return; }
      if (e.key === 'Enter' || e.key === 'Tab' && !e.shiftKey) { e.preventDefault(); take(pick.list[pick.at]); return; }
    } else if (pick && e.key === 'Enter' && !e.shiftKey && !/\s/.test(text)) { e.preventDefault(); return; } // a name that nobody has is no message
    if (pick && e.key === 'Escape') { e.preventDefault(); setPick(null); return; }
    if (e.key === 'Escape') document.querySelector('.transcript').focus(); // out of the field, to where letters are shortcuts
    if (e.key === 'Enter' && !e.shiftKey && !e.altKey && (settings.enterSends || e.ctrlKey || e.metaKey)) { e.preventDefault(); send(stale); }
  };
  const name = visible(r.name);
  const labels = { reply: t('compose.reply', { who: name }), note: t('compose.note'), whisper: t('compose.whisper', { who: visible(r.agentName || r.agent || '') }), join: t('compose.join', { who: name }) };
  const sendLabels = { reply: t('send.to', { who: name }), note: t('send.note'), whisper: t('send.whisper'), join: t('send.join', { who: name }) };
  return html`<div class="composer ${at}">
    ${modes.length > 1 && html`<div class="modes" role="group" aria-label=${t('compose.mode')}>${modes.map((m) => html`<button type="button" class=${m} aria-pressed=${m === at ? 'true' : 'false'} onClick=${() => { choose(m); box.current.focus(); }}><${Icon} name=${m === 'note' ? 'note' : m === 'whisper' ? 'whisper' : 'send'} />${t('mode.' + m)}</button>`)}</div>`}
    ${stale && html`<div class="stale" role="alert"><${Icon} name="warn" /><span>${t('stale', { who: name })}</span></div>`}
    ${pick && html`<ul class="pick" role="listbox" id="pick" aria-label=${t('replies')}>${pick.list.map((x, i) => html`<li role="option" id=${'pick' + i} aria-selected=${i === pick.at ? 'true' : 'false'} onMouseDown=${(e) => { e.preventDefault(); take(x); }}>${x.name && html`<strong dir="ltr">/${x.name}</strong>`}${x.category && html`<span class="chip quiet">${x.category}</span>`}<bdi class="preview">${x.idea ? x.text : fill(x.text, r)}</bdi></li>`)}${!pick.list.length && html`<li class="muted" role="option" aria-disabled="true">${t('replies.none')}</li>`}</ul>`}
    <textarea ref=${box} dir="auto" rows="2" aria-label=${labels[at]} placeholder=${at === 'reply' || at === 'join' ? t('compose.hint') : labels[at]} value=${text} maxlength="20000" enterkeyhint=${settings.enterSends ? 'send' : 'enter'}
      aria-autocomplete=${pick ? 'list' : undefined} aria-controls=${pick ? 'pick' : undefined} aria-activedescendant=${pick?.list.length ? 'pick' + pick.at : undefined}
      onInput=${(e) => input(e.target.value)} onKeyDown=${key}></textarea>
    <div class="bar"><span class="hint">${at === 'note' || at === 'whisper' ? html`<${Icon} name="eye" />${t(at === 'note' ? 'note.only' : 'whisper.only')}` : t(settings.enterSends ? 'hint.enter' : 'hint.button')}</span>
      ${boot.suggestions && at === 'reply' && html`<${Button} kind="ghost" icon="bolt" onClick=${ideas}>${t('suggest')}</${Button}>`}
      <${Button} kind="primary ${at}" icon=${at === 'note' ? 'note' : 'send'} disabled=${!text.trim()} onClick=${() => { send(stale); }}>${stale ? t('send.anyway') : sendLabels[at]}</${Button}></div>
  </div>`;
}

// fill puts names into a prepared text. The agent is named as the user sees him.
const fill = (text, r) => text.replace(/\{(user|agent|queue)\}/g, (m, k) => ({ user: visible(r.name), agent: r.agent === me.id && r.agentName || me.name, queue: r.queue || '' })[k]);
