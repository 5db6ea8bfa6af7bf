// What is over: read, and how it ended in a word and a colour.
import { html } from './vendor/preact-htm.js';
import { boot, code, get, t } from './base.js';
import { icons } from './ui.js';

icons.star = 'M12 4l2.5 5.2 5.7.8-4.1 4 1 5.7-5.1-2.7-5.1 2.7 1-5.7-4.1-4 5.7-.8z';

const bad = new Set(['missed', 'unavailable', 'failed', 'abandoned']);
// dealt reports whether somebody has said that a message which was left is dealt with.
export const dealt = (r) => r.tags?.includes(boot.dealt);
export const Outcome = ({ r }) => r.outcome ? html`<span class="chip ${bad.has(r.outcome) ? 'red' : r.outcome === 'resolved' || r.outcome === 'returned' ? 'green' : 'quiet'}">${code('outcome', r.outcome)}</span>${r.left && html` <span class="chip ${dealt(r) ? 'quiet' : 'amber'}">${t('left')}</span>`}` : '';

// past reads a page of what is over. It goes on where an answer has nothing: each
// looks at a part.
export async function past(filter, signal, before) {
  for (;;) {
    if (before) filter.set('before', before);
    const r = await get('past?' + filter, signal);
    if (r.rows.length || !r.next) return r;
    before = r.next;
  }
}
