/** <hj-conduct>: the words an interpreter opens with, in both languages, and what is confirmed once. It shows and asks. */
import { html, nothing } from '/static/vendor/lit.js';
import { language, readOut, t, tError, tValue } from '../i18n.js';
import { hourMinute } from '../time.js';
import { LINES, READ_IN, SKIP_REASONS, STEPS } from '../room/conduct.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

class Conduct extends LightElement {
  static properties = {
    steps: { attribute: false }, left: { attribute: false }, me: { attribute: false }, people: { attribute: false }, heard: { attribute: false },
    problem: { attribute: false }, begun: { type: Boolean }, scripts: { state: true },
  };

  constructor() {
    super();
    /** @type {import('../types/asides.js').ConductStep[]} */
    this.steps = [];
    /** @type {string[]} */
    this.left = [];
    /** @type {import('../types/wire.js').Participant | null} */
    this.me = null;
    /** @type {import('../types/wire.js').Participant[]} */
    this.people = [];
    /** @type {Set<string>} */
    this.heard = new Set();
    /** @type {string | null} */
    this.problem = null;
    this.begun = false;
    /** @type {{code: string, lines: string[], pending: boolean}[]} `pending`: no native interpreter has reviewed it yet */
    this.scripts = [];
    this.spoken = '';
  }

  /** The interpreter's own languages; one that there is no text for is read out by heart. */
  willUpdate() {
    const spoken = this.me?.language ?? '';
    if (spoken === this.spoken) return;
    this.spoken = spoken;
    const codes = spoken.split('/').filter((code) => READ_IN.includes(code));
    const name = this.me?.name ?? '';
    const ids = ['review', ...LINES].map((line) => `opening-${line}`);
    void Promise.all(codes.map(async (code) => {
      const [review, ...lines] = await readOut(code, `opening/${code}`, ids, { name });
      return { code, lines: lines.filter(Boolean), pending: review !== '' };
    })).then((scripts) => { this.scripts = scripts; });
  }

  render() {
    return html`<div class="conduct" data-testid="conduct">
      <h2>${t('conduct-title')}</h2>
      <p class="hint">${t('conduct-hint')}</p>
      ${this.problem ? html`<p class="notice notice-alarm" role="alert">${icon('warning')}${tError(this.problem)}</p>` : nothing}
      ${this.scripts.map(({ code, lines, pending }) => html`<details class="conduct-script" open><summary>${t('conduct-read', { language: t(`language-${code}`) })}</summary>
        <div lang=${code} data-testid="conduct-script">${lines.map((line) => html`<p>${line}</p>`)}</div>
        ${pending ? html`<p class="hint" data-testid="conduct-unreviewed">${t('conduct-unreviewed')}</p>` : nothing}</details>`)}
      ${this.scripts.length === 0 ? html`<p class="hint">${t('conduct-by-heart')}</p>` : nothing}
      <ul class="conduct-steps">${STEPS.map((step) => this.step(step))}</ul>
      ${this.left.length > 0 ? this.rest() : html`<p class="notice notice-good" role="status" data-testid="conduct-complete">${icon('check')}${t('conduct-complete')}</p>`}
      ${this.begun ? nothing : html`<p class="hint">${tError('no_session')}</p>`}
    </div>`;
  }

  /** @param {string} step */
  step(step) {
    const kept = this.steps.find((one) => one.step === step && one.participant === this.me?.id);
    const settled = kept && !this.left.includes(step) ? kept : null;
    const when = settled ? hourMinute(settled.at_ms, language(), this.me?.time_zone) : '';
    return html`<li data-testid="conduct-step" data-step=${step} data-outcome=${settled?.outcome ?? 'open'}>
      <div><strong>${t(`conduct-step-${step}`)}</strong>${step === 'hearing' ? this.voices() : nothing}
        ${step === 'languages' ? html`<span class="hint">${this.me?.language.split('/').map((code) => tValue('language', code)).join(' ↔ ')}</span>` : nothing}</div>
      ${settled?.outcome === 'done'
        ? html`<span class="conduct-done">${icon('check')}${t('conduct-done', { time: when })}</span>`
        : html`${settled ? html`<span class="hint">${t('conduct-skipped', { time: when, reason: tValue('conduct-reason', settled.reason ?? 'other') })}</span>` : nothing}
          <button type="button" class="secondary" data-testid="conduct-confirm" ?disabled=${!this.begun}
            @click=${() => this.ask('conduct', { steps: [step], outcome: 'done' })}>${t('conduct-confirm')}</button>`}</li>`;
  }

  /** Whose voice has reached this computer: each is asked to say a word. */
  voices() {
    const others = this.people.filter((person) => person.present && person.id !== this.me?.id);
    return html`<ul class="conduct-voices">${others.map((person) => html`<li data-testid="conduct-voice" data-participant=${person.id} ?data-heard=${this.heard.has(person.id)}>
      ${icon(this.heard.has(person.id) ? 'check' : 'clock')}<span>${person.name}: ${this.heard.has(person.id) ? t('conduct-heard') : t('conduct-not-heard')}</span></li>`)}</ul>`;
  }

  rest() {
    return html`<div class="conduct-rest"><button type="button" class="primary" data-testid="conduct-all" ?disabled=${!this.begun}
        @click=${() => this.ask('conduct', { steps: this.left, outcome: 'done' })}>${t('conduct-all')}</button>
      <label><span>${t('conduct-skip')}</span><select data-testid="conduct-skip" ?disabled=${!this.begun} @change=${(/** @type {Event} */ event) => this.skip(event)}>
        <option value="">${t('conduct-skip-choose')}</option>
        ${SKIP_REASONS.map((reason) => html`<option value=${reason}>${tValue('conduct-reason', reason)}</option>`)}</select></label></div>`;
  }

  /** @param {Event} event */
  skip(event) {
    const reason = /** @type {HTMLSelectElement} */ (event.target).value;
    if (reason) this.ask('conduct', { steps: this.left, outcome: 'skipped', reason });
  }
}
customElements.define('hj-conduct', Conduct);
