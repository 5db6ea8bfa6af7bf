// Sounds, notifications, the title and the icon: once for each browser, by the
// tab that leads.
import { html, useEffect, useRef } from './vendor/preact-htm.js';
import { can, keep, me, now, t, visible, boot } from './base.js';
import { alarms, applySettings, changed, go, offers, settings, state, titleOf, unread, useStore } from './store.js';
import { Icon, icons } from './ui.js';

icons.mute = 'M6 17V11a6 6 0 0 1 9-5.2M18 11v6l2 2H8M10 21h4M4 4l16 16';

let audio = null;
const active = () => navigator.userActivation?.hasBeenActive ?? true;
export const soundBlocked = () => !active() || audio?.state === 'suspended';

// beep makes a sound of two notes; nothing is loaded for it.
export async function beep(kind) {
  if (!active() || !('AudioContext' in self)) return false;
  audio ??= new AudioContext();
  if (audio.state === 'suspended') { try { await Promise.race([audio.resume(), new Promise((r) => setTimeout(r, 500))]); } catch { return false; } }
  const notes = kind === 'request' ? [660, 880] : [520];
  state.sounds = (state.sounds ?? 0) + 1;
  notes.forEach((f, i) => {
    const at = audio.currentTime + i * 0.14, o = audio.createOscillator(), g = audio.createGain();
    o.frequency.value = f;
    o.type = 'sine';
    g.gain.setValueAtTime(0.0001, at);
    g.gain.exponentialRampToValueAtTime(0.2, at + 0.02);
    g.gain.exponentialRampToValueAtTime(0.0001, at + 0.25);
    o.connect(g).connect(audio.destination);
    o.start(at);
    o.stop(at + 0.3);
  });
  return true;
}

export const notificationState = () => ('Notification' in self ? Notification.permission : 'missing');
export const askNotifications = () => Notification.requestPermission();

function notify(r, title, body) {
  if (!state.leader || !settings.notify || notificationState() !== 'granted' || document.hasFocus()) return;
  const n = new Notification(title, { body: settings.previewText ? visible(body) : '', tag: keep.name + r.id, lang: boot.language });
  n.onclick = () => { focus(); go('c/' + r.id); n.close(); };
}

let last = 0, held = [];
const quiet = () => me.presence && state.presence.there !== 'online';
// A burst of requests is one sound and one notification.
alarms.request = (r, offered) => {
  if (!state.leader || quiet() && !offered) return;
  held.push(r);
  if (held.length > 1) return;
  // Timers of a page that was hidden for long come up to a minute late.
  (document.hidden ? queueMicrotask : setTimeout)(() => {
    const list = held;
    held = [];
    if (settings.soundRequests && now() - last > 1500) { last = now(); beep('request'); }
    const x = list[0];
    notify(x, list.length > 1 ? t('notify.requests', { n: list.length }) : t('notify.request', { who: visible(x.name) }), list.length > 1 ? '' : x.last?.text || '');
  }, 300);
};
alarms.message = (r) => {
  if (!state.leader) return;
  if (settings.soundMessages && now() - last > 1500) { last = now(); beep('message'); }
  notify(r, t('notify.message', { who: visible(r.name) }), r.last?.text || '');
};
setInterval(() => { if (state.leader && settings.repeat && settings.soundRequests && offers().length) beep('request'); }, 5000);

// What is set in one tab holds in the others: the one that leads rings for all.
addEventListener('storage', (e) => {
  if (e.key !== keep.name + 'settings') return;
  Object.assign(settings, keep.get('settings', {}));
  applySettings();
  changed();
});

let icon = '';
function badge() {
  const n = [...state.rows.values()].filter((r) => unread(r) || r.offer && r.offer.until > now()).length;
  const name = n ? 'icon-alert.svg' : 'icon.svg';
  if (name !== icon) {
    icon = name;
    const link = document.querySelector('link[rel=icon]');
    link.href = link.href.replace(/icon(-alert)?\.svg/, name);
  }
  const open = state.path.startsWith('c/') ? state.rows.get(decodeURIComponent(state.path.slice(2))) : null;
  const title = titleOf(open ? visible(open.name) : '');
  if (document.title !== title) document.title = title;
}

// Sound keeps title and icon up to date, and says, for as long as it is so, that
// nothing will be heard. Whoever is on the button keeps it: the key that brought
// him there has allowed sound.
export function Sound() {
  const s = useStore();
  const ref = useRef(null);
  useEffect(() => { badge(); });
  const off = soundBlocked(), wanted = can('answer') && (settings.soundRequests || settings.soundMessages);
  if (!(wanted && off && s.live === 'live') && !(ref.current && document.activeElement === ref.current)) return null;
  return html`<button type="button" ref=${ref} class="button muteds ${off ? '' : 'on'}" title=${t(off ? 'sound.blocked' : 'sound.works')} onBlur=${changed} onClick=${async () => { await beep('request'); changed(); }}><${Icon} name=${off ? 'mute' : 'bell'} /><span>${t(off ? 'sound.enable' : 'sound.works')}</span></button>`;
}
