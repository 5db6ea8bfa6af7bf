// Settings: one's own, kept in this browser, and what those who manage may change.
import { html, useState } from './vendor/preact-htm.js';
import { api, boot, can, code, get, keep, me, number, spoken, t, visible, when } from './base.js';
import { failed, preparedReplies, setSetting, settings, state, toast, useStore } from './store.js';
import { Avatar, Badge, Button, Dialog, Empty, Field, Icon, Loading, Name, Switch, useLoad } from './ui.js';
import { askNotifications, beep, notificationState, soundBlocked } from './notify.js';

export function Settings() {
  useStore();
  const set = (k) => (v) => setSetting(k, v);
  const [, again] = useState(0);
  const n = notificationState();
  return html`<div class="page narrow"><h1>${t('nav.settings')}</h1>
    <section class="panel"><h2>${t('set.sound')}</h2>
      <${Switch} label=${t('set.sound.requests')} on=${settings.soundRequests} set=${set('soundRequests')} /><${Switch} label=${t('set.repeat')} hint=${t('set.repeat.hint')} on=${settings.repeat} set=${set('repeat')} disabled=${!settings.soundRequests} /><${Switch} label=${t('set.sound.messages')} on=${settings.soundMessages} set=${set('soundMessages')} />
      <p>${soundBlocked() ? t('sound.blocked') : t('sound.works')} <${Button} icon="bell" onClick=${async () => { await beep('request'); again(Date.now()); }}>${t('test')}</${Button}></p></section>
    <section class="panel"><h2>${t('set.notify')}</h2><${Switch} label=${t('set.notify.on')} hint=${t('notify.' + n)} on=${settings.notify && n === 'granted'} disabled=${n === 'denied' || n === 'missing'} set=${async (v) => { if (v && n !== 'granted') await askNotifications(); setSetting('notify', v && notificationState() === 'granted'); }} /><${Switch} label=${t('set.preview')} hint=${t('set.preview.hint')} on=${settings.previewText} set=${set('previewText')} disabled=${!settings.notify} /></section>
    <section class="panel"><h2>${t('set.writing')}</h2><${Switch} label=${t('set.enter')} hint=${t('set.enter.hint')} on=${settings.enterSends} set=${set('enterSends')} /><${Switch} label=${t('set.keys')} hint=${t('set.keys.hint')} on=${settings.shortcuts} set=${set('shortcuts')} /></section>
    <section class="panel"><h2>${t('set.look')}</h2><${Field} label=${t('set.theme')}><select value=${settings.theme} onChange=${(e) => setSetting('theme', e.target.value)}>${['auto', 'light', 'dark'].map((k) => html`<option value=${k}>${t('theme.' + k)}</option>`)}</select></${Field}>
      <${Field} label=${t('set.density')}><select value=${settings.density} onChange=${(e) => setSetting('density', e.target.value)}>${['cosy', 'compact'].map((k) => html`<option value=${k}>${t('density.' + k)}</option>`)}</select></${Field}>
      <${Field} label=${t('language')}><select value=${boot.language} onChange=${(e) => { keep.set('language', e.target.value); location.reload(); }}>${boot.languages.map((k) => html`<option value=${k}>${languageName(k)}</option>`)}</select></${Field}></section>
    <${Replies} own />
  </div>`;
}
const languageName = (k) => { try { return new Intl.DisplayNames([k], { type: 'language' }).of(k); } catch { return k; } };

// Replies lists prepared texts: one's own, or everybody's for those who manage.
export function Replies({ own }) {
  const [turn, setTurn] = useState(0);
  const [edit, setEdit] = useState(null);
  const { data } = useLoad(() => preparedReplies(true).then((r) => r ?? []), [turn]);
  const list = (data ?? []).filter((r) => own ? r.owner === me.id : !r.owner);
  const remove = async (r) => { try { await api('DELETE', `replies/${encodeURIComponent(r.name)}?owner=${encodeURIComponent(r.owner ?? '')}`); setTurn(turn + 1); } catch (e) { failed(e); } };
  return html`<section class="panel"><header class="pagehead"><h2>${t(own ? 'replies.own' : 'replies.all')}</h2><${Button} icon="plus" disabled=${boot.readOnly} onClick=${() => setEdit({ name: '', category: '', text: '', owner: own ? me.id : '', fresh: true })}>${t('add')}</${Button}></header>
    ${!data ? html`<${Loading} />` : !list.length ? html`<p class="muted">${t('replies.empty')}</p>` : html`<ul class="lines">${list.map((r) => html`<li key=${r.name}><span class="grow"><strong>/${r.name}</strong> ${r.category && html`<span class="chip quiet">${visible(r.category)}</span>`} ${r.queue && html`<span class="chip">${r.queue}</span>`}${r.off && html`<span class="chip amber">${t('reply.off')}</span>`}<span class="muted line">${visible(r.text)}</span></span><${Button} kind="ghost" onClick=${() => setEdit(r)}>${t('edit')}</${Button}><${Button} kind="ghost" icon="close" label=${t('remove.what', { what: '/' + r.name })} onClick=${() => remove(r)} /></li>`)}</ul>`}
    ${edit && html`<${ReplyDialog} r=${edit} close=${(saved) => { setEdit(null); if (saved) setTurn(turn + 1); }} />`}</section>`;
}
function ReplyDialog({ r, close }) {
  const [v, setV] = useState({ ...r });
  const set = (k) => (e) => setV({ ...v, [k]: e.target.value });
  const save = async (e) => { e.preventDefault(); try { await api('PUT', 'replies/' + encodeURIComponent(v.name.trim()), { category: v.category?.trim() ?? '', text: v.text, queue: v.queue ?? '', owner: v.owner ?? '', off: !!v.off }); close(true); } catch (x) { failed(x); } };
  return html`<${Dialog} title=${t(r.fresh ? 'reply.add' : 'reply.edit')} close=${() => close(false)}><form onSubmit=${save}>
    <${Field} label=${t('reply.name')} hint=${t('reply.name.hint')}><input required pattern="[^\\s\\/]+" maxlength="60" value=${v.name} disabled=${!r.fresh} onInput=${set('name')} /></${Field}><${Field} label=${t('reply.category')}><input maxlength="60" value=${v.category ?? ''} onInput=${set('category')} /></${Field}>
    <${Field} label=${t('reply.text')} hint=${t('reply.text.hint')}><textarea required rows="4" dir="auto" maxlength="8000" value=${v.text} onInput=${set('text')}></textarea></${Field}>
    ${!v.owner && boot.queues.length > 1 && html`<${Field} label=${t('queue')}><select value=${v.queue ?? ''} onChange=${set('queue')}><option value="">${t('queue.all')}</option>${boot.queues.map((q) => html`<option value=${q}>${q}</option>`)}</select></${Field}>`}
    <label class="check"><input type="checkbox" checked=${!!v.off} onChange=${(e) => setV({ ...v, off: e.target.checked })} /><span>${t('reply.off')}</span></label>
    <div class="buttons end"><${Button} onClick=${() => close(false)}>${t('cancel')}</${Button}><button type="submit" class="button primary"><span>${t('save')}</span></button></div></form></${Dialog}>`;
}

export function Admin() {
  return html`<div class="page"><h1>${t('nav.admin')}</h1>${can('manage') && html`<${Agents} /><${Replies} />`}<${Queues} /></div>`;
}

function Agents() {
  const [turn, setTurn] = useState(0);
  const [edit, setEdit] = useState(null);
  const { data, error } = useLoad((s) => get('agents', s), [turn]);
  const remove = async (a) => { try { await api('DELETE', 'agents/' + encodeURIComponent(a.id)); setEdit(null); state.team.delete(a.id); setTurn(turn + 1); toast(t('removed', { what: a.name })); } catch (e) { failed(e); } };
  if (error) return html`<${Empty} icon="warn" title=${t('error.title')} text=${error.words} />`;
  return html`<section><header class="pagehead"><h2>${t('admin.agents')}</h2>${data?.writable && html`<${Button} icon="plus" disabled=${boot.readOnly} onClick=${() => setEdit({ id: '', name: '', alias: '', queues: [], skills: {}, seats: 3, fresh: true })}>${t('add')}</${Button}>`}</header>
    ${data && !data.writable && html`<p class="muted"><${Icon} name="info" /> ${t('admin.elsewhere')}</p>`}
    ${!data ? html`<${Loading} />` : html`<div class="tablebox" tabindex="0" role="region" aria-label=${t('admin.agents')}><table><thead><tr><th scope="col">${t('name')}</th><th scope="col">${t('alias')}</th><th scope="col">${t('admin.queues')}</th><th scope="col">${t('skills')}</th><th scope="col" class="num">${t('seats')}</th><th scope="col"><span class="hidden">${t('actions')}</span></th></tr></thead><tbody>${data.agents.map((a) => html`<tr key=${a.id}><th scope="row"><span class="person"><${Avatar} name=${a.name} small /><span><${Name} name=${a.name} /><span class="muted line">${visible(a.id)}</span></span></span></th><td>${visible(a.alias || '–')}</td><td>${a.queues.map((q) => html`<span class="chip">${visible(q)}</span>`)}</td><td>${Object.entries(a.skills ?? {}).map(([k, v]) => html`<span class="chip quiet">${visible(k)} ${v}</span>`)}</td><td class="num">${number(a.seats)}</td><td class="num">${data.writable && html`<${Button} kind="ghost" label=${t('edit.who', { who: a.name })} onClick=${() => setEdit(a)}>${t('edit')}</${Button}>`}</td></tr>`)}</tbody></table></div>`}
    ${edit && html`<${AgentDialog} a=${edit} remove=${remove} close=${(saved) => { setEdit(null); if (saved) setTurn(turn + 1); }} />`}</section>`;
}
const skillText = (s) => Object.entries(s ?? {}).map(([k, v]) => `${k} ${v}`).join(', ');
const skillsOf = (s) => Object.fromEntries(s.split(',').map((x) => x.trim()).filter(Boolean).map((x) => { const m = x.match(/^(.*?)\s+(\d+)$/); return m ? [m[1], Number(m[2])] : [x, 1]; }));

function AgentDialog({ a, close, remove }) {
  const [v, setV] = useState({ ...a, skillText: skillText(a.skills) });
  const [sure, setSure] = useState(false);
  const set = (k) => (e) => setV({ ...v, [k]: e.target.value });
  const save = async (e) => { e.preventDefault(); try { await api('PUT', 'agents/' + encodeURIComponent(v.id.trim()), { name: v.name.trim(), alias: (v.alias ?? '').trim(), queues: v.queues, skills: skillsOf(v.skillText), seats: Number(v.seats), video: Boolean(v.video) }); toast(t('saved')); close(true); } catch (x) { failed(x); } };
  return html`<${Dialog} title=${a.fresh ? t('admin.add') : t('edit.who', { who: a.name })} close=${() => close(false)}><form onSubmit=${save}>
    ${a.fresh && html`<${Field} label=${t('details.id')} hint=${t('admin.id.hint')}><input required maxlength="100" value=${v.id} onInput=${set('id')} /></${Field}>`}
    <${Field} label=${t('name')}><input required maxlength="100" value=${v.name} onInput=${set('name')} /></${Field}><${Field} label=${t('alias')} hint=${t('alias.hint')}><input maxlength="100" value=${v.alias ?? ''} onInput=${set('alias')} /></${Field}>
    <fieldset class="checks"><legend>${t('admin.queues')}</legend>${boot.queues.map((q) => html`<label class="check"><input type="checkbox" checked=${v.queues.includes(q)} onChange=${(e) => setV({ ...v, queues: e.target.checked ? [...v.queues, q] : v.queues.filter((x) => x !== q) })} /><span>${q}</span></label>`)}</fieldset>
    <${Field} label=${t('skills')} hint=${t('skills.hint')}><input maxlength="500" value=${v.skillText} onInput=${set('skillText')} /></${Field}><${Field} label=${t('seats')} hint=${t('seats.hint')}><input type="number" min="0" max="100" required value=${v.seats} onInput=${set('seats')} /></${Field}>
    <label class="check"><input type="checkbox" checked=${v.video} onChange=${(e) => setV({ ...v, video: e.target.checked })} /><span>${t('video.takes')}</span></label>
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
    <div><dt>${t('q.ladder')}</dt><dd>${q.ladder.map((r) => html`<span class="line">${spoken(r.after)}: ${code('rung', r.do)} ${r.queue || ''}</span>`)}</dd></div>${q.providers?.length ? html`<div><dt>${t('platform')}</dt><dd>${q.providers.join(', ')}</dd></div>` : ''}</dl></article>`)}</div></section>`;
}
