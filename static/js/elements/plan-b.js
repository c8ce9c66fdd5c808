/** <hj-plan-b>: whom to telephone while sound and picture are away; it comes after ten seconds and goes by itself. */
import { html, nothing } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { Outage, dial, emergencies, people } from '../room/plan-b.js';
import { icon } from './icons.js';
import { LightElement } from './base.js';

class PlanB extends LightElement {
  static properties = { state: { attribute: false }, now: { attribute: false } };

  constructor() {
    super();
    /** @type {import('../room/reducer.js').State | null} */
    this.state = null;
    this.now = 0;
    this.outage = new Outage();
  }

  render() {
    const state = this.state;
    if (!state || !this.outage.lasts(state, this.now)) return nothing;
    return html`<section class="plan-b" role="alert" data-testid="plan-b"><h2>${icon('phone')} ${t('plan-b-title')}</h2>
      <p>${t('plan-b-what')}</p>
      <ul>${people(state).map((one) => html`<li><span><strong>${one.name}</strong> <small>${t(`role-${one.role}`)} · ${one.site}</small></span>
        ${one.telephone ? html`<a class="figures" href=${dial(one.telephone)} data-testid="plan-b-number">${one.telephone}</a>` : html`<span class="hint">${t('plan-b-none')}</span>`}</li>`)}</ul>
      ${emergencies(state).map((one) => html`<p><strong>${t('plan-b-emergency', { site: one.site })}</strong> <a class="figures" href=${dial(one.number)} data-testid="plan-b-emergency">${one.number}</a></p>`)}
      <p class="hint">${t('plan-b-recording')}</p></section>`;
  }
}
customElements.define('hj-plan-b', PlanB);
