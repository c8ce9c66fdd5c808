/**
 * The screen this page shares: asked of the browser, whose own dialogue chooses what of it, and given back when it ends.
 * It must not know who sees it.
 */

/** A screen is read: sharpness before motion. */
const WISH = Object.freeze({ video: { frameRate: { max: 15 } }, audio: false });

/** Events: `change` (it began or ended, whoever ended it), `refused` {code}. */
export class ScreenShare extends EventTarget {
  constructor() {
    super();
    /** @type {MediaStreamTrack | null} */
    this.track = null;
  }

  /** Whether this browser can: telephones and tablets mostly cannot. */
  static get possible() {
    return typeof navigator.mediaDevices?.getDisplayMedia === 'function';
  }

  async start() {
    if (this.track) return;
    try {
      const stream = await navigator.mediaDevices.getDisplayMedia(WISH);
      const [track] = stream.getVideoTracks();
      if (!track) return;
      track.contentHint = 'detail';
      // The browser's own bar has a button that ends it, too.
      track.addEventListener('ended', () => this.track === track && this.stop());
      this.track = track;
      this.dispatchEvent(new Event('change'));
    } catch (error) {
      // Closing the dialogue is an answer, not a problem.
      if (error instanceof DOMException && ['NotAllowedError', 'AbortError'].includes(error.name)) return;
      this.dispatchEvent(new CustomEvent('refused', { detail: { code: 'screen_failed' } }));
    }
  }

  stop() {
    if (!this.track) return;
    this.track.stop();
    this.track = null;
    this.dispatchEvent(new Event('change'));
  }
}
