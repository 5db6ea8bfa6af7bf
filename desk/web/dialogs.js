// What is asked before something that matters.
import { html, useEffect, useRef, useState } from './vendor/preact-htm.js';
import { act, boot, code, get, has, me, t, visible, when } from './base.js';
import { apply, go, leaving, mine, settings, state, toast } from './store.js';
import { wantPresence } from './live.js';
import { Avatar, Button, Loading, Name } from './ui.js';
import { range } from './range.js';
import { Dialog, Field, useLoad, Wrong } from './forms.js';

// useRun does what was asked for, and then closes. What went wrong is said where it
// was asked for: what is behind a dialog is neither seen well nor read out.
function useRun(r, close) {
  const [bad, setBad] = useState('');
  const run = async (verb, body, done) => {
    setBad('');
    leaving(r.id);
    state.doing = r.id;
    try {
      const got = await act(r.id, verb, body);
      if (got) apply('rows', { rows: [got] });
      close();
      done?.(got);
    } catch (e) { setBad(e.words ?? t('error.internal')); } finally { state.doing = ''; }
  };
  return [run, bad && html`<${Wrong} alert text=${bad} />`];
}

export function TransferDialog({ r, close }) {
  const [kind, setKind] = useState('agent');
  const [to, setTo] = useState('');
  const [warm, setWarm] = useState(true);
  const [note, setNote] = useState('');
  const { data } = useLoad((s) => Promise.all([get('team', s), get(`handoffs/${r.id}/targets`, s)]), []);
  const list = useRef(null);
  // Whoever has not gone elsewhere meanwhile begins with the choice.
  useEffect(() => { if (document.activeElement?.closest('.segments')) list.current?.querySelector('input:not(:disabled)')?.focus(); }, [data]);
  const mine = r.agent === me.id;
  const waiting = r.state === 'waiting' || r.state === 'offered';
  const agents = (data?.[0].team ?? []).filter((m) => m.id !== r.agent && (m.id !== me.id || waiting));
  const queues = data?.[1].queues ?? [];
  const why = (m) => m.there !== 'online' ? m.activity ? t('there.away', { what: m.activity }) : t('there.offline') : m.load >= m.seats ? t('full') : '';
  agents.sort((a, b) => !why(b) - !why(a)); // who could take it comes first
  const [run, bad] = useRun(r, close);
  const send = () => {
    const verb = kind === 'agent' && !mine ? 'assign' : 'transfer';
    return run(verb, kind === 'agent' ? verb === 'assign' ? { agent: to } : { agent: to, warm, note } : { queue: to, note }, () => toast(t(kind === 'agent' && warm && mine ? 'transfer.asked' : 'transfer.done')));
  };
  return html`<${Dialog} title=${t('transfer.title', { who: visible(r.name) })} close=${close}>
    <div class="segments" role="group" aria-label=${t('transfer.to')}>${['agent', 'queue'].map((k) => html`<button type="button" aria-pressed=${kind === k ? 'true' : 'false'} onClick=${() => { setKind(k); setTo(''); }}>${t('transfer.' + k)}</button>`)}</div>
    ${!data ? html`<${Loading} />` : kind === 'agent' ? html`<fieldset class="targets" ref=${list}><legend class="hidden">${t('transfer.agent')}</legend>${agents.map((m) => html`<label class="target ${why(m) ? 'off' : ''}" key=${m.id}><input type="radio" name="to" value=${m.id} checked=${to === m.id} disabled=${Boolean(why(m))} onChange=${() => setTo(m.id)} /><${Avatar} name=${m.name} small /><span class="grow"><${Name} name=${m.name} /><span class="muted">${m.queues.join(', ')}</span></span><span class="muted">${why(m) || t('seats.free', { n: m.seats - m.load })}</span></label>`)}${!agents.length && html`<p class="muted">${t('transfer.nobody')}</p>`}</fieldset>`
    : html`<fieldset class="targets"><legend class="hidden">${t('transfer.queue')}</legend>${queues.map((q) => html`<label class="target ${q.open ? '' : 'off'}" key=${q.name}><input type="radio" name="to" value=${q.name} checked=${to === q.name} disabled=${!q.open} onChange=${() => setTo(q.name)} /><span class="grow"><strong>${q.name}</strong>${q.waiting >= 0 && html`<span class="muted">${t('queue.waiting', { n: q.waiting })}</span>`}</span><span class="muted">${!q.open ? t('closed') : q.free >= 0 && t('seats.free', { n: q.free })}</span></label>`)}${!queues.length && html`<p class="muted">${t('transfer.nobody')}</p>`}</fieldset>`}
    ${kind === 'agent' && mine && r.state === 'active' && html`<label class="check"><input type="checkbox" checked=${warm} onChange=${(e) => setWarm(e.target.checked)} /><span>${t('transfer.warm')}<span class="hint">${t('transfer.warm.hint')}</span></span></label>`}
    ${(mine || kind === 'queue') && html`<${Field} label=${t('transfer.note')} hint=${t('note.only')}><textarea class="noteinput" rows="3" dir="auto" maxlength="4000" value=${note} onInput=${(e) => setNote(e.target.value)}></textarea></${Field}>`}
    ${bad}<div class="buttons end"><${Button} onClick=${close}>${t('cancel')}</${Button}><${Button} kind="primary" icon="transfer" disabled=${!to} onClick=${send}>${t(mine || kind === 'queue' ? 'transfer' : 'assign')}</${Button}></div>
  </${Dialog}>`;
}

export function EndDialog({ r, one, close }) {
  const [how, setHow] = useState('return');
  const [reason, setReason] = useState('');
  const [note, setNote] = useState('');
  const { list: reasons = [], need } = one.reasons ?? {};
  const needed = need && how === 'end';
  const missing = needed && !reason;
  const [run, bad] = useRun(r, close);
  const send = () => run(how, { reason, note }, (g) => { toast(t('ended.toast', { who: visible(r.name) })); if (!g || g.state === 'ended') go(location.search || '?tab=mine'); });
  return html`<${Dialog} title=${t('end.title', { who: visible(r.name) })} close=${close}><fieldset class="targets"><legend class="hidden">${t('end.how')}</legend>
    ${['return', 'end'].map((k) => html`<label class="target" key=${k}><input type="radio" name="how" checked=${how === k} onChange=${() => setHow(k)} /><span class="grow"><strong>${t('end.' + k)}</strong><span class="muted">${t(`end.${k}.hint`)}</span></span></label>`)}</fieldset>
    ${(reasons?.length > 0 || needed) && html`<${Field} label=${t('end.reason') + (needed ? ' *' : '')}>${reasons?.length ? html`<select value=${reason} required=${needed} onChange=${(e) => setReason(e.target.value)}><option value="">${t('choose')}</option>${reasons.map((x) => html`<option value=${x}>${x}</option>`)}</select>` : html`<input value=${reason} onInput=${(e) => setReason(e.target.value)} />`}</${Field}>`}
    <${Field} label=${t('end.note')} hint=${t(how === 'return' ? 'end.note.bot' : 'note.only')}><textarea rows="3" dir="auto" maxlength="4000" value=${note} onInput=${(e) => setNote(e.target.value)}></textarea></${Field}>
    ${bad}<div class="buttons end"><${Button} onClick=${close}>${t('cancel')}</${Button}><${Button} kind="primary" icon="check" disabled=${missing} onClick=${send}>${t('end.' + how)}</${Button}></div>
  </${Dialog}>`;
}

export function TakeOverDialog({ r, close }) {
  const [queue, setQueue] = useState(boot.queues[0] ?? '');
  const [run, bad] = useRun(r, close);
  const send = () => run('takeover', r.queue ? {} : { queue });
  return html`<${Dialog} title=${t('takeover.title', { who: visible(r.name) })} close=${close}><p>${r.agent ? t('takeover.agent', { who: visible(r.agentName || r.agent) }) : t('takeover.bot')}</p>
    ${!r.queue && boot.queues.length > 1 && html`<${Field} label=${t('queue')}><select value=${queue} onChange=${(e) => setQueue(e.target.value)}>${boot.queues.map((q) => html`<option value=${q}>${q}</option>`)}</select></${Field}>`}
    ${bad}<div class="buttons end"><${Button} onClick=${close}>${t('cancel')}</${Button}><${Button} kind="primary" icon="bolt" onClick=${send}>${t('takeover')}</${Button}></div></${Dialog}>`;
}

// said puts causes into words: the engine's own for what has none here.
const language = (x) => { try { return new Intl.DisplayNames([boot.language], { type: 'language' }).of(x); } catch { return x; } };
const said = (kind, list) => list.map((c) => {
  const key = `${kind}.${c.code}`, what = c.code === 'over' ? code('outcome', c.what) : c.code === 'cooling' ? code('reason', c.what) : c.code === 'language' ? language(c.what) : c.what;
  return has(key) ? t(key, { what: visible(what), level: c.level, at: c.at && when(c.at) }) : c.text;
}).join(' · ');

export function WhyDialog({ r, close }) {
  const { data, error } = useLoad((s) => get(`handoffs/${r.id}/why`, s), [r.id, r.version]);
  return html`<${Dialog} title=${t('why.title', { who: visible(r.name) })} close=${close}>${error ? html`<p>${error.words}</p>` : !data ? html`<${Loading} />` : html`
    <p class="lead">${said('why', data.why)}</p>
    ${data.asking && html`<p>${t('why.asking', { what: visible(data.asking) })}</p>`}
    ${data.position > 0 && html`<p>${t('why.place', { n: data.ahead })} ${data.known ? t('why.wait', { time: range(data.p50, data.p90) }) : t('why.unknown')}</p>`}
    ${data.agents.length > 0 && html`<table class="plain"><thead><tr><th scope="col">${t('agent')}</th><th scope="col">${t('why.answer')}</th></tr></thead><tbody>${data.agents.map((a) => html`<tr><td><${Name} name=${state.team.get(a.agent)?.name || a.agent} /></td><td>${a.why ? said('whynot', a.why) : t('why.could')}</td></tr>`)}</tbody></table>`}`}
    <div class="buttons end"><${Button} kind="primary" onClick=${close}>${t('ok')}</${Button}></div></${Dialog}>`;
}

export function KeysDialog({ close }) {
  const keys = [['j / k', 'keys.move'], ['a', 'keys.accept'], ['r', 'keys.reply'], ['n', 'keys.note'], ['t', 'keys.transfer'], ['e', 'keys.end'], ['/', 'keys.search'], ['Esc', 'keys.escape'], ['?', 'keys.help']];
  return html`<${Dialog} title=${t('keys.title')} close=${close}>${!settings.shortcuts && html`<p class="muted">${t('keys.off')}</p>`}<table class="plain"><tbody>${keys.map(([k, w]) => html`<tr><th scope="row"><kbd>${k}</kbd></th><td>${t(w)}</td></tr>`)}</tbody></table></${Dialog}>`;
}

// Going away asks what becomes of those who are being talked to.
export function AwayDialog({ how, close }) {
  const list = mine().filter((r) => r.state !== 'wrapup');
  const [what, setWhat] = useState('keep');
  const [bad, setBad] = useState('');
  const done = async () => {
    try {
      if (what === 'requeue') for (const r of list) { leaving(r.id); await act(r.id, 'requeue'); }
      await wantPresence(false, how.activity);
      close();
    } catch (e) { setBad(e.words ?? t('error.internal')); }
  };
  return html`<${Dialog} title=${t('away.title')} close=${close}><p>${t('away.text', { n: list.length })}</p><fieldset class="targets"><legend class="hidden">${t('away.title')}</legend>${['keep', 'requeue'].map((k) => html`<label class="target"><input type="radio" name="away" checked=${what === k} onChange=${() => setWhat(k)} /><span class="grow"><strong>${t('away.' + k)}</strong><span class="muted">${t(`away.${k}.hint`)}</span></span></label>`)}</fieldset>${bad && html`<${Wrong} alert text=${bad} />`}<div class="buttons end"><${Button} onClick=${close}>${t('cancel')}</${Button}><${Button} kind="primary" onClick=${done}>${t('away.go')}</${Button}></div></${Dialog}>`;
}
