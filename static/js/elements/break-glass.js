/** <hj-break-glass>: opens one patient with a reason, and (for a privacy officer) shows who did. It asks `break`, `end-glass`. */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t } from '../i18n.js';
import { fullDate, hourMinute } from '../time.js';
import { LightElement } from './base.js';

/** @typedef {import('../types/audit.js').Glass} Glass */

class BreakGlass extends LightElement {
  static properties = { glasses: { attribute: false }, zone: {}, open: { type: Boolean }, busy: { type: Boolean } };

  constructor() {
    super();
    /** Null: not theirs to see. @type {Glass[] | null} */
    this.glasses = null;
    this.zone = 'UTC';
    this.open = false;
    this.busy = false;
  }

  /** @param {SubmitEvent} event */
  submit(event) {
    event.preventDefault();
    const given = new FormData(/** @type {HTMLFormElement} */ (event.target));
    this.ask('break', { case: String(given.get('case')).trim(), reason: String(given.get('reason')) });
  }

  render() {
    return html`<section class="card"><h2>${t('glass-title')}</h2><p>${t('glass-lead')}</p>
      ${this.open ? html`<p class="hint">${t('glass-already')}</p>` : html`<form data-testid="glass-form" @submit=${this.submit}>
        <label class="field"><span>${t('glass-case')}</span><input name="case" type="text" required maxlength="64" autocomplete="off" data-testid="glass-case"></label>
        <label class="field"><span>${t('glass-reason')}</span><textarea name="reason" rows="3" required maxlength="1000" data-testid="glass-reason"></textarea></label>
        <p><button class="primary danger" data-testid="glass-begin" ?disabled=${this.busy}>${t('glass-begin')}</button></p></form>`}</section>
      ${this.glasses === null ? nothing : html`<section class="card"><h2>${t('glass-list')}</h2>
        ${this.glasses.length === 0 ? html`<p class="hint">${t('glass-none')}</p>` : html`<ul class="audit-list">${this.glasses.map((one) => this.line(one))}</ul>`}</section>`}`;
  }

  /** @param {Glass} one */
  line(one) {
    const at = (/** @type {number} */ ms) => `${fullDate(ms, language(), this.zone)}, ${hourMinute(ms, language(), this.zone)}`;
    return html`<li data-testid="glass-row" data-case=${one.case}><span><strong>${one.name}</strong> · ${one.roles.map((role) => t(`role-${role}`)).join(' · ')} · ${one.case}</span>
      <span class="hint">${at(one.opened_ms)} – ${at(one.over_ms)}</span><span class="audit-reason">${one.reason}</span>
      ${one.open ? html`<span><button class="secondary" data-testid="glass-end-other" ?disabled=${this.busy} @click=${() => this.ask('end-glass', { id: one.id })}>${t('glass-end')}</button></span>` : nothing}</li>`;
  }
}
customElements.define('hj-break-glass', BreakGlass);
