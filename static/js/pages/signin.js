/** The sign-in page. It never says whether an address is known. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { ApiRefusal, codeOf, get, post } from '../api.js';
import { languageEvents, startLanguage, t, tError } from '../i18n.js';
import { icon } from '../elements/icons.js';
import '../elements/chrome.js';

const root = /** @type {HTMLElement} */ (document.querySelector('main'));
let busy = false;
let words = '';

/** Only a path of our own: an address in the query must not lead anywhere else. */
function next() {
  const asked = new URLSearchParams(location.search).get('next') ?? '';
  return /^\/(cases|review|worklist|self-test|site-checks|retention|renderings)(\/[A-Za-z0-9_-]+)?$/.test(asked) ? asked : '/worklist';
}

/** @param {SubmitEvent} event */
async function send(event) {
  event.preventDefault();
  const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
  busy = true;
  words = '';
  draw();
  try {
    await post('/api/sign-in', { email: String(form.get('email')).trim(), password: String(form.get('password')) });
    location.assign(next());
  } catch (error) {
    const wait = error instanceof ApiRefusal ? Number(error.detail.retry_after_s ?? 0) : 0;
    words = wait > 0 ? t('signin-wait', { seconds: Math.ceil(wait) }) : tError(codeOf(error));
    busy = false;
    draw();
  }
}

function draw() {
  document.title = t('page-title', { page: t('page-signin') });
  render(html`<hj-header></hj-header><div class="page"><section class="card narrow">
    <h1>${t('signin-title')}</h1><p class="lead">${t('signin-lead')}</p>
    <form @submit=${(/** @type {SubmitEvent} */ event) => void send(event)}>
      <label class="field"><span>${t('signin-email')}</span><input type="email" name="email" autocomplete="username" required maxlength="254" autofocus></label>
      <label class="field"><span>${t('signin-password')}</span><input type="password" name="password" autocomplete="current-password" required maxlength="1024"></label>
      ${words ? html`<div class="notice notice-alarm" role="alert" data-testid="signin-problem">${icon('warning')}<p>${words}</p></div>` : nothing}
      <button class="primary big" data-testid="signin-send" ?disabled=${busy}>${t('signin-send')}</button>
    </form>
    <p><a data-testid="to-forgot" href="/forgot-password">${t('signin-forgot')}</a></p>
    <p class="hint">${t('signin-link-hint')}</p></section></div>`, root);
}

languageEvents.addEventListener('change', draw);
await startLanguage('account');
draw();
void get('/api/me').then(() => location.replace(next()), () => undefined);
