// How a conversation ended, in a word and a colour.
import { html } from './vendor/preact-htm.js';
import { code } from './base.js';

const bad = new Set(['missed', 'unavailable', 'failed', 'abandoned']);
export const Outcome = ({ r }) => r.outcome ? html`<span class="chip ${bad.has(r.outcome) ? 'red' : r.outcome === 'resolved' || r.outcome === 'returned' ? 'green' : 'quiet'}">${code('outcome', r.outcome)}</span>` : '';
