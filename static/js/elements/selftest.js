/** <hj-self-test>: a site's test as the person sees it: one step after the other, what to say and when, what to mend. */
import { html, nothing } from '/static/vendor/lit.js';
import { t, tError } from '../i18n.js';
import { STEPS } from '../self-test/course.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';
import { MARK } from './standing.js';
import './it-request.js';

/** @typedef {import('../self-test/course.js').Step} Step */
/** @typedef {import('../self-test/course.js').Told} Told */
/** @typedef {import('../self-test/course.js').Finding} Finding */

const TONE = Object.freeze({ green: 'notice-good', amber: 'notice-warn', red: 'notice-alarm' });
const METER = 12;
const PROBLEM = /^(camera|microphone)_(denied|missing|busy|ended|insecure|other)$/;
const REACHED = Object.freeze({ udp: 'UDP', tcp: 'TCP' });

/** @param {Finding} finding @returns {string} what to do about it */
export function advice({ code, value }) {
  const [, kind, problem] = PROBLEM.exec(code) ?? [];
  if (problem) return t(`device-${kind === 'camera' ? 'camera' : 'audio'}-${problem}`);
  return t(`selftest-why-${code.replaceAll('_', '-')}`, { value: Math.round(value ?? 0) });
}

/** @param {Step} step @param {any} figures @returns {string} in one line; empty where the verdict says all */
export function inFigures(step, figures) {
  if (!figures || figures.problem) return '';
  if (step === 'browser') return t('selftest-figure-browser', { version: `${figures.engine} ${figures.version}` });
  if (step === 'camera') return t('selftest-figure-camera', { lines: figures.lines, frames: Math.round(figures.frames_per_s) });
  if (step === 'microphone') return t('selftest-figure-microphone', { speech: Math.round(figures.speech_db), silence: Math.round(figures.silence_db) });
  if (step === 'line') {
    const { up_kbps: up, down_kbps: down, loss_up_pct: lossup, loss_down_pct: lossdown, round_trip_ms: trip } = figures;
    return t('selftest-figure-line', { up, down, lossup, lossdown, trip: trip ?? 0 });
  }
  if (step !== 'path') return '';
  return /** @type {const} */ (['udp', 'tcp', 'relay']).map((way) => {
    const state = figures[way] === null ? 'none' : figures[way] ? 'open' : 'shut';
    return `${way === 'relay' ? t('selftest-way-relay') : REACHED[way]}: ${t(`selftest-way-${state}`)}`;
  }).join(' · ');
}

class SelfTestView extends LightElement {
  static properties = { test: { attribute: false }, rooms: { attribute: false }, device: { type: String } };

  constructor() {
    super();
    /** @type {import('../self-test/course.js').SelfTest | null} */
    this.test = null;
    /** @type {string[]} */
    this.rooms = [];
    this.device = '';
    this.changed = () => this.requestUpdate();
  }

  connectedCallback() {
    super.connectedCallback();
    this.test?.addEventListener('change', this.changed);
  }

  disconnectedCallback() {
    this.test?.removeEventListener('change', this.changed);
    super.disconnectedCallback();
  }

  render() {
    const { test } = this;
    if (!test) return nothing;
    const begun = test.state !== 'idle' || Object.keys(test.told).length > 0;
    return html`<section class="card self-test" data-testid="self-test" data-state=${test.state} data-whole=${test.whole ?? ''}>
      ${test.problem ? html`<div class="notice notice-alarm" role="alert" data-testid="self-test-problem">${icon('warning')}<p>${tError(test.problem)}</p></div>` : nothing}
      ${test.whole ? html`<div class="notice ${TONE[test.whole]}" role="status" data-testid="self-test-whole">${icon(MARK[test.whole])}<p>${t(`selftest-whole-${test.whole}`)}</p></div>` : nothing}
      ${test.state === 'running' ? this.now(test) : this.beginning(begun)}
      ${begun ? html`<ol class="self-test-steps">${STEPS.map((step) => this.step(step, test.told[step] ?? null))}</ol>` : nothing}
    </section>`;
  }

  /** @param {boolean} again */
  beginning(again) {
    return html`<form @submit=${(/** @type {SubmitEvent} */ event) => this.begin(event)}>
      <label class="field"><span>${t('selftest-device')}</span>
        <input type="text" name="device" list="self-test-rooms" maxlength="60" autocomplete="off" .value=${this.device} data-testid="self-test-device" aria-describedby="self-test-hint"></label>
      <p class="hint self-test-hint" id="self-test-hint">${t('selftest-device-hint')}</p>
      <label class="check"><input type="checkbox" name="away" data-testid="self-test-away"> <span>${t('selftest-away')}</span></label><p class="hint self-test-hint">${t('selftest-away-hint')}</p>
      <datalist id="self-test-rooms">${this.rooms.map((room) => html`<option value=${room}></option>`)}</datalist>
      ${again ? nothing : html`<p class="hint">${t('selftest-camera-hint')} ${t('selftest-privacy')}</p>`}
      <button class="primary big" data-testid="self-test-start">${t(again ? 'selftest-again' : 'selftest-start')}</button>
    </form>`;
  }

  /** @param {SubmitEvent} event */
  begin(event) {
    event.preventDefault();
    const given = new FormData(/** @type {HTMLFormElement} */ (event.target));
    this.device = String(given.get('device') ?? '').trim();
    this.ask('begin', { device: this.device, away: given.get('away') !== null });
  }

  /** @param {import('../self-test/course.js').SelfTest} test */
  now(test) {
    if (test.asks === 'heard') return this.question(test);
    if (!test.asks) return html`<p role="status">${t(test.doing.includes('camera') ? 'selftest-camera-hint' : 'selftest-running')}</p>`;
    const level = Math.round(test.level * METER);
    return html`<div class="self-test-read" role="status" data-testid="self-test-read"><p>${t(`selftest-${test.asks}`)}</p>
      <blockquote>${t('selftest-sentence')}</blockquote>
      ${test.asks === 'read' ? html`<span class="meter" role="meter" aria-label=${t('check-level')} aria-valuemin="0" aria-valuemax=${METER} aria-valuenow=${level}>
        ${Array.from({ length: METER }, (_, i) => html`<i ?data-lit=${i < level}></i>`)}</span>` : nothing}</div>`;
  }

  /** @param {import('../self-test/course.js').SelfTest} test */
  question(test) {
    return html`<div class="self-test-read" role="group" aria-labelledby="self-test-question"><p id="self-test-question" role="status">${t(test.via === 'relay' ? 'selftest-loop-question' : 'selftest-loop-question-here')}</p>
      <div class="row"><button type="button" class="primary" data-testid="self-test-heard" @click=${() => test.answer(true)}>${t('selftest-heard')}</button>
        <button type="button" class="secondary" data-testid="self-test-unheard" @click=${() => test.answer(false)}>${t('selftest-unheard')}</button>
        <button type="button" class="quiet" @click=${() => test.again()}>${icon('speaker')}${t('selftest-play')}</button></div></div>`;
  }

  /** @param {Step} step @param {Told | null} told */
  step(step, told) {
    const running = !told && this.test?.doing.includes(step);
    const verdict = told?.verdict ?? 'none';
    return html`<li data-testid="self-test-step" data-step=${step} data-verdict=${verdict} ?data-running=${running}>
      <p class="self-test-head">${icon(told ? MARK[told.verdict] : 'clock')}<strong>${t(`selftest-step-${step}`)}</strong>
        <span class="verdict verdict-${verdict}">${running ? t(`selftest-doing-${step}`, { seconds: this.test?.left ?? 0 }) : t(`selftest-verdict-${verdict}`)}</span></p>
      ${told ? this.found(step, told) : nothing}</li>`;
  }

  /** @param {Step} step @param {Told} told */
  found(step, told) {
    const figures = inFigures(step, told.figures);
    const check = this.test?.check?.found;
    const shut = step === 'path' && check && told.findings.length > 0;
    return html`${figures ? html`<p class="hint figures">${figures}</p>` : nothing}
      ${told.findings.map((finding) => html`<p class="self-test-advice" data-testid="self-test-advice" data-code=${finding.code}>${advice(finding)}</p>`)}
      ${told.relay_fault && check ? html`<p class="self-test-advice">${t(`path-fault-${told.relay_fault}`, { places: check.places.relay.join(', ') })}</p>` : nothing}
      ${shut ? check.loopback ? html`<p class="self-test-advice">${t('path-loopback')}</p>` : html`<hj-it-request .found=${check} all></hj-it-request>` : nothing}`;
  }
}
customElements.define('hj-self-test', SelfTestView);
