/** Until when a case's documents are kept, and what a withdrawn transfer abroad closes. Pure templates. */
import { html, nothing } from '/static/vendor/lit.js';
import { language, t } from '../i18n.js';
import { fullDate, hourMinute } from '../time.js';
import { icon } from './icons.js';
import { untilEverywhere } from './kept.js';

/** @param {import('../types/documents.js').DocumentsKept} kept @param {string} zone the reader's own */
export function documentsKept(kept, zone) {
  return html`<div class="documents-kept" data-testid="documents-kept" data-state=${kept.state}>${kept.transfer ? transfer(kept.transfer, kept.zones, zone) : nothing}
    ${kept.until_ms === null ? html`<p class="hint">${t('documents-kept-running')}</p>` : html`<p class="hint">${t('documents-kept-until')}</p>${untilEverywhere(kept.until_ms, kept.zones)}`}
    ${kept.state === 'held' ? html`<p class="question-mention" data-testid="documents-held">${icon('clock')}<span>${t('documents-kept-held')}</span></p>` : nothing}</div>`;
}

/** @param {NonNullable<import('../types/documents.js').DocumentsKept['transfer']>} taken @param {string[]} zones @param {string} zone */
function transfer(taken, zones, zone) {
  const date = `${fullDate(taken.withdrawn_ms, language(), zone)} ${hourMinute(taken.withdrawn_ms, language(), zone)} (${zone})`;
  return html`<div class="notice notice-warn" role="note" data-testid="transfer-withdrawn">${icon('warning')}<div><p>${t('documents-transfer-withdrawn', { date })}</p>
    ${taken.destroyed_from_ms === null ? html`<p>${t('documents-transfer-kept')}</p>` : html`<p>${t('documents-transfer-ends')}</p>${untilEverywhere(taken.destroyed_from_ms, zones)}`}</div></div>`;
}
