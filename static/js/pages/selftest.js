/** A site's self-test, and the earlier ones of the same site below it. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { codeOf, get } from '../api.js';
import { languageEvents, t, tError } from '../i18n.js';
import { reader } from '../reader.js';
import { SelfTest } from '../self-test/course.js';
import { icon } from '../elements/icons.js';
import '../elements/chrome.js';
import '../elements/selftest.js';
import '../elements/site-tests.js';

const DEVICE = 'hyeopjin.self-test.device';
const root = /** @type {HTMLElement} */ (document.querySelector('main'));
const test = new SelfTest();
/** @type {import('../types/wire.js').Account | null} */
let account = null;
/** @type {import('../types/self-test.js').TestedSite | null} */
let site = null;
/** @type {string | null} */
let problem = null;
let device = remembered();

/** The address of a room's own computer names it: /self-test#Room%203. */
function remembered() {
  try {
    const named = decodeURIComponent(location.hash.slice(1)).slice(0, 60);
    return named || localStorage.getItem(DEVICE) || '';
  } catch {
    return ''; // storage forbidden, or no such text
  }
}

/** @param {CustomEvent} event */
async function begin(event) {
  if (event.detail.type !== 'begin') return;
  device = event.detail.device;
  try {
    localStorage.setItem(DEVICE, device);
  } catch {
    /* storage forbidden */
  }
  await test.start(device, event.detail.away === true);
  await look();
}

async function look() {
  try {
    site = await get(`/api/sites/${encodeURIComponent(account?.site_id ?? '')}/self-tests`);
    problem = null;
  } catch (error) {
    problem = codeOf(error);
  }
  draw();
}

function draw() {
  document.title = t('page-title', { page: t('page-self-test') });
  render(html`<hj-header .account=${account}></hj-header><div class="page self-test-page">
    <a class="button quiet back" href="/worklist">${icon('back')}${t('case-back')}</a>
    <div class="page-head"><h1>${t('selftest-title')}</h1><p class="lead">${t('selftest-lead')}</p>
      ${site ? html`<p class="hint">${t('selftest-site', { site: site.site.name })}</p>` : nothing}</div>
    ${problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(problem)}</p></div>` : nothing}
    ${problem === 'forbidden' ? nothing : html`<hj-self-test .test=${test} .rooms=${site?.rooms ?? []} .device=${device} @ask=${(/** @type {CustomEvent} */ event) => void begin(event)}></hj-self-test>`}
    ${site ? html`<section class="card" aria-labelledby="earlier"><h2 id="earlier">${t('selftest-history')}</h2>
      <hj-site-tests .tests=${site.tests} zone=${account?.time_zone ?? 'UTC'}></hj-site-tests></section>` : problem ? nothing : html`<p class="loading" role="status">${t('loading')}</p>`}
  </div>`, root);
}

const me = await reader(root);
if (me) {
  account = me.account;
  languageEvents.addEventListener('change', draw);
  draw();
  await look();
}
