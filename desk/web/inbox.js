// The inbox: lists on one side, the conversation beside it.
import { html, useEffect, useRef, useState } from './vendor/preact-htm.js';
import { act, boot, can, code, get, now, number, t, when } from './base.js';
import { apply, asking, failed, go, inOrder, isMine, leaving, link, mine, offers, state, toast, unread, useStore, waiting, waits, waitingShown } from './store.js';
import { Avatar, Button, Clock, Countdown, Empty, Icon, lazy, Loading, Menu, Name, once, useTick } from './ui.js';

const Chat = lazy(() => import('./chat.js'), 'Chat'), Closed = lazy(() => import('./closed.js'), 'Closed'), LostCard = lazy(() => import('./lost.js'), 'LostCard', true);
const page = 200;

export function Inbox({ id }) {
  return html`<div class="inbox ${id ? 'open' : ''}">
    <section class="list" aria-label=${t('nav.inbox')}><${Lists} id=${id} /></section>
    ${id ? html`<${Chat} key=${id} id=${id} />` : html`<section class="pane none"><${Empty} icon="inbox" title=${t('inbox.none')} text=${(state.query.get('tab') || 'new') === 'new' && t('inbox.none.text')} /></section>`}
  </div>`;
}

// Orders are the server's.
const since = (r) => r.enqueued || r.created;
const orders = { longest: (a, b) => since(a) - since(b), newest: (a, b) => since(b) - since(a), priority: inOrder };

function Lists({ id }) {
  const s = useStore();
  const q = s.query;
  const tab = q.get('tab') || (can('answer') ? 'new' : 'all');
  const queue = q.get('queue') || '';
  const sort = orders[q.get('sort')] ? q.get('sort') : 'longest';
  const text = (q.get('q') || '').toLowerCase();
  const to = (change) => {
    const n = new URLSearchParams(q);
    for (const [k, v] of Object.entries(change)) if (v) n.set(k, v); else n.delete(k);
    return s.path + (n.size ? '?' + n : '');
  };
  const own = mine(), fresh = waiting(); // both have their number on the tab
  const everything = () => [...s.rows.values()].filter((r) => r.state !== 'ended' && r.state !== 'bot').sort(inOrder);
  const tabs = [can('answer') && ['new', t('tab.new'), waitingShown(fresh)], can('work') && ['mine', t('tab.mine'), own.length], can('rows') && ['all', t('tab.all'), 0], can('past') && ['closed', t('tab.closed'), 0]].filter(Boolean);
  let rows = { new: () => fresh, mine: () => own, all: everything }[tab]?.() ?? [];
  if (queue) rows = rows.filter((r) => r.queue === queue);
  if (text) rows = rows.filter((r) => [r.name, r.last?.text, r.agentName, ...(r.tags || []), ...(r.skills || []).map((x) => x.name)].some((x) => x && String(x).toLowerCase().includes(text)));
  if (tab !== 'mine') rows = [...rows].sort(orders[sort]);
  return html`${!id && html`<h1 class="hidden">${t('nav.inbox')}</h1>`}<nav class="tabs" aria-label=${t('inbox.lists')}>${tabs.map(([name, label, n]) => html`<a href=${link(to({ tab: name }))} aria-current=${tab === name ? 'page' : undefined}>${label}${n ? html` <span class="count">${number(n)}</span>` : ''}</a>`)}</nav>
  <div class="filters">
    <label class="search"><${Icon} name="search" /><span class="hidden">${t('filter')}</span><input type="search" placeholder=${t('filter')} value=${q.get('q') || ''} onInput=${(e) => go(to({ q: e.target.value }), { replace: true })} /></label>
    <${Menu} label=${t('sort')} kind="ghost" icon="more" items=${[
      ...['longest', 'newest', 'priority'].map((k) => ({ text: t('sort.' + k), checked: sort === k, act: () => go(to({ sort: k === 'longest' ? '' : k }), { replace: true }) })),
      boot.queues.length > 1 && { line: true },
      ...(boot.queues.length > 1 ? ['', ...boot.queues].map((k) => ({ text: k || t('queue.all'), checked: queue === k, act: () => go(to({ queue: k }), { replace: true }) })) : []),
    ]} />
  </div>
  ${s.lost.length > 0 && html`<${LostCard} />`}
  ${tab === 'closed' ? html`<${Closed} id=${id} text=${text} queue=${queue} />` : html`<${Rows} rows=${rows} id=${id} tab=${tab} filtered=${Boolean(queue || text)} query=${q} ask=${{ list: tab, queue, q: text, sort }} />`}`;
}

function Rows({ rows, id, tab, filtered, query, ask }) {
  const [most, setMost] = useState(page);
  const [part, setPart] = useState(null); // of a list that is longer than what a page begins with, how far it is read
  const list = useRef(null), own = useRef(null); // what is read ends with what it is read for
  const mineToAnswer = tab === 'new' || tab === 'mine' ? offers() : []; // they run out, wherever one looks
  useTick(mineToAnswer.length > 0);
  const rest = rows.filter((r) => !mineToAnswer.includes(r));
  const search = query.size ? '?' + query : '', day = new Date(now()).toDateString();
  const read = async (after) => {
    try {
      const r = await get('handoffs?' + new URLSearchParams({ ...ask, after }), own.current.signal);
      apply('rows', r, true);
      setPart({ next: r.next, last: r.rows.at(-1), total: r.total });
      setMost(after ? most + page : page);
    } catch (e) { failed(e); }
  };
  const { next } = state, long = tab === 'all' ? next.new || next.others : next[tab];
  useEffect(() => {
    setPart(null);
    if (!long) return undefined;
    own.current = new AbortController();
    const x = setTimeout(read, ask.q && 300, '');
    return () => { clearTimeout(x); own.current.abort(); };
  }, [JSON.stringify(ask), next]);
  useKeepFocus(list, rest);
  // Behind what was read there is a hole before what else is known.
  const known = part?.next ? rest.filter((r) => orders[ask.sort](r, part.last) <= 0) : rest, shown = known.slice(0, most);
  const total = Math.max(rest.length, tab === 'new' && !filtered ? waitingShown(rest) - mineToAnswer.length : part?.total ?? 0);
  const more = () => (known.length > most || !part?.next ? setMost(most + page) : read(part.next));
  if (!state.ready) return html`<${Loading} />`;
  const move = (e) => {
    if (e.key !== 'ArrowDown' && e.key !== 'ArrowUp') return;
    const links = [...list.current.querySelectorAll('a.row')];
    const at = links.indexOf(document.activeElement);
    const to = links[at + (e.key === 'ArrowDown' ? 1 : -1)];
    if (to) { e.preventDefault(); to.focus(); }
  };
  return html`<div class="scroll">
    ${mineToAnswer.length > 0 && html`<ul class="offers" aria-label=${t('offers')}>${mineToAnswer.map((r) => html`<${OfferCard} key=${r.id} r=${r} id=${id} />`)}</ul>`}
    ${rest.length === 0 && mineToAnswer.length === 0 ? html`<${Empty} icon=${tab === 'mine' ? 'user' : 'check'} title=${t(filtered ? 'empty.filtered' : 'empty.' + tab)} text=${filtered ? '' : t(`empty.${tab}.text`)} />`
    : html`<ul class="rows" ref=${list} onKeyDown=${move} aria-label=${t('tab.' + tab)}>${shown.map((r) => html`<${Row} key=${r.id} r=${r} chosen=${r.id === id} unread=${unread(r)} search=${search} quiet=${r.quiet > now()} day=${day} />`)}</ul>
      ${total > shown.length && html`<${Button} kind="wide" onClick=${more}>${t('more', { n: total - shown.length })}</${Button}>`}`}
  </div>`;
}

// useKeepFocus gives the focus to the next row when the focused one goes.
function useKeepFocus(list, rows) {
  const last = useRef({ id: '', at: 0 });
  useEffect(() => {
    const a = document.activeElement;
    if (list.current?.contains(a)) {
      const links = [...list.current.querySelectorAll('a.row')];
      last.current = { id: a.dataset.id, at: links.indexOf(a) };
    } else if (last.current.id && a === document.body && !rows.some((r) => r.id === last.current.id)) {
      const links = list.current?.querySelectorAll('a.row') ?? [];
      links[Math.min(last.current.at, links.length - 1)]?.focus();
    } else last.current = { id: '', at: 0 };
  });
}

const waitWarn = 120000, waitLate = 300000;

// Row is made anew when what it shows changes, and not with every event of the
// page: 200 of them would keep a key waiting.
const Row = once((p) => [p.r, p.chosen, p.unread, p.search, p.quiet, p.day, asking(p.r)], rowOf);
// Last is what was said last, and by whom, if not by the user.
export function Last({ r }) {
  const who = r.last?.text ? (r.last.note ? t('note') : r.last.role === 'user' ? '' : r.last.role === 'bot' ? t('role.bot') : r.last.name || t('role.agent')) : '';
  return html`<span class="second">${who && html`<span class="who"><bdi>${who}</bdi>${t('colon')}</span>`}<bdi>${r.last?.text ? r.last.text : r.can?.includes('read') ? code('reason', r.reason) : r.agentName ? t('with', { who: r.agentName }) : code('state', r.state)}</bdi></span>`;
}
function rowOf({ r, chosen, unread: isNew, search, quiet }) {
  const wait = waits(r);
  const since = wait ? r.enqueued || r.created : r.open ? r.lastUser : 0;
  return html`<li><a class="row ${chosen ? 'chosen' : ''} ${isNew ? 'unread' : ''}" data-id=${r.id} href=${link(`c/${r.id}${search}`)} aria-current=${chosen ? 'true' : undefined}>
    <${Avatar} name=${r.name} />
    <span class="what">
      <span class="first"><${Name} name=${r.name} />${isNew && html`<span class="newdot"><span class="hidden">${t('unread')}</span></span>`}
        <span class="time">${since ? html`<${Clock} since=${since} warn=${waitWarn} late=${waitLate} label=${wait ? t('waiting') : t('unanswered')} />` : html`<span class="clock">${when(r.lastSaid || r.lastUser || r.joined || r.created)}</span>`}</span></span>
      <${Last} r=${r} />
      <span class="third">${r.priority > 0 && html`<span class="chip red" title=${t('priority')}>${t('priority.n', { n: r.priority })}</span>`}${r.queue && html`<span class="chip">${r.queue}</span>`}${!wait && r.agent && !isMine(r) && html`<span class="chip quiet">${r.agentName || r.agent}</span>`}${r.state === 'offered' && !r.offer && html`<span class="chip quiet">${t('asked', { who: asking(r) })}</span>`}${r.state === 'held' && html`<span class="chip amber"><${Icon} name="pause" />${t('state.held')}</span>`}${quiet && html`<span class="chip amber"><${Icon} name="clock" />${t('quiet')}</span>`}${r.state === 'wrapup' && html`<span class="chip amber">${t('state.wrapup')}</span>`}${r.video && html`<span class="chip quiet"><${Icon} name="video" />${t('video')}</span>`}${r.channel && html`<span class="chip quiet">${r.channel}</span>`}${(r.tags || []).slice(0, 3).map((x) => html`<span class="chip tag">${x}</span>`)}</span>
    </span></a></li>`;
}

export async function accept(r, tab = true) {
  const at = location.href;
  try {
    const got = await act(r.id, 'accept', { offer: r.offer?.number || 0 });
    if (got) apply('rows', { rows: [got] });
    if (location.href === at) go(`c/${r.id}?tab=mine`); // else the agent has gone elsewhere meanwhile
    return true;
  } catch (e) {
    failed(e);
    if (e.body?.current) { apply('rows', { rows: [e.body.current] }); }
    if (e.status === 404) { state.rows.delete(r.id); go(state.path + location.search, { replace: true }); }
    return false;
  }
}
export async function decline(r, why) {
  leaving(r.id);
  try { await act(r.id, 'decline', { offer: r.offer.number, why }); toast(t('declined')); } catch (e) { failed(e); }
}
export const declineItems = (r) => ['busy', 'skill', 'break', ''].map((k) => ({ text: k ? t('decline.' + k) : t('decline.other'), act: () => decline(r, k ? t('decline.' + k) : '') }));

function OfferCard({ r, id }) {
  useTick();
  if (r.offer.until <= now()) return null;
  return html`<li class="offer ${r.id === id ? 'chosen' : ''}">
    <div class="first"><${Icon} name="bell" /><strong>${t(r.offer.warm ? 'offer.warm' : 'offer')}</strong><span class="time"><${Countdown} until=${r.offer.until} /></span></div>
    <a class="row plain" data-id=${r.id} href=${link(`c/${r.id}`)}><${Avatar} name=${r.name} /><span class="what"><span class="first"><${Name} name=${r.name} /></span><${Last} r=${r} /></span></a>
    <div class="third">${r.queue && html`<span class="chip">${r.queue}</span>`}${r.video && html`<span class="chip quiet"><${Icon} name="video" />${t('video')}</span>`}</div>
    <div class="buttons"><${Button} kind="primary" icon="check" disabled=${boot.readOnly} onClick=${() => accept(r)}>${t('accept')}</${Button}><${Menu} label=${t('decline')} text=${t('decline')} align="start" items=${declineItems(r)} /></div>
  </li>`;
}
