/** Who is on the way, as a part of the room page: a strip for those who wait. */
import { html } from '/static/vendor/lit.js';
import { get } from '../api.js';
import { Arrivals } from '../room/arrivals.js';
import { me } from '../room/reducer.js';
import { comingWords } from '../elements/arrival.js';
import { icon } from '../elements/icons.js';

/**
 * @param {import('./beside.js').Beside} beside
 * @returns {import('./parts.js').Part}
 */
export function arrivalsPart(beside) {
  const arrivals = new Arrivals();
  return {
    heard: {
      arrival: (told) => {
        arrivals.heard(told, Date.now());
        beside.changed();
      },
      joined: () => void get(`/api/seats/${encodeURIComponent(beside.seat)}/arrivals`).then((found) => {
        arrivals.all(found.arrivals, Date.now());
        beside.changed();
      }, () => undefined),
    },
    strip: (state) => arrivals.coming(state.snapshot?.participants ?? [], Date.now()).map((one) => html`<div class="banner banner-plain" role="status" data-testid="arrival" data-participant=${one.participant}
      data-minutes=${one.minutes}>${icon('clock')}<strong>${comingWords(one, me(state)?.time_zone)}</strong></div>`),
  };
}
