/** <hj-referral>: a submitted referral as it is read: its versions, what was changed, answers in writing, what became of it, and what one may do. */
import { html, live, nothing } from '/static/vendor/lit.js';
import { ApiRefusal, codeOf, get, post } from '../api.js';
import { language, t, tError, tValue } from '../i18n.js';
import { fullDate, hourMinute } from '../time.js';
import { inWords, pick } from '../referral/texts.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

/** @typedef {import('../types/referral.js').ReferralAnswer} ReferralAnswer */
/** @typedef {import('../types/referral.js').Version} Version */

const REASONS = /** @type {Record<string, string[]>} */ ({
  return: ['incomplete', 'unclear', 'documents', 'wrong_specialty', 'not_for_us', 'other'],
  cancel: ['patient_declined', 'treated_elsewhere', 'died', 'mistake', 'other'],
  reopen: ['new_findings', 'complication', 'further_question', 'mistake', 'other'],
});

/** Whose words a move's reason is in. */
const REASON_WORDS = /** @type {Record<string, string>} */ ({
  return: 'return-reason', cancel: 'cancel-reason', reopen: 'reopen-reason',
  reschedule: 'hour-reason', unschedule: 'hour-reason', unschedule_talked: 'hour-reason',
});

class Referral extends LightElement {
  static properties = { case: { type: String }, zone: { type: String } };

  constructor() {
    super();
    this.case = '';
    this.zone = 'UTC';
    /** @type {ReferralAnswer | null} */
    this.shown = null;
    /** @type {Map<string, import('../types/referral.js').Form>} */
    this.forms = new Map();
    /** @type {number | null} which version is read; null: the newest */
    this.number = null;
    /** Which act is being done: return, answer, cancel, reopen, end. @type {string | null} */
    this.doing = null;
    this.reason = '';
    this.words = '';
    /** @type {string[]} */
    this.questions = [];
    this.busy = false;
    /** @type {string | null} */
    this.problem = null;
    this.absent = false;
  }

  connectedCallback() {
    super.connectedCallback();
    void this.load();
  }

  get base() {
    return `/api/cases/${encodeURIComponent(this.case)}`;
  }

  async load() {
    try {
      const shown = /** @type {ReferralAnswer} */ (await get(`${this.base}/referral`));
      for (const id of new Set(shown.versions.map((one) => one.form))) {
        const [specialty, version] = id.split('/');
        if (!this.forms.has(id)) this.forms.set(id, await get(`/api/referral-forms/${specialty}?version=${version}`));
      }
      this.shown = shown;
      this.problem = null;
    } catch (error) {
      if (error instanceof ApiRefusal && error.status === 403) this.absent = true;
      else this.problem = codeOf(error);
    }
    this.requestUpdate();
  }

  /** @param {string | null} what */
  begin(what) {
    const before = this.doing;
    this.doing = what;
    this.reason = '';
    this.words = '';
    this.questions = [];
    this.problem = null;
    this.requestUpdate();
    void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector(what === 'end' ? '[data-testid=act-do]' : what ? '.act select, .act textarea' : `[data-testid=act-${before}]`))?.focus());
  }

  /** @param {SubmitEvent} event */
  async act(event) {
    event.preventDefault();
    if (this.busy || !this.shown || !this.doing) return;
    this.busy = true;
    this.requestUpdate();
    const number = this.shown.versions.at(-1)?.number ?? 0;
    const why = { reason: this.reason, words: this.words };
    const bodies = /** @type {Record<string, object>} */ ({ answer: { number, text: this.words }, end: {}, return: { ...why, number, questions: this.questions } });
    try {
      await post(`${this.base}/${this.doing}`, bodies[this.doing] ?? why);
      this.doing = null;
      await this.load();
      void this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector('[data-testid=case-state]'))?.focus());
    } catch (error) {
      this.problem = codeOf(error);
    }
    this.busy = false;
    this.requestUpdate();
  }

  render() {
    if (this.absent) return nothing;
    const shown = this.shown;
    if (!shown) return this.problem ? this.trouble() : html`<p class="loading" role="status">${t('loading')}</p>`;
    const version = shown.versions.find((one) => one.number === this.number) ?? shown.versions.at(-1);
    return html`<section class="card referral-read" data-testid="referral" data-state=${shown.case.state}><div class="row"><h2>${t('page-referral')}</h2><span class="chip" tabindex="-1" data-testid="case-state">${tValue('case-state', shown.case.state)}</span></div>
      ${this.doing ? nothing : this.trouble()}
      ${shown.answers.map((one) => html`<div class="notice notice-good" data-testid="written-answer">${icon('check')}<div><p><strong>${t('referral-answered')}</strong> <span class="hint">${one.by}, ${this.when(one.at_ms)} · ${t('referral-version', { number: one.number })}</span></p><p class="said">${one.text}</p></div></div>`)}
      ${this.acts(shown)}
      ${version ? this.version(version, shown) : html`<p class="hint">${t('referral-none')}</p>`}
      ${shown.events.length ? html`<details><summary>${t('referral-history')}</summary><ol class="events">${shown.events.map((one) => html`<li><p><strong>${tValue('case-move', one.move)}</strong> <span class="hint">${one.role === 'system' ? nothing : html`${one.by || tValue('role', one.role)}, `}${this.when(one.at_ms)}${one.number ? html` · ${t('referral-version', { number: one.number })}` : nothing}</span></p>
        ${one.reason && one.move in REASON_WORDS ? html`<p>${tValue(REASON_WORDS[one.move], one.reason)}</p>` : nothing}
        ${one.questions.length ? html`<p>${one.questions.map((question) => this.nameOf(question, version)).join(', ')}</p>` : nothing}${one.words ? html`<p class="said">${one.words}</p>` : nothing}</li>`)}</ol></details>` : nothing}
    </section>`;
  }

  trouble() {
    return this.problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(this.problem)}</p></div>` : nothing;
  }

  /** @param {number} ms */
  when(ms) {
    return html`<span class="figures">${fullDate(ms, language(), this.zone)} ${hourMinute(ms, language(), this.zone)}</span>`;
  }

  /** @param {string} question @param {Version | undefined} version */
  nameOf(question, version) {
    if (question.startsWith('patient.')) return t(`patient-field-${question.slice(8).replaceAll('_', '-')}`);
    return pick(this.forms.get(version?.form ?? '')?.questions.find((one) => one.id === question)?.label ?? { en: question }, language());
  }

  /** @param {Version} version @param {ReferralAnswer} shown */
  version(version, shown) {
    const form = this.forms.get(version.form);
    const before = shown.versions.find((one) => one.number === version.number - 1);
    const changed = (/** @type {string} */ id) => before !== undefined && JSON.stringify(before.answers[id] ?? '') !== JSON.stringify(version.answers[id] ?? '');
    const person = version.patient;
    return html`${shown.versions.length > 1 ? html`<label class="field short-field"><span>${t('referral-versions')}</span><select data-testid="versions" @change=${(/** @type {Event} */ event) => {
        this.number = Number(/** @type {HTMLSelectElement} */ (event.target).value);
        this.requestUpdate();
      }}>${shown.versions.map((one) => html`<option value=${one.number} ?selected=${one === version}>${t('referral-version', { number: one.number })}</option>`)}</select></label>` : nothing}
      <p class="hint">${t('referral-by', { name: version.by })}, ${this.when(version.at_ms)}</p>
      <dl class="answers"><div><dt>${t('case-patient')}</dt><dd>${Object.values(person.names).join(' · ')}, <span class="figures">${person.birth_date}</span>, ${tValue('sex', person.sex)}</dd></div></dl>
      ${form ? form.sections.map((section) => {
        const rows = form.questions.filter((one) => one.section === section.id && one.id in version.answers && version.answers[one.id] !== '' && version.answers[one.id]?.length !== 0);
        return rows.length === 0 ? nothing : html`<h3>${pick(section.label, language())}</h3><dl class="answers">${rows.map((one) => html`<div data-testid="answer" data-question=${one.id}><dt>${pick(one.label, language())}
          ${changed(one.id) ? html` <span class="chip chip-open">${t('referral-changed-chip')}</span>` : nothing}</dt><dd class="said">${inWords(one, version.answers[one.id], language()) ?? html`<em>${t('referral-not-known')}</em>`}</dd></div>`)}</dl>`;
      }) : nothing}`;
  }

  /** @param {ReferralAnswer} shown */
  acts(shown) {
    if (this.doing) return this.form(shown);
    // While people are in the room, the room ends it: only what was broken off is ended here.
    const here = ['answer', 'return', 'cancel', 'reopen', ...(shown.case.state === 'interrupted' ? ['end'] : [])];
    const mine = here.filter((one) => shown.moves.includes(one));
    const writes = shown.moves.includes('submit');
    if (mine.length === 0 && !writes) return nothing;
    return html`<div class="row acts">${writes ? html`<a class="button primary" data-testid="write-referral" href="/cases/${encodeURIComponent(this.case)}/referral">${t(shown.versions.length ? 'referral-write-again' : 'referral-write')}</a>` : nothing}
      ${mine.map((one) => html`<button type="button" class=${one === 'answer' ? 'primary' : 'secondary'} data-testid="act-${one}" @click=${() => this.begin(one)}>${t(`referral-act-${one}`)}</button>`)}</div>`;
  }

  /** @param {ReferralAnswer} shown */
  form(shown) {
    const what = this.doing ?? '';
    const version = shown.versions.at(-1);
    const words = (/** @type {Event} */ event) => { this.words = /** @type {HTMLTextAreaElement} */ (event.target).value; };
    return html`<form class="act" data-testid="act-form" @submit=${(/** @type {SubmitEvent} */ event) => void this.act(event)}><h3>${t(`referral-act-${what}`)}</h3>
      ${what === 'answer' ? html`<label class="field"><span>${t('referral-answer-text')}</span><textarea rows="8" maxlength="20000" required data-testid="act-words" .value=${live(this.words)} @input=${words}></textarea></label>`
        : what === 'end' ? html`<p>${t('referral-end-means')}</p>` : html`<label class="field"><span>${t('referral-reason')}</span><select required data-testid="act-reason" @change=${(/** @type {Event} */ event) => { this.reason = /** @type {HTMLSelectElement} */ (event.target).value; }}>
            <option value="">${t('referral-choose')}</option>${(REASONS[what] ?? []).map((one) => html`<option value=${one} ?selected=${one === this.reason}>${tValue(`${what}-reason`, one)}</option>`)}</select></label>
          ${what === 'return' && version ? this.which(version) : nothing}
          <label class="field"><span>${t('referral-words')}</span><textarea rows="3" maxlength="2000" data-testid="act-words" .value=${live(this.words)} @input=${words}></textarea></label>`}
      ${this.trouble()}
      <div class="row"><button class="primary" data-testid="act-do" ?disabled=${this.busy}>${t(`referral-act-${what}`)}</button><button type="button" class="quiet" data-testid="act-back" @click=${() => this.begin(null)}>${t('referral-act-back')}</button></div></form>`;
  }

  /** @param {Version} version */
  which(version) {
    const form = this.forms.get(version.form);
    return html`<details><summary>${t('referral-which')}</summary><div class="choices">${form?.questions.map((one) => html`<label class="tick"><input type="checkbox" data-testid="which-${one.id}" .checked=${live(this.questions.includes(one.id))}
      @change=${(/** @type {Event} */ event) => {
        const on = /** @type {HTMLInputElement} */ (event.target).checked;
        this.questions = [...this.questions.filter((known) => known !== one.id), ...(on ? [one.id] : [])];
        this.requestUpdate();
      }} /><span>${pick(one.label, language())}</span></label>`)}</div></details>`;
  }
}
customElements.define('hj-referral', Referral);
