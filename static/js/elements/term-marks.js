/** <hj-term-marks>: the terms that everybody was shown, on the recording's time line; each leads to its second. */
import { html, nothing, svg } from '/static/vendor/lit.js';
import { language, t, tValue } from '../i18n.js';
import { span } from '../time.js';
import { forReader, TERM_LANGUAGES } from '../room/glossary.js';
import { LightElement } from './base.js';

class TermMarks extends LightElement {
  static properties = { playback: { attribute: false } };

  constructor() {
    super();
    /** @type {import('../review/playback.js').Playback | null} */
    this.playback = null;
  }

  render() {
    const playback = this.playback;
    const marks = playback?.recording.terms ?? [];
    if (!playback || marks.length === 0) return nothing;
    return html`<section class="marks" data-testid="review-terms" aria-labelledby="marks-title"><h2 id="marks-title">${t('review-terms')}</h2>
      <svg class="mark-line" aria-hidden="true"><line x1="0" x2="100%" y1="8" y2="8"></line>
        ${marks.map((mark) => svg`<circle r="6" cy="8" cx=${`${Math.min(100, (100 * mark.ms) / Math.max(1, playback.durationMs))}%`} @click=${() => playback.seek(mark.ms)}></circle>`)}</svg>
      <ol>${marks.map((mark) => this.line(playback, mark))}</ol></section>`;
  }

  /** @param {import('../review/playback.js').Playback} playback @param {import('../types/asides.js').TermMark} mark */
  line(playback, mark) {
    const { main, beside } = forReader(mark.texts, [language()], [...TERM_LANGUAGES]);
    return html`<li data-testid="review-term" data-ms=${mark.ms}>
      <button type="button" class="quiet figures" data-testid="review-term-seek" aria-label=${t('review-term-seek', { time: span(mark.ms), term: main[1] })}
        @click=${() => playback.seek(mark.ms)}>${span(mark.ms)}</button>
      <div><strong lang=${main[0]} dir="auto">${main[1]}</strong>${beside.map(([code, text]) => html` · <span lang=${code} dir="auto">${text}</span>`)}
        ${mark.by ? html`<p class="hint">${mark.by.name} · ${tValue('role', mark.by.role)}</p>` : nothing}</div></li>`;
  }
}
customElements.define('hj-term-marks', TermMarks);
