// What is known beside what was said.
import { html, useEffect, useRef, useState } from './vendor/preact-htm.js';
import { act, boot, code, get, spoken, t, visible } from './base.js';
import { apply, failed, toast } from './store.js';
import { Badge, Button, Icon, Name } from './ui.js';
import { useLoad } from './forms.js';
import { Out } from './text.js';

const atFull = (ms) => new Intl.DateTimeFormat(boot.language, { dateStyle: 'medium', timeStyle: 'short' }).format(ms);
const Row = ({ label, children }) => children === undefined || children === '' || children === null || children === false ? null : html`<div><dt>${label}</dt><dd>${children}</dd></div>`;
const Copy = ({ text }) => html`<button type="button" class="copy" onClick=${() => navigator.clipboard?.writeText(text).then(() => toast(t('copied')), () => {})}><bdi>${visible(text)}</bdi><${Icon} name="copy" label=${t('copy')} /></button>`;

export function Details({ r, one, close }) {
  const u = one.user ?? {};
  const box = useRef(null);
  useEffect(() => { if (!matchMedia('(min-width: 72rem)').matches) box.current?.focus(); }, []);
  const s = one.stretch;
  return html`<aside class="details" aria-label=${t('details')} ref=${box} tabindex="-1" onKeyDown=${(e) => { if (e.key === 'Escape' && !matchMedia('(min-width: 72rem)').matches) close(); }}>
    <header><h2>${t('details')}</h2><${Button} icon="close" kind="ghost" label=${t('close')} onClick=${close} /></header>
    <section><h3>${t('details.user')}</h3><dl>
      <${Row} label=${t('name')}>${u.name && html`<${Name} name=${u.name} />`}</${Row}>
      <${Row} label=${t('details.id')}>${u.id && html`<${Copy} text=${u.id} />`}</${Row}>
      <${Row} label=${t('mail')}>${u.mail && html`<bdi>${visible(u.mail)}</bdi>${u.verified && html` <${Badge} kind="green">${t('verified')}</${Badge}>`}`}</${Row}>
      <${Row} label=${t('phone')}>${u.phone && html`<bdi dir="ltr">${visible(u.phone)}</bdi>`}</${Row}>
      ${Object.entries(u.attributes ?? {}).map(([k, v]) => html`<${Row} label=${visible(k)}><bdi>${visible(v)}</bdi></${Row}>`)}
      <${Row} label=${t('language')}>${r.language}</${Row}><${Row} label=${t('channel')}>${r.channel && visible(r.channel)}</${Row}>
      <${Row} label=${t('page')}>${one.url && html`<${Out} href=${one.url} text=${one.url} />`}</${Row}></dl></section>
    ${r.state === 'bot' && !one.summary && html`<${Sum} r=${r} />`}<${Request} r=${r} one=${one} />
    <${Tags} r=${r} />
    <${Contact} r=${r} />
    <section><h3>${t('details.handoff')}</h3><dl>
      <${Row} label=${t('details.id')}><${Copy} text=${`${one.conversation}#${one.number}`} /></${Row}>
      <${Row} label=${t('state')}>${code('state', r.state)}${r.outcome ? ' · ' + code('outcome', r.outcome) : ''}</${Row}>
      <${Row} label=${t('queue')}>${r.queue}</${Row}><${Row} label=${t('agent')}>${r.agentName || r.agent}</${Row}><${Row} label=${t('platform')}>${r.provider}</${Row}>
      <${Row} label=${t('created')}>${atFull(r.created)}</${Row}><${Row} label=${t('wait')}>${s.wait ? spoken(s.wait) : ''}</${Row}><${Row} label=${t('first.reply')}>${s.first ? spoken(s.first) : ''}</${Row}>
      <${Row} label=${t('handled')}>${s.human ? spoken(s.human) : ''}</${Row}><${Row} label=${t('transfers')}>${s.transfers || ''}</${Row}><${Row} label=${t('closing')}>${r.closing && visible(r.closing)}</${Row}>
      <${Row} label=${t('rating')}>${one.rating && html`<span aria-label=${t('stars', { n: one.rating.score })}>${'★'.repeat(one.rating.score)}${'☆'.repeat(5 - one.rating.score)}</span>${one.rating.comment && html` <bdi>${visible(one.rating.comment)}</bdi>`}`}</${Row}></dl></section>
  </aside>`;
}

// Sum says what a conversation with the bot is about, when asked.
function Sum({ r }) {
  const [text, setText] = useState('');
  return text ? html`<section><p class="summary"><bdi>${visible(text)}</bdi></p></section>` : html`<section><${Button} icon="note" onClick=${() => get(`handoffs/${r.id}/summary`).then((x) => setText(x.summary || '–'), failed)}>${t('sum')}</${Button}></section>`;
}

function Request({ r, one }) {
  const answers = [...Object.entries(one.answers ?? {}), ...Object.entries(one.data ?? {})];
  if (!r.reason && !answers.length && !r.question && !one.summary && !r.skills?.length && !r.flags?.length) return null;
  return html`<section><h3>${t('details.request')}</h3>${one.summary && html`<p class="summary"><bdi>${visible(one.summary)}</bdi></p>`}<dl>
    <${Row} label=${t('reason')}>${code('reason', r.reason)}</${Row}>
    ${answers.map(([k, v]) => html`<${Row} label=${visible(one.labels[k] ?? k)}><bdi>${visible(v)}</bdi></${Row}>`)}
    <${Row} label=${visible(r.question)}>${r.question && html`<span class="muted">${t('question.open')}</span>`}</${Row}>
    <${Row} label=${t('skills')}>${r.skills?.map((x) => html`<span class="chip">${x.name}${x.level ? ' ' + x.level : ''}</span>`)}</${Row}>
    <${Row} label=${t('flags')}>${r.flags?.map((x) => html`<span class="chip amber">${visible(x)}</span>`)}</${Row}></dl></section>`;
}

function Tags({ r }) {
  const [text, setText] = useState('');
  const may = r.can?.includes('note') && !boot.readOnly;
  const input = useRef(null);
  const change = async (add, remove) => { try { const got = await act(r.id, 'tags', { add, remove }); if (got) apply('rows', { rows: [got] }); } catch (e) { failed(e); } };
  const tags = r.tags ?? [];
  if (!may && !tags.length) return null;
  const rest = (boot.tags ?? []).filter((x) => !tags.includes(x));
  return html`<section><h3>${t('tags')}</h3><div class="tagline">${tags.map((x) => html`<span class="chip tag" key=${x}>${visible(x)}${may && html`<button type="button" aria-label=${t('tag.remove', { tag: visible(x) })} onClick=${() => { input.current.focus(); change([], [x]); }}><${Icon} name="close" /></button>`}</span>`)}</div>
    ${may && html`<form onSubmit=${(e) => { e.preventDefault(); const v = text.trim(); if (v && !tags.includes(v)) change([v], []); setText(''); }}><input ref=${input} list="tags" value=${text} maxlength="60" aria-label=${t('tag.add')} placeholder=${t('tag.add')} onInput=${(e) => setText(e.target.value)} /><datalist id="tags">${rest.map((x) => html`<option value=${x} />`)}</datalist></form>`}</section>`;
}

function Contact({ r }) {
  const { data, error } = useLoad((s) => get(`handoffs/${r.id}/contact`, s), [r.id]);
  if (error) return html`<section><h3>${t('customer')}</h3><p class="muted"><${Icon} name="warn" /> ${t('error.contact')}</p></section>`;
  if (!data?.customers.length) return null;
  return data.customers.map((c) => html`<section key=${c.source + c.id}><h3>${t('customer')}${c.source ? html` <span class="chip quiet">${visible(c.source)}</span>` : ''}</h3><dl>
    <${Row} label=${t('name')}>${c.name && html`<${Name} name=${c.name} />`}</${Row}><${Row} label=${t('mail')}>${c.mail && html`<bdi>${visible(c.mail)}</bdi>`}</${Row}><${Row} label=${t('phone')}>${c.phone && html`<bdi dir="ltr">${visible(c.phone)}</bdi>`}</${Row}>
    ${c.fields?.map((f) => html`<${Row} label=${visible(f.label)}><bdi>${visible(f.value)}</bdi></${Row}>`)}
    <${Row} label=${t('record')}>${c.url && html`<${Out} href=${c.url} text=${visible(c.id)} />`}</${Row}></dl></section>`);
}
