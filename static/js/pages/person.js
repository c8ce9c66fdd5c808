/** Somebody's page: name and roles, licence, what they interpret, their week, a lost second step, leaving; one's own has the calendar feed. It only wires. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { get, problemOf } from '../api.js';
import { ownName } from '../cldr.js';
import { languageEvents, t, tError } from '../i18n.js';
import { reader } from '../reader.js';
import { icon } from '../elements/icons.js';
import '../elements/chrome.js';
import '../elements/feed.js';
import '../elements/interprets.js';
import '../elements/invitation.js';
import '../elements/leaving.js';
import '../elements/licence.js';
import '../elements/own-calendar.js';
import '../elements/person-form.js';
import '../elements/second-step.js';

const id = decodeURIComponent(location.pathname.split('/').filter(Boolean).at(1) ?? '');
const root = /** @type {HTMLElement} */ (document.querySelector('main'));
/** @type {import('../types/wire.js').Account | null} */
let account = null;
/** @type {import('../types/people.js').Person | null} */
let person = null;
/** @type {string[]} */
let abilities = [];
/** @type {string | null} */
let problem = null;

async function renew() {
  try {
    person = await get(`/api/people/${encodeURIComponent(id)}`);
    problem = null;
  } catch (error) {
    problem = problemOf(error);
  }
  draw();
}

function draw() {
  document.title = t('page-title', { page: t('page-person') });
  const back = person && abilities.includes('site.list') && person.id !== account?.id ? `/sites/${encodeURIComponent(person.site_id)}` : '/worklist';
  render(html`<hj-header .account=${account}></hj-header><div class="page people-page"><a class="button quiet back" href=${back}>${icon('back')}${back === '/worklist' ? t('case-back') : person?.site}</a>
    ${problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(problem)}</p></div>` : nothing}
    ${person ? body(person) : problem ? nothing : html`<p class="loading" role="status">${t('loading')}</p>`}</div>`, root);
}

/** @param {import('../types/people.js').Person} one */
function body(one) {
  const own = one.id === account?.id;
  const zone = account?.time_zone ?? 'UTC';
  const calendar = abilities.includes('calendar.write') && (own || one.may.includes('person.write') || abilities.includes('schedule.write'));
  return html`<div class="page-head"><h1 data-testid="person-heading">${one.name}</h1><p class="lead">${one.roles.map((role) => t(`role-${role}`)).join(', ')} · ${one.site}</p>
      <p class="hint">${one.email} · ${ownName(one.language)}${one.telephone ? ` · ${one.telephone}` : ''}</p></div>
    ${!one.left && !one.has_password && !own && one.may.includes('person.write') ? html`<hj-invitation .person=${one}></hj-invitation>` : nothing}
    ${one.left ? html`<hj-leaving .person=${one}></hj-leaving>` : nothing}
    ${one.licence_needed || one.licence ? html`<hj-licence .person=${one} zone=${zone}></hj-licence>` : nothing}
    ${one.roles.includes('interpreter') ? html`<hj-interprets .person=${one} ?may=${abilities.includes('interpreters')}></hj-interprets>` : nothing}
    ${one.may.includes('person.write') ? html`<section class="card"><h2>${t('person-details')}</h2><hj-person-form .person=${one} .grantable=${one.grantable}></hj-person-form></section>` : nothing}
    ${calendar && !one.left ? html`<hj-calendar owner=${one.id}></hj-calendar>` : nothing}
    ${own ? html`<hj-feed zone=${zone}></hj-feed>` : nothing}
    ${!own && !one.left && one.may.includes('person.second_step') ? html`<hj-second-step .person=${one}></hj-second-step>` : nothing}
    ${!own && !one.left && one.may.includes('person.leave') ? html`<hj-leaving .person=${one}></hj-leaving>` : nothing}`;
}

root.addEventListener('ask', (event) => {
  const { type, person: saved } = /** @type {CustomEvent} */ (event).detail;
  if (type === 'person-changed') void renew();
  if (type === 'person-saved') {
    person = saved;
    draw();
  }
});
const me = await reader(root);
if (me) {
  [account, abilities] = [me.account, me.abilities];
  languageEvents.addEventListener('change', draw);
  draw();
  await renew();
}
