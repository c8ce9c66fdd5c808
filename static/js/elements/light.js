/**
 * <hj-light>: the recording light and, when in doubt, the banner. It shows what the store acknowledged, never an intention:
 * its value comes from reducer.light().
 */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t, tValue } from '../i18n.js';
import { hourMinuteSecond } from '../time.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

/** Doubt and a known loss are two things. @param {ReturnType<typeof import('../room/reducer.js').light>} value */
function stateWords(value) {
  if (value.state === 'waiting' && value.waits_for === 'consent') return 'light-waiting-consent';
  if (value.state === 'waiting' && value.waits_for === 'company') return 'light-waiting-company';
  return value.state === 'degraded' && !value.stale ? 'light-incomplete' : `light-${value.state}`;
}

class Light extends LightElement {
  static properties = { value: { attribute: false }, zone: { attribute: false } };

  constructor() {
    super();
    /** @type {ReturnType<typeof import('../room/reducer.js').light> | null} */
    this.value = null;
    /** @type {string | undefined} the reader's own place */
    this.zone = undefined;
  }

  render() {
    const value = this.value;
    if (!value) return nothing;
    const until = value.stored_until_ms;
    return html`<div class="light" data-testid="recording-light" data-state=${value.state} data-stored-until=${until ?? ''}>
      <span class="light-dot"></span>
      <span class="light-words">
        <span class="light-state">${t(stateWords(value))}</span>
        ${until !== null && value.state !== 'off'
          ? html`<span class="light-until figures">${t('light-stored-until', { time: hourMinuteSecond(until, language(), this.zone) })}</span>`
          : nothing}
      </span>
    </div>`;
  }
}
customElements.define('hj-light', Light);

/** Causes that a person in the room can have somebody mend, the gravest first. */
const MENDED = ['no_space', 'read_only', 'io_error', 'store_slow'];

/** @param {{cause: string}[]} degraded */
function advice(degraded) {
  const cause = MENDED.find((each) => degraded.some((one) => one.cause === each));
  return cause ? html`<p data-testid="banner-advice" data-cause=${cause}>${t(`banner-advice-${cause.replace('_', '-')}`)}</p>` : nothing;
}

/**
 * One line for each cause, with the people and the kinds of tracks that it keeps from the disk.
 * @param {{participant: string, kind: string, cause: string}[]} degraded
 * @param {Map<string, string>} names
 */
function lines(degraded, names) {
  return [...new Set(degraded.map((one) => one.cause))].map((code) => {
    const of = degraded.filter((one) => one.cause === code);
    const people = [...new Set(of.map((one) => names.get(one.participant) ?? ''))];
    const kind = [...new Set(of.map((one) => tValue('kind', one.kind)))].join(', ');
    return t('banner-track', { name: people.join(', '), kind, cause: tValue('gap', code) });
  });
}

class Banner extends LightElement {
  static properties = { value: { attribute: false }, names: { attribute: false } };

  constructor() {
    super();
    /** @type {ReturnType<typeof import('../room/reducer.js').light> | null} */
    this.value = null;
    /** @type {Map<string, string>} participant → name */
    this.names = new Map();
  }

  render() {
    const value = this.value;
    if (value?.state !== 'degraded') return nothing;
    return html`<div class="banner" role="alert" data-testid="recording-banner">
      ${icon('warning')}
      <div><strong>${value.stale ? t('banner-stale') : t('banner-degraded')}</strong>
        ${value.stale ? nothing : advice(value.degraded)}
        ${value.stale ? nothing : lines(value.degraded, this.names).map((line) => html`<span>${line}</span>`)}
      </div>
    </div>`;
  }
}
customElements.define('hj-banner', Banner);
