// What happened, in figures: each with the words that say how it is computed.
import { html } from './vendor/preact-htm.js';
import { atDay, code, get, number, spoken, t } from './base.js';
import { useStore } from './store.js';
import { Empty, Loading, Name } from './ui.js';
import { useLoad } from './forms.js';
import { filterOf, Filters, setQuery } from './history.js';
import { Card } from './board.js';

const percent = (a, b) => b ? new Intl.NumberFormat(document.documentElement.lang, { style: 'percent' }).format(a / b) : '–';
// shares are whole numbers in a hundred that sum to it, by the method of largest
// remainders: each is rounded down, and what is missing then goes, one each, to
// those that lost most by it, of equals to the first.
export function shares(list) {
  const all = list.reduce((n, x) => n + x, 0);
  if (!all) return list.map(() => 0);
  const out = list.map((x) => Math.floor(x * 100 / all));
  const lost = (i) => list[i] * 100 % all;
  const order = [...list.keys()].sort((a, b) => lost(b) - lost(a) || a - b);
  for (const i of order.slice(0, 100 - out.reduce((n, x) => n + x, 0))) out[i]++;
  return out;
}
const length = (ms) => ms === undefined || ms < 0 ? '–' : spoken(ms);

export function Stats() {
  const s = useStore();
  const key = filterOf(s.query).toString();
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const { data, error, loading } = useLoad((signal) => get(`stats?${key}`, signal), [key]);
  const d = !loading && data; // no figures stand under a range that they are not of
  return html`<div class="page"><header class="pagehead"><h1>${t('nav.stats')}</h1><p class="muted">${t('stats.zone', { zone })} · ${t('stats.shares')}</p></header><${Filters} q=${s.query} to=${setQuery(s.query, 'stats')} fields=${[]} />
    ${error ? html`<${Empty} icon="warn" title=${t('error.title')} text=${error.words} />` : !d ? html`<${Loading} />` : !d.requests && !d.contained ? html`<${Empty} icon="stats" title=${t('empty.stats')} text=${t('empty.history.text')} />` : html`
    <div class="cards"><${Card} icon="inbox" label=${t('stats.requests')} value=${number(d.requests)} hint=${t('stats.requests.hint')} /><${Card} icon="check" label=${t('stats.accepted')} value=${number(d.accepted)} hint=${percent(d.accepted, d.requests)} />
      <${Card} icon="warn" kind=${d.missed ? 'red' : ''} label=${t('stats.missed')} value=${number(d.missed)} hint=${t('stats.missed.hint')} /><${Card} icon="close" label=${t('stats.abandoned')} value=${number(d.abandoned)} hint=${t('stats.abandoned.hint')} />
      <${Card} icon="bot" label=${t('stats.containment')} value=${percent(d.contained, d.closed)} hint=${t('stats.containment.hint')} /><${Card} icon="clock" label=${t('stats.level')} value=${percent(d.inTime, d.counted)} hint=${t('stats.level.hint')} />
      <${Card} icon="star" label=${t('stats.rating')} value=${d.ratings ? number(Math.round(d.ratingSum / d.ratings * 10) / 10) : '–'} hint=${t('stats.rating.hint', { n: d.ratings })} /></div>
    <div class="columns"><section class="panel"><h2>${t('stats.volume')}</h2><${Bars} list=${d.slots} unit=${d.unit} /></section>
      <section class="panel"><h2>${t('stats.times')}</h2><table class="plain"><thead><tr><th scope="col"><span class="hidden">${t('stats.times')}</span></th><th scope="col" class="num">${t('median')}</th><th scope="col" class="num">${t('p90')}</th></tr></thead><tbody>${['wait', 'first', 'handle', 'wrapup'].map((k) => html`<tr><th scope="row">${t('stats.' + k)}<span class="hint">${t(`stats.${k}.hint`)}</span></th><td class="num">${length(d[k].p50)}</td><td class="num">${length(d[k].p90)}</td></tr>`)}</tbody></table><h3>${t('stats.parts')}</h3><${Parts} d=${d} /></section></div>
    <section class="panel"><h2>${t('stats.byqueue')}</h2><${Groups} list=${d.queues} label=${t('queue')} /></section><section class="panel"><h2>${t('stats.byagent')}</h2><${Groups} list=${d.agents} label=${t('agent')} name=${(x) => d.names[x] || x || t('stats.notaccepted')} /></section>
    <div class="columns"><section class="panel"><h2>${t('stats.outcomes')}</h2><${Shares} list=${d.outcomes} kind="outcome" /></section><section class="panel"><h2>${t('stats.reasons')}</h2><${Shares} list=${d.reasons} kind="reason" /></section></div>`}
  </div>`;
}

// Bars are drawn as SVG, and say the same as the table under them.
function Bars({ list, unit }) {
  const wide = matchMedia('(min-width: 48rem)').matches, w = wide ? 640 : 320, h = wide ? 250 : 180, pad = 28; // its letters are as large on a phone
  // Time runs in the direction of reading. Of numbers beside the lines, the end
  // is where a reader's line ends: that is mirrored by itself.
  const rtl = document.documentElement.dir === 'rtl', x = (at, width = 0) => rtl ? w - at - width : at;
  const top = 2 * Math.ceil(Math.max(1, ...list.map((x) => x.requests)) / 2); // its half is a number too
  const step = (w - pad) / Math.max(1, list.length);
  const label = (ms) => unit === 'hour' ? new Date(ms).getHours() + ':00' : atDay(ms);
  // As many labels as fit beside each other in this language.
  const every = Math.ceil(list.length * (Math.max(0, ...list.map((x) => label(x.at).length)) * 6.5 + 14) / (w - pad)) || 1;
  return html`<figure class="chart"><svg viewBox=${`0 0 ${w} ${h + 24}`} role="img" aria-label=${t('stats.volume')}>
    ${[0, 0.5, 1].map((f) => html`<g><line class="grid" x1=${x(pad)} x2=${x(w)} y1=${h - f * (h - 12)} y2=${h - f * (h - 12)} /><text class="axis" x=${x(pad - 6)} y=${h - f * (h - 12) + 4} text-anchor="end">${number(Math.round(top * f))}</text></g>`)}
    ${list.map((s, i) => { const y = (n) => n / top * (h - 12); const at = pad + i * step; return html`<g><rect class="bar accepted" x=${x(at + step * 0.15, step * 0.7)} width=${step * 0.7} y=${h - y(s.accepted)} height=${y(s.accepted)} rx="2" /><rect class="bar missed" x=${x(at + step * 0.15, step * 0.7)} width=${step * 0.7} y=${h - y(s.requests)} height=${y(s.requests - s.accepted)} rx="2" />${i % every === 0 && html`<text class="axis" x=${x(at + step / 2)} y=${h + 18} text-anchor="middle">${label(s.at)}</text>`}</g>`; })}</svg>
    <figcaption><span class="key accepted">${t('stats.accepted')}</span><span class="key missed">${t('stats.notaccepted')}</span></figcaption>
    <details><summary>${t('as.table')}</summary><div class="tablebox short" tabindex="0" role="region" aria-label=${t('as.table')}><table><thead><tr><th scope="col">${t('when')}</th><th scope="col" class="num">${t('stats.requests')}</th><th scope="col" class="num">${t('stats.accepted')}</th><th scope="col" class="num">${t('stats.missed')}</th></tr></thead><tbody>${list.map((x) => html`<tr><th scope="row">${unit === 'hour' ? `${atDay(x.at)} ${label(x.at)}` : label(x.at)}</th><td class="num">${number(x.requests)}</td><td class="num">${number(x.accepted)}</td><td class="num">${number(x.missed)}</td></tr>`)}</tbody></table></div></details></figure>`;
}

function Parts({ d }) {
  const list = ['bot', 'queue', 'human'].map((k) => [k, d.parts[k]]);
  const all = list.reduce((n, [, v]) => n + v, 0) || 1, parts = shares(list.map(([, v]) => v));
  return html`<svg class="parts" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">${list.map(([k, v], i) => html`<rect class=${'part ' + k} x=${list.slice(0, i).reduce((n, [, y]) => n + y, 0) / all * 100} width=${v / all * 100} y="0" height="6" />`)}</svg>
    <ul class="legend">${list.map(([k, v], i) => html`<li><span class="key ${k}">${t('part.' + k)}</span> <span>${spoken(v)} · ${percent(parts[i], 100)}</span></li>`)}</ul>`;
}

function Groups({ list, label, name = (x) => x }) {
  return html`<div class="tablebox" tabindex="0" role="region" aria-label=${label}><table><thead><tr><th scope="col">${label}</th><th scope="col" class="num">${t('stats.requests')}</th><th scope="col" class="num">${t('stats.accepted')}</th><th scope="col" class="num">${t('stats.missed')}</th><th scope="col" class="num">${t('stats.wait')}</th><th scope="col" class="num">${t('stats.handle')}</th><th scope="col" class="num">${t('stats.rating')}</th></tr></thead><tbody>${list.map((x) => html`<tr><th scope="row"><${Name} name=${name(x.name) || '–'} /></th><td class="num">${number(x.requests)}</td><td class="num">${number(x.accepted)}</td><td class="num">${number(x.missed)}</td><td class="num nowrap">${length(x.wait)}</td><td class="num nowrap">${length(x.handle)}</td><td class="num">${x.ratings ? number(Math.round(x.ratingSum / x.ratings * 10) / 10) : '–'}</td></tr>`)}</tbody></table></div>`;
}

function Shares({ list, kind }) {
  if (!list.length) return html`<p class="muted">–</p>`;
  const all = list.reduce((n, x) => n + x.n, 0) || 1, parts = shares(list.map((x) => x.n));
  return html`<table class="plain shares"><tbody>${list.map((x, i) => html`<tr><th scope="row">${code(kind, x.name)}</th><td class="share"><meter min="0" max=${all} value=${x.n} aria-label=${code(kind, x.name)}></meter></td><td class="num">${number(x.n)}</td><td class="num muted">${percent(parts[i], 100)}</td></tr>`)}</tbody></table>`;
}
