/** <hj-audit-chain>: whether the audit is whole, and what is known to be missing. It asks `check`, `acknowledge`. */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t } from '../i18n.js';
import { fullDate, hourMinute, zoneName } from '../time.js';
import { LightElement } from './base.js';
import { icon } from './icons.js';

/** @typedef {import('../types/audit.js').Chain} Chain */

class AuditChain extends LightElement {
  static properties = { chain: { attribute: false }, zone: {}, checked: { type: Boolean }, busy: { type: Boolean } };

  constructor() {
    super();
    /** @type {Chain | null} */
    this.chain = null;
    this.zone = 'UTC';
    /** Every entry was hashed again just now. */
    this.checked = false;
    this.busy = false;
  }

  render() {
    const { chain } = this;
    if (!chain) return html`<p class="loading" role="status">${t('loading')}</p>`;
    const whole = chain.broken === null && chain.missing_after === null && chain.unsigned.length === 0 && chain.guarded;
    return html`<section class="card" data-testid="audit-chain" data-whole=${whole}><h2>${t('audit-view-chain')}</h2><p class="hint">${t('audit-lead-chain')}</p>
      ${this.troubles(chain)}
      ${whole ? html`<div class="notice notice-good" role="status" data-testid="chain-fine">${icon('check')}<p>${this.checked ? t('audit-chain-whole', { entries: chain.entries }) : t('audit-chain-fine')}</p></div>` : nothing}
      <p class="figures">${t('audit-chain-facts', { entries: chain.entries, checkpoints: chain.checkpoints })} ${chain.newest_ms === null ? nothing : t('audit-chain-newest', { date: this.instant(chain.newest_ms) })}</p>
      <p><button class="secondary" data-testid="chain-check" ?disabled=${this.busy} @click=${() => this.ask('check')}>${t('audit-chain-check')}</button></p></section>
      ${chain.gaps.length === 0 ? nothing : html`<section class="card"><h2>${t('audit-gaps')}</h2><ul class="audit-list">${chain.gaps.map((gap) => this.gap(gap))}</ul></section>`}`;
  }

  /** @param {Chain} chain */
  troubles(chain) {
    const alarm = (/** @type {string} */ id, /** @type {unknown} */ words) => html`<div class="notice notice-alarm" role="alert" data-testid=${id}>${icon('warning')}<p>${words}</p></div>`;
    return html`${chain.broken === null ? nothing : alarm('chain-broken', t('audit-chain-broken', { number: chain.broken }))}
      ${chain.unsigned.length === 0 ? nothing : alarm('chain-unsigned', t('audit-chain-unsigned', { names: chain.unsigned.join(', ') }))}
      ${chain.guarded ? nothing : alarm('chain-unguarded', t('audit-chain-unguarded'))}
      ${chain.missing_after === null ? nothing : html`${alarm('chain-missing', t('audit-chain-missing', { number: chain.missing_after, date: this.instant(chain.checkpoint_ms ?? 0) }))}
        ${chain.broken === null ? this.form(chain) : nothing}`}`;
  }

  /** @param {Chain} chain */
  form(chain) {
    return html`<form class="audit-sign" data-testid="gap-form" @submit=${(/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      this.ask('acknowledge', { lost: chain.lost, reason: String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('reason')) });
    }}><label class="field"><span>${t('audit-gap-reason')}</span><textarea name="reason" rows="3" required maxlength="1000" data-testid="gap-reason"></textarea></label>
      <p><button class="primary danger" data-testid="gap-acknowledge" ?disabled=${this.busy}>${t('audit-gap-acknowledge')}</button></p></form>`;
  }

  /** @param {import('../types/audit.js').Gap} gap */
  gap(gap) {
    return html`<li data-testid="gap"><span>${t('audit-gap-lost', { first: gap.kept_to + 1, last: gap.lost_to, from: this.instant(gap.from_ms), to: this.instant(gap.to_ms) })}</span>
      <span class="hint">${t('audit-gap-by', { name: gap.name, date: this.instant(gap.made_ms) })}</span><span class="audit-reason">${gap.reason || t('audit-gap-no-reason')}</span></li>`;
  }

  /** @param {number} ms */
  instant(ms) {
    return `${fullDate(ms, language(), this.zone)}, ${hourMinute(ms, language(), this.zone)} ${zoneName(ms, language(), this.zone)}`;
  }
}
customElements.define('hj-audit-chain', AuditChain);
