/** <hj-interprets>: which languages somebody interprets between, and the specialties they are certified for. */
import { html, nothing } from '/static/vendor/lit.js';
import { post } from '../api.js';
import { languageName } from '../cldr.js';
import { language, t } from '../i18n.js';
import { FormElement, given } from './form.js';

const SPOKEN = ['ko', 'ru', 'en', 'kk', 'uz', 'mn'];
/** Both ways between each two of our languages; each pair in the alphabet's order, as the server keeps it. */
const PAIRS = SPOKEN.flatMap((one, index) => SPOKEN.slice(index + 1).map((other) => [one, other].sort().join('-')));
const FIELDS = ['oncology', 'orthopaedics', 'cardiothoracic', 'neurosurgery', 'paediatrics', 'gynaecology', 'ent', 'gastroenterology', 'urology', 'general'];

class Interprets extends FormElement {
  static properties = { ...FormElement.properties, person: { attribute: false }, may: { type: Boolean } };

  constructor() {
    super();
    /** @type {import('../types/people.js').Person | null} */
    this.person = null;
    this.may = false;
  }

  /** @param {SubmitEvent} event */
  save(event) {
    const data = given(event);
    const pairs = data.getAll('pairs').map((one) => String(one).split('-'));
    if (!pairs.length) {
      [this.wrong, this.problem, this.done] = [{ pairs: 'empty' }, 'form_refused', null];
      void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector('[aria-invalid=true]'))?.focus());
      return;
    }
    void this.once(async () => {
      await post(`/api/interpreters/${encodeURIComponent(this.person?.id ?? '')}`, { pairs, fields: data.getAll('fields').map(String) });
      this.ask('person-changed');
      return 'form-saved';
    });
  }

  render() {
    const one = this.person;
    if (!one) return nothing;
    const mine = one.pairs.map((pair) => pair.join('-'));
    const options = [...new Set([...PAIRS, ...mine])].map((code) => ({ code, name: code.split('-').map((each) => languageName(each, language())).join(' ↔ ') }));
    const fields = [...new Set([...FIELDS, ...one.fields])].map((code) => ({ code, name: t(`specialty-${code}`) }));
    const words = (/** @type {{code: string, name: string}[]} */ from, /** @type {string[]} */ chosen) => from.filter((each) => chosen.includes(each.code)).map((each) => each.name).join(', ') || '–';
    return html`<section class="card" data-testid="interprets"><h2>${t('interprets-title')}</h2>${this.notices()}
      ${mine.length ? nothing : html`<div class="notice notice-warn"><p>${t('interprets-none')}</p></div>`}
      ${this.may ? html`<form novalidate data-testid="interprets-form" @submit=${this.save}>${this.ticks({ name: 'pairs', label: t('interprets-pairs'), chosen: mine }, options)}
        ${this.ticks({ name: 'fields', label: t('interprets-fields'), chosen: one.fields, hint: t('interprets-fields-hint') }, fields)}
        <div><button class="primary" data-testid="interprets-save" ?disabled=${this.busy}>${t('form-save')}</button></div></form>`
      : html`<dl class="facts"><div><dt>${t('interprets-pairs')}</dt><dd>${words(options, mine)}</dd></div><div><dt>${t('interprets-fields')}</dt><dd>${words(fields, one.fields)}</dd></div></dl>`}</section>`;
  }
}
customElements.define('hj-interprets', Interprets);
