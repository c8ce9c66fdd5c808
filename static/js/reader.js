/** Who reads a page of somebody signed in: asked once, as it begins. */
import { html, render } from '/static/vendor/lit.js';
import { get, problemOf } from './api.js';
import { languageEvents, startLanguage, tError } from './i18n.js';
import { icon } from './elements/icons.js';
import './elements/chrome.js';
import { keepPlace } from './focus.js';

/**
 * Their account and what they may do, once the page speaks their language; null when there is no page for them: they are on the way to
 * sign in, or are told in its place why not. A line that is down or a server that restarts signs nobody out.
 * @param {HTMLElement} root
 * @returns {Promise<{account: import('./types/wire.js').Account, abilities: string[]} | null>}
 */
export async function reader(root) {
  keepPlace();
  try {
    const me = await get('/api/me');
    await startLanguage('account', me.account.language);
    return me;
  } catch (error) {
    const code = problemOf(error);
    if (code === null) return null;
    const draw = () => render(html`<hj-header></hj-header><div class="page"><div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(code)}</p></div></div>`, root);
    languageEvents.addEventListener('change', draw);
    await startLanguage('account');
    draw();
    return null;
  }
}
