/** <hj-glossaries>: the glossaries one may read, also of cases whose consultation is not today. Fetched when it is opened. */
import { html, nothing } from '/static/vendor/lit.js';
import { codeOf, get } from '../api.js';
import { t, tError } from '../i18n.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

class Glossaries extends LightElement {
  static properties = { cases: { state: true }, found: { state: true }, problem: { state: true } };

  constructor() {
    super();
    /** @type {{id: string, label: string, terms: number}[] | null} */
    this.cases = null;
    this.found = 0;
    /** @type {string | null} */
    this.problem = null;
  }

  render() {
    return html`<details class="hours" data-testid="glossaries" @toggle=${(/** @type {Event} */ event) => void this.toggled(event)}><summary>${t('glossaries-title')}</summary>
      <p class="hint">${t('glossaries-hint')}</p>
      ${this.problem ? html`<p class="notice notice-alarm" role="alert">${icon('warning')}<span>${tError(this.problem)}</span></p>` : this.list()}</details>`;
  }

  list() {
    if (!this.cases) return html`<p class="hint" role="status">${t('loading')}</p>`;
    if (this.cases.length === 0) return html`<p class="hint" data-testid="glossaries-empty">${t('glossaries-empty')}</p>`;
    return html`<ul class="glossaries">${this.cases.map((one) => html`<li><a data-testid="to-glossary" href="/cases/${encodeURIComponent(one.id)}/glossary">${icon('book')}<span class="figures">${one.label}</span></a>
      <span class="hint">${t('glossary-found', { count: one.terms })}</span></li>`)}</ul>
      ${this.found > this.cases.length ? html`<p class="hint">${t('glossaries-more', { count: this.found - this.cases.length })}</p>` : nothing}`;
  }

  /** @param {Event} event */
  async toggled(event) {
    if (!(/** @type {HTMLDetailsElement} */ (event.target).open)) return;
    try {
      ({ cases: this.cases, found: this.found } = await get('/api/glossaries'));
      this.problem = null;
    } catch (error) {
      this.problem = codeOf(error);
    }
  }
}
customElements.define('hj-glossaries', Glossaries);
