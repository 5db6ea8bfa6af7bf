// Conversations that are over, in the inbox's list.
import { html, useEffect, useRef, useState } from './vendor/preact-htm.js';
import { code, t, when } from './base.js';
import { changed, failed, link, state } from './store.js';
import { Avatar, Button, Empty, Icon, Loading, Name } from './ui.js';
import { Outcome, past } from './outcome.js';

export function Closed({ id, text, queue }) {
  const [list, setList] = useState(null);
  const [next, setNext] = useState('');
  const own = useRef(null); // what is read ends with what it is read for
  const load = (before, signal) => past(new URLSearchParams({ ...(queue ? { queue } : {}), ...(text ? { text } : {}) }), signal, before);
  useEffect(() => {
    const c = new AbortController();
    own.current = c.signal;
    load('', c.signal).then((r) => { setList(r.rows); setNext(r.next); }, (e) => { if (e.name !== 'AbortError') { failed(e); setList([]); } });
    return () => c.abort();
  }, [text, queue]);
  useEffect(() => { if (list && text) { state.status = t(list.length ? 'shown' : 'empty.filtered', { n: list.length }); changed(); } }, [list]);
  if (!list) return html`<${Loading} />`;
  if (!list.length) return html`<${Empty} icon="history" title=${t(text || queue ? 'empty.filtered' : 'empty.closed')} text=${!text && !queue && t('empty.closed.text')} />`;
  return html`<div class="scroll"><ul class="rows" aria-label=${t('tab.closed')}>${list.map((x) => state.rows.get(x.id) ?? x).map((r) => html`<li key=${r.id}><a class="row ${r.id === id ? 'chosen' : ''}" href=${link(`c/${r.id}?tab=closed`)} aria-current=${r.id === id ? 'true' : undefined}>
    <${Avatar} name=${r.name} /><span class="what"><span class="first"><${Name} name=${r.name} /><span class="time clock">${when(r.ended || r.updated)}</span></span>
    <span class="second"><bdi>${[r.closing, r.agent && (r.agentName || r.agent)].filter(Boolean).join(' · ') || code('reason', r.reason)}</bdi></span><span class="third all">${r.queue && html`<span class="chip">${r.queue}</span>`}<${Outcome} r=${r} />${r.score ? html`<span class="chip quiet"><${Icon} name="star" />${r.score}/5</span>` : ''}</span></span></a></li>`)}</ul>
    ${next && html`<${Button} kind="wide" onClick=${async () => { try { const r = await load(next, own.current); setList([...list, ...r.rows]); setNext(r.next); } catch (e) { failed(e); } }}>${t('older')}</${Button}>`}</div>`;
}
