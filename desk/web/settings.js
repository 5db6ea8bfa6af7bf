// Settings: one's own, kept in this browser, and what those who manage may change.
import { html, useState } from './vendor/preact-htm.js';
import { api, boot, keep, me, t, visible } from './base.js';
import { failed, mine, setSetting, settings, useStore } from './store.js';
import { wantPresence } from './live.js';
import { preparedReplies } from './replies.js';
import { Button, Loading } from './ui.js';
import { Dialog, Field, Switch, useEdit, useLoad, useSave } from './forms.js';
import { AwayDialog } from './dialogs.js';
import { askNotifications, beep, notificationState, soundBlocked } from './notify.js';

export function Settings() {
  const s = useStore();
  const [away, setAway] = useState(null);
  const set = (k) => (v) => setSetting(k, v);
  const [, again] = useState(0);
  const n = notificationState();
  return html`<div class="page narrow"><h1>${t('nav.settings')}</h1>
    ${me.presence && html`<section class="panel"><h2>${t('presence')}</h2><${Switch} label=${t('there.online')} on=${s.presence.there === 'online'} set=${(v) => (v || mine().every((r) => r.state === 'wrapup') ? wantPresence(v, '').catch(failed) : setAway({ activity: '' }))} /></section>`}
    <section class="panel"><h2>${t('set.sound')}</h2>
      <${Switch} label=${t('set.sound.requests')} on=${settings.soundRequests} set=${set('soundRequests')} /><${Switch} label=${t('set.repeat')} hint=${t('set.repeat.hint')} on=${settings.repeat} set=${set('repeat')} disabled=${!settings.soundRequests} /><${Switch} label=${t('set.sound.messages')} on=${settings.soundMessages} set=${set('soundMessages')} />
      <p class="buttons"><span class="hint grow">${soundBlocked() ? t('sound.blocked') : t('sound.works')}</span><${Button} icon="bell" onClick=${async () => { await beep('request'); again(Date.now()); }}>${t('test')}</${Button}></p></section>
    <section class="panel"><h2>${t('set.notify')}</h2><${Switch} label=${t('set.notify.on')} hint=${t('notify.' + n)} on=${settings.notify && n === 'granted'} disabled=${n === 'denied' || n === 'missing'} set=${async (v) => { if (v && n !== 'granted') await askNotifications(); setSetting('notify', v && notificationState() === 'granted'); }} /><${Switch} label=${t('set.preview')} hint=${t('set.preview.hint')} on=${settings.previewText} set=${set('previewText')} disabled=${!settings.notify} /></section>
    <section class="panel"><h2>${t('set.writing')}</h2><${Switch} label=${t('set.enter')} hint=${t('set.enter.hint')} on=${settings.enterSends} set=${set('enterSends')} /><${Switch} label=${t('set.keys')} hint=${t('set.keys.hint')} on=${settings.shortcuts} set=${set('shortcuts')} /></section>
    <section class="panel"><h2>${t('set.look')}</h2><${Field} label=${t('set.theme')}><select value=${settings.theme} onChange=${(e) => setSetting('theme', e.target.value)}>${['auto', 'light', 'dark'].map((k) => html`<option value=${k}>${t('theme.' + k)}</option>`)}</select></${Field}>
      <${Field} label=${t('set.density')}><select value=${settings.density} onChange=${(e) => setSetting('density', e.target.value)}>${['cosy', 'compact'].map((k) => html`<option value=${k}>${t('density.' + k)}</option>`)}</select></${Field}>
      <${Field} label=${t('language')}><select value=${boot.language} onChange=${(e) => { keep.set('language', e.target.value); location.reload(); }}>${boot.languages.map((k) => html`<option value=${k}>${languageName(k)}</option>`)}</select></${Field}></section>
    <${Replies} own />${away && html`<${AwayDialog} how=${away} close=${() => setAway(null)} />`}
  </div>`;
}
const languageName = (k) => { try { return new Intl.DisplayNames([k], { type: 'language' }).of(k); } catch { return k; } };

// Replies lists prepared texts: one's own, or everybody's for those who manage.
export function Replies({ own }) {
  const { edits } = useStore();
  const [turn, setTurn] = useState(0);
  const [edit, setEdit] = useState(null);
  const { data } = useLoad(() => preparedReplies(true).then((r) => r ?? []), [turn, edits.replies]);
  const list = (data ?? []).filter((r) => own ? r.owner === me.id : !r.owner);
  const remove = async (r) => { try { await api('DELETE', `replies/${encodeURIComponent(r.name)}?owner=${encodeURIComponent(r.owner ?? '')}`); setTurn(turn + 1); } catch (e) { failed(e); } };
  return html`<section class="panel"><header class="pagehead"><h2>${t(own ? 'replies.own' : 'replies.all')}</h2><${Button} icon="plus" disabled=${boot.readOnly} onClick=${() => setEdit({ name: '', category: '', text: '', owner: own ? me.id : '', fresh: true })}>${t('add')}</${Button}></header>
    ${!data ? html`<${Loading} />` : !list.length ? html`<p class="muted">${t('replies.empty')}</p>` : html`<ul class="lines">${list.map((r) => html`<li key=${r.name}><span class="grow"><strong dir="ltr">/${r.name}</strong> ${r.category && html`<span class="chip quiet">${visible(r.category)}</span>`} ${r.queue && html`<span class="chip">${r.queue}</span>`}${r.off && html`<span class="chip amber">${t('reply.off')}</span>`}<span class="muted line"><bdi>${visible(r.text)}</bdi></span></span><${Button} kind="ghost" onClick=${() => setEdit(r)}>${t('edit')}</${Button}><${Button} kind="ghost" icon="close" label=${t('remove.what', { what: '/' + r.name })} onClick=${() => remove(r)} /></li>`)}</ul>`}
    ${edit && html`<${ReplyDialog} r=${edit} close=${(saved) => { setEdit(null); if (saved) setTurn(turn + 1); }} />`}</section>`;
}
function ReplyDialog({ r, close }) {
  const [v, setV, again] = useEdit(r, (x) => ({ ...x }));
  const set = (k) => (e) => setV({ ...v, [k]: e.target.value });
  const form = useSave(['name', 'category', 'text', 'queue'], async () => { await api('PUT', 'replies/' + encodeURIComponent(v.name.trim()), { category: v.category?.trim() ?? '', text: v.text, queue: v.queue ?? '', owner: v.owner ?? '', off: !!v.off, was: v.was }); close(true); }, again);
  return html`<${Dialog} title=${t(r.fresh ? 'reply.add' : 'reply.edit')} close=${() => close(false)}><form ref=${form.form} noValidate onSubmit=${form.submit}>
    <${Field} form=${form} at="name" label=${t('reply.name')} hint=${t('reply.name.hint')}><input required pattern="[^\\s\\/]+" maxlength="60" value=${v.name} disabled=${!r.fresh} onInput=${set('name')} /></${Field}><${Field} form=${form} at="category" label=${t('reply.category')}><input maxlength="60" value=${v.category ?? ''} onInput=${set('category')} /></${Field}>
    <${Field} form=${form} at="text" label=${t('reply.text')} hint=${t('reply.text.hint')}><textarea required rows="4" dir="auto" maxlength="8000" value=${v.text} onInput=${set('text')}></textarea></${Field}>
    ${!v.owner && boot.queues.length > 1 && html`<${Field} form=${form} at="queue" label=${t('queue')}><select value=${v.queue ?? ''} onChange=${set('queue')}><option value="">${t('queue.all')}</option>${boot.queues.map((q) => html`<option value=${q}>${q}</option>`)}</select></${Field}>`}
    <label class="check"><input type="checkbox" checked=${!!v.off} onChange=${(e) => setV({ ...v, off: e.target.checked })} /><span>${t('reply.off')}</span></label>${form.rest}
    <div class="buttons end"><${Button} onClick=${() => close(false)}>${t('cancel')}</${Button}><button type="submit" class="button primary"><span>${t('save')}</span></button></div></form></${Dialog}>`;
}

