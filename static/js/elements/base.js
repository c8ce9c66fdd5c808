/** What all our elements share: light DOM (page styles, labels and tests reach inside) and the language. */
import { LitElement } from '/static/vendor/lit.js';
import { languageEvents } from '../i18n.js';

export class LightElement extends LitElement {
  constructor() {
    super();
    this.relocalize = () => this.requestUpdate();
  }

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    languageEvents.addEventListener('change', this.relocalize);
  }

  disconnectedCallback() {
    languageEvents.removeEventListener('change', this.relocalize);
    super.disconnectedCallback();
  }

  /**
   * A control only asks; what comes of it flows down again as state.
   * @param {string} type
   * @param {object} [detail]
   */
  ask(type, detail = {}) {
    this.dispatchEvent(new CustomEvent('ask', { bubbles: true, detail: { type, ...detail } }));
  }
}
