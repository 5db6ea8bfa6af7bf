// Small pieces that every view uses.
import { html, useEffect, useRef, useState } from './vendor/preact-htm.js';
import { now, span, spoken, t, visible } from './base.js';
import { dropToast, toast, useStore } from './store.js';

// --- icons: 24 × 24 strokes; those of later pages come with them
export const icons = {
  inbox: 'M4 13h4l2 3h4l2-3h4M5.5 5h13L21 13v6H3v-6z', bot: 'M12 4v3M6 7h12a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2zM9 12v2M15 12v2M2 13v2M22 13v2',
  board: 'M4 5h6v8H4zM14 5h6v4h-6zM14 13h6v6h-6zM4 17h6v2H4z', history: 'M3 12a9 9 0 1 0 3-6.7L3 8M3 3v5h5M12 7v5l4 2', stats: 'M4 20V10M10 20V4M16 20v-7M21 20H3',
  admin: 'M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6zM9 12l2 2 4-4', settings: 'M4 7h16M4 17h16M15 4v6M9 14v6',
  more: 'M12 5.5v.01M12 12v.01M12 18.5v.01', close: 'M6 6l12 12M18 6L6 18',
  check: 'M5 12.5l4.5 4.5L19 7.5', pause: 'M9 6v12M15 6v12', video: 'M4 6h11v12H4zM15 10l5-3v10l-5-3',
  user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c1-4 4-6 8-6s7 2 8 6', search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4',
  eye: 'M2 12c3-5 6-7 10-7s7 2 10 7c-3 5-6 7-10 7s-7-2-10-7zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z', bell: 'M6 17V11a6 6 0 1 1 12 0v6l2 2H4zM10 21h4',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2', warn: 'M12 4l9 16H3zM12 10v4M12 17v.01',
  info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 8v.01', slash: 'M15 4L9 20',
};
export const Icon = ({ name, label }) => html`<svg class=${name === 'send' || name === 'back' ? 'icon way' : 'icon'} viewBox="0 0 24 24" role=${label ? 'img' : undefined} aria-label=${label} aria-hidden=${label ? undefined : 'true'}><path d=${icons[name] || ''}/></svg>`;

// Name is what somebody is called. A table has room for two lines of it, so that
// the whole stands in its title there.
export const Name = ({ name, cell }) => html`<bdi class="name" title=${cell ? visible(name) : undefined}>${visible(name)}</bdi>`;

const hue = (s) => { let h = 7; for (const c of String(s)) h = (h * 31 + c.codePointAt(0)) % 6; return h; };
export function Avatar({ name, role, small }) {
  if (role === 'bot' || role === 'engine') return html`<span class="avatar bot ${small ? 'small' : ''}" aria-hidden="true"><${Icon} name="bot" /></span>`;
  const parts = visible(name).trim().split(/\s+/).filter(Boolean);
  const letters = [...(parts[0] || '?')].slice(0, 1).concat(parts.length > 1 ? [...parts[parts.length - 1]].slice(0, 1) : []).join('').toUpperCase();
  return html`<span class="avatar hue${hue(name)} ${small ? 'small' : ''}" aria-hidden="true">${letters}</span>`;
}

// once is a component that is made again only when one of the values changes. What
// it made is not kept beside the page (useMemo): there it holds all that stood
// around it at that time, conversations that were closed long ago too.
export function once(values, make) {
  return function (p) {
    const was = values(p);
    this.shouldComponentUpdate = (next) => values(next).some((x, i) => x !== was[i]);
    return make(p);
  };
}

// --- time
const ticking = new Set();
setInterval(() => { if (!document.hidden) for (const f of ticking) f(); }, 1000);
export function useTick(on = true) {
  const [, set] = useState(0);
  useEffect(() => { const f = () => set((n) => n + 1); if (on) ticking.add(f); return () => ticking.delete(f); }, [on]);
}
// Clock counts up from a time, and turns amber and red by the limits. It is no
// live region: nobody wants to hear a clock.
export function Clock({ since, warn, late, label }) {
  useTick();
  const d = now() - since;
  const level = late && d > late ? 'late' : warn && d > warn ? 'warn' : '';
  return html`<span class="clock ${level}" title=${`${label || t('since')} ${spoken(d)}`}>${level && html`<${Icon} name=${level === 'late' ? 'warn' : 'clock'} />`}<span>${span(d)}</span></span>`;
}
export function Countdown({ until }) {
  useTick();
  return html`<span class="clock">${span(Math.max(0, until - now() + 999))}</span>`;
}

// --- controls
// Button is busy until what a click began is done, and begins nothing meanwhile:
// a double click reads no page twice.
export function Button({ icon, kind = '', label, children, onClick, ...rest }) {
  const [busy, set] = useState(false);
  const begun = useRef(null);
  const click = async (e) => {
    if (begun.current) return;
    try { if ((begun.current = onClick?.(e))) set(true); await begun.current; } finally { begun.current = null; set(false); }
  };
  return html`<button type="button" class="button ${kind}" aria-label=${label} title=${children ? undefined : label} aria-busy=${busy ? 'true' : undefined} onClick=${click} ...${rest}>${icon && html`<${Icon} name=${icon} />`}${children && html`<span>${children}</span>`}</button>`;
}

// Menu is a button with a list of choices: arrows move, Escape closes.
// place shows a menu above everything, where no box that scrolls clips it: under
// its button, or over it where there is more room.
function place(button, align) {
  const p = button.nextElementSibling;
  p.showPopover?.();
  const b = button.getBoundingClientRect(), r = p.getBoundingClientRect(), gap = 6;
  const right = (align === 'end') === (getComputedStyle(p).direction === 'ltr');
  const under = innerHeight - b.bottom, up = under < r.height + 2 * gap && b.top > under;
  p.style.left = Math.max(gap, Math.min(right ? b.right - r.width : b.left, innerWidth - r.width - gap)) + 'px';
  p.style.top = Math.max(gap, up ? b.top - gap - r.height : b.bottom + gap) + 'px';
  p.style.maxHeight = (up ? b.top : under) - 2 * gap + 'px';
  return p;
}

export function Menu({ label, icon, kind = '', children, items, align = 'end', text, title }) {
  const [open, setOpen] = useState(false);
  const box = useRef(null);
  const button = useRef(null);
  useEffect(() => {
    if (!open) return undefined;
    const p = place(button.current, align);
    const away = (e) => { if (!box.current?.contains(e.target)) setOpen(false); };
    const moved = (e) => { if (e.type === 'resize' || e.target.contains(button.current)) setOpen(false); };
    addEventListener('pointerdown', away);
    addEventListener('resize', moved);
    addEventListener('scroll', moved, true);
    p.querySelector('button:not([disabled])')?.focus({ preventScroll: true });
    return () => { removeEventListener('pointerdown', away); removeEventListener('resize', moved); removeEventListener('scroll', moved, true); };
  }, [open]);
  const key = (e) => {
    if (!open) return;
    const list = [...box.current.querySelectorAll('[role=menu] button:not([disabled])')];
    const at = list.indexOf(document.activeElement);
    if (e.key === 'Escape') { e.stopPropagation(); setOpen(false); button.current?.focus(); }
    else if (e.key === 'Tab') setOpen(false);
    else if (e.key === 'ArrowDown' || e.key === 'ArrowUp') { e.preventDefault(); list[(at + (e.key === 'ArrowDown' ? 1 : list.length - 1)) % list.length]?.focus(); }
    else if (e.key === 'Home' || e.key === 'End') { e.preventDefault(); list[e.key === 'Home' ? 0 : list.length - 1]?.focus(); }
  };
  const shown = items.filter(Boolean);
  return html`<div class="menu" ref=${box} onKeyDown=${key}>
    <button type="button" ref=${button} class="button ${kind}" aria-haspopup="menu" aria-expanded=${open ? 'true' : 'false'} aria-label=${children || text ? undefined : label} title=${title ?? label} onClick=${() => setOpen(!open)}>
      ${icon && html`<${Icon} name=${icon} />`}${children && html`<span class="hidden">${label}</span>`}${children}${text && html`<span>${text}</span>`}</button>
    ${open && html`<div role="menu" class="popup" popover="manual" aria-label=${label}>${shown.map((i) => i.line ? html`<hr role="separator" />` : html`<button type="button" role=${i.checked === undefined ? 'menuitem' : 'menuitemradio'} aria-checked=${i.checked === undefined ? undefined : String(i.checked)} class=${i.kind || ''} disabled=${i.disabled}
      onClick=${() => { setOpen(false); button.current?.focus(); i.act(); }}>${i.dot && html`<span class="dot ${i.dot}" aria-hidden="true"></span>`}${i.icon && html`<${Icon} name=${i.icon} />`}<span>${i.text}</span>${i.checked && html`<${Icon} name="check" />`}</button>`)}</div>`}
  </div>`;
}

export const Badge = ({ kind = '', children, title }) => html`<span class="chip quiet ${kind}" title=${title}>${children}</span>`;
export const Empty = ({ icon, title, text, children }) => html`<div class="empty"><span class="picture"><${Icon} name=${icon} /></span><p class="title">${title}</p>${text && html`<p>${text}</p>`}${children}</div>`;
export const Loading = () => html`<div class="loading" role="status"><span class="spinner" aria-hidden="true"></span><span>${t('loading')}</span></div>`;

export function Toasts() {
  const s = useStore();
  return html`<section class="toasts" aria-label=${t('toasts')}>${s.toasts.map((x) => html`<div class="toast ${x.kind}" key=${x.id}><${Icon} name=${x.kind === 'error' ? 'warn' : 'check'} /><span>${x.text}</span><${Button} icon="close" kind="ghost" label=${t('close')} onClick=${() => dropToast(x.id)} /></div>`)}</section>
  <div class="hidden" role="status">${s.status}</div><div class="hidden" role="alert">${s.alert}</div>`;
}

// lazy is a view that is loaded when it is first shown; a quiet one is nothing
// until then, and says in passing that it could not be.
export function lazy(load, name, quiet) {
  let view = null;
  return function Lazy(props) {
    const [wrong, setWrong] = useState(null);
    const [, again] = useState(0);
    const read = () => load().then((m) => { view = m[name]; again(1); }, () => { setWrong(true); if (quiet) { toast(t('error.offline'), 'error'); props.close?.(); } });
    useEffect(() => { if (!view) read(); }, []);
    if (view) return html`<${view} ...${props} />`;
    if (quiet) return null;
    return wrong ? html`<${Empty} icon="warn" title=${t('error.offline')}><${Button} onClick=${() => location.reload()}>${t('retry')}</${Button}></${Empty}>` : html`<${Loading} />`;
  };
}

