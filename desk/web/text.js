// Text of others: never HTML, links only to the web.
import { html } from './vendor/preact-htm.js';
import { visible } from './base.js';

const address = /\bhttps?:\/\/[^\s<>"'`\u0000-\u0020\u202a-\u202e\u2066-\u2069]{2,}/gi;
// Text is bare where what is around it has its direction.
export function Text({ text, bare }) {
  const out = [];
  let at = 0;
  const s = String(text ?? '');
  for (const m of s.matchAll(address)) {
    if (m[0].length > 2000) continue; // no address that anybody means
    const raw = m[0].replace(/[.,;:!?)\]}]+$/, '');
    let url;
    try { url = new URL(raw); } catch { continue; }
    if (url.protocol !== 'http:' && url.protocol !== 'https:' || url.username || url.password) continue;
    out.push(visible(s.slice(at, m.index)), html`<${Out} href=${url.href} text=${raw} />`);
    at = m.index + raw.length;
  }
  out.push(visible(s.slice(at)));
  return html`<span class="text" dir=${bare ? undefined : 'auto'}>${out}</span>`;
}
// Out is a link out of the desk. Where the name of the place is written in
// letters of another script, the place is shown as browsers really read it.
export function Out({ href, text }) {
  let url;
  try { url = new URL(href); } catch { return visible(text); }
  if (url.protocol !== 'http:' && url.protocol !== 'https:' || url.username || url.password) return visible(text);
  const shown = text && text.includes(url.host) ? text : `${text || ''} (${url.host})`;
  return html`<a href=${url.href} target="_blank" rel="noopener noreferrer nofollow" dir="ltr">${visible(shown)}</a>`;
}
