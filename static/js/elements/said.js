/** <hj-said>: the chat beside a recording; a line leads to its second. It fetches once and shows. */
import { html, nothing } from '/static/vendor/lit.js';
import { get } from '../api.js';
import { language, t, tValue } from '../i18n.js';
import { hourMinute, span } from '../time.js';
import { timesAt } from './chat.js';
import { LightElement } from './base.js';

class Said extends LightElement {
  static properties = { playback: { attribute: false }, zone: { attribute: false }, found: { state: true }, opening: { state: true } };

  constructor() {
    super();
    /** @type {import('../review/playback.js').Playback | null} */
    this.playback = null;
    /** @type {string | undefined} the reader's own place */
    this.zone = undefined;
    /** @type {import('../types/asides.js').ReviewedChat | null} */
    this.found = null;
    /** @type {import('../types/asides.js').ReviewedStep[]} how the interpreter opened */
    this.opening = [];
    this.asked = '';
  }

  updated() {
    const recording = this.playback?.recording.id ?? '';
    if (recording === this.asked) return;
    this.asked = recording;
    const base = `/api/recordings/${encodeURIComponent(recording)}`;
    void get(`${base}/conduct`).then((found) => { this.opening = found.steps; }, () => undefined);
    void get(`${base}/chat`).then((found) => { this.found = found; }, () => undefined);
  }

  render() {
    return html`${this.opened()}${this.chat()}`;
  }

  opened() {
    if (this.opening.length === 0) return nothing;
    return html`<section class="said" data-testid="review-conduct" aria-labelledby="opened-title"><h2 id="opened-title">${t('conduct-title')}</h2>
      <ol>${this.opening.map((step) => html`<li class="said-line" data-step=${step.step} data-outcome=${step.outcome}>
        <button type="button" class="quiet figures" aria-label=${t('review-conduct-seek', { time: span(step.ms) })} @click=${() => this.playback?.seek(step.ms)}>${span(step.ms)}</button>
        <p>${t(`conduct-step-${step.step}`)} – ${step.name}${step.outcome === 'skipped' ? html`: ${tValue('conduct-reason', step.reason ?? 'other')}` : nothing}</p></li>`)}</ol></section>`;
  }

  chat() {
    const found = this.found;
    if (!found || found.messages.length + found.withheld === 0) return nothing;
    return html`<section class="said" data-testid="review-chat" aria-labelledby="said-title"><h2 id="said-title">${t('chat-title')}</h2>
      <ol>${found.messages.map((message) => this.line(message, found.places))}</ol>
      ${found.withheld ? html`<p class="hint" data-testid="review-chat-withheld">${t('review-chat-withheld', { count: found.withheld })}</p>` : nothing}</section>`;
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
