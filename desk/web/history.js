// What is over: search, open, take away.
import { html, useEffect, useState } from './vendor/preact-htm.js';
import { boot, can, code, root, spoken, t, visible, when } from './base.js';
import { changed, failed, go, link, useStore } from './store.js';
import { Avatar, Button, Empty, Icon, Loading, Name } from './ui.js';
import { Field, useLoad } from './forms.js';
import { Outcome, past } from './outcome.js';

export const outcomes = ['resolved', 'returned', 'cancelled', 'abandoned', 'missed', 'unavailable', 'idle', 'failed', 'contained', 'handed'];
export const dateOf = (ms) => { const d = new Date(ms); return new Date(d.getTime() - d.getTimezoneOffset() * 60000).toISOString().slice(0, 10); };
const startOf = (s) => s ? new Date(s + 'T00:00').getTime() : 0;
export const range = (q) => ({ from: q.get('from') || dateOf(Date.now() - 29 * 86400000), to: q.get('to') || dateOf(Date.now()) });
// filterOf turns the page's address into the API's.
export function filterOf(q) {
  const { from, to } = range(q);
  const out = new URLSearchParams();
  for (const k of ['outcome', 'queue', 'agent', 'tag', 'text']) if (q.get(k)) out.set(k === 'outcome' && ['left', 'open'].includes(q.get(k)) ? 'left' : k, q.get(k));
  if (startOf(from)) out.set('from', startOf(from));
  if (startOf(to)) { const d = new Date(startOf(to)); d.setDate(d.getDate() + 1); out.set('to', d.getTime()); }
  out.set('zone', Intl.DateTimeFormat().resolvedOptions().timeZone);
  return out;
}

// Word is a field whose text is half written until it counts: what else happens leaves it alone.
function Word({ value, ...rest }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  return html`<input value=${text} onInput=${(e) => setText(e.target.value)} ...${rest} />`;
}

export function Filters({ q, to, fields }) {
  const s = useStore();
  const r = range(q);
  const set = (k) => (e) => to({ [k]: e.target.value });
  return html`<div class="filterbar" role="search">
    <${Field} label=${t('from')}><${Word} type="date" value=${r.from} max=${r.to} onChange=${set('from')} /></${Field}><${Field} label=${t('to')}><${Word} type="date" value=${r.to} min=${r.from} onChange=${set('to')} /></${Field}>
    ${fields.includes('outcome') && html`<${Field} label=${t('outcome')}><select value=${q.get('outcome') || ''} onChange=${set('outcome')}><option value="">${t('all')}</option>${outcomes.map((o) => html`<option value=${o}>${code('outcome', o)}</option>`)}<option value="left">${t('left')}</option><option value="open">${t('left.open')}</option></select></${Field}>`}
    ${boot.queues.length > 1 && html`<${Field} label=${t('queue')}><select value=${q.get('queue') || ''} onChange=${set('queue')}><option value="">${t('all')}</option>${boot.queues.map((o) => html`<option value=${o}>${o}</option>`)}</select></${Field}>`}
    ${can('team') && html`<${Field} label=${t('agent')}><select value=${q.get('agent') || ''} onChange=${set('agent')}><option value="">${t('all')}</option>${[...s.team.values()].map((m) => html`<option value=${m.id}>${m.name}</option>`)}</select></${Field}>`}
    ${fields.includes('tag') && html`<${Field} label=${t('tag')}><${Word} value=${q.get('tag') || ''} maxlength="60" onChange=${set('tag')} /></${Field}>`}
    ${fields.includes('text') && html`<${Field} label=${t('search')}><${Word} type="search" value=${q.get('text') || ''} maxlength="200" placeholder=${t('search.hint')} onChange=${set('text')} /></${Field}>`}
  </div>`;
}

export const setQuery = (q, path) => (change) => {
  const n = new URLSearchParams(q);
  for (const [k, v] of Object.entries(change)) if (v) n.set(k, v); else n.delete(k);
  go(path + (n.size ? '?' + n : ''), { replace: true });
};

export function History() {
  const s = useStore();
  const q = s.query;
  const key = filterOf(q).toString();
  const { data, error, loading, signal } = useLoad((x) => past(filterOf(q), x), [key]);
  const [more, setMore] = useState({ rows: [] }); // older ones than those of data
  const extra = more.of === data ? more : { rows: [], next: data?.next };
  const rows = [...(data?.rows ?? []), ...extra.rows];
  const found = data && !loading ? t(rows.length ? 'shown' : 'empty.history', { n: rows.length }) : '';
  useEffect(() => { if (found) { s.status = found; changed(); } }, [found]);
  const older = async () => { try { const r = await past(filterOf(q), signal, extra.next); setMore({ of: data, rows: [...extra.rows, ...r.rows], next: r.next }); } catch (e) { failed(e); } };
  return html`<div class="page"><header class="pagehead"><h1>${t('nav.history')}</h1>${can('export') && html`<div class="buttons">
      <a class="button" download href=${new URL('api/export/csv?' + key, root).href}><${Icon} name="down" /><span>CSV</span></a><a class="button" download href=${new URL('api/export/ndjson?' + key, root).href}><${Icon} name="down" /><span>NDJSON</span></a><a class="button" download href=${new URL('api/export/html?' + key, root).href}><${Icon} name="down" /><span>HTML</span></a></div>`}</header>
    <${Filters} q=${q} to=${setQuery(q, 'history')} fields=${['outcome', 'tag', 'text']} />
    ${loading ? html`<${Loading} />` : error ? html`<${Empty} icon="warn" title=${t('error.title')} text=${error.words} />` : !rows.length ? html`<${Empty} icon="history" title=${t('empty.history')} text=${t('empty.history.text')} />` : html`<div class="tablebox" tabindex="0" role="region" aria-label=${t('nav.history')}><table class="click"><thead><tr><th scope="col">${t('when')}</th><th scope="col">${t('customer')}</th><th scope="col">${t('queue')}</th><th scope="col">${t('agent')}</th><th scope="col" class="num">${t('wait')}</th><th scope="col">${t('outcome')}</th><th scope="col">${t('closing')}</th><th scope="col">${t('tags')}</th></tr></thead>
      <tbody>${rows.map((r) => html`<tr key=${r.id}><td class="nowrap">${when(r.created)}</td><th scope="row"><a class="person" href=${link('c/' + r.id + '?tab=closed')}><${Avatar} name=${r.name} small /><${Name} name=${r.name} cell /></a></th><td>${r.queue || '–'}</td><td>${r.agent ? html`<${Name} name=${s.team.get(r.agent)?.name || r.agentName || r.agent} cell />` : '–'}</td><td class="num nowrap">${r.enqueued ? spoken((r.joined || r.ended || r.updated) - r.enqueued) : '–'}</td><td class="nowrap"><${Outcome} r=${r} />${r.score ? html` <span class="chip quiet"><${Icon} name="star" />${r.score}</span>` : ''}</td><td>${visible(r.closing || '')}</td><td>${(r.tags ?? []).map((x) => html`<span class="chip tag">${visible(x)}</span>`)}</td></tr>`)}</tbody></table></div>
      <p class="muted center">${t('shown', { n: rows.length })}</p>${extra.next && html`<${Button} kind="wide" onClick=${older}>${t('older')}</${Button}>`}`}
  </div>`;
}
