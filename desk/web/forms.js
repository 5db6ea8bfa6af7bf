// What is filled in, and what is read for a page: loaded with the first page that needs it.
import { html, useEffect, useLayoutEffect, useRef, useState } from './vendor/preact-htm.js';
import { t } from './base.js';
import { Button } from './ui.js';

// Dialog is the browser's own modal dialog: it keeps the focus and gives it back.
export function Dialog({ title, close, children, wide }) {
  const ref = useRef(null);
  const id = useRef('dialog-' + Math.random().toString(36).slice(2, 8)).current;
  useLayoutEffect(() => {
    const back = document.activeElement;
    ref.current.showModal();
    (ref.current.querySelector('.body :is(input, textarea, select):not(:disabled)') ?? ref.current.querySelector('.body button, button'))?.focus();
    return () => { if (back?.isConnected) back.focus(); };
  }, []);
  return html`<dialog ref=${ref} class=${wide ? 'wide' : ''} aria-labelledby=${id} onCancel=${(e) => { e.preventDefault(); close(); }} onClick=${(e) => { if (e.target === ref.current) close(); }}>
    <div class="frame"><header><h2 id=${id}>${title}</h2><${Button} icon="close" kind="ghost" label=${t('close')} onClick=${close} /></header><div class="body">${children}</div></div>
  </dialog>`;
}

export function Field({ label, hint, children }) {
  return html`<label class="field"><span class="label">${label}</span>${children}${hint && html`<span class="hint">${hint}</span>`}</label>`;
}
export const Switch = ({ label, hint, on, set, disabled }) => html`<label class="switch"><span><span class="label">${label}</span>${hint && html`<span class="hint">${hint}</span>`}</span><input type="checkbox" role="switch" checked=${on} disabled=${disabled} onChange=${(e) => set(e.target.checked)} /></label>`;

// useLoad reads something and forgets the answer when nobody waits for it any more.
export function useLoad(f, deps) {
  const [v, set] = useState({ loading: true });
  useEffect(() => {
    const c = new AbortController();
    set((o) => ({ ...o, loading: true }));
    f(c.signal).then((data) => !c.signal.aborted && set({ data }), (error) => !c.signal.aborted && set({ error }));
    return () => c.abort();
  }, deps);
  return v;
}
