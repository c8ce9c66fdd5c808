/** <hj-seat-texts>: what being recorded at this seat needs, as it is worded for this case: read at the door before answering. */
import { html, nothing } from '/static/vendor/lit.js';
import { post } from '../api.js';
import { wordsAround } from '../consents/words.js';
import { language, languageEvents, t } from '../i18n.js';
import { LightElement } from './base.js';
import { consentText } from './consent-text.js';

class SeatTexts extends LightElement {
  static properties = { seat: { type: String } };

  constructor() {
    super();
    this.seat = '';
    /** @type {(import('../types/consents.js').TextsAnswer & {open: boolean}) | null} open: the patient sits here and has to see it */
    this.told = null;
    /** @type {Map<string, Record<string, string>>} */
    this.words = new Map();
    this.again = () => void this.load();
  }

  connectedCallback() {
    super.connectedCallback();
    languageEvents.addEventListener('change', this.again);
    void this.load();
  }

  disconnectedCallback() {
    languageEvents.removeEventListener('change', this.again);
    super.disconnectedCallback();
  }

  /** The link's token is proof while it is not spent; without either the short text above stands alone. */
  async load() {
    const token = location.hash.slice(1);
    try {
      const told = await post(`/api/seats/${encodeURIComponent(this.seat)}/consent-texts`, { language: language(), ...(token ? { token } : {}) });
      for (const { language: code } of told.texts) if (!this.words.has(code)) this.words.set(code, await wordsAround(code));
      this.told = told;
    } catch {
      this.told = null;
    }
    this.requestUpdate();
  }

  render() {
    const told = this.told;
    if (!told) return nothing;
    return html`<details class="seat-texts" data-testid="seat-texts" ?open=${told.open}><summary>${t('consent-door-texts')}</summary>
      ${told.texts.map((text) => consentText(text, told.places, this.words.get(text.language) ?? {}))}</details>`;
  }
}
customElements.define('hj-seat-texts', SeatTexts);
