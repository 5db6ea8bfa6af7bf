// The page: the frame around the views, and what starts it.
import { html, render, useEffect, useState } from './vendor/preact-htm.js';
import { boot, can, me, now, number, signInNeeded, t, when } from './base.js';
import { applySettings, changed, failed, follow, go, link, mine, offers, readPlace, setSetting, settings, state, unread, useStore } from './store.js';
import { Avatar, Button, Dialog, Empty, Icon, lazy, Menu, Toasts, useTick } from './ui.js';
import { accept, Inbox } from './inbox.js';
import { badge, beep, soundBlocked } from './notify.js';
import { retry, start, wantPresence } from './live.js';
import { act } from './base.js';

const Board = lazy(() => import('./board.js'), 'Board'), Bots = lazy(() => import('./board.js'), 'Bots'), History = lazy(() => import('./history.js'), 'History'), Stats = lazy(() => import('./stats.js'), 'Stats');
const Settings = lazy(() => import('./settings.js'), 'Settings'), Admin = lazy(() => import('./admin.js'), 'Admin'), KeysDialog = lazy(() => import('./dialogs.js'), 'KeysDialog');

const places = [
  ['', 'inbox', 'nav.inbox', () => can('rows')], ['bots', 'bot', 'nav.bots', () => can('watch')], ['board', 'board', 'nav.board', () => can('figures')],
  ['history', 'history', 'nav.history', () => can('past')], ['stats', 'stats', 'nav.stats', () => can('figures')], ['admin', 'admin', 'nav.admin', () => can('manage')], ['settings', 'settings', 'nav.settings', () => true],
];

function App() {
  const s = useStore();
  const [keys, setKeys] = useState(false);
  const [away, setAway] = useState(null);
  useShortcuts(() => setKeys(true));
  useEffect(() => { badge(); });
  if (s.forbidden) return html`<main class="alone"><h1 class="hidden">${boot.title}</h1><${Empty} icon="eye" title=${t('forbidden')} text=${t('forbidden.text')} /></main>`;
  const first = s.path.split('/')[0];
  const id = first === 'c' ? decodeURIComponent(s.path.slice(2)) : '';
  const place = first === 'c' ? '' : first;
  const view = !can('rows') && (place === '' || first === 'c') ? html`<${Board} />`
    : { '': html`<${Inbox} id=${id} />`, bots: html`<${Bots} id=${s.query.get('c')} />`, board: html`<${Board} />`, history: html`<${History} />`, stats: html`<${Stats} />`, settings: html`<${Settings} />`, admin: html`<${Admin} />` }[place] ?? html`<${Empty} icon="search" title=${t('not_found')} />`;
  const count = { '': mine().filter(unread).length + offers().length };
  return html`<a class="skip" href="#main" onClick=${(e) => { e.preventDefault(); document.getElementById('main').focus(); }}>${t('skip')}</a>
    <header class="top"><a class="brand" href=${link('')} aria-label=${boot.title}><span class="mark" aria-hidden="true"><svg viewBox="0 0 24 24"><path d="M4 5h16v11H9l-5 4z"/></svg></span><span class="title">${boot.title}</span></a><${Live} /><span class="grow"></span>
      ${boot.readOnly && html`<span class="chip amber">${t('read_only.short')}</span>`}<${Sound} /><${Seats} />${me.presence && html`<${Presence} away=${setAway} />`}<${Me} keys=${() => setKeys(true)} /></header>
    <nav class="rail" aria-label=${t('nav')}>${places.filter((p) => p[3]()).map(([path, icon, label]) => html`<a href=${link(path)} aria-current=${place === path ? 'page' : undefined} key=${path}><${Icon} name=${icon} /><span>${t(label)}</span>${count[path] ? html`<span class="count" aria-label=${t('news', { n: count[path] })}>${number(count[path])}</span>` : ''}</a>`)}</nav>
    <main id="main" tabindex="-1"><${Bars} />${view}</main>
    <${Toasts} />${keys && html`<${KeysDialog} close=${() => setKeys(false)} />`}${away && html`<${AwayDialog} how=${away} close=${() => setAway(null)} />`}`;
}

function Live() {
  const s = useStore();
  const text = s.live === 'live' ? t(s.poll ? 'live.poll' : 'live') : s.live === 'connecting' ? t('connecting') : t('offline');
  return html`<span class="live ${s.live}" title=${text}><span class="dot" aria-hidden="true"></span><span>${text}</span></span>`;
}

// Sound says, for as long as it is so, that nothing will be heard.
function Sound() {
  const s = useStore();
  if (!can('answer') || !(settings.soundRequests || settings.soundMessages) || !soundBlocked() || s.live !== 'live') return null;
  return html`<button type="button" class="button muteds" title=${t('sound.blocked')} onClick=${async () => { await beep('request'); changed(); }}><${Icon} name="mute" /><span>${t('sound.enable')}</span></button>`;
}

function Seats() {
  const s = useStore();
  const m = s.team.get(me.id);
  if (!m || !can('work')) return null;
  const used = Math.max(m.load, mine().filter((r) => r.state !== 'held').length);
  return html`<span class="seats ${used >= m.seats ? 'full' : ''}" title=${t('seats.used', { n: used, of: m.seats })}><${Icon} name="user" /><span>${number(used)}/${number(m.seats)}</span><span class="hidden">${t('seats.used', { n: used, of: m.seats })}</span></span>`;
}

const reasons = ['break', 'lunch', 'meeting', 'training'];
function Presence({ away }) {
  const s = useStore();
  const on = s.presence.there === 'online';
  const set = async (online, activity) => {
    if (!online && mine().length) { away({ activity }); return; }
    try { await wantPresence(online, activity); } catch (e) { failed(e); }
  };
  const what = s.presence.activity;
  return html`<${Menu} label=${t('presence')} kind="presence" items=${[{ text: t('there.online'), dot: 'green', checked: on, act: () => set(true, '') }, ...reasons.map((k) => ({ text: t('activity.' + k), dot: 'amber', checked: !on && what === k, act: () => set(false, k) })), { text: t('there.offline'), dot: 'grey', checked: !on && !reasons.includes(what), act: () => set(false, '') }]}>
    <span class="dot ${on ? 'green' : what ? 'amber' : 'grey'}" aria-hidden="true"></span><span class="label">${on ? t('there.online') : reasons.includes(what) ? t('activity.' + what) : t('there.offline')}</span></${Menu}>`;
}

// Going away asks what becomes of those who are being talked to.
function AwayDialog({ how, close }) {
  const list = mine().filter((r) => r.state === 'active' || r.state === 'held');
  const [what, setWhat] = useState('keep');
  const done = async () => {
    try {
      if (what === 'requeue') for (const r of list) { await act(r.id, 'requeue', {}); }
      await wantPresence(false, how.activity);
      close();
    } catch (e) { failed(e); }
  };
  return html`<${Dialog} title=${t('away.title')} close=${close}><p>${t('away.text', { n: list.length })}</p><fieldset class="targets"><legend class="hidden">${t('away.title')}</legend>${['keep', 'requeue'].map((k) => html`<label class="target"><input type="radio" name="away" checked=${what === k} onChange=${() => setWhat(k)} /><span class="grow"><strong>${t('away.' + k)}</strong><span class="muted">${t(`away.${k}.hint`)}</span></span></label>`)}</fieldset><div class="buttons end"><${Button} onClick=${close}>${t('cancel')}</${Button}><${Button} kind="primary" onClick=${done}>${t('away.go')}</${Button}></div></${Dialog}>`;
}

function Me({ keys }) {
  return html`<${Menu} label=${me.name} title=${me.name} kind="ghost me" items=${[{ text: t('nav.settings'), icon: 'settings', act: () => go('settings') }, { text: t('keys.title'), icon: 'slash', act: keys }, { line: true }, ...['auto', 'light', 'dark'].map((k) => ({ text: t('theme.' + k), checked: settings.theme === k, act: () => setSetting('theme', k) }))]}><${Avatar} name=${me.name} small /></${Menu}>`;
}

// Bars say what stands in the way of being told: no connection, no sound, no sign-in.
function Bars() {
  const s = useStore();
  return html`${s.signIn && html`<div class="banner bad" role="alert"><${Icon} name="user" /><span>${t('signin.text')}</span>${boot.signIn && html`<a class="button" href=${boot.signIn} target="_blank" rel="noopener">${t('signin')}</a>`}<${Button} onClick=${retry}>${t('retry')}</${Button}></div>`}
    ${!s.signIn && s.live === 'off' && html`<${Offline} />`}
    ${s.newBuild && html`<div class="banner"><${Icon} name="info" /><span>${t('newbuild')}</span><${Button} onClick=${() => location.reload()}>${t('reload')}</${Button}></div>`}`;
}
function Offline() {
  useTick();
  const wait = Math.max(0, Math.round((state.retryAt - now()) / 1000));
  return html`<div class="banner bad"><${Icon} name="warn" /><span><span role="alert">${t('offline.since', { at: when(state.liveSince || now()) })}</span> ${wait ? t('offline.again', { n: wait }) : t('connecting')}</span><${Button} onClick=${retry}>${t('now')}</${Button}></div>`;
}

// Shortcuts are plain letters, outside of fields, and can be switched off.
function useShortcuts(help) {
  useEffect(() => {
    const f = (e) => {
      if (!settings.shortcuts || e.defaultPrevented || e.isComposing || e.ctrlKey || e.metaKey || e.altKey || e.getModifierState?.('AltGraph')) return;
      const a = e.target;
      if (a.closest?.('input, textarea, select, [contenteditable], dialog, [role=menu]')) return;
      const id = state.path.startsWith('c/') ? decodeURIComponent(state.path.slice(2)) : '';
      const r = state.rows.get(id);
      const dialog = (x) => { e.preventDefault(); dispatchEvent(new CustomEvent('desk:dialog', { detail: x })); };
      const compose = (x) => { e.preventDefault(); dispatchEvent(new CustomEvent('desk:compose', { detail: x })); };
      switch (e.key) {
        case '?': e.preventDefault(); help(); break;
        case '/': { const s = document.querySelector('input[type=search]'); if (s) { e.preventDefault(); s.focus(); } break; }
        case 'j': case 'k': {
          const links = [...document.querySelectorAll('.list a.row')];
          const at = links.findIndex((x) => x === document.activeElement || x.getAttribute('aria-current') === 'true');
          const to = links[at < 0 ? 0 : at + (e.key === 'j' ? 1 : -1)];
          if (to) { e.preventDefault(); to.focus(); to.click(); }
          break;
        }
        case 'a': { const x = r && (r.offer || r.can?.includes('answer')) && (r.state === 'waiting' || r.state === 'offered') ? r : offers()[0]; if (x && !boot.readOnly) { e.preventDefault(); accept(x); } break; }
        case 'r': if (r) compose('reply'); break;
        case 'n': if (r) compose('note'); break;
        case 't': if (r?.agent === me.id) dialog('transfer'); break;
        case 'e': if (r?.agent === me.id) dialog('end'); break;
        default:
      }
    };
    addEventListener('keydown', f);
    return () => removeEventListener('keydown', f);
  }, []);
}

applySettings();
signInNeeded(() => { state.signIn = true; changed(); });
readPlace();
addEventListener('popstate', readPlace);
document.addEventListener('click', follow);
addEventListener('pointerdown', () => setTimeout(changed, 0), { once: true });
render(html`<${App} />`, document.getElementById('desk'));
start();
export { state };
