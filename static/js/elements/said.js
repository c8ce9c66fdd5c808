/** <hj-said>: the chat beside a recording; a line leads to its second. It fetches once and shows. */
import { html, nothing } from '/static/vendor/lit.js';
import { get } from '../api.js';
import { language, t, tValue } from '../i18n.js';
import { hourMinute, span } from '../time.js';
import { timesAt } from './chat.js';
import { LightElement } from './base.js';

class Said extends LightElement {
  static properties = { playback: { attribute: false }, zone: { attribute: false }, found: { state: true } };

  constructor() {
    super();
    /** @type {import('../review/playback.js').Playback | null} */
    this.playback = null;
    /** @type {string | undefined} the reader's own place */
    this.zone = undefined;
    /** @type {import('../types/asides.js').ReviewedChat | null} */
    this.found = null;
    this.asked = '';
  }

  updated() {
    const recording = this.playback?.recording.id ?? '';
    if (recording === this.asked) return;
    this.asked = recording;
    void get(`/api/recordings/${encodeURIComponent(recording)}/chat`).then((found) => { this.found = found; }, () => undefined);
  }

  render() {
    const found = this.found;
    if (!found || found.messages.length === 0) return nothing;
    return html`<section class="said" data-testid="review-chat" aria-labelledby="said-title"><h2 id="said-title">${t('chat-title')}</h2>
      <ol>${found.messages.map((message) => this.line(message, found.places))}</ol></section>`;
  }

  /**
   * @param {import('../types/asides.js').ReviewedMessage} message
   * @param {import('../types/asides.js').Place[]} places
   */
  line(message, places) {
    const { ms } = message;
    const inside = ms !== null && ms <= (this.playback?.durationMs ?? 0);
    return html`<li class="said-line" data-testid="review-chat-line" data-ms=${ms ?? ''}>
      ${inside
        ? html`<button type="button" class="quiet figures" data-testid="review-chat-seek" title=${timesAt(message.at_ms, places)}
          aria-label=${t('review-chat-seek', { time: span(ms) })} @click=${() => this.playback?.seek(ms)}>${span(ms)}</button>`
        : html`<time class="figures" title=${timesAt(message.at_ms, places)}>${hourMinute(message.at_ms, language(), this.zone)}</time>`}
      <div><p class="chat-author"><strong>${message.name}</strong> <span>${tValue('role', message.role || 'other')}</span></p>
        <p class="chat-text" dir="auto">${message.text}</p></div></li>`;
  }
}
customElements.define('hj-said', Said);
