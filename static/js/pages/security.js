/** One's own ways of signing in: password, authenticator app, passkeys, recovery codes, and where one is signed in. */
import { html, nothing, render, svg } from '/static/vendor/lit.js';
import { ApiRefusal, codeOf, get, post, problemOf } from '../api.js';
import { language, languageEvents, t, tError } from '../i18n.js';
import { reader } from '../reader.js';
import { fullDate } from '../time.js';
import { canPasskey, makePasskey, passkeyProblem } from '../passkeys.js';
import { icon } from '../elements/icons.js';
import { newPassword, passwordFields } from '../elements/new-password.js';
import '../elements/chrome.js';
import '../elements/own-sessions.js';
import '../elements/prove.js';

/** @typedef {{password: boolean, totp: boolean, passkeys: {id: string, name: string, made_ms: number, used_ms: number | null}[], recovery_left: number, required: boolean, proven: boolean}} State */

const root = /** @type {HTMLElement} */ (document.querySelector('main'));
/** @type {import('../types/wire.js').Account | null} */
let account = null;
/** @type {State | null} */
let state = null;
/** A secret that was just made, shown this once. @type {{secret: string, address: string, qr: {size: number, path: string}} | null} */
let app = null;
/** Recovery codes, shown this once. @type {string[]} */
let codes = [];
/** What is opened: the password's form. */
let changing = false;
let shown = false;
let busy = false;
/** @type {string | null} */
let problem = null;
let done = '';
/** What waits for a proof. @type {(() => Promise<unknown>) | null} */
let waiting = null;

async function renew() {
  try {
    state = await get('/api/account/security');
  } catch (error) {
    problem = problemOf(error);
  }
  draw();
}

/** @param {() => Promise<unknown>} work */
async function act(work) {
  busy = true;
  problem = null;
  done = '';
  draw();
  try {
    await work();
    waiting = null;
  } catch (error) {
    const code = error instanceof ApiRefusal ? codeOf(error) : passkeyProblem(error);
    if (code === 'proof_required') waiting = work;
    else problem = code;
  }
  busy = false;
  await renew();
}

/** @param {SubmitEvent} event @param {string} field */
function typed(event, field) {
  event.preventDefault();
  return String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get(field)).trim();
}

/** @param {SubmitEvent} event */
function setPassword(event) {
  event.preventDefault();
  const password = newPassword(/** @type {HTMLFormElement} */ (event.target));
  if (password === null) {
    problem = 'differ';
    draw();
    return;
  }
  void act(async () => {
    await post('/api/account/password', { password });
    changing = false;
    done = t('security-password-done');
  });
}

const beginApp = () => act(async () => {
  app = await post('/api/account/totp');
});

/** @param {SubmitEvent} event */
function confirmApp(event) {
  const code = typed(event, 'code');
  void act(async () => {
    ({ codes } = await post('/api/account/totp/confirm', { code }));
    app = null;
    done = t('security-app-done');
  });
}

/** @param {SubmitEvent} event */
function addPasskey(event) {
  const name = typed(event, 'name');
  const form = /** @type {HTMLFormElement} */ (event.target);
  void act(async () => {
    const credential = await makePasskey(await post('/api/account/passkeys/options'));
    ({ codes } = await post('/api/account/passkeys', { credential, name }));
    form.reset();
    done = t('security-passkey-done');
  });
}

/** @param {number} ms */
const day = (ms) => fullDate(ms, language());

function said() {
  if (problem) {
    return html`<div class="notice notice-alarm" role="alert" data-testid="security-problem" data-code=${problem}>${icon('warning')}<p>${problem === 'differ' ? t('set-password-differ') : tError(problem)}</p></div>`;
  }
  return done ? html`<div class="notice notice-good" role="status" data-testid="security-done">${icon('check')}<p>${done}</p></div>` : nothing;
}

function proof() {
  const work = waiting;
  if (!work) return nothing;
  return html`<section class="card" data-testid="prove"><h2>${t('security-prove-title')}</h2><p>${t('security-prove-lead')}</p>
    <hj-prove .action=${t('security-prove-send')} @proven=${() => void act(work)}></hj-prove></section>`;
}

function recovery() {
  if (codes.length === 0) return nothing;
  return html`<section class="card" data-testid="recovery"><h2>${t('security-codes-title')}</h2><p>${t('security-codes-lead')}</p>
    <ul class="codes">${codes.map((code) => html`<li data-testid="recovery-code">${code}</li>`)}</ul>
    <button class="primary" data-testid="recovery-kept" @click=${() => {
      codes = [];
      draw();
    }}>${t('security-codes-kept')}</button></section>`;
}

/** @param {State} now */
function passwordCard(now) {
  return html`<section class="card"><h2>${t('signin-password')}</h2>
    ${changing
      ? html`<form @submit=${setPassword}>${passwordFields(shown, () => {
          shown = !shown;
          draw();
        })}<button class="primary" data-testid="password-send" ?disabled=${busy}>${t('set-password-send')}</button></form>`
      : html`<p>${now.password ? t('security-password-set') : t('security-password-none')}</p><p><button class="secondary" data-testid="password-change" @click=${() => {
          changing = true;
          draw();
        }}>${t('security-password-change')}</button></p>`}</section>`;
}

/** @param {State} now */
function appCard(now) {
  return html`<section class="card"><h2>${t('security-app')}</h2><p>${now.totp ? t('security-app-on') : t('security-app-lead')}</p>
    ${app
      ? html`<p>${t('security-app-scan')}</p>
          <svg class="qr" data-testid="totp-qr" role="img" aria-label=${t('security-app-picture')} viewBox="0 0 ${app.qr.size} ${app.qr.size}" shape-rendering="crispEdges">${svg`<path d=${app.qr.path} fill="#000"/>`}</svg>
          <p>${t('security-app-type')} <code class="secret" data-testid="totp-secret">${app.secret}</code></p>
          <form @submit=${confirmApp}><label class="field"><span>${t('signin-code')}</span><input type="text" name="code" data-testid="totp-code" inputmode="numeric" pattern="[0-9]{6}" autocomplete="one-time-code" required maxlength="6"></label>
            <button class="primary" data-testid="totp-confirm" ?disabled=${busy}>${t('security-app-confirm')}</button></form>`
      : html`<p class="row">${now.totp
            ? html`<button class="secondary" data-testid="totp-remove" ?disabled=${busy} @click=${() => void act(() => post('/api/account/totp/remove'))}>${t('security-app-remove')}</button>`
            : html`<button class="secondary" data-testid="totp-begin" ?disabled=${busy} @click=${() => void beginApp()}>${t('security-app-begin')}</button>`}</p>`}</section>`;
}

/** @param {State} now */
function passkeyCard(now) {
  return html`<section class="card"><h2>${t('security-passkeys')}</h2><p>${t('security-passkeys-lead')}</p>
    <ul class="rows">${now.passkeys.map((one) => html`<li data-testid="passkey"><div><strong>${one.name}</strong><br><span class="hint">${t('security-passkey-made', { day: day(one.made_ms) })}
        ${one.used_ms ? t('security-passkey-used', { day: day(one.used_ms) }) : t('security-passkey-unused')}</span></div>
      <button class="quiet" data-testid="passkey-remove" ?disabled=${busy} aria-label=${t('security-passkey-remove-named', { name: one.name })} @click=${() => void act(() => post(`/api/account/passkeys/${encodeURIComponent(one.id)}/delete`))}>${t('security-passkey-remove')}</button></li>`)}</ul>
    ${canPasskey()
      ? html`<form @submit=${addPasskey}><label class="field"><span>${t('security-passkey-name')}</span><input type="text" name="name" data-testid="passkey-name" required maxlength="64" autocomplete="off"></label>
          <button class="secondary" data-testid="passkey-add" ?disabled=${busy}>${t('security-passkey-add')}</button></form>`
      : html`<p class="hint">${t('security-passkey-cannot')}</p>`}</section>`;
}

/** @param {State} now */
function cards(now) {
  const second = now.totp || now.passkeys.length > 0;
  return html`${now.required && !second ? html`<div class="notice notice-warn" role="status" data-testid="second-step-required">${icon('shield')}<p>${tError('second_step_required')}</p></div>` : nothing}
    ${recovery()}${proof()}${said()}${passwordCard(now)}${appCard(now)}${passkeyCard(now)}
    ${second
      ? html`<section class="card"><h2>${t('security-recovery')}</h2><p data-testid="recovery-left">${t('security-recovery-left', { n: now.recovery_left })}</p>
          <p><button class="secondary" data-testid="recovery-renew" ?disabled=${busy} @click=${() => void act(async () => {
            ({ codes } = await post('/api/account/recovery-codes'));
          })}>${t('security-recovery-renew')}</button></p></section>`
      : nothing}
    <hj-own-sessions .zone=${account?.time_zone ?? 'UTC'}></hj-own-sessions>`;
}

function draw() {
  document.title = t('page-title', { page: t('page-security') });
  render(html`<hj-header .account=${account}></hj-header><div class="page security">
    <a class="button quiet back" href="/worklist">${icon('back')}${t('case-back')}</a>
    <div class="page-head"><h1>${t('page-security')}</h1><p class="hint">${t('security-lead')}</p></div>
    ${state ? cards(state) : problem ? said() : html`<p class="loading" role="status">${t('loading')}</p>`}</div>`, root);
}

window.addEventListener('hj-unlocked', () => void renew());
const me = await reader(root);
if (me) {
  account = me.account;
  languageEvents.addEventListener('change', draw);
  draw();
  await renew();
}
