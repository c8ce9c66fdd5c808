/**
 * <hj-interpreting-notices>: what must not be missed about interpreting: a signal from the interpreter to whoever speaks,
 * an interpreter who has dropped, two open microphones, being muted or stepped out, and that it is time to change over.
 */
import { html, nothing } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

/** @typedef {{
 *   signal: import('../types/wire.js').Signalled | null, lost: string | null, fallback: boolean, out: boolean, mayReturn: boolean,
 *   bothOpen: boolean, muted: boolean, minutes: number, change: boolean, asked: string | null, own: string,
 * }} Notices `lost`: the interpreter's name; `minutes`: rendered without a change; `change`: there is somebody to change with;
 *   `asked`: who wants a hand-over of this page's seat, by name */

class InterpretingNotices extends LightElement {
  static properties = { value: { attribute: false } };

  constructor() {
    super();
    /** @type {Notices | null} */
    this.value = null;
  }

  render() {
    const value = this.value;
    if (!value) return nothing;
    return html`<div class="visually-hidden" role="status" data-testid="signal-aloud">${value.signal ? t(`signal-shown-${word(value.signal.kind)}`) : nothing}</div>
      ${value.signal ? html`<p class="signal" data-testid="signal" data-kind=${value.signal.kind}>${icon('hand')}<span>${t(`signal-shown-${word(value.signal.kind)}`)}</span></p>` : nothing}
      ${value.out ? this.out(value) : nothing}
      ${value.lost || value.fallback ? this.dropped(value) : nothing}
      ${value.asked ? this.handover(value.asked) : nothing}
      ${value.muted ? html`<section class="banner banner-pause" role="status" data-testid="interpreter-muted">${icon('micOff')}<div><strong>${t('desk-muted')}</strong><span>${t('desk-muted-hint')}</span></div></section>` : nothing}
      ${value.bothOpen ? html`<section class="banner" role="alert" data-testid="both-open">${icon('warning')}<div><strong>${t('desk-both-open')}</strong></div>
        <button class="secondary" data-testid="mute-passive-now" @click=${() => this.ask('mute-passive')}>${t('desk-passive')}</button></section>` : nothing}
      ${value.minutes > 0 ? this.remind(value) : nothing}`;
  }

  /** @param {Notices} value */
  out(value) {
    return html`<section class="banner banner-pause" role="alert" data-testid="stepped-out">${icon('door')}
      <div><strong>${t('out-own')}</strong><span>${t('out-own-hint')}</span></div>
      ${value.mayReturn ? html`<button class="secondary" data-testid="step-in" @click=${() => this.ask('step', { participant: value.own, out: false })}>${t('out-return')}</button>` : nothing}
    </section>`;
  }

  /** @param {Notices} value */
  dropped(value) {
    return html`<section class="banner" role="alert" data-testid="interpreter-lost" data-fallback=${value.fallback}>${icon('warning')}
      <div><strong>${value.lost ? t('interpreter-lost', { name: value.lost }) : t('interpreter-none')}</strong><span>${t('interpreter-lost-hint')}</span></div></section>`;
  }

  /** @param {string} name */
  handover(name) {
    return html`<section class="banner banner-pause" role="alert" data-testid="handover-asked">${icon('handover')}
      <div><strong>${t('handover-asked', { name })}</strong></div>
      <button class="secondary" data-testid="handover-accept" @click=${() => this.ask('handover')}>${t('handover-accept')}</button></section>`;
  }

  /** @param {Notices} value */
  remind(value) {
    return html`<section class="banner banner-plain" role="status" data-testid="change-reminder" data-minutes=${value.minutes}>${icon('clock')}
      <div><strong>${t('desk-remind', { minutes: value.minutes })}</strong><span>${value.change ? t('desk-remind-change') : t('desk-remind-alone')}</span></div>
      ${value.change ? html`<button class="secondary" @click=${() => this.ask('handover')}>${t('handover-request')}</button>` : nothing}
      <button class="secondary" data-testid="change-later" @click=${() => this.ask('change-later')}>${t('desk-remind-later')}</button></section>`;
  }
}
customElements.define('hj-interpreting-notices', InterpretingNotices);

/** @param {string} kind off the wire */
function word(kind) {
  return kind.replaceAll('_', '-');
}
