/** How a site stands, as a chip: a mark, and the words; and an instant with its zone. */
import { html } from '/static/vendor/lit.js';
import { language, t } from '../i18n.js';
import { hourMinute, weekdayDate, zoneName } from '../time.js';
import { icon } from './icons.js';

export const MARK = Object.freeze({ green: 'check', amber: 'warning', red: 'minus' });

/** @param {number} ms @param {string} zone */
export function instant(ms, zone) {
  return `${weekdayDate(ms, language(), zone)} ${hourMinute(ms, language(), zone)} ${zoneName(ms, language(), zone)}`;
}

/** @param {Pick<import('../types/self-test.js').Standing, 'verdict' | 'why'>} standing @param {string} [site] its name, where several stand side by side */
export function standingChip({ verdict, why }, site) {
  const words = t(`selftest-standing-${why === 'tested' ? verdict : why}`);
  return html`<span class="verdict verdict-${verdict}" data-testid="standing" data-verdict=${verdict} data-why=${why}>${icon(MARK[verdict])}<span>${site ? `${site}: ${words}` : words}</span></span>`;
}
