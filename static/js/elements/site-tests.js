/** <hj-site-tests>: a site's earlier tests, newest first, with what each found. */
import { html, nothing } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { STEPS } from '../self-test/course.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';
import { advice, inFigures } from './selftest.js';
import { instant, MARK } from './standing.js';

/** @typedef {import('../types/self-test.js').KeptTest} KeptTest */

class SiteTests extends LightElement {
  static properties = { tests: { attribute: false }, zone: { type: String } };

  constructor() {
    super();
    /** @type {KeptTest[]} */
    this.tests = [];
    this.zone = 'UTC';
  }

  render() {
    if (this.tests.length === 0) return html`<p class="hint" data-testid="site-tests-empty">${t('selftest-history-empty')}</p>`;
    return html`<ul class="site-tests">${this.tests.map((test) => this.test(test))}</ul>`;
  }

  /** @param {KeptTest} test */
  test(test) {
    const verdict = test.verdict ?? 'red';
    return html`<li data-testid="site-test" data-verdict=${test.verdict ?? ''}><details><summary>
        <span class="verdict verdict-${verdict}">${icon(MARK[verdict])}<span>${test.verdict ? t(`selftest-verdict-${verdict}`) : t('selftest-unfinished')}</span></span>
        <strong>${test.device || t('selftest-no-device')}</strong>${test.away ? html`<span class="chip">${t('selftest-away-mark')}</span>` : nothing}<span class="hint figures">${test.who} · ${instant(test.begun_ms, this.zone)}</span></summary>
      <ul class="site-test-steps">${STEPS.map((step) => this.step(step, test.steps[step]))}</ul></details></li>`;
  }

  /** @param {import('../self-test/course.js').Step} step @param {import('../self-test/course.js').Told | undefined} told */
  step(step, told) {
    if (!told) return html`<li><strong>${t(`selftest-step-${step}`)}</strong> <span class="hint">${t('selftest-verdict-none')}</span></li>`;
    const figures = inFigures(step, told.figures);
    return html`<li><strong>${t(`selftest-step-${step}`)}</strong> <span class="verdict verdict-${told.verdict}">${t(`selftest-verdict-${told.verdict}`)}</span>
      ${figures ? html`<span class="hint figures">${figures}</span>` : nothing}
      ${told.findings.map((finding) => html`<p class="self-test-advice">${advice(finding)}</p>`)}</li>`;
  }
}
customElements.define('hj-site-tests', SiteTests);
