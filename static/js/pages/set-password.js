/** Sets a password by a mailed link. Its secret stands in the fragment, is sent in bodies only, and leaves the address at once. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { codeOf, post } from '../api.js';
import { languageEvents, startLanguage, t, tError } from '../i18n.js';
import { icon } from '../elements/icons.js';
import { newPassword, passwordFields } from '../elements/new-password.js';
import '../elements/chrome.js';

const root = /** @type {HTMLElement} */ (document.querySelector('main'));
const token = location.hash.slice(1);
history.replaceState(null, '', location.pathname);
/** @type {{kind: string, email: string, language: string} | null} */
let owner = null;
let busy = false;
let done = false;
let shown = false;
/** @type {string | null} */
let problem = null;

/** @param {SubmitEvent} event */
async function send(event) {
  event.preventDefault();
  const password = newPassword(/** @type {HTMLFormElement} */ (event.target));
  problem = password === null ? 'differ' : null;
  busy = password !== null;
  draw();
  if (password === null) return;
  try {
    await post('/api/password/set', { token, password });
    done = true;
  } catch (error) {
    problem = codeOf(error);
    if (problem === 'password_link_dead') owner = null;
  }
  busy = false;
  draw();
}

function body() {
  if (done) {
    return html`<div class="notice notice-good" role="status" data-testid="password-done">${icon('check')}<p>${t('set-password-done')}</p></div>
      <a class="button primary big" data-testid="to-signin" href="/signin">${t('signin-title')}</a>`;
  }
  const said = problem === null ? nothing : html`<div class="notice notice-alarm" role="alert" data-testid="password-problem" data-code=${problem}>${icon('warning')}
    <p>${problem === 'differ' ? t('set-password-differ') : tError(problem)}</p></div>`;
  if (!owner) return problem ? html`${said}<p><a href="/forgot-password">${t('signin-forgot')}</a></p>` : html`<p class="loading" role="status">${t('loading')}</p>`;
  return html`<p class="lead">${t('set-password-for', { email: owner.email })}</p>
    <form @submit=${(/** @type {SubmitEvent} */ event) => void send(event)}>
      <input class="visually-hidden" type="email" autocomplete="username" .value=${owner.email} readonly tabindex="-1" aria-hidden="true">
      ${passwordFields(shown, () => {
        shown = !shown;
        draw();
      })}
      ${said}
      <button class="primary big" data-testid="password-send" ?disabled=${busy}>${t('set-password-send')}</button>
    </form>`;
}

function draw() {
  document.title = t('page-title', { page: t('page-set-password') });
  render(html`<hj-header></hj-header><div class="page"><section class="card narrow"><h1>${t('set-password-title')}</h1>${body()}</section></div>`, root);
}

languageEvents.addEventListener('change', draw);
await startLanguage('account');
try {
  owner = await post('/api/password/link', { token: token || '-' });
  await startLanguage('account', owner?.language);
} catch (error) {
  problem = codeOf(error);
}
draw();
