// What is filled in, and what is read for a page: loaded with the first page that needs it.
import { html, useEffect, useLayoutEffect, useRef, useState } from './vendor/preact-htm.js';
import { t, wrong } from './base.js';
import { Button, Icon, icons } from './ui.js';

Object.assign(icons, { down: 'M12 4v12M6 11l6 6 6-6M5 21h14', plus: 'M12 5v14M5 12h14' });

// Dialog is the browser's own modal dialog: it keeps the focus and gives it back.
export function Dialog({ title, close, children, wide }) {
  const ref = useRef(null);
  const begun = useRef(null); // where a click began: a text that is marked may end outside
  const id = useRef('dialog-' + Math.random().toString(36).slice(2, 8)).current;
  useLayoutEffect(() => {
    const d = ref.current;
    d.showModal();
    const first = (...list) => list.map((s) => d.querySelector(s)).find(Boolean);
    first('.body :is(input, textarea, select, [aria-pressed=true]):not(:disabled)', '.body button', 'button').focus();
    return () => d.close(); // while it is open nothing behind it takes the focus
  }, []);
  return html`<dialog ref=${ref} class=${wide ? 'wide' : ''} aria-labelledby=${id} onCancel=${(e) => { e.preventDefault(); close(); }} onMouseDown=${(e) => { begun.current = e.target; }} onClick=${(e) => { if (e.target === ref.current && begun.current === ref.current) close(); }}>
    <div class="frame"><header><h2 id=${id}>${title}</h2><${Button} icon="close" kind="ghost" label=${t('close')} onClick=${close} /></header><div class="body">${children}</div></div>
  </dialog>`;
}

// Field is a control with its label. In a form of useSave it says what is wrong
// with it: at is its name there.
export function Field({ label, hint, children, form, at }) {
  const ref = useRef(null);
  const wrong = form?.wrong(at);
  useLayoutEffect(() => {
    const control = ref.current.querySelector('input, select, textarea');
    if (wrong) control?.setAttribute('aria-invalid', 'true'); else control?.removeAttribute('aria-invalid');
  });
  return html`<label class="field" ref=${ref} data-at=${at}><span class="label">${label}</span>${children}${wrong && html`<${Wrong} text=${wrong} />`}${hint && html`<span class="hint">${hint}</span>`}</label>`;
}
export const Wrong = ({ text, alert }) => html`<span class="wrong" role=${alert && 'alert'}><${Icon} name="warn" /><span>${text}</span></span>`;

// useEdit is a form's values, filled from what is edited. What is edited goes with
// what is put; should it have changed meanwhile, the form begins anew from again.
export function useEdit(given, fill) {
  const make = (was) => ({ ...fill(was), was: was.fresh ? null : was });
  const [v, setV] = useState(() => make(given));
  return [v, setV, (now) => setV(make(now))];
}

// useSave sends a form. What was refused is said all at once, each beside its
// field, whether the browser or the server says so; keys are the fields' names,
// the narrower first. What belongs to no field is said at the end.
export function useSave(keys, send, again) {
  const [bad, set] = useState(null);
  const form = useRef(null);
  useEffect(() => { if (bad) form.current.querySelector('[aria-invalid=true]')?.focus(); }, [bad]);
  const keyOf = (f) => keys.find((k) => `.${f.field.toLowerCase().split(/[.[\]"]+/).filter(Boolean).join('.')}.`.includes(`.${k}.`));
  const list = bad?.fields ?? [];
  const rest = !bad ? '' : list.length ? list.filter((f) => !keyOf(f)).map((f) => t('error.invalid', { field: f.field, why: wrong(f) })).join(' ') : bad.words;
  return {
    form, wrong: (k) => list.filter((f) => keyOf(f) === k).map(wrong).join(' '),
    rest: rest && html`<p class="wrong" role="alert"><${Icon} name="warn" /><span>${rest}</span></p>`,
    submit: async (e) => {
      e.preventDefault();
      const fields = [...form.current.elements].filter((x) => x.willValidate && !x.validity.valid).map((x) => ({ field: x.closest('[data-at]')?.dataset.at ?? '', why: x.validationMessage }));
      if (fields.length) { set({ fields }); return; }
      try { await send(); } catch (x) { if (x.code === 'changed') again(x.body.now); if (x.name !== 'AbortError') set({ fields: x.body?.fields, words: x.words ?? t('error.internal') }); }
    },
  };
}
export const Switch = ({ label, hint, on, set, disabled }) => html`<label class="switch"><span><span class="label">${label}</span>${hint && html`<span class="hint">${hint}</span>`}</span><input type="checkbox" role="switch" checked=${on} disabled=${disabled} onChange=${(e) => set(e.target.checked)} /></label>`;

// useLoad reads something and forgets the answer when nobody waits for it any more.
// What goes on where that ended ends with it: signal is both.
export function useLoad(f, deps) {
  const [v, set] = useState({});
  const of = deps.join('\0');
  useEffect(() => {
    const c = new AbortController();
    f(c.signal).then((data) => !c.signal.aborted && set({ data, signal: c.signal, of }), (error) => !c.signal.aborted && set({ error, of }));
    return () => c.abort();
  }, deps);
  return { ...v, loading: v.of !== of };
}
