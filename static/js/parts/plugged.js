/** Devices that come and go, as a part of the room page: one sentence, and the new one is a touch away. */
import { html, nothing } from '/static/vendor/lit.js';
import { t } from '../i18n.js';
import { Plugged } from '../room/plugged.js';
import { icon } from '../elements/icons.js';
import { ask } from './ask.js';

const ICONS = /** @type {const} */ ({ audio: 'mic', camera: 'camera', speaker: 'speaker' });

/**
 * @param {import('./beside.js').Beside} beside
 * @param {import('../room/devices.js').Devices} devices
 * @returns {import('./parts.js').Part}
 */
export function pluggedPart(beside, devices) {
  const plugged = new Plugged(devices);
  plugged.addEventListener('change', beside.changed);
  return {
    actions: {
      'plugged-use': async ({ kind, id }) => {
        plugged.tell(null);
        await devices.choose(kind, id);
      },
      'plugged-leave': () => plugged.tell(null),
    },
    strip: () => {
      const news = plugged.news;
      if (!news) return nothing;
      const words = news.code === 'plugged' ? t(`device-plugged-${news.kind}`, { label: news.label })
        : t(`device-replaced-${news.kind}`, { label: news.label, now: news.code === 'replaced' ? news.now : '' });
      return html`<div class="banner banner-plain" role="status" data-testid="plugged" data-kind=${news.kind} data-code=${news.code}>${icon(ICONS[news.kind])}
        <strong>${words}</strong>
        ${news.code === 'plugged' ? html`<button type="button" class="secondary" data-testid="plugged-use" @click=${ask('plugged-use', { kind: news.kind, id: news.id })}>${t('device-plugged-use')}</button>` : nothing}
        <button type="button" class="${news.code === 'plugged' ? 'quiet' : 'secondary'}" data-testid="plugged-leave" @click=${ask('plugged-leave')}>${news.code === 'plugged' ? t('device-plugged-leave') : t('device-plugged-seen')}</button>
      </div>`;
    },
  };
}
