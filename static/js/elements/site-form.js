/** <hj-site-form>: a new site, or what there is of one. */
import { html } from '/static/vendor/lit.js';
import { post } from '../api.js';
import { languageName } from '../cldr.js';
import { countries } from '../countries.js';
import { language, t } from '../i18n.js';
import { FormElement, given, word } from './form.js';

/** @typedef {import('../types/people.js').Site} Site */

/** As the server takes them. */
export const SPOKEN = Object.freeze(['ko', 'ru', 'kk', 'uz', 'mn', 'en', 'ar', 'zh', 'ja', 'vi', 'ky', 'tg']);
/** Names of places; a browser that lists none leaves the field to be typed. */
const ZONES = 'supportedValuesOf' in Intl ? Intl.supportedValuesOf('timeZone') : [];

class SiteForm extends FormElement {
  static properties = { ...FormElement.properties, site: { attribute: false } };

  constructor() {
    super();
    /** @type {Site | null} null: a new one */
    this.site = null;
  }

  /** @param {SubmitEvent} event */
  save(event) {
    const data = given(event);
    const body = {
      name: word(data, 'name'), time_zone: word(data, 'time_zone'), country: word(data, 'country'), address: word(data, 'address'),
      languages: data.getAll('languages').map(String), telephone: word(data, 'telephone'), emergency: word(data, 'emergency'),
    };
    void this.once(async () => {
      const site = await post(this.site ? `/api/sites/${encodeURIComponent(this.site.id)}` : '/api/sites', body);
      this.ask('site-saved', { site });
      return 'form-saved';
    });
  }

  render() {
    const one = this.site;
    return html`<form novalidate data-testid="site-form" @submit=${this.save}>${this.notices()}
      <div class="fields">${this.text({ name: 'name', label: t('site-name'), value: one?.name, needed: true })}
        ${this.choice({ name: 'country', label: t('site-country'), value: one?.country ?? '' }, [{ code: '', name: t('form-choose') }, ...countries(language())])}
        ${this.text({ name: 'time_zone', label: t('site-zone'), value: one?.time_zone, hint: t('site-zone-hint'), list: 'zones', needed: true })}</div>
      <datalist id="zones">${ZONES.map((zone) => html`<option value=${zone}></option>`)}</datalist>
      <div class="fields">${this.text({ name: 'telephone', label: t('site-telephone'), value: one?.telephone, hint: t('site-telephone-hint'), type: 'tel' })}
        ${this.text({ name: 'emergency', label: t('site-emergency'), value: one?.emergency, hint: t('site-emergency-hint'), type: 'tel' })}
        ${this.text({ name: 'address', label: t('site-address'), value: one?.address })}</div>
      ${this.ticks({ name: 'languages', label: t('site-languages'), chosen: one?.languages ?? [] }, SPOKEN.map((code) => ({ code, name: languageName(code, language()) })))}
      <div><button class="primary" data-testid="site-save" ?disabled=${this.busy}>${one ? t('form-save') : t('site-add')}</button></div></form>`;
  }
}
customElements.define('hj-site-form', SiteForm);
