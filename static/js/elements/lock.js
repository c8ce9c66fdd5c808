/**
 * <hj-lock>: covers a page that nobody touched for a while, until it is unlocked. The page stays as it was underneath.
 * It stands in the header of pages of somebody signed in; a room's page has no such header, so a call is never covered.
 */
import { html, nothing } from '/static/vendor/lit.js';
import { get, post } from '../api.js';
import { t } from '../i18n.js';
import { Idle } from '../idle.js';
import { LightElement } from './base.js';
import './prove.js';

const SEEN = 'hyeopjin.active';
const TOUCHES = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'];

class Lock extends LightElement {
  static properties = { account: { attribute: false }, covered: { state: true } };

  constructor() {
    super();
    /** @type {import('../types/wire.js').Account | null} */
    this.account = null;
    this.covered = false;
    /** @type {Idle | null} */
    this.idle = null;
    this.wasLockedAtFirst = false;
  }

  updated() {
    if (this.account?.lock_after_s && !this.idle) this.watch(this.account.lock_after_s * 1000);
    const dialog = this.querySelector('dialog');
    if (!dialog || dialog.open) return;
    dialog.showModal();
    const prove = /** @type {LightElement | null} */ (dialog.querySelector('hj-prove')); // has its field a moment later
    void prove?.updateComplete.then(() => prove.querySelector('input')?.focus());
  }

  /** @param {number} afterMs */
  watch(afterMs) {
    const idle = new Idle({
      afterMs,
      now: () => Date.now(),
      report: () => {
        void post('/api/account/active').catch(() => undefined);
        remember();
      },
      cover: () => {
        this.covered = true;
      },
      busy: () => [...document.querySelectorAll('video, audio')].some((one) => !(/** @type {HTMLMediaElement} */ (one).paused)),
    });
    this.idle = idle;
    for (const type of TOUCHES) document.addEventListener(type, () => idle.touched(), { passive: true, capture: true });
    window.addEventListener('storage', (event) => {
      if (event.key !== SEEN) return;
      if (idle.covered) void this.look();
      else idle.heard(Number(event.newValue));
    });
    window.addEventListener('hj-locked', () => idle.cover());
    document.addEventListener('visibilitychange', () => idle.look());
    setInterval(() => idle.look(), 1000);
    if (this.account?.standing === 'locked') {
      this.wasLockedAtFirst = true;
      idle.cover();
    }
  }

  /** It may have been unlocked in another window. */
  async look() {
    const me = await get('/api/me').catch(() => null);
    if (me?.account.standing === 'full' && me.account.id === this.account?.id) this.open();
  }

  proven() {
    remember();
    this.open();
  }

  open() {
    if (this.wasLockedAtFirst) {
      location.reload();
      return;
    }
    this.covered = false;
    this.idle?.uncovered();
    window.dispatchEvent(new Event('hj-unlocked'));
  }

  render() {
    if (!this.covered) return nothing;
    return html`<dialog class="lock" data-testid="lock" aria-labelledby="lock-title" @cancel=${(/** @type {Event} */ event) => event.preventDefault()} @close=${() => this.requestUpdate()}>
      <h2 id="lock-title">${t('lock-title')}</h2><p class="lead">${t('lock-lead', { name: this.account?.name ?? '' })}</p>
      <hj-prove .action=${t('lock-open')} @proven=${this.proven}></hj-prove>
      <p class="hint">${t('lock-other')}</p>
      <button class="link" data-testid="lock-sign-out" @click=${() => this.ask('sign-out')}>${t('sign-out')}</button></dialog>`;
  }
}
customElements.define('hj-lock', Lock);

function remember() {
  try {
    localStorage.setItem(SEEN, String(Date.now()));
  } catch {
    /* storage forbidden: each window counts for itself */
  }
}
