/** The sign-in page: password or passkey, and a second step where there is one. It never says whether an address is known. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { afterSignIn, ApiRefusal, codeOf, get, post } from '../api.js';
import { languageEvents, startLanguage, t, tError } from '../i18n.js';
import { canPasskey, passkeyProblem, usePasskey } from '../passkeys.js';
import { icon } from '../elements/icons.js';
import '../elements/chrome.js';

const root = /** @type {HTMLElement} */ (document.querySelector('main'));
let busy = false;
/** Why it did not work: said anew in whatever language is chosen. @type {{code: string, wait: number} | null} */
let refused = null;
/** Second steps that are asked for; null before the password. @type {string[] | null} */
let ways = null;
/** A recovery code is typed instead of the app's. */
let recovering = false;
/** The organisation's own sign-in, where there is one. @type {string} */
let provider = '';

/** @param {() => Promise<any>} work */
async function by(work) {
  busy = true;
  refused = null;
  draw();
  try {
    const answer = await work();
    if (answer?.account) {
      location.assign(afterSignIn(location.search));
      return;
    }
    ways = answer?.ways ?? ways;
    recovering = Boolean(ways && !ways.includes('totp') && !ways.includes('passkey'));
  } catch (error) {
    const wait = error instanceof ApiRefusal ? Number(error.detail.retry_after_s ?? 0) : 0;
    const code = error instanceof ApiRefusal ? codeOf(error) : passkeyProblem(error);
    if (code === 'step_over') ways = null;
    refused = { code, wait };
  }
  busy = false;
  draw();
  /** @type {HTMLElement | null} */ (root.querySelector('[data-focus]'))?.focus();
}

/** What the way back from the provider says: the next step, or why not. */
function comeBack() {
  const query = new URLSearchParams(location.search);
  const asked = (query.get('ways') ?? '').split('.').filter((way) => ['totp', 'passkey', 'recovery'].includes(way));
  const code = query.get('problem') ?? '';
  if (asked.length) ways = asked;
  if (/^[a-z_]{1,40}$/.test(code)) refused = { code, wait: 0 };
  recovering = Boolean(ways && !ways.includes('totp') && !ways.includes('passkey'));
}

/** @param {SubmitEvent} event */
function send(event) {
  event.preventDefault();
  const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
  if (ways) void by(() => post('/api/sign-in/code', { code: String(form.get('code')).trim() }));
  else void by(() => post('/api/sign-in', { email: String(form.get('email')).trim(), password: String(form.get('password')) }));
}

function withPasskey() {
  void by(async () => post('/api/sign-in/passkey', { credential: await usePasskey(await post('/api/sign-in/passkey/options')) }));
}

function withProvider() {
  void by(async () => {
    const asked = new URLSearchParams(location.search).get('next') ?? '';
    location.assign((await post('/api/sign-in/provider', { next: asked.slice(0, 200) })).location);
  });
}

function problem() {
  if (!refused) return nothing;
  const words = refused.wait > 0 ? t('signin-wait', { seconds: Math.ceil(refused.wait) }) : tError(refused.code);
  return html`<div class="notice notice-alarm" role="alert" data-testid="signin-problem" data-code=${refused.code}>${icon('warning')}<p>${words}</p></div>`;
}

const passkeyButton = () =>
  canPasskey() ? html`<button type="button" class="secondary big" data-testid="signin-passkey" ?disabled=${busy} @click=${withPasskey}>${icon('key')}${t('signin-passkey')}</button>` : nothing;

function first() {
  return html`<h1>${t('signin-title')}</h1><p class="lead">${t('signin-lead')}</p>
    <form @submit=${send}>
      <label class="field"><span>${t('signin-email')}</span><input type="email" name="email" autocomplete="username webauthn" required maxlength="254" autofocus></label>
      <label class="field"><span>${t('signin-password')}</span><input type="password" name="password" autocomplete="current-password" required maxlength="256"></label>
      ${problem()}
      <button class="primary big" data-testid="signin-send" ?disabled=${busy}>${t('signin-send')}</button>
    </form>
    <p><a data-testid="to-forgot" href="/forgot-password">${t('signin-forgot')}</a></p>
    ${canPasskey() || provider ? html`<p class="or">${t('signin-or')}</p>` : nothing}
    ${passkeyButton()}
    ${provider ? html`<button type="button" class="secondary big" data-testid="signin-provider" ?disabled=${busy} @click=${withProvider}>${t('signin-provider', { name: provider })}</button>` : nothing}
    <p class="hint">${t('signin-link-hint')}</p>`;
}

/** @param {string[]} asked */
function second(asked) {
  const coded = asked.includes('totp') || recovering;
  return html`<h1>${t('signin-second-title')}</h1><p class="lead">${recovering ? t('signin-recovery-lead') : coded ? t('signin-code-lead') : t('signin-passkey-lead')}</p>
    ${coded
      ? html`<form @submit=${send}>
          ${recovering
            ? html`<label class="field"><span>${t('signin-recovery')}</span><input type="text" name="code" data-testid="signin-code" data-focus autocomplete="off" autocapitalize="characters" spellcheck="false" required minlength="16" maxlength="40"></label>`
            : html`<label class="field"><span>${t('signin-code')}</span><input type="text" name="code" data-testid="signin-code" data-focus inputmode="numeric" pattern="[0-9]{6}" autocomplete="one-time-code" required maxlength="6"></label>`}
          ${problem()}
          <button class="primary big" data-testid="signin-second" ?disabled=${busy}>${t('signin-send')}</button>
        </form>`
      : problem()}
    ${asked.includes('passkey') && !recovering ? passkeyButton() : nothing}
    <p class="row">
      ${asked.includes('recovery')
        ? html`<button class="link" data-testid="signin-recover" @click=${() => {
            recovering = !recovering;
            draw();
          }}>${recovering ? t('signin-no-recovery') : t('signin-recover')}</button>`
        : nothing}
      <button class="link" @click=${() => {
        ways = null;
        draw();
      }}>${t('signin-again')}</button></p>`;
}

function draw() {
  document.title = t('page-title', { page: t('page-signin') });
  render(html`<hj-header></hj-header><div class="page"><section class="card narrow">${ways ? second(ways) : first()}</section></div>`, root);
}

languageEvents.addEventListener('change', draw);
await startLanguage('account');
comeBack();
draw();
if (ways) /** @type {HTMLElement | null} */ (root.querySelector('[data-focus]'))?.focus();
void get('/api/sign-in/ways').then((answer) => {
  provider = answer.provider ?? '';
  if (provider) draw();
}, () => undefined);
void get('/api/me').then(() => location.replace(afterSignIn(location.search)), () => undefined);
