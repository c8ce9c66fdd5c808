/** A consent's text: what the law wants to be seen stands out, the rest opens below. Draws only. */
import { html, nothing } from '/static/vendor/lit.js';
import { filled } from '../consents/texts.js';

/**
 * @param {import('../types/consents.js').Text} text
 * @param {import('../types/consents.js').Places} places
 * @param {Record<string, string>} words around it, in its language
 * @param {{open?: boolean, level?: 2 | 3}} [options]
 */
export function consentText(text, places, words, { open = true, level = 3 } = {}) {
  const say = (/** @type {string} */ part) => filled(part, places, text.language);
  const title = say(text.title);
  const items = html`<p class="consent-important">${words['consent-important']}</p>
    <dl class="consent-items">${text.items.map(([name, part]) => html`<div data-item=${name}><dt>${words[`consent-item-${name}`]}</dt><dd>${say(part)}</dd></div>`)}</dl>`;
  return html`<div class="consent-text" lang=${text.language} data-testid="consent-text" data-purpose=${text.purpose} data-version=${text.version} data-language=${text.language}>
    ${level === 2 ? html`<h2>${title}</h2>` : html`<h3>${title}</h3>`}
    <p class="consent-summary">${say(text.summary)}</p>
    ${open ? items : nothing}
    <details><summary>${words['consent-more']}</summary>${open ? nothing : items}${text.body.map((part) => html`<p>${say(part)}</p>`)}</details></div>`;
}
