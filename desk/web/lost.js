// What an agent lost while he was away, until he has read it.
import { html } from './vendor/preact-htm.js';
import { t } from './base.js';
import { go, link, setLost, state } from './store.js';
import { Button, Name } from './ui.js';

export function LostCard() {
  return html`<div class="card warn" role="region" aria-label=${t('lost.title')}><p><strong>${t('lost', { n: state.lost.length })}</strong></p>
    <ul>${state.lost.map((x) => html`<li key=${x.id}><a href=${link('c/' + x.id)}><${Name} name=${x.name} /></a></li>`)}</ul>
    <${Button} onClick=${() => { setLost([]); go(state.path + location.search, { replace: true }); }}>${t('ok')}</${Button}></div>`;
}
