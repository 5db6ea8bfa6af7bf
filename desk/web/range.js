// Two durations as one: what a wait is expected to take.
import { counted, number, spoken, t } from './base.js';

// range names a unit once, that of the longer, unless the other has none of it.
export function range(low, high) {
  const [unit, m, of] = counted(high), n = Math.round(low / of);
  return n || counted(low)[0] === unit ? t(unit, { n: n === m ? n : `${number(n)}–${number(m)}` }) : t('range', { low: spoken(low), high: spoken(high) });
}
