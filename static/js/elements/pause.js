/**
 * <hj-pause>: as long as the recording is paused, everybody sees it, by whom and since when; whoever may, resumes it here.
 * It is said aloud once when it begins and again every few minutes, so that nobody forgets it.
 */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t, tValue } from '../i18n.js';
import { hourMinute } from '../time.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

const REASONS = ['other', 'private_talk', 'examination', 'patient_asked'];

class Pause extends LightElement {
  static properties = {
    value: { attribute: false }, names: { attribute: false }, may: { type: Boolean }, zone: { attribute: false },
  };

  constructor() {
    super();
    /** @type {import('../room/pause.js').PauseShown | null} */
    this.value = null;
    /** @type {Map<string, string>} participant → name */
    this.names = new Map();
    this.may = false;
    /** @type {string | undefined} the reader's own place */
    this.zone = undefined;
  }

  render() {
    const value = this.value;
    const name = this.names.get(value?.by ?? '') ?? '';
    return html`<div class="visually-hidden" role="alert">${value ? this.aloud(value, name) : nothing}</div>
      ${value ? this.strip(value, name) : nothing}`;
  }

  /**
   * @param {import('../room/pause.js').PauseShown} value
   * @param {string} name
   */
  aloud(value, name) {
    if (value.phase !== 'paused') return nothing;
    return value.reminders > 0 ? t('pause-reminder', { minutes: value.reminders * 5 }) : t('pause-paused', { name, time: this.since(value) });
  }

  /** @param {import('../room/pause.js').PauseShown} value */
  since(value) {
    return value.since_ms === null ? '' : hourMinute(value.since_ms, language(), this.zone);
  }

  /**
   * @param {import('../room/pause.js').PauseShown} value
   * @param {string} name
   */
  strip(value, name) {
    return html`<section class="banner banner-pause" data-testid="pause-banner" data-phase=${value.phase} ?data-reminder=${value.reminders > 0}
        aria-label=${t('light-paused')}>
      ${icon('pause')}
      <div><strong>${t(`pause-${value.phase}`, { name, time: this.since(value) })}</strong>
        ${value.phase === 'paused' ? html`<span>${this.details(value)}</span>` : nothing}</div>
      ${this.may && value.phase !== 'resuming' ? this.controls(value) : nothing}
    </section>`;
  }

  /** @param {import('../room/pause.js').PauseShown} value */
  details(value) {
    const why = value.reason && value.reason !== 'other' ? `${tValue('pause-reason', value.reason)}. ` : '';
    const long = value.reminders > 0 ? `${t('pause-reminder', { minutes: value.minutes })} ` : '';
    return `${why}${long}${this.may ? '' : t('pause-hint')}`;
  }

  /** @param {import('../room/pause.js').PauseShown} value */
  controls(value) {
    return html`<div class="pause-controls">
      <label><span class="visually-hidden">${t('pause-reason')}</span>
        <select data-testid="pause-reason" @change=${(/** @type {Event} */ event) =>
          this.ask('pause', { reason: /** @type {HTMLSelectElement} */ (event.target).value })}>
          ${REASONS.map((reason) => html`<option value=${reason} ?selected=${reason === value.reason}>${reason === 'other' ? t('pause-reason-choose') : tValue('pause-reason', reason)}</option>`)}
        </select></label>
      <button type="button" class="secondary" data-testid="resume-recording" @click=${() => this.ask('resume')}>${icon('record')}${t('pause-resume')}</button>
    </div>`;
  }
}
customElements.define('hj-pause', Pause);
