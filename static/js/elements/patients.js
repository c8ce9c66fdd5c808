/** <hj-patients>: patients registered at one's own site: found by name or date of birth, corrected, newly registered. */
import { html, nothing } from '/static/vendor/lit.js';
import { get, post } from '../api.js';
import { t, tValue } from '../i18n.js';
import { FormElement, given, word } from './form.js';
import './registration.js';

/** @typedef {import('../types/referral.js').Patient} Patient */

class Patients extends FormElement {
  static properties = { ...FormElement.properties, rows: { state: true }, patient: { state: true } };

  constructor() {
    super();
    /** @type {{id: string, names: Record<string, string>, birth_date: string, sex: string}[] | null} */
    this.rows = null;
    /** @type {Patient | null} whose registration is open */
    this.patient = null;
  }

  connectedCallback() {
    super.connectedCallback();
    this.addEventListener('ask', (event) => {
      const { type, patient } = /** @type {CustomEvent} */ (event).detail;
      if (type === 'registered') this.patient = patient;
      if (type === 'same') void this.open(patient);
    });
  }

  /** @param {SubmitEvent} event */
  search(event) {
    const data = given(event);
    void this.once(async () => {
      this.rows = (await post('/api/patients/search', { name: word(data, 'patient'), birth_date: word(data, 'born') })).patients;
      return null;
    });
  }

  /** @param {string} id */
  open(id) {
    return this.once(async () => {
      this.patient = await get(`/api/patients/${encodeURIComponent(id)}`);
      return null;
    });
  }

  register() {
    void this.once(async () => {
      this.patient = await post('/api/patients', {});
      return null;
    });
  }

  render() {
    return html`<section class="card" data-testid="patients"><h2>${t('patients-title')}</h2><p class="hint">${t('patients-hint')}</p>${this.notices()}
        <form novalidate @submit=${this.search}><div class="fields">${this.text({ name: 'patient', label: t('patients-name') })}${this.text({ name: 'born', label: t('case-birth-date'), type: 'date' })}</div>
          <div class="row"><button class="secondary" data-testid="patients-find" ?disabled=${this.busy}>${t('patients-find')}</button>
            <button type="button" class="primary" data-testid="patients-new" ?disabled=${this.busy} @click=${this.register}>${t('patients-new')}</button></div></form>
        ${this.rows === null ? nothing : this.rows.length === 0 ? html`<p class="hint" role="status">${t('patients-none')}</p>` : html`<ul class="kept-list" data-testid="patients-found">${this.rows.map((one) => html`<li class="kept-seat"><span><strong>${Object.values(one.names).join(' · ') || '–'}</strong><br>
          <span class="hint figures">${one.birth_date}${one.sex ? ` · ${tValue('sex', one.sex)}` : ''}</span></span>
          <button class="quiet" data-testid="patient-open" ?disabled=${this.busy} @click=${() => void this.open(one.id)}>${t('patients-open')}<span class="visually-hidden">: ${Object.values(one.names)[0] ?? ''}</span></button></li>`)}</ul>`}</section>
      ${this.patient ? html`<hj-registration .patient=${this.patient}></hj-registration>` : nothing}`;
  }
}
customElements.define('hj-patients', Patients);
