/**
 * The answer to the recording question, at the door and in the room: HTTP, and what the page makes of it.
 * Taking consent back cuts the sender at once; only media's word opens it again (reducer, `cut`), never a clock.
 */
import { ApiRefusal, codeOf } from '../api.js';
import { language, startLanguage } from '../i18n.js';

const AGAIN_MS = 2000;

export class ConsentFlow {
  /**
   * @param {import('./visit.js').Visit} visit
   * @param {{state: () => import('./reducer.js').State, happen: (event: import('./reducer.js').Event) => void}} page
   */
  constructor(visit, page) {
    this.visit = visit;
    this.page = page;
    this.attempt = 0;
  }

  /**
   * @param {'granted' | 'declined'} decision
   * @param {string[] | null} others null = as named before
   */
  async decide(decision, others) {
    const attempt = ++this.attempt;
    const read = language(); // the text was read in this one, whatever the seat's own is
    if (others) this.page.happen({ type: 'company', names: others });
    if (decision === 'declined' && this.page.state().phase === 'room') this.page.happen({ type: 'cut' });
    this.page.happen({ type: 'busy' });
    for (;;) {
      try {
        const answer = this.page.state().seat ?? (await this.enter());
        const { missing } = await this.visit.consent(answer, decision, this.page.state().company, read);
        if (this.attempt === attempt) this.page.happen({ type: 'decided', decision, missing });
        return;
      } catch (error) {
        const code = codeOf(error);
        // Who has said no is held back until that has arrived, however often it takes.
        const passing = error instanceof ApiRefusal && (error.status === 0 || error.status >= 500);
        if (this.attempt !== attempt) return;
        this.page.happen(code === 'link_used' ? { type: 'used' } : { type: 'problem', code });
        if (!passing || !this.page.state().cut) return;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
        if (this.attempt !== attempt) return;
      }
    }
  }

  /** Asks that what was recorded of this seat so far is destroyed; `sure` after the person was asked once more. @param {boolean} sure */
  async destroy(sure) {
    this.page.happen({ type: 'past', past: 'asking' });
    if (!sure) return;
    try {
      await this.visit.destroy();
      this.page.happen({ type: 'past', past: 'asked' });
    } catch (error) {
      this.page.happen({ type: 'problem', code: codeOf(error) });
    }
  }

  /** The first answer spends the link. */
  async enter() {
    await this.visit.redeem();
    const answer = await this.visit.look();
    if (!answer) throw new ApiRefusal('no_credential', 401);
    await startLanguage(this.visit.seat, answer.seat.language);
    this.page.happen({ type: 'door', seat: answer });
    return answer;
  }
}
