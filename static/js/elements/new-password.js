/** The fields of a new password: twice, with its rule, and a tick that shows what is typed. */
import { html } from '/static/vendor/lit.js';
import { t } from '../i18n.js';

/**
 * @param {boolean} shown
 * @param {() => void} toggle
 */
export function passwordFields(shown, toggle) {
  const type = shown ? 'text' : 'password';
  return html`<p class="hint" id="password-rule">${t('set-password-rule')}</p>
    <label class="field"><span>${t('set-password-new')}</span>
      <input type=${type} name="password" data-testid="password-new" autocomplete="new-password" required maxlength="256" aria-describedby="password-rule"></label>
    <label class="field"><span>${t('set-password-again')}</span>
      <input type=${type} name="again" data-testid="password-again" autocomplete="new-password" required maxlength="256"></label>
    <label class="tick"><input type="checkbox" .checked=${shown} @change=${toggle}><span>${t('set-password-show')}</span></label>`;
}

/**
 * @param {HTMLFormElement} form
 * @returns {string | null} null when the two differ
 */
export function newPassword(form) {
  const given = new FormData(form);
  const password = String(given.get('password'));
  return password === String(given.get('again')) ? password : null;
}
