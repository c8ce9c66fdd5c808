/** What is asked at a seat besides the question itself: that it has changed, the rule between the sites, what is lacking. Draws only. */
import { html, nothing } from '/static/vendor/lit.js';
import { t, tValue } from '../i18n.js';
import { icon } from './icons.js';

/** @param {import('../room/reducer.js').State} state */
export function askedNow(state) {
  const asked = state.seat?.asked;
  if (!asked) return nothing;
  return html`${state.anew ? html`<div class="notice notice-warn" role="status" data-testid="asked-anew">${icon('warning')}<p>${t('asked-anew', { names: asked.recipients.join(', ') })}</p></div>` : nothing}
    ${asked.accompanied ? html`<p class="hint" data-testid="asked-rule">${t('consents-rule')}</p>` : nothing}`;
}

/** Somebody agreed, and not to everything that is asked now. @param {import('../room/reducer.js').State} state */
export function lacking(state) {
  if (state.decision !== 'granted' || state.missing.length === 0) return nothing;
  return html`<p class="notice notice-warn" role="status" data-testid="asked-lacking">${t('consent-granted-lacking')} ${state.missing.map((one) => tValue('consent-purpose', one)).join(', ')}</p>`;
}
