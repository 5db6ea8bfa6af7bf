// The supervisor's board, and what the bot is doing.
import { html, useEffect, useState } from './vendor/preact-htm.js';
import { api, boot, can, code, get, me, now, number, t, visible, when } from './base.js';
import { asking, failed, inOrder, link, state, toast, useStore, waits } from './store.js';
import { Avatar, Badge, Clock, Empty, Icon, lazy, Loading, Menu, Name, useTick } from './ui.js';
import { Last } from './inbox.js';
import { range } from './range.js';

const Chat = lazy(() => import('./chat.js'), 'Chat');

export function Board() {
  const s = useStore();
  const [board, setBoard] = useState(null);
  const [at, setAt] = useState(0);
  useEffect(() => {
    const c = new AbortController();
    const read = () => get('board', c.signal).then((b) => { setBoard(b.queues); setAt(now()); }, (e) => e.name !== 'AbortError' && state.live === 'live' && failed(e));
    read();
    const x = setInterval(() => { if (!document.hidden) read(); }, 5000);
    return () => { c.abort(); clearInterval(x); };
  }, []);
  const counts = new Map(s.queues.map((q) => [q.name, q]));
  const team = [...s.team.values()].filter((m) => me.role === 'admin' || m.queues.some((q) => me.queues == null || me.queues.includes(q))).sort((a, b) => (b.there === 'online') - (a.there === 'online') || b.load / (b.seats || 1) - a.load / (a.seats || 1) || a.name.localeCompare(b.name));
  const lines = (board ?? []).map((q) => ({ ...q, ...(counts.get(q.name) ?? { waiting: 0, active: 0, longest: 0 }) }));
  const rows = [...s.rows.values()];
  const late = rows.filter(waits).sort(inOrder);
  const known = s.teamRead || !can('team'); // until then nobody knows that there is nobody
  const online = team.filter((m) => m.there === 'online');
  const sum = (f) => lines.reduce((n, q) => n + f(q), 0);
  const oldest = lines.reduce((n, q) => q.longest && (!n || q.longest < n) ? q.longest : n, 0);
  if (!board) return html`<div class="page"><${Loading} /></div>`;
  return html`<div class="page board"><h1>${t('nav.board')}</h1>
    <div class="cards">
      <${Card} label=${t('board.waiting')} value=${number(sum((q) => q.waiting))} kind=${sum((q) => q.waiting) ? 'amber' : ''} icon="clock" />
      <${Card} label=${t('board.longest')} value=${oldest ? html`<${Clock} since=${oldest} warn=${120000} late=${300000} />` : '–'} icon="warn" />
      <${Card} label=${t('board.active')} value=${number(sum((q) => q.active))} icon="inbox" />
      <${Card} label=${t('board.online')} value=${known ? `${number(online.length)} / ${number(team.length)}` : '–'} icon="user" />
      <${Card} label=${t('board.free')} value=${known ? number(online.reduce((n, m) => n + Math.max(0, m.seats - m.load), 0)) : '–'} icon="check" /></div>
    <section><h2>${t('board.queues')}</h2><div class="tablebox" tabindex="0" role="region" aria-label=${t('board.queues')}><table><thead><tr><th scope="col">${t('queue')}</th><th scope="col" class="num">${t('board.waiting')}</th><th scope="col" class="num">${t('board.longest')}</th><th scope="col">${t('board.estimate')}</th><th scope="col" class="num">${t('board.active')}</th><th scope="col" class="num">${t('board.online')}</th><th scope="col" class="num">${t('board.able')}</th><th scope="col">${t('board.there')}</th></tr></thead>
      <tbody>${lines.map((q) => html`<tr key=${q.name}><th scope="row">${can('answer') ? html`<a href=${link(`?tab=all&queue=${encodeURIComponent(q.name)}`)}>${q.name}</a>` : q.name}${q.style ? html` <span class="chip quiet">${code('style', q.style)}</span>` : ''}</th><td class="num">${number(q.waiting)}</td><td class="num">${q.longest ? html`<${Clock} since=${q.longest} warn=${120000} late=${300000} />` : '–'}</td><td class="nowrap">${q.known ? range(q.p50, q.p90) : q.waiting ? t('unknown') : '–'}</td><td class="num">${number(q.active)}</td><td class="num">${number(q.team)}</td><td class="num">${number(q.free)}</td>
        <td>${!q.open ? html`<${Badge} kind="amber">${q.next ? t('closed.until', { at: when(q.next) }) : t('closed')}</${Badge}>` : q.most && q.waiting >= q.most ? html`<${Badge} kind="red">${t('board.most', { n: q.most })}</${Badge}>` : !q.team ? html`<${Badge} kind=${q.waiting ? 'red' : 'amber'}>${t('board.nobody')}</${Badge}>` : q.waiting && !q.free ? html`<${Badge} kind="amber">${t('board.full')}</${Badge}>` : html`<${Badge} kind="green">${t('ok.state')}</${Badge}>`}</td></tr>`)}</tbody></table></div></section>
    ${can('team') && html`<section><h2>${t('board.agents')}</h2>${!known ? html`<${Loading} />` : team.length ? html`<div class="tablebox" tabindex="0" role="region" aria-label=${t('board.agents')}><table><thead><tr><th scope="col">${t('agent')}</th><th scope="col">${t('board.there')}</th><th scope="col">${t('board.since')}</th><th scope="col">${t('board.load')}</th><th scope="col">${t('board.oldest')}</th>${can('direct') && html`<th scope="col"><span class="hidden">${t('actions')}</span></th>`}</tr></thead><tbody>${team.map((m) => html`<${MemberRow} key=${m.id} m=${m} rows=${rows} />`)}</tbody></table></div>` : html`<p class="muted">${t('board.noteam')}</p>`}</section>`}
    ${can('rows') && html`<section><h2>${t('board.who')}</h2>${late.length ? html`<ul class="rows boxed">${late.slice(0, 20).map((r) => html`<li key=${r.id}><a class="row" href=${link('c/' + r.id)}><${Avatar} name=${r.name} /><span class="what"><span class="first"><${Name} name=${r.name} /><span class="time"><${Clock} since=${r.enqueued || r.created} warn=${120000} late=${300000} /></span></span><${Last} r=${r} /><span class="third">${r.priority > 0 && html`<span class="chip red" title=${t('priority')}>${t('priority.n', { n: r.priority })}</span>`}<span class="chip">${r.queue}</span>${r.asked?.length ? html`<span class="chip quiet">${t('asked', { who: asking(r) })}</span>` : ''}${r.skills?.map((x) => html`<span class="chip quiet">${x.name}</span>`)}</span></span></a></li>`)}</ul>${late.length > 20 && html`<a class="button wide" href=${link('?tab=all')}>${t('more', { n: Math.max(late.length, sum((q) => q.waiting)) - 20 })}</a>`}` : html`<p class="muted">${t('board.nobodywaits')}</p>`}</section>`}
  </div>`;
}

export const Card = ({ label, value, icon, kind = '', hint }) => html`<div class="stat ${kind}"><span class="label"><${Icon} name=${icon} />${label}</span><span class="value">${value}</span>${hint && html`<span class="hint">${hint}</span>`}</div>`;

function MemberRow({ m, rows }) {
  const his = rows.filter((r) => r.agent === m.id && (r.state === 'active' || r.state === 'held'));
  const open = his.filter((r) => r.open).map((r) => r.lastUser).sort()[0];
  const set = async (online) => { try { await api('PUT', `agents/${encodeURIComponent(m.id)}/presence`, { online, activity: online ? '' : 'set_away' }); toast(t('presence.set', { who: m.name })); } catch (e) { failed(e); } };
  return html`<tr><th scope="row"><span class="person"><${Avatar} name=${m.name} small /><${Name} name=${m.name} cell /></span></th><td><span class="presence"><span class="dot ${m.there === 'online' ? 'green' : m.activity ? 'amber' : 'grey'}" aria-hidden="true"></span>${m.there === 'online' ? t('there.online') : m.activity ? t('there.away', { what: code('activity', m.activity) }) : t('there.offline')}</span></td><td>${m.since ? html`<${Clock} since=${m.since} />` : '–'}</td>
    <td><span class="load"><meter min="0" max=${Math.max(1, m.seats)} value=${Math.min(m.load, m.seats)} aria-label=${t('board.load')}></meter><span>${number(m.load)}/${number(m.seats)}</span></span></td><td>${open ? html`<${Clock} since=${open} warn=${60000} late=${180000} />` : '–'}</td>
    ${can('direct') && html`<td class="num">${his.length > 0 && html`<${Menu} label=${t('board.chats', { n: his.length })} text=${t('board.chats', { n: his.length })} items=${his.map((r) => ({ text: visible(r.name), icon: 'eye', act: () => { history.pushState(null, '', link('c/' + r.id)); dispatchEvent(new PopStateEvent('popstate')); } }))} />`}${state.presenceHere !== false && !boot.readOnly && html`<${Menu} icon="more" kind="ghost" label=${t('more.for', { who: m.name })} items=${[{ text: t('presence.away'), act: () => set(false), disabled: m.there !== 'online' }, { text: t('presence.back'), act: () => set(true), disabled: m.there === 'online' }]} />`}</td>`}</tr>`;
}

// Bots are the conversations that the bot has: watched live, silently.
export function Bots({ id }) {
  const s = useStore();
  useTick();
  const rows = [...s.rows.values()].filter((r) => r.state === 'bot').sort((a, b) => (b.lastUser || b.updated) - (a.lastUser || a.updated));
  const chosen = id && (s.rows.get(id)?.state === 'bot');
  return html`<div class="inbox ${id ? 'open' : ''}"><section class="list" aria-label=${t('nav.bots')}><header class="listhead"><h1>${t('nav.bots')}</h1><p class="muted">${t('bots.text')}</p></header>
    ${!s.ready ? html`<${Loading} />` : !rows.length ? html`<${Empty} icon="bot" title=${t('empty.bots')} text=${t('empty.bots.text')} />` : html`<div class="scroll"><ul class="rows" aria-label=${t('nav.bots')}>${rows.slice(0, 200).map((r) => html`<li key=${r.id}><a class="row ${r.id === id ? 'chosen' : ''}" href=${link(`bots?c=${encodeURIComponent(r.id)}`)} aria-current=${r.id === id ? 'true' : undefined}><${Avatar} name=${r.name} /><span class="what"><span class="first"><${Name} name=${r.name} /><span class="time clock">${when(r.lastUser || r.updated)}</span></span><${Last} r=${r} /><span class="third">${r.open > 0 && html`<span class="chip amber">${t('bots.open')}</span>`}${r.channel && html`<span class="chip quiet">${r.channel}</span>`}</span></span></a></li>`)}</ul></div>`}</section>
    ${id ? html`<${Chat} key=${id} id=${id} />` : html`<section class="pane none"><${Empty} icon="eye" title=${t('bots.none')} text=${t('watch.bot')} /></section>`}</div>`;
}
