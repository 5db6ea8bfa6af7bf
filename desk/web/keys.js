// The keyboard's shortcuts.
import { useLayoutEffect } from './vendor/preact-htm.js';
import { boot, me } from './base.js';
import { offers, settings, state } from './store.js';
import { accept } from './inbox.js';

// Shortcuts are plain letters, outside of fields, and can be switched off.
export function Shortcuts({ help }) {
  useLayoutEffect(() => { // at once: who sees a row may press a key
    const f = (e) => {
      if (!settings.shortcuts || e.defaultPrevented || e.isComposing || e.ctrlKey || e.metaKey || e.altKey || e.getModifierState?.('AltGraph')) return;
      const a = e.target;
      if (a.closest?.('input, textarea, select, [contenteditable], dialog, [role=menu]')) return;
      const id = state.path.startsWith('c/') ? decodeURIComponent(state.path.slice(2)) : '';
      const r = state.rows.get(id);
      // A conversation that is not drawn yet looks at what is wanted when it is;
      // what is typed until then is meant for its field, and no shortcut.
      const want = (detail) => {
        e.preventDefault();
        if (document.querySelector('.foot')) dispatchEvent(new CustomEvent('desk:want', { detail })); else if (document.querySelector('.loading')) state.want = detail;
      };
      if (state.want && e.key !== 'r' && e.key !== 'n') return;
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
        case 'a': { const x = r && (r.offer || r.pick && r.can?.includes('answer')) && (r.state === 'waiting' || r.state === 'offered') ? r : offers()[0]; if (x && !boot.readOnly) { e.preventDefault(); accept(x); } break; }
        case 'r': if (id) want('reply'); break;
        case 'n': if (id) want('note'); break;
        case 't': if (r?.agent === me.id) want('transfer'); break;
        case 'e': if (r?.agent === me.id) want('end'); break;
        default:
      }
    };
    addEventListener('keydown', f);
    const early = state.keys ?? [];
    state.keys = null;
    early.forEach(f);
    return () => removeEventListener('keydown', f);
  }, []);
  return null;
}
