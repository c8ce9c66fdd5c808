/** One document of a case as a row, whom a DICOM names beside whom the case is about, and the forms of what may be done. Pure templates. */
import { html, nothing } from '/static/vendor/lit.js';
import { numberIn, sizeIn } from '../cldr.js';
import { language, t, tError, tValue } from '../i18n.js';
import { fullDate, hourMinute, span } from '../time.js';
import { icon } from './icons.js';

/** @typedef {import('../types/documents.js').CaseDocument} CaseDocument */
/** @typedef {import('../types/documents.js').DocumentsAnswer} DocumentsAnswer */
/** @typedef {import('../types/documents.js').Named} Named */
/** @typedef {{zone: string, answer: DocumentsAnswer, open: string, busy: boolean, problem: string | null, reason: string, base: string, ask: (act: string) => void, choose: (reason: string) => void, post: (path: string, body: object) => void, view: () => void, again: (event: Event) => void}} RowParts */

const LOOKED_AT = ['uploading', 'checking', 'ready'];

/** @param {number} bytes */
export function sizeOf(bytes) {
  return sizeIn(bytes, language());
}

/** What a person calls it, for its buttons. @param {CaseDocument} row @param {string} act */
const labelled = (row, act) => `${t(`document-act-${act}`)}: ${row.name}`;

/** @param {CaseDocument} row @param {RowParts} parts */
export function documentRow(row, parts) {
  const when = row.ready_ms ?? row.at_ms;
  return html`<li class="document" data-testid="document" data-state=${row.state} data-id=${row.id}>
    <div class="document-head">${icon('file')}<div class="document-what"><p><strong class="document-name">${row.name || tValue('document-kind', row.kind)}</strong></p>
      <p class="hint">${[tValue('document-kind', row.kind), sizeOf(row.size), extent(row)].filter(Boolean).join(' · ')}</p>
      <p class="hint"><span>${row.by.name}</span>, <span class="figures">${fullDate(when, language(), parts.zone)} ${hourMinute(when, language(), parts.zone)} (${parts.zone})</span></p>
      ${chips(row)}${said(row, parts)}</div></div>
    ${row.confirm ? confirmation(row, row.confirm, parts) : parts.open && parts.open !== 'confirm' ? actForm(row, parts) : acts(row, parts)}</li>`;
}

/** How much there is to look at. @param {CaseDocument} row */
function extent(row) {
  const details = row.details ?? {};
  if (row.form === 'pdf' && row.pages > 0) return t('document-pages', { count: row.pages });
  if (row.form === 'dicom' && row.pages > 1) return t('document-images', { count: row.pages });
  return details.duration_ms ? span(details.duration_ms) : '';
}

/** @param {CaseDocument} row */
function chips(row) {
  return html`<ul class="chips">
    ${row.side === 'consulting' ? html`<li class="chip" data-testid="document-side">${t('document-from-consulting')}</li>` : nothing}
    ${LOOKED_AT.includes(row.state) ? nothing : html`<li class="chip ${row.state === 'withdrawn' ? '' : 'chip-late'}">${tValue('document-state', row.state)}</li>`}
    ${row.state === 'checking' ? html`<li class="chip" role="status">${icon('clock')}${t('document-state-checking')}</li>` : nothing}
    ${row.scan === 'not_scanned' && ['ready', 'confirm'].includes(row.state) ? html`<li class="chip chip-synthetic" data-testid="not-scanned" title=${t('document-not-scanned-why')}>${icon('warning')}${t('document-not-scanned')}</li>` : nothing}
    ${['uploading', 'checking', 'confirm', 'ready'].includes(row.state) ? html`<li class="chip" data-testid="visibility">${icon('person')}${tValue('document-visible', row.visibility)}</li>` : nothing}
    ${row.closed ? html`<li class="chip chip-late" data-testid="document-closed">${icon('warning')}${t('document-closed')}</li>` : nothing}
    ${row.patient_copy ? html`<li class="chip chip-open">${t('document-patient-copy')}</li>` : nothing}</ul>`;
}

/** @param {CaseDocument} row @param {RowParts} parts */
function said(row, parts) {
  if (row.refused) return html`<p class="question-problem" data-testid="document-refused">${icon('warning')}<span>${tError(row.refused)}</span></p>`;
  if (row.state === 'quarantined') return html`<p class="question-problem">${icon('warning')}<span>${tError('document_quarantined')}</span></p>`;
  if (row.state === 'ended' && !row.withdrawn) {
    const date = row.ended_ms === null ? '' : `${fullDate(row.ended_ms, language(), parts.zone)} ${hourMinute(row.ended_ms, language(), parts.zone)} (${parts.zone})`;
    return html`<p class="hint" data-testid="document-ended">${date ? t('document-ended', { date }) : t('document-ending')}</p>`;
  }
  if (row.withdrawn) {
    const { reason, words, by, at_ms: at } = row.withdrawn;
    return html`<p class="hint">${tValue('document-withdraw', reason)} · ${by}, <span class="figures">${fullDate(at, language(), parts.zone)} ${hourMinute(at, language(), parts.zone)} (${parts.zone})</span></p>${words ? html`<p class="said">${words}</p>` : nothing}`;
  }
  if (row.may.resume) return html`<p class="question-mention" data-testid="unfinished">${icon('clock')}<span>${t('document-unfinished', { share: numberIn(Math.floor((100 * row.offset) / row.size), language()) })}
    ${row.expires_ms ? t('document-unfinished-until', { time: `${fullDate(row.expires_ms, language(), parts.zone)} ${hourMinute(row.expires_ms, language(), parts.zone)} (${parts.zone})` }) : nothing}</span></p>`;
  return nothing;
}

/** @param {CaseDocument} row @param {RowParts} parts */
function acts(row, parts) {
  const button = (/** @type {string} */ act, kind = 'quiet') => html`<button type="button" class=${kind} data-testid="document-${act}" aria-label=${labelled(row, act)} @click=${() => (act === 'look' ? parts.view() : parts.ask(act))}>${t(`document-act-${act}`)}</button>`;
  const { may } = row;
  if (may.resume) return html`<div class="row document-acts"><label class="button secondary file-button"><input type="file" class="visually-hidden" data-testid="document-resume" aria-label=${labelled(row, 'resume')} @change=${parts.again} />${t('document-act-resume')}</label>
    <button type="button" class="quiet" data-testid="document-cancel" ?disabled=${parts.busy} aria-label=${labelled(row, 'cancel')} @click=${() => parts.post('upload/cancel', {})}>${t('document-act-cancel')}</button></div>`;
  if (!may.look && !may.download && !may.change && !may.withdraw) return nothing;
  return html`<div class="row document-acts">${may.look ? button('look', 'secondary') : nothing}${may.download ? button('download') : nothing}
    ${may.change ? button('change') : nothing}${may.withdraw ? button('withdraw') : nothing}</div>`;
}

/** Whom it names, beside whom the case is about. @param {CaseDocument} row @param {NonNullable<CaseDocument['confirm']>} asked @param {RowParts} parts */
function confirmation(row, asked, parts) {
  const differs = new Set(asked.differs);
  const cell = (/** @type {string} */ field, /** @type {Named} */ who) => {
    const words = field === 'name' ? who.names.filter(Boolean).join(' · ') : field === 'sex' ? (who.sex ? tValue('sex', who.sex) : '') : field === 'birth_date' ? who.birth_date : (who.number ?? '');
    return words || html`<em>${t('document-says-nothing')}</em>`;
  };
  const people = asked.found.slice(0, 5);
  return html`<section class="notice ${differs.size ? 'notice-alarm' : 'notice-warn'} document-confirm" data-testid="document-confirm" data-differs=${asked.differs.join(' ')}><div>
    <h3>${differs.size ? t('document-confirm-differs') : t('document-confirm')}</h3>
    ${differs.has('several') ? html`<p>${icon('warning')} ${t('document-confirm-several', { count: asked.found.length })}</p>` : nothing}
    <div class="document-people" role="region" tabindex="0" aria-label=${differs.size ? t('document-confirm-differs') : t('document-confirm')}><table><thead><tr><td></td><th scope="col">${t('document-in-case')}</th>${people.map((_one, number) => html`<th scope="col">${people.length > 1 ? t('document-in-file-number', { number: number + 1 }) : t('document-in-file')}</th>`)}</tr></thead>
      <tbody>${['name', 'birth_date', 'sex', 'number'].map((field) => html`<tr data-differs=${differs.has(field)}><th scope="row">${tValue('document-field', field)}${differs.has(field) ? html` <span class="chip chip-late">${t('document-differs')}</span>` : nothing}</th>
        <td>${field === 'number' ? '–' : cell(field, asked.registered)}</td>${people.map((one) => html`<td>${cell(field, one)}</td>`)}</tr>`)}</tbody></table></div>
    ${series(row)}${trouble(parts)}
    <div class="row">${row.may.look ? html`<button type="button" class="secondary" data-testid="document-look" @click=${parts.view}>${t('document-act-look')}</button>` : nothing}
      <button type="button" class=${differs.size ? 'secondary' : 'primary'} data-testid="document-same" ?disabled=${parts.busy} @click=${() => parts.post('confirm', { same: true })}>${t('document-same')}</button>
      <button type="button" class=${differs.size ? 'primary danger' : 'quiet'} data-testid="document-another" ?disabled=${parts.busy} @click=${() => parts.post('confirm', { same: false })}>${t('document-another')}</button></div></div></section>`;
}

/** @param {CaseDocument} row */
function series(row) {
  const all = row.details?.series ?? [];
  if (!all.length) return nothing;
  return html`<ul class="document-series">${all.slice(0, 12).map((one) => html`<li>${one.modality} · ${one.description || t('document-says-nothing')} · ${t('document-images', { count: one.frames || one.images })}</li>`)}</ul>`;
}

/** @param {RowParts} parts */
function trouble(parts) {
  return parts.problem ? html`<div class="notice notice-alarm" role="alert">${icon('warning')}<p>${tError(parts.problem)}</p></div>` : nothing;
}

/** @param {string} label @param {string} name @param {readonly string[]} words @param {string} prefix @param {string} chosen */
export function pickOne(label, name, words, prefix, chosen) {
  return html`<label class="field short-field"><span>${label}</span><select name=${name} required data-testid="document-${name}">${chosen ? nothing : html`<option value="">${t('referral-choose')}</option>`}
    ${words.map((word) => html`<option value=${word} ?selected=${word === chosen}>${tValue(prefix, word)}</option>`)}</select></label>`;
}

/** Who sees it, in words. @param {readonly string[]} all @param {string} chosen */
export function whoSees(all, chosen) {
  return html`<fieldset class="document-visibility"><legend>${t('document-visibility')}</legend>${all.map((one) => html`<label class="tick"><input type="radio" name="visibility" value=${one} data-testid="visibility-${one}" ?checked=${one === chosen} />
    <span>${tValue('document-visible', one)}<span class="hint problem-why">${tValue('document-visible-why', one)}</span></span></label>`)}</fieldset>`;
}

/** @param {CaseDocument} row @param {RowParts} parts */
function actForm(row, parts) {
  const { answer, open } = parts;
  const back = html`<button type="button" class="quiet" data-testid="document-back" @click=${() => parts.ask('')}>${t('referral-act-back')}</button>`;
  if (open === 'download') {
    return html`<div class="act" data-testid="document-form"><label class="field short-field"><span>${t('document-download-why')}</span><select data-testid="document-reason" @change=${(/** @type {Event} */ event) => parts.choose(/** @type {HTMLSelectElement} */ (event.target).value)}>
        <option value="">${t('referral-choose')}</option>${answer.reasons.download.filter((one) => one !== 'patient_copy' || row.patient_copy).map((one) => html`<option value=${one} ?selected=${one === parts.reason}>${tValue('document-download', one)}</option>`)}</select></label>
      ${row.scan === 'not_scanned' ? html`<p class="hint">${t('document-not-scanned-why')}</p>` : nothing}
      <div class="row">${parts.reason ? html`<a class="button primary" data-testid="document-do" download href="${parts.base}/${encodeURIComponent(row.id)}/content?reason=${parts.reason}">${icon('download')}${t('document-act-download')}</a>` : html`<button type="button" class="primary" disabled>${t('document-act-download')}</button>`}${back}</div></div>`;
  }
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const given = new FormData(/** @type {HTMLFormElement} */ (event.target));
    if (open === 'withdraw') parts.post('withdraw', { reason: given.get('reason'), words: given.get('words') });
    else parts.post('change', { kind: given.get('kind'), visibility: given.get('visibility'), patient_copy: given.get('patient_copy') !== null });
  };
  return html`<form class="act" data-testid="document-form" @submit=${submit}>${open === 'withdraw'
    ? html`<p>${t(row.submitted ? 'document-withdraw-submitted' : row.sent ? 'document-withdraw-sent' : 'document-withdraw-gone')}</p>${pickOne(t('referral-reason'), 'reason', answer.reasons.withdraw, 'document-withdraw', '')}
      <label class="field"><span>${t('referral-words')}</span><textarea name="words" rows="2" maxlength="1000" data-testid="document-words"></textarea></label>`
    : html`${pickOne(t('document-kind'), 'kind', answer.kinds, 'document-kind', row.kind)}${whoSees(answer.visibilities, row.visibility)}
      <label class="tick"><input type="checkbox" name="patient_copy" data-testid="document-patient-copy" ?checked=${row.patient_copy} /><span>${t('document-patient-copy-may')}</span></label>`}
    ${trouble(parts)}<div class="row"><button class="primary" data-testid="document-do" ?disabled=${parts.busy}>${t(`document-act-${open}`)}</button>${back}</div></form>`;
}
