// The page: the frame around the views, and what starts it.
import { html, render, useEffect, useState } from './vendor/preact-htm.js';
import { boot, can, keep, me, now, number, signInNeeded, t, when } from './base.js';
import { applySettings, changed, failed, follow, go, link, mine, offers, readPlace, setSetting, settings, state, unread, useStore } from './store.js';
import { Avatar, Button, Empty, Icon, lazy, Menu, Toasts, useTick } from './ui.js';
import { Inbox } from './inbox.js';
import { retry, start, wantPresence } from './live.js';

const Board = lazy(() => import('./board.js'), 'Board'), Bots = lazy(() => import('./board.js'), 'Bots'), History = lazy(() => import('./history.js'), 'History'), Stats = lazy(() => import('./stats.js'), 'Stats');
const Settings = lazy(() => import('./settings.js'), 'Settings'), Admin = lazy(() => import('./admin.js'), 'Admin'), KeysDialog = lazy(() => import('./dialogs.js'), 'KeysDialog'), AwayDialog = lazy(() => import('./dialogs.js'), 'AwayDialog'), Sound = lazy(() => import('./notify.js'), 'Sound', true), Shortcuts = lazy(() => import('./keys.js'), 'Shortcuts', true);

const places = [
  ['', 'inbox', 'nav.inbox', () => can('rows')], ['bots', 'bot', 'nav.bots', () => can('watch')], ['board', 'board', 'nav.board', () => can('figures')],
  ['history', 'history', 'nav.history', () => can('past')], ['stats', 'stats', 'nav.stats', () => can('figures')], ['admin', 'admin', 'nav.admin', () => can('manage')], ['settings', 'settings', 'nav.settings', () => true],
];

// What had the focus and is gone leaves it to the page, not to nothing.
let focused = null;
addEventListener('focusin', (e) => { focused = e.target; });

function App() {
  const s = useStore();
  const [keys, setKeys] = useState(false);
  const [away, setAway] = useState(null);
  useEffect(() => { if (focused?.isConnected === false && document.activeElement === document.body) document.getElementById('main')?.focus({ preventScroll: true }); });
  if (s.forbidden) return html`<main class="alone"><h1 class="hidden">${boot.title}</h1><${Empty} icon="eye" title=${t('forbidden')} text=${t('forbidden.text')} /></main>`;
  const first = s.path.split('/')[0];
  const id = first === 'c' ? decodeURIComponent(s.path.slice(2)) : '';
  const place = first === 'c' ? '' : first;
  const view = !can('rows') && (place === '' || first === 'c') ? html`<${Board} />`
    : { '': html`<${Inbox} id=${id} />`, bots: html`<${Bots} id=${s.query.get('c')} />`, board: html`<${Board} />`, history: html`<${History} />`, stats: html`<${Stats} />`, settings: html`<${Settings} />`, admin: html`<${Admin} />` }[place] ?? html`<${Empty} icon="search" title=${t('not_found')} />`;
  const count = { '': mine().filter(unread).length + offers().length };
  return html`<a class="skip" href="#main" onClick=${(e) => { e.preventDefault(); document.getElementById('main').focus(); }}>${t('skip')}</a>
    <header class="top"><a class="brand" href=${link('')} aria-label=${boot.title}><span class="mark" aria-hidden="true"><svg viewBox="0 0 24 24"><path d="M4 5h16v11H9l-5 4z"/></svg></span><bdi class="title">${boot.title}</bdi></a><${Live} /><span class="grow"></span>
      ${boot.readOnly && html`<span class="chip amber">${t('read_only.short')}</span>`}<${Sound} /><${Seats} />${me.presence && html`<${Presence} away=${setAway} />`}<${Me} keys=${() => setKeys(true)} /></header>
    <nav class="rail" aria-label=${t('nav')}>${places.filter((p) => p[3]()).map(([path, icon, label]) => html`<a href=${link(path)} aria-current=${place === path ? 'page' : undefined} key=${path}><${Icon} name=${icon} /><span>${t(label)}</span>${count[path] ? html`<span class="count" aria-label=${t('news', { n: count[path] })}>${number(count[path])}</span>` : ''}</a>`)}</nav>
    <main id="main" tabindex="-1"><${Bars} />${view}</main>
    <${Toasts} /><${Shortcuts} help=${() => setKeys(true)} />${keys && html`<${KeysDialog} close=${() => setKeys(false)} />`}${away && html`<${AwayDialog} how=${away} close=${() => setAway(null)} />`}`;
}

function Live() {
  const s = useStore();
  const text = s.live === 'live' ? t(s.poll ? 'live.poll' : 'live') : s.live === 'connecting' ? t('connecting') : t('offline');
  return html`<span class="live ${s.live}" title=${text}><span class="dot" aria-hidden="true"></span><span>${text}</span></span>`;
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
    if (!online && mine().some((r) => r.state !== 'wrapup')) { away({ activity }); return; }
    try { await wantPresence(online, activity); } catch (e) { failed(e); }
  };
  const what = s.presence.activity;
  return html`<${Menu} label=${t('presence')} kind="presence" items=${[{ text: t('there.online'), dot: 'green', checked: on, act: () => set(true, '') }, ...reasons.map((k) => ({ text: t('activity.' + k), dot: 'amber', checked: !on && what === k, act: () => set(false, k) })), { text: t('there.offline'), dot: 'grey', checked: !on && !reasons.includes(what), act: () => set(false, '') }]}>
    <span class="dot ${on ? 'green' : what ? 'amber' : 'grey'}" aria-hidden="true"></span><span class="label">${on ? t('there.online') : reasons.includes(what) ? t('activity.' + what) : t('there.offline')}</span></${Menu}>`;
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

// Addresses are relative to the first place: the icon, which is read late, too.
for (const x of document.querySelectorAll('link[rel=icon]')) x.setAttribute('href', x.href);
applySettings();
signInNeeded(() => { state.signIn = true; changed(); });
readPlace();
addEventListener('popstate', readPlace);
document.addEventListener('click', follow);
addEventListener('keydown', (e) => state.keys?.push(e)); // until the shortcuts have come
addEventListener('click', () => setTimeout(changed, 0), { once: true }); // sounds may be made from now on
render(html`<${App} />`, document.getElementById('desk'));
start();
if (keep.keys('sending:').length) import('./pending.js').catch(() => {}); // what a page before this one could not send
