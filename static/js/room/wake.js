/**
 * Hints of the computer that the network may be another one, or that it slept: a lid opened, a tab shown again, Wi-Fi joined.
 * The socket is told at once what it would notice after half a minute; what it then does is its own affair.
 */

const LOOK_MS = 1000;
/** A timer that comes so much too late has slept, not been slowed down: hidden pages get theirs once a second. */
const SLEPT_MS = 6000;

export class Wake {
  /** @param {() => {hurry(): void, hurryIfSilent(): void} | null} link the socket's, while there is one */
  constructor(link) {
    this.at = performance.now();
    this.link = link;
    setInterval(() => this.look(), LOOK_MS);
    addEventListener('online', () => this.link()?.hurry());
    const maybe = () => document.visibilityState === 'visible' && this.link()?.hurryIfSilent();
    addEventListener('pageshow', maybe);
    for (const name of ['visibilitychange', 'resume']) document.addEventListener(name, maybe); // resume: a frozen tab
    /** @type {{connection?: EventTarget}} */ (navigator).connection?.addEventListener('change', maybe);
  }

  look() {
    const now = performance.now();
    const slept = now - this.at > LOOK_MS + SLEPT_MS;
    this.at = now;
    if (slept) this.link()?.hurry();
  }
}
