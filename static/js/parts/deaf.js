/** A browser that plays no sound before a touch: any touch or key lets it, and nobody needs to find the button for it. */
import { html } from '/static/vendor/lit.js';
import { icon } from '../elements/icons.js';
import { t } from '../i18n.js';

export class Deaf {
  /** @param {{changed: () => void}} page */
  constructor(page) {
    /** @type {Set<string>} participants who wait for a touch */
    this.waiting = new Set();
    const hear = () => document.querySelectorAll('hj-tile').forEach((tile) => void /** @type {any} */ (tile).start());
    this.actions = {
      deaf: (/** @type {{participant: string}} */ { participant }) => {
        this.waiting.add(participant);
        page.changed();
      },
      heard: (/** @type {{participant: string}} */ { participant }) => {
        this.waiting.delete(participant);
        page.changed();
      },
      hear,
    };
    for (const touch of ['pointerup', 'keydown']) addEventListener(touch, () => this.any && hear());
  }

  get any() {
    return this.waiting.size > 0;
  }

  strip() {
    return this.any ? html`<button class="banner banner-plain" data-testid="tap-to-hear" @click=${this.actions.hear}>${icon('speaker')}<strong>${t('room-tap-to-hear')}</strong></button>` : null;
  }
}
