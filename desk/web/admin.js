// What those who manage may change: agents, prepared replies, automations and hours.
import { html, useState } from './vendor/preact-htm.js';
import { api, boot, can, code, get, number, spoken, t, visible, when, wrong } from './base.js';
import { failed, state, toast, useStore } from './store.js';
import { Avatar, Badge, Button, Empty, Icon, Loading, Name } from './ui.js';
import { Dialog, Field, Switch, useEdit, useLoad, useSave, Wrong } from './forms.js';
import { Replies } from './settings.js';

const words = (s) => s.split(/[,\n]/).map((x) => x.trim()).filter(Boolean);

export function Admin() {
  return html`<div class="page"><h1>${t('nav.admin')}</h1>${can('manage') && html`<${Agents} /><${Replies} /><${Rules} /><${Hours} />`}<${Queues} /></div>`;
}

// settled is what pages are told of agents that stands in the Directory: when it
// changes, whoever changed it, the list is read again.
const settled = (team) => JSON.stringify([...team.values()].map(({ there, activity, since, load, ...rest }) => rest).sort((a, b) => (a.id < b.id ? -1 : 1)));

function Agents() {
  const { team } = useStore();
  const [turn, setTurn] = useState(0);
  const [edit, setEdit] = useState(null);
  const { data, error } = useLoad((s) => get('agents', s), [turn, settled(team)]);
  const remove = async (a) => { try { await api('DELETE', 'agents/' + encodeURIComponent(a.id)); setEdit(null); state.team.delete(a.id); setTurn(turn + 1); toast(t('removed', { what: a.name })); } catch (e) { failed(e); } };
  if (error) return html`<${Empty} icon="warn" title=${t('error.title')} text=${error.words} />`;
  return html`<section><header class="pagehead"><h2>${t('admin.agents')}</h2>${data?.writable && html`<${Button} icon="plus" disabled=${boot.readOnly} onClick=${() => setEdit({ id: '', name: '', alias: '', queues: [], skills: {}, seats: 3, fresh: true })}>${t('add')}</${Button}>`}</header>
    ${data && !data.writable && html`<p class="muted"><${Icon} name="info" /> ${t('admin.elsewhere')}</p>`}
    ${!data ? html`<${Loading} />` : html`<div class="tablebox" tabindex="0" role="region" aria-label=${t('admin.agents')}><table><thead><tr><th scope="col">${t('name')}</th><th scope="col">${t('alias')}</th><th scope="col">${t('admin.queues')}</th><th scope="col">${t('skills')}</th><th scope="col" class="num">${t('seats')}</th><th scope="col"><span class="hidden">${t('actions')}</span></th></tr></thead><tbody>${data.agents.map((a) => html`<tr key=${a.id}><th scope="row"><span class="person"><${Avatar} name=${a.name} small /><span><${Name} name=${a.name} cell /><span class="muted line">${visible(a.id)}</span></span></span></th><td>${visible(a.alias || '–')}</td><td>${a.queues.map((q) => html`<span class="chip">${visible(q)}</span>`)}</td><td>${Object.entries(a.skills ?? {}).map(([k, v]) => html`<span class="chip quiet">${visible(k)} ${v}</span>`)}</td><td class="num">${number(a.seats)}</td><td class="num">${data.writable && html`<${Button} kind="ghost" label=${t('edit.who', { who: a.name })} onClick=${() => setEdit(a)}>${t('edit')}</${Button}>`}</td></tr>`)}</tbody></table></div>`}
    ${edit && html`<${AgentDialog} a=${edit} remove=${remove} close=${(saved) => { setEdit(null); if (saved) setTurn(turn + 1); }} />`}</section>`;
}
const skillText = (s) => Object.entries(s ?? {}).map(([k, v]) => `${k} ${v}`).join(', ');
const skillsOf = (s) => Object.fromEntries(s.split(',').map((x) => x.trim()).filter(Boolean).map((x) => { const m = x.match(/^(.*?)\s+(\d+)$/); return m ? [m[1], Number(m[2])] : [x, 1]; }));

function AgentDialog({ a, close, remove }) {
  const [v, setV, again] = useEdit(a, (x) => ({ ...x, skillText: skillText(x.skills), speaks: (x.languages ?? []).join(', ') }));
  const [sure, setSure] = useState(false);
  const set = (k) => (e) => setV({ ...v, [k]: e.target.value });
  const form = useSave(['id', 'name', 'alias', 'queues', 'skills', 'languages', 'seats'], async () => { await api('PUT', 'agents/' + encodeURIComponent(v.id.trim()), { name: v.name.trim(), alias: (v.alias ?? '').trim(), queues: v.queues, skills: skillsOf(v.skillText), languages: words(v.speaks), seats: Number(v.seats), video: Boolean(v.video), was: v.was }); toast(t('saved')); close(true); }, again);
  return html`<${Dialog} title=${a.fresh ? t('admin.add') : t('edit.who', { who: a.name })} close=${() => close(false)}><form ref=${form.form} noValidate onSubmit=${form.submit}>
    ${a.fresh && html`<${Field} form=${form} at="id" label=${t('details.id')} hint=${t('admin.id.hint')}><input required maxlength="100" value=${v.id} onInput=${set('id')} /></${Field}>`}
    <${Field} form=${form} at="name" label=${t('name')}><input required maxlength="100" value=${v.name} onInput=${set('name')} /></${Field}><${Field} form=${form} at="alias" label=${t('alias')} hint=${t('alias.hint')}><input maxlength="100" value=${v.alias ?? ''} onInput=${set('alias')} /></${Field}>
    <fieldset class="checks"><legend>${t('admin.queues')}</legend>${boot.queues.map((q) => html`<label class="check"><input type="checkbox" checked=${v.queues.includes(q)} onChange=${(e) => setV({ ...v, queues: e.target.checked ? [...v.queues, q] : v.queues.filter((x) => x !== q) })} /><span>${q}</span></label>`)}${form.wrong('queues') && html`<${Wrong} alert text=${form.wrong('queues')} />`}</fieldset>
    <${Field} form=${form} at="skills" label=${t('skills')} hint=${t('skills.hint')}><input maxlength="500" value=${v.skillText} onInput=${set('skillText')} /></${Field}><${Field} form=${form} at="languages" label=${t('admin.languages')} hint=${t('admin.languages.hint')}><input maxlength="200" value=${v.speaks} onInput=${set('speaks')} /></${Field}><${Field} form=${form} at="seats" label=${t('seats')} hint=${t('seats.hint')}><input type="number" min="0" max="100" required value=${v.seats} onInput=${set('seats')} /></${Field}>
    <label class="check"><input type="checkbox" checked=${v.video} onChange=${(e) => setV({ ...v, video: e.target.checked })} /><span>${t('video.takes')}</span></label>${form.rest}
    <div class="buttons end">${!a.fresh && html`<${Button} kind="danger" onClick=${() => sure ? remove(a) : setSure(true)}>${t(sure ? 'remove.sure' : 'remove')}</${Button}><span class="grow"></span>`}<${Button} onClick=${() => close(false)}>${t('cancel')}</${Button}><button type="submit" class="button primary"><span>${t('save')}</span></button></div></form></${Dialog}>`;
}

function Queues() {
  const { data, error } = useLoad((s) => get('queues', s), []);
  if (error) return html`<p>${error.words}</p>`;
  if (!data) return html`<${Loading} />`;
  return html`<section><h2>${t('admin.queues')}</h2><p class="muted">${t('admin.queues.text')}</p><div class="grid">${data.queues.map((q) => html`<article class="panel" key=${q.name}><h3>${q.name} ${q.style && html`<span class="chip quiet">${code('style', q.style)}</span>`} <${Badge} kind=${q.open ? 'green' : 'amber'}>${q.open ? t('open') : t('closed')}</${Badge}></h3><dl>
    <div><dt>${t('q.hours')}</dt><dd>${q.hours ? q.next ? t(q.open ? 'q.closes' : 'q.opens', { at: when(q.next) }) : t('q.hours.set') : t('q.always')}</dd></div>
    ${[['offer', q.offer], ['idle', q.idle], ['warning', q.warning], ['hold', q.hold], ['wrapup', q.wrapup], ['grace', q.grace]].map(([k, v]) => html`<div><dt>${t('q.' + k)}</dt><dd>${spoken(v)}</dd></div>`)}
    <div><dt>${t('q.most')}</dt><dd>${q.most ? number(q.most) : t('q.nolimit')}</dd></div><div><dt>${t('q.intake')}</dt><dd>${q.intake ? number(q.intake) : '–'}</dd></div>
    <div><dt>${t('q.ladder')}</dt><dd>${q.ladder.map((r) => html`<span class="line">${spoken(r.after)} – ${code('rung', r.do)} ${r.queue || ''}</span>`)}</dd></div>${q.providers?.length ? html`<div><dt>${t('platform')}</dt><dd>${q.providers.join(', ')}</dd></div>` : ''}</dl></article>`)}</div></section>`;
}

// --- automations ---------------------------------------------------------------------
const kinds = ['requested', 'enqueued', 'alert', 'joined', 'transferred', 'returned', 'ended', 'missed', 'rated'];
const actions = ['tag', 'untag', 'note', 'notice', 'ticket', 'webhook', 'transfer', 'priority'];
const many = new Set(['tag', 'untag']);
const doing = (a) => { const k = actions.find((x) => a[x] !== undefined && a[x] !== null); return { k, v: many.has(k) ? a[k].join(', ') : k === 'transfer' ? a[k].queue || a[k].agent || '' : String(a[k] ?? '') }; };
// A transfer keeps what the page does not show of it.
const action = ({ k, v, was }) => ({ [k]: many.has(k) ? words(v) : k === 'priority' ? Number(v) : k === 'transfer' ? { ...was?.transfer, ...(was?.transfer?.agent ? { agent: v } : { queue: v }) } : v });

function Rules() {
  const { edits } = useStore();
  const [turn, setTurn] = useState(0);
  const [edit, setEdit] = useState(null);
  const { data, error } = useLoad((s) => get('rules', s), [turn, edits.rules]);
  const remove = async (r) => { try { await api('DELETE', 'rules/' + encodeURIComponent(r.name)); setTurn(turn + 1); } catch (e) { failed(e); } };
  if (error) return html`<p>${error.words}</p>`;
  return html`<section class="panel"><header class="pagehead"><h2>${t('rules')}</h2>${data?.writable && html`<${Button} icon="plus" disabled=${boot.readOnly} onClick=${() => setEdit({ name: '', do: [{ tag: [] }], fresh: true })}>${t('add')}</${Button}>`}</header>
    ${!data ? html`<${Loading} />` : !data.rules.length ? html`<p class="muted">${t('rules.empty')}</p>` : html`<ul class="lines">${data.rules.map((r) => html`<li key=${r.name}><span class="grow"><strong>${visible(r.name)}</strong> ${r.off && html`<span class="chip amber">${t('rule.off')}</span>`} ${r.button && html`<span class="chip">${visible(r.button)}</span>`} ${(r.on ?? []).map((k) => html`<span class="chip quiet">${code('on', k)}</span>`)}
      <span class="muted line">${r.do.map(doing).map((d) => `${t('do.' + d.k)}${t('colon')} ${visible(d.v)}`).join(' · ')}</span></span>${r.fixed || !data.writable ? html`<span class="muted">${t('rule.fixed')}</span>` : html`<${Button} kind="ghost" label=${t('edit.who', { who: r.name })} onClick=${() => setEdit(r)}>${t('edit')}</${Button}><${Button} kind="ghost" icon="close" label=${t('remove.what', { what: r.name })} onClick=${() => remove(r)} />`}</li>`)}</ul>`}
    ${data?.left.length > 0 && html`<ul class="lines">${data.left.map((r) => html`<li key=${r.name}><span class="grow"><strong>${visible(r.name)}</strong> <span class="chip amber">${t('rule.left')}</span>
      <span class="muted line">${r.why.map((w) => `${w.field}${t('colon')} ${wrong(w)}`).join(' · ')}</span></span>${!r.fixed && data.writable && html`<${Button} kind="ghost" icon="close" label=${t('remove.what', { what: r.name })} onClick=${() => remove(r)} />`}</li>`)}</ul>`}
    ${edit && html`<${RuleDialog} r=${edit} close=${(saved) => { setEdit(null); if (saved) setTurn(turn + 1); }} />`}</section>`;
}

function RuleDialog({ r, close }) {
  const [v, setV, again] = useEdit(r, (r) => ({ name: r.name, button: r.button ?? '', on: r.on ?? [], off: Boolean(r.off), queues: r.if?.queues ?? [], tags: (r.if?.tags ?? []).join(', '), no: (r.if?.no_tags ?? []).join(', '), list: r.do.map((a) => ({ ...doing(a), was: a })) }));
  const set = (k) => (e) => setV({ ...v, [k]: e.target.value });
  const flip = (k, x) => (e) => setV({ ...v, [k]: e.target.checked ? [...v[k], x] : v[k].filter((y) => y !== x) });
  const change = (i, c) => setV({ ...v, list: v.list.map((x, j) => j === i ? { ...x, ...c } : x) });
  const form = useSave([...v.list.map((_, i) => `do.${i}`), 'do', 'name', 'button', 'on', 'queues', 'tags', 'notags'], async () => {
    const { fresh, fixed, ...rest } = v.was ?? r;
    await api('PUT', 'rules/' + encodeURIComponent(v.name.trim()), { ...rest, button: v.button.trim(), on: v.on, off: v.off, if: { ...rest.if, queues: v.queues, tags: words(v.tags), no_tags: words(v.no) }, do: v.list.map(action), was: v.was }); toast(t('saved')); close(true);
  }, again);
  const wrong = (k) => form.wrong(k) && html`<${Wrong} alert text=${form.wrong(k)} />`;
  const other = (r.on ?? []).filter((k) => !kinds.includes(k));
  return html`<${Dialog} wide title=${r.fresh ? t('rule.add') : t('edit.who', { who: r.name })} close=${() => close(false)}><form ref=${form.form} noValidate onSubmit=${form.submit}>
    <${Field} form=${form} at="name" label=${t('name')}><input required maxlength="100" pattern="[^\\/]+" value=${v.name} disabled=${!r.fresh} onInput=${set('name')} /></${Field}>
    <${Field} form=${form} at="button" label=${t('rule.button')} hint=${t('rule.button.hint')}><input maxlength="60" value=${v.button} onInput=${set('button')} /></${Field}>
    <fieldset class="checks"><legend>${t('rule.on')}</legend>${[...kinds, ...other].map((k) => html`<label class="check"><input type="checkbox" checked=${v.on.includes(k)} onChange=${flip('on', k)} /><span>${code('on', k)}</span></label>`)}${wrong('on')}</fieldset>
    ${boot.queues.length > 1 && html`<fieldset class="checks"><legend>${t('rule.queues')}</legend>${boot.queues.map((q) => html`<label class="check"><input type="checkbox" checked=${v.queues.includes(q)} onChange=${flip('queues', q)} /><span>${q}</span></label>`)}${wrong('queues')}</fieldset>`}
    <${Field} form=${form} at="tags" label=${t('rule.tags')} hint=${t('commas')}><input maxlength="500" value=${v.tags} onInput=${set('tags')} /></${Field}><${Field} form=${form} at="notags" label=${t('rule.notags')} hint=${t('commas')}><input maxlength="500" value=${v.no} onInput=${set('no')} /></${Field}>
    <fieldset class="actions"><legend>${t('rule.do')}</legend>${v.list.map((a, i) => html`<div class="buttons" key=${i} data-at=${'do.' + i}><select aria-label=${t('rule.do')} aria-invalid=${form.wrong('do.' + i) && 'true'} value=${a.k} onChange=${(e) => change(i, { k: e.target.value, v: '', was: null })}>${actions.map((k) => html`<option value=${k}>${t('do.' + k)}</option>`)}</select>
      ${a.k === 'transfer' && !a.was?.transfer?.agent ? html`<select required aria-invalid=${form.wrong('do.' + i) && 'true'} aria-label=${t('queue')} value=${a.v} onChange=${(e) => change(i, { v: e.target.value })}><option value="">${t('choose')}</option>${boot.queues.map((q) => html`<option value=${q}>${q}</option>`)}</select>` : html`<input class="grow" required aria-invalid=${form.wrong('do.' + i) && 'true'} type=${a.k === 'priority' ? 'number' : a.k === 'webhook' ? 'url' : 'text'} maxlength="2000" aria-label=${t('do.' + a.k)} value=${a.v} onInput=${(e) => change(i, { v: e.target.value })} />`}
      ${v.list.length > 1 && html`<${Button} kind="ghost" icon="close" label=${t('remove')} onClick=${() => setV({ ...v, list: v.list.filter((x, j) => j !== i) })} />`}${wrong('do.' + i)}</div>`)}${wrong('do')}
      <${Button} kind="ghost" icon="plus" onClick=${() => setV({ ...v, list: [...v.list, { k: 'tag', v: '' }] })}>${t('add')}</${Button}></fieldset>
    <${Switch} label=${t('rule.off')} on=${v.off} set=${(off) => setV({ ...v, off })} />${form.rest}
    <div class="buttons end"><${Button} onClick=${() => close(false)}>${t('cancel')}</${Button}><button type="submit" class="button primary"><span>${t('save')}</span></button></div></form></${Dialog}>`;
}

// --- opening hours ---------------------------------------------------------------------
const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const dayName = (i) => new Intl.DateTimeFormat(boot.language, { weekday: 'long', timeZone: 'UTC' }).format(new Date(Date.UTC(2024, 0, 1 + i)));
// dateOf is a date of one year, or of each, as it is said.
const dateOf = (d) => {
  const [y, m, n] = (d.length > 5 ? d : '2024-' + d).split('-').map(Number), at = Date.UTC(y, m - 1, n);
  return Number.isNaN(at) ? d : new Intl.DateTimeFormat(boot.language, { day: 'numeric', month: 'long', ...(d.length > 5 ? { year: 'numeric' } : {}), timeZone: 'UTC' }).format(at);
};
// weekOf says a week's hours: days one after the other that have the same are said once.
const weekOf = (days) => spansOf(days).map((s, i) => [i, i, s.join(', ')]).reduce((out, [i, , s]) => {
  const last = out.at(-1);
  if (last?.[2] === s) last[1] = i; else out.push([i, i, s]);
  return out;
}, []).filter(([, , s]) => s).map(([a, b, s]) => `${dayName(a)}${a === b ? '' : '–' + dayName(b)} ${s}`).join(' · ');
// spansOf reads each weekday out of keys such as "mon-fri".
const spansOf = (days) => weekdays.map((_, i) => Object.entries(days ?? {}).flatMap(([key, spans]) => {
  const [a, b = a] = key.toLowerCase().split('-').map((x) => weekdays.indexOf(x.slice(0, 3)));
  return (i - a + 7) % 7 <= (b - a + 7) % 7 ? spans ?? [] : [];
}));

function Hours() {
  const { edits } = useStore();
  const [turn, setTurn] = useState(0);
  const [edit, setEdit] = useState(null);
  const { data, error } = useLoad((s) => get('hours', s), [turn, edits.hours]);
  if (error) return html`<p>${error.words}</p>`;
  return html`<section class="panel"><h2>${t('hours.title')}</h2>${!data ? html`<${Loading} />` : html`<ul class="lines">${data.hours.map((h) => html`<li key=${h.queue}><span class="grow"><strong>${h.queue}</strong> ${h.hours && html`<span class="chip quiet">${h.hours.zone}</span>`}
      <span class="hint">${h.always ? t('q.always') : !h.hours ? t('q.hours.set') : weekOf(h.hours.days)}</span>
      ${Object.entries(h.hours?.special ?? {}).map(([d, s]) => html`<span class="hint">${dateOf(d)}${t('colon')} ${s?.length ? s.join(', ') : t('closed')}</span>`)}</span>${h.writable ? html`<${Button} kind="ghost" disabled=${boot.readOnly} label=${t('edit.who', { who: h.queue })} onClick=${() => setEdit(h)}>${t('edit')}</${Button}>` : !h.always && html`<span class="muted">${t('rule.fixed')}</span>`}</li>`)}</ul>`}
    ${edit && html`<${HoursDialog} h=${edit} close=${(saved) => { setEdit(null); if (saved) setTurn(turn + 1); }} />`}</section>`;
}

function HoursDialog({ h, close }) {
  const [v, setV, again] = useEdit(h.hours, (x) => ({ zone: x.zone, days: spansOf(x.days).map((s) => s.join(', ')), special: Object.entries(x.special ?? {}).map(([d, s]) => `${d} ${(s ?? []).join(', ')}`.trim()).join('\n') }));
  const form = useSave(['zone', ...weekdays, 'special'], async () => {
    const week = Object.fromEntries(weekdays.map((d, i) => [d, words(v.days[i])]).filter(([, s]) => s.length));
    const dates = Object.fromEntries(v.special.split('\n').map((x) => x.trim()).filter(Boolean).map((x) => { const [d, ...s] = x.split(/\s+/); return [d, words(s.join(' '))]; }));
    await api('PUT', 'hours/' + encodeURIComponent(h.queue), { zone: v.zone.trim(), days: week, special: dates, was: v.was });
    toast(t('saved'));
    close(true);
  }, again);
  return html`<${Dialog} title=${t('edit.who', { who: h.queue })} close=${() => close(false)}><form ref=${form.form} noValidate onSubmit=${form.submit}>
    <${Field} form=${form} at="zone" label=${t('hours.zone')}><input required list="zones" value=${v.zone} onInput=${(e) => setV({ ...v, zone: e.target.value })} /><datalist id="zones">${(Intl.supportedValuesOf?.('timeZone') ?? []).map((z) => html`<option value=${z} />`)}</datalist></${Field}>
    <p class="muted">${t('hours.hint')}</p>
    ${weekdays.map((d, i) => html`<${Field} form=${form} at=${d} key=${d} label=${dayName(i)}><input dir="ltr" maxlength="300" value=${v.days[i]} placeholder=${t('closed')} onInput=${(e) => setV({ ...v, days: v.days.map((x, j) => j === i ? e.target.value : x) })} /></${Field}>`)}
    <${Field} form=${form} at="special" label=${t('hours.special')} hint=${t('hours.special.hint')}><textarea dir="ltr" rows="4" value=${v.special} onInput=${(e) => setV({ ...v, special: e.target.value })}></textarea></${Field}>${form.rest}
    <div class="buttons end"><${Button} onClick=${() => close(false)}>${t('cancel')}</${Button}><button type="submit" class="button primary"><span>${t('save')}</span></button></div></form></${Dialog}>`;
}
