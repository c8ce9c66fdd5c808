/** Asks for a link to a new password. The answer is the same whether the address is known. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { codeOf, post } from '../api.js';
import { languageEvents, startLanguage, t, tError } from '../i18n.js';
import { icon } from '../elements/icons.js';
import '../elements/chrome.js';

const root = /** @type {HTMLElement} */ (document.querySelector('main'));
let busy = false;
let sent = false;
/** @type {string | null} */
let problem = null;

/** @param {SubmitEvent} event */
async function send(event) {
  event.preventDefault();
  const email = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('email')).trim();
  busy = true;
  problem = null;
  draw();
  try {
    await post('/api/password/forgot', { email });
    sent = true;
  } catch (error) {
    problem = codeOf(error);
  }
  busy = false;
  draw();
}

function draw() {
  document.title = t('page-title', { page: t('page-forgot') });
  render(html`<hj-header></hj-header><div class="page"><section class="card narrow">
    <h1>${t('forgot-title')}</h1>
    ${sent
      ? html`<div class="notice notice-good" role="status" data-testid="forgot-sent">${icon('check')}<p>${t('forgot-sent')}</p></div>`
      : html`<p class="lead">${t('forgot-lead')}</p>
        <form @submit=${(/** @type {SubmitEvent} */ event) => void send(event)}>
          <label class="field"><span>${t('signin-email')}</span><input type="email" name="email" autocomplete="username" required maxlength="254" autofocus></label>
          ${problem ? html`<div class="notice notice-alarm" role="alert" data-testid="forgot-problem">${icon('warning')}<p>${tError(problem)}</p></div>` : nothing}
          <button class="primary big" data-testid="forgot-send" ?disabled=${busy}>${t('forgot-send')}</button>
        </form>`}
    <p><a href="/signin">${t('back-to-signin')}</a></p></section></div>`, root);
}

languageEvents.addEventListener('change', draw);
await startLanguage('account');
draw();
