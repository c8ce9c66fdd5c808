/**
 * <hj-interpretation>: in which language the recording is heard, what was said beside what rendered it, and flags on that.
 * It fetches once, asks the playback for sound and places, and posts flags.
 */
import { html, nothing } from '/static/vendor/lit.js';
import { codeOf, get, post } from '../api.js';
import { ownName } from '../cldr.js';
import { t, tError, tValue } from '../i18n.js';
import { span } from '../time.js';
import { flagsOn, languagesOf, laneOf, nextStep, rowsOf, stepsOf } from '../review/interpretation.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

/**
 * @typedef {import('../types/interpretation.js').Pair} Pair
 * @typedef {import('../types/interpretation.js').Flag} Flag
 * @typedef {import('../review/interpretation.js').Step} Step
 */

const MOST_CHARS = 500;

class Interpretation extends LightElement {
  static properties = {
    playback: { attribute: false }, found: { state: true }, lane: { state: true }, at: { state: true },
    flagging: { state: true }, problem: { state: true }, busy: { state: true },
  };

  constructor() {
    super();
    /** @type {import('../review/playback.js').Playback | null} */
    this.playback = null;
    /** @type {import('../types/interpretation.js').Interpretation | null} */
    this.found = null;
    /** @type {Step[]} */
    this.steps = [];
    /** @type {string | null} the language that is heard; null = the original */
    this.lane = null;
    /** Index of the step one is at. */
    this.at = -1;
    /** @type {Pair | null} whose rendering is being flagged */
    this.flagging = null;
    /** @type {string | null} */
    this.problem = null;
    this.busy = false;
    /** One part is being played, its own voices alone. */
    this.alone = false;
    this.asked = '';
    this.ended = () => this.changed();
    this.keys = (/** @type {KeyboardEvent} */ event) => this.key(event);
  }

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener('keydown', this.keys);
  }

  disconnectedCallback() {
    document.removeEventListener('keydown', this.keys);
    super.disconnectedCallback();
  }

  updated() {
    const { playback } = this;
    if (!playback || playback.recording.id === this.asked) return;
    this.asked = playback.recording.id;
    playback.addEventListener('change', this.ended);
    void this.fetch();
  }

  async fetch() {
    this.problem = null;
    try {
      this.found = await get(`/api/recordings/${encodeURIComponent(this.asked)}/interpretation`);
      this.steps = this.found ? stepsOf(this.found) : [];
    } catch (error) {
      this.problem = codeOf(error);
    }
  }

  /** A part that was played alone is over: the chosen lane is heard again. */
  changed() {
    if (this.alone && this.playback?.until === null) {
      this.alone = false;
      this.hear();
    }
  }

  /** @param {string | null} language */
  choose(language) {
    this.lane = language;
    this.hear();
  }

  hear() {
    this.playback?.hear(this.found && this.lane ? laneOf(this.found, this.lane) : null);
  }

  /** Plays one step, its own voices alone. @param {number} index */
  step(index) {
    const step = this.steps[index];
    if (!step || !this.playback) return;
    this.at = index;
    this.playback.playPart(Math.max(0, step.from - 150), step.to + 150);
    this.alone = true;
    this.playback.hear((participant) => step.people.includes(participant));
    void this.updateComplete.then(() => this.querySelector('[data-current]')?.scrollIntoView({ block: 'nearest' }));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (!this.found || event.altKey || event.ctrlKey || event.metaKey || target.closest('input:not([type=radio], [type=range]), textarea, select')) return;
    const pressed = event.code || event.key; // by its place: the same key on a Korean or Russian keyboard
    if (pressed === 'KeyN' || pressed === 'KeyB') this.step(nextStep(this.steps, this.at, pressed === 'KeyN' ? 1 : -1, this.playback?.now() ?? 0));
    else if (pressed === 'KeyF' && this.at >= 0) this.open(this.steps[this.at].pair);
    else return;
    event.preventDefault();
  }

  /** @param {Pair | null} pair */
  open(pair) {
    this.flagging = pair;
    this.problem = null;
    if (pair) {
      this.playback?.pause();
      void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector('textarea'))?.focus());
    }
  }

  /** @param {SubmitEvent} event */
  async send(event) {
    event.preventDefault();
    const { flagging, found } = this;
    if (!flagging || !found || this.busy) return;
    const comment = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('comment') ?? '');
    const { participant, from, to } = flagging.rendered;
    this.busy = true;
    try {
      const made = await post(`/api/recordings/${encodeURIComponent(this.asked)}/flags`, { participant, from_ms: from, to_ms: to, comment });
      this.found = { ...found, flags: [...found.flags, made] };
      this.open(null);
    } catch (error) {
      this.problem = codeOf(error);
    }
    this.busy = false;
  }

  render() {
    const { found } = this;
    if (!found) return this.problem ? this.failed(this.problem) : nothing;
    const languages = languagesOf(found);
    if (languages.length < 2) return nothing;
    return html`<section class="rendered" data-testid="interpretation" aria-labelledby="rendered-title">
      <div class="rendered-head"><h2 id="rendered-title">${t('rendered-title')}</h2>${this.lanes(languages)}</div>
      ${this.problem && !this.flagging ? this.failed(this.problem) : nothing}
      ${found.pairs.length === 0 ? html`<p class="hint">${t('rendered-none')}</p>` : html`<p class="hint keys-left">${t('rendered-keys')}</p>
        <ol class="rendered-pairs">${rowsOf(found).map((row) => ('pair' in row ? this.pair(row.pair, row.index, found.flags) : this.change(row.change)))}</ol>
        <p class="hint">${t('rendered-by-time')}</p>`}
    </section>`;
  }

  /** @param {string} problem */
  failed(problem) {
    return html`<p class="notice notice-warn" role="alert">${tError(problem)} <button class="link" @click=${() => void this.fetch()}>${t('rendered-again')}</button></p>`;
  }

  /** @param {string[]} languages */
  lanes(languages) {
    return html`<fieldset class="rendered-lanes"><legend>${t('rendered-lane')}</legend>
      ${[null, ...languages].map((code) => html`<label data-testid="review-lane" data-language=${code ?? 'original'} lang=${code ?? nothing}>
        <input type="radio" name="lane" .checked=${this.lane === code} @change=${() => this.choose(code)}><span>${code ? ownName(code) : t('rendered-original')}</span></label>`)}
    </fieldset>`;
  }

  /** The mode or a direction was set. @param {import('../types/interpretation.js').Interpretation['changes'][number]} change */
  change(change) {
    const words = change.kind === 'mode' ? tValue('rendered-mode', change.value) : change.value.split('>').map(ownName).join(' → ');
    return html`<li class="pair-change" data-testid="interpretation-change" data-kind=${change.kind} data-value=${change.value}>
      <span class="figures">${span(change.at)}</span> ${words}${change.participant ? html` · ${this.name(change.participant)}` : nothing}</li>`;
  }

  /** @param {Pair} pair @param {number} index @param {Flag[]} flags */
  pair(pair, index, flags) {
    const own = flagsOn(flags, pair);
    const current = Math.floor(this.at / 2) === index && this.at >= 0;
    return html`<li class="pair" data-testid="pair" data-source=${pair.source} data-target=${pair.target} data-mode=${pair.mode} ?data-current=${current}>
      <div class="pair-parts">${this.piece(index * 2, pair.source)}<span class="pair-arrow" aria-hidden="true">→</span>${this.piece(index * 2 + 1, pair.target)}
        <button type="button" class="secondary pair-flag" data-testid="pair-flag" @click=${() => this.open(pair)}>${icon('warning')}<span>${t('rendered-flag')}</span></button></div>
      ${own.map((flag) => this.flag(flag))}
      ${this.flagging === pair ? this.form() : nothing}
    </li>`;
  }

  /** @param {number} index @param {string} language */
  piece(index, language) {
    const step = this.steps[index];
    const names = step.people.map((one) => this.name(one)).join(', ');
    const words = t(step.part === 'said' ? 'rendered-play-said' : 'rendered-play-rendered', { name: names, time: span(step.from) });
    return html`<button type="button" class="quiet pair-part" data-testid="pair-${step.part}" data-from=${step.from} data-to=${step.to} aria-label=${words} title=${words}
        ?data-current=${this.at === index} @click=${() => this.step(index)}>${icon('play')}
      <span class="figures">${span(step.from)}</span><span class="pair-name">${names}</span><span class="pair-language" lang=${language}>${ownName(language)}</span></button>`;
  }

  /** @param {string} participant */
  name(participant) {
    const { recording } = this.playback ?? {};
    const track = recording?.tracks.find((one) => one.participant === participant);
    const role = this.found?.people.find((one) => one.participant === participant)?.role ?? 'other';
    return track?.name || tValue('role', role);
  }

  /** @param {Flag} flag */
  flag(flag) {
    return html`<div class="flag" data-testid="flag" data-flag=${flag.id}>
      <p><strong>${flag.made_by}</strong> <span dir="auto">${flag.comment}</span></p>
      ${flag.answer ? html`<p class="flag-answer" data-testid="flag-answer"><strong>${flag.answer.by}</strong> <span dir="auto">${flag.answer.text}</span></p>`
        : html`<p class="hint">${t('rendered-unanswered')}</p>`}</div>`;
  }

  form() {
    return html`<form class="flag-form" data-testid="flag-form" @submit=${(/** @type {SubmitEvent} */ event) => void this.send(event)}>
      <label class="field"><span>${t('rendered-flag-comment')}</span>
        <textarea name="comment" rows="2" maxlength=${MOST_CHARS} required data-testid="flag-comment"></textarea></label>
      <p class="hint">${t('rendered-flag-hint')}</p>
      ${this.problem ? html`<p class="notice notice-warn" role="alert">${tError(this.problem)}</p>` : nothing}
      <div class="row"><button class="primary" data-testid="flag-send" ?disabled=${this.busy}>${t('rendered-flag-send')}</button>
        <button type="button" class="secondary" @click=${() => this.open(null)}>${t('export-cancel')}</button></div>
    </form>`;
  }
}
customElements.define('hj-interpretation', Interpretation);
