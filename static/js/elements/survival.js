/**
 * <hj-survival>: while somebody's line carries a voice and stills alone, everybody reads whose it is, what still works and
 * what to do; when it is over, that is said too, for a while. It goes by itself: there is nothing to press.
 */
import { html, nothing } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

const OVER_SHOWN_MS = 12_000;

class Survival extends LightElement {
  static properties = { people: { attribute: false }, own: { attribute: false }, over: { state: true } };

  constructor() {
    super();
    /** @type {import('../types/wire.js').Participant[]} whose lines are so thin, oneself first */
    this.people = [];
    /** @type {string | undefined} one's own participant id */
    this.own = undefined;
    this.over = false;
    this.was = false;
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (!changed.has('people')) return;
    const now = this.people.length > 0;
    if (this.was && !now) {
      this.over = true;
      setTimeout(() => {
        this.over = false;
      }, OVER_SHOWN_MS);
    } else if (now) this.over = false;
    this.was = now;
  }

  render() {
    const mine = this.people.some((person) => person.id === this.own);
    const names = this.people.filter((person) => person.id !== this.own).map((person) => person.name);
    return html`<div class="visually-hidden" role="alert">${mine ? t('survival-own') : names.length ? t('survival-other', { name: names.join(', ') }) : this.over ? t('survival-over') : nothing}</div>
      ${this.people.length ? this.strip(mine, names) : this.over ? this.gone() : nothing}`;
  }

  /**
   * @param {boolean} mine
   * @param {string[]} names of the others
   */
  strip(mine, names) {
    return html`<section class="banner banner-survival" data-testid="survival-banner" data-own=${mine}
        data-participants=${this.people.map((person) => person.id).join(' ')} aria-label=${t('survival-label')}>
      ${icon('warning')}
      <div><strong>${mine ? t('survival-own') : t('survival-other', { name: names.join(', ') })}</strong>
        <span>${t('survival-works')} ${mine ? t('survival-do-own') : t('survival-do')}</span></div>
    </section>`;
  }

  gone() {
    return html`<section class="banner banner-plain" data-testid="survival-over" aria-label=${t('survival-label')}>
      ${icon('check')}<strong>${t('survival-over')}</strong></section>`;
  }
}
customElements.define('hj-survival', Survival);
