/**
 * <hj-partner>: the fellow interpreter: who it is, who renders, the hand-over, and a line only the two share: text, and
 * talk while a button is held. When there is no second interpreter it says so and keeps out of the way.
 */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t } from '../i18n.js';
import { hourMinute } from '../time.js';
import { icon } from './icons.js';
import { keyOf } from '../room/keys.js';
import { handoverStep, isHere, partners } from '../room/interpreting.js';
import { LightElement } from './base.js';
import './hold.js';

const MAX_TEXT = 500;

class PartnerPanel extends LightElement {
  static properties = { snapshot: { attribute: false }, texts: { attribute: false }, talking: { attribute: false }, keys: { type: Boolean }, zone: { attribute: false } };

  constructor() {
    super();
    /** @type {import('../types/wire.js').Snapshot | null} */
    this.snapshot = null;
    /** @type {import('../types/wire.js').PartnerSaid[]} */
    this.texts = [];
    /** @type {'no' | 'waiting' | 'open'} */
    this.talking = 'no';
    this.keys = false;
    /** @type {string | undefined} */
    this.zone = undefined;
  }

  updated() {
    const log = this.querySelector('.partner-log');
    if (log) log.scrollTop = log.scrollHeight;
  }

  render() {
    const snapshot = this.snapshot;
    if (!snapshot) return nothing;
    const others = partners(snapshot);
    // A button that is held stays until it is let go: taken away, nobody would hear that the line is to be closed.
    if (others.length === 0 && this.talking === 'no') return html`<p class="hint" data-testid="partner-none">${t('partner-none')}</p>`;
    const said = snapshot.interpretation;
    const own = snapshot.you.participant;
    const step = handoverStep(snapshot);
    const names = new Map(snapshot.participants.map((person) => [person.id, person.name]));
    return html`
      <p class="partner-who" data-testid="partner-who">${others.map((person) => html`<b>${person.name}</b> <span>${
        person.partner ? t('partner-talks') : said?.active === person.id ? t('partner-active') : isHere(person) ? t('partner-passive') : t('tile-away')}</span>`)}</p>
      <div class="keys-row">
        <button class="secondary" data-testid="handover" data-step=${step ?? ''} ?disabled=${step === null} @click=${() => this.ask('handover')}>${icon('handover')}<span>${
          step === 'cancel' ? t('handover-cancel') : step === 'accept' ? t('handover-accept') : said?.active === own ? t('handover-request') : t('handover-offer')}</span>${this.key('handover')}</button>
        <button class="secondary" data-testid="mute-passive" ?disabled=${said?.active !== own || said?.muted !== null} @click=${() => this.ask('mute-passive')}><span>${t('desk-passive')}</span>${this.key('passive')}</button>
        <hj-hold name="partner-talk" what="partner" sign="mic" label=${this.talking === 'open' ? t('partner-talking') : this.talking === 'waiting' ? t('partner-opening') : t('partner-talk')}
          shows=${this.keys ? keyOf('partner') : ''} ?down=${this.talking !== 'no'}></hj-hold>
      </div>
      <ol class="partner-log" data-testid="partner-log" aria-live="polite" tabindex="0" aria-label=${t('partner-log')}>${this.texts.map((one) => html`<li ?data-own=${one.by === own}>
        <span>${one.by === own ? t('desk-you') : (names.get(one.by) ?? '')} <time class="figures">${hourMinute(one.at_ms, language(), this.zone)}</time></span><p>${one.text}</p></li>`)}</ol>
      <form class="partner-write" @submit=${this.write}>
        <label class="visually-hidden" for="partner-text">${t('partner-text')}</label>
        <input type="text" id="partner-text" data-testid="partner-text" maxlength=${MAX_TEXT} autocomplete="off" placeholder=${t('partner-text')} />
        <button class="secondary" data-testid="partner-send">${t('partner-send')}</button></form>`;
  }

  /** @param {import('../room/keys.js').Command} command */
  key(command) {
    return this.keys ? html`<kbd>${keyOf(command)}</kbd>` : nothing;
  }

  /** @param {Event} event */
  write(event) {
    event.preventDefault();
    const field = /** @type {HTMLInputElement} */ (this.querySelector('#partner-text'));
    const text = field.value.trim();
    if (!text) return;
    // It stays in the field until it has arrived.
    this.ask('partner-text', { text, sent: () => { if (field.value.trim() === text) field.value = ''; } });
  }
}
customElements.define('hj-partner', PartnerPanel);
