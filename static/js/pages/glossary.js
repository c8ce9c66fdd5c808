/** A case's glossary outside the room: prepared before a consultation, looked up after it. It only wires the room's panel. */
import { html, nothing, render } from '/static/vendor/lit.js';
import { goToSignIn } from '../api.js';
import { languageEvents, t } from '../i18n.js';
import { reader } from '../reader.js';
import { Glossary } from '../room/glossary.js';
import { icon } from '../elements/icons.js';
import '../elements/chrome.js';
import '../elements/glossary.js';

const id = location.pathname.split('/').filter(Boolean).at(1) ?? '';
const root = /** @type {HTMLElement} */ (document.querySelector('main'));
const book = new Glossary(`/api/cases/${id}/glossary`);
/** @type {import('../types/wire.js').Account | null} */
let account = null;

function draw() {
  document.title = t('page-title', { page: t('page-glossary') });
  render(html`<hj-header .account=${account}></hj-header><div class="page glossary-page">
    <a class="button quiet back" href="/worklist">${icon('back')}${t('case-back')}</a>
    <div class="page-head"><h1>${t('glossary-title')}${book.label ? html` <span class="figures" data-testid="glossary-case">${book.label}</span>` : nothing}</h1>
      <p class="lead">${t('glossary-lead')}</p></div>
    <section class="card"><hj-glossary place="page" .book=${book} .reader=${account}></hj-glossary></section></div>`, root);
}

book.addEventListener('change', () => {
  if (book.problem?.code === 'sign_in_required') goToSignIn();
  else draw();
});
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') void book.look();
});
document.addEventListener('keydown', (event) => {
  if (event.code !== 'KeyG' || !event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  /** @type {HTMLElement | null} */ (root.querySelector('[data-testid="term-search"]'))?.focus();
});
const me = await reader(root);
if (me) {
  account = me.account;
  languageEvents.addEventListener('change', draw);
  draw();
}
