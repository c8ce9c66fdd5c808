/** <hj-seat-texts>: what being recorded at this seat needs, as it is worded for this case: read at the door before answering. */
import { html, nothing } from '/static/vendor/lit.js';
import { post } from '../api.js';
import { wordsAround } from '../consents/words.js';
import { language, languageEvents, t } from '../i18n.js';
import { LightElement } from './base.js';
import { consentText } from './consent-text.js';

const AGAIN_MS = 20_000;

class SeatTexts extends LightElement {
  static properties = { seat: { type: String }, asked: { attribute: false } };

  constructor() {
    super();
    this.seat = '';
    /** What is asked, as the page knows it: when that is something else the texts are read anew. */
    this.asked = 'null';
    this.read = this.asked;
    this.timer = 0;
    /** @type {(import('../types/consents.js').TextsAnswer & {open: boolean}) | null} open: the patient sits here and has to see it */
    this.told = null;
    /** @type {Map<string, Record<string, string>>} */
    this.words = new Map();
    this.again = () => void this.load();
  }

  connectedCallback() {
    super.connectedCallback();
    languageEvents.addEventListener('change', this.again);
    this.timer = setInterval(() => void this.load(), AGAIN_MS); // who has only a link is told nothing else
    void this.load();
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (changed.has('asked') && this.asked !== this.read) {
      this.read = this.asked;
      if (this.told) void this.load();
    }
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    languageEvents.removeEventListener('change', this.again);
    super.disconnectedCallback();
  }

  /** The link's token is proof while it is not spent; without either the short text above stands alone. */
  async load() {
    const token = location.hash.slice(1);
    try {
      const told = await post(`/api/seats/${encodeURIComponent(this.seat)}/consent-texts`, { language: language(), ...(token ? { token } : {}) });
      for (const { language: code } of told.texts) if (!this.words.has(code)) this.words.set(code, await wordsAround(code));
      if (JSON.stringify(told) === JSON.stringify(this.told)) return;
      this.told = told;
    } catch {
      if (this.told) return; // what was read stays readable while the line is away
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
