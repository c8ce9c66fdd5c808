/** Somebody in a list: name, site, roles, how their licence stands. Pure template. */
import { html, nothing } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { licenceChip } from './licence.js';

/** @param {import('../types/people.js').PersonRow} one */
export function personLine(one) {
  return html`<li class="kept-seat" data-testid="person" data-person=${one.id} ?data-left=${one.left}><span><a href="/people/${encodeURIComponent(one.id)}"><strong>${one.name}</strong></a><br>
      <span class="hint">${one.site ? `${one.site} · ` : ''}${one.roles.map((role) => t(`role-${role}`)).join(', ')}</span></span>
    <span class="row">${one.left ? html`<span class="chip">${t('person-left')}</span>` : nothing}${licenceChip(one)}</span></li>`;
}
