/** What is asked at one's seat has changed and something is lacking now, as a part of the room page: a strip for whom it concerns. */
import { html } from '/static/vendor/lit.js';
import { t, tValue } from '../i18n.js';
import { icon } from '../elements/icons.js';

/** @returns {import('./parts.js').Part} */
export function askedPart() {
  return {
    heard: {},
    strip: (state) => (state.anew && state.decision === 'granted' && state.missing.length > 0 ? [html`<div class="banner banner-plain" role="status" data-testid="asked-anew">${icon('warning')}
      <strong>${t('asked-anew', { names: state.seat?.asked?.recipients.join(', ') ?? '' })} ${t('consent-granted-lacking')} ${state.missing.map((one) => tValue('consent-purpose', one)).join(', ')}</strong></div>`] : []),
  };
}
