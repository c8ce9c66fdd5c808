"""What one receiver's line is believed to carry of pictures. Pure: estimates, losses and time are arguments.

A browser's own estimate (REMB) never rises beyond one and a half times what it receives, and rises slowly.
So it is not taken for what a line carries: a limit is learned from trouble alone (an estimate that falls, a
loss that stays), and lifted by an estimate above it or by a probe that passed. It must not send or switch
anything.
"""

from __future__ import annotations

from typing import Literal

NS = 1_000_000_000
FELL = 0.97
"""An estimate this much under the one before has fallen: the browser has seen its queue grow."""
BELOW_SENT = 0.9
STUCK_NS = 3 * NS
"""An estimate under what is sent that has not risen for this long means the same as one that falls."""
ASKED_NS = NS
LAGS, LAGS_NS = 0.5, 2 * NS
"""An estimate that has been under this share of what is sent for so long has not caught up yet: it began low
after a pause, rises by 8 % a second, and says nothing. Losses do."""
CREDIBLE_BPS = 100_000
"""A lower estimate tells how little was sent (a wall, a dark room, a source whose own line is bad), not how
little the line carries: while less than this is sent it is no first sign of trouble, and one that does not
move is none."""
ROSE = 1.01
LOSSY, CALM = 0.16, 0.08
"""Shares lost, smoothed: above the first pictures are given up, below the second an estimate is believed
again. What distance and Wi-Fi lose by chance is less, and is repaired."""
SETTLES_NS = 2 * NS
"""Reports of what an overfull queue threw away still come in for so long after the cause has ended."""
LOSS_FACTOR = 0.75
"""What is left after a loss, or a queue, that no estimate explains."""
QUEUE_NS, SHORTER_NS, SHORTER = 300_000_000, 50_000_000, 0.25
"""A queue that is worth a picture, and what tells that it is being worked off in two seconds: so much, and
such a share of it. Voices wait in it."""
LEAST_BPS = 10_000
TRY_FROM_NS, TRY_TO_NS = 2 * NS, 4 * NS
"""How soon another trial for a picture that is paused, the first and at most: it is to be back within ten
seconds."""
SHARPEN_FROM_NS, SHARPEN_TO_NS = 3 * NS, 30 * NS
"""The same for a picture that could be sharper, which hurries nobody."""
AGAIN_NS = NS // 2
"""After a trial that passed: where one picture has returned, the next may, too."""
HELD_NS = 10 * NS
"""A step up that makes trouble within this was a mistake."""
REFUTED_NS = 30 * NS
"""For so long what was tried in vain is not tried again on the same word of the checks: each try costs the
voices on a line that is full a tenth of a second."""

FAST_BPS, BEGINS = 1_200_000, 0.4
"""A line measured as slower than this begins with so much of it for pictures: voices take their part first,
and a queue of seconds would stand in front of them before the first trouble showed."""

Why = Literal["thin", "lossy"]


class Downlink:
    """One connection's line towards its page."""

    __slots__ = (
        "_cut_ns",
        "_failures",
        "_led_ns",
        "_loss",
        "_passed_ns",
        "_queues_ns",
        "_reference_bps",
        "_refuted_ns",
        "_remb_bps",
        "_rose_ns",
        "_said_bps",
        "_share",
        "_tried_ns",
        "_unseen_ns",
        "limit_bps",
        "why",
    )

    def __init__(self, now_ns: int) -> None:
        self.limit_bps: int | None = None
        """Bit/s of pictures; None while there was no trouble."""
        self.why: Why = "thin"
        """What the limit came from."""
        self._remb_bps = 0
        self._reference_bps = 0
        self._rose_ns = now_ns
        self._loss = self._share = 0.0
        self._cut_ns = self._led_ns = now_ns
        self._failures = 0
        self._queues_ns = (0, 0, 0)
        self._passed_ns = self._tried_ns = now_ns - HELD_NS
        self._said_bps = 0
        """What pairs of checks made of the line when padding was tried last."""
        self._refuted_ns = now_ns - REFUTED_NS
        self._unseen_ns = now_ns - 2 * HELD_NS
        """When there was trouble that the estimate had not seen: it is not believed for a while."""

    def measured(self, bps: int) -> None:
        """What the whole line carries (0 = not known), before anything was sent over it: pictures begin with
        a share of it, unless it is a fast one, and trials find the rest."""
        if 0 < bps < FAST_BPS:
            self.limit_bps = max(LEAST_BPS, int(bps * BEGINS))

    def suspects(self, remb_bps: int, sent_bps: int, now_ns: int) -> bool:
        """A new estimate, while pictures of `sent_bps` are sent. True when it says that this is too much.
        The first one never does: it is what came in until then."""
        before, self._remb_bps = self._remb_bps, remb_bps
        if remb_bps > self._reference_bps * ROSE or remb_bps < self._reference_bps:
            if remb_bps > self._reference_bps:
                self._rose_ns = now_ns
            self._reference_bps = remb_bps
        below = remb_bps < BELOW_SENT * sent_bps
        if remb_bps >= LAGS * sent_bps:
            self._led_ns = now_ns
        lags = now_ns - self._led_ns > LAGS_NS
        idle = max(remb_bps, sent_bps) < CREDIBLE_BPS
        fell = remb_bps < FELL * before and not (idle and self.limit_bps is None)
        stuck = below and now_ns - self._rose_ns > STUCK_NS and not idle
        if (fell or stuck) and not lags:
            self._rose_ns = now_ns
            return True
        believed = self._loss < CALM and now_ns - self._unseen_ns > HELD_NS
        if self.limit_bps is not None and remb_bps > self.limit_bps and believed:
            self.limit_bps = remb_bps
        return False

    def believe(self, now_ns: int, carried_bps: int) -> None:
        """What the last estimate says is so. If a trial was on, only that was too much: what the line
        `carried_bps` before it is not in doubt."""
        # What is lost now was lost by what has just been ended.
        self._loss, self._cut_ns = 0.0, now_ns + SETTLES_NS
        self._limit(max(self._remb_bps, carried_bps, CREDIBLE_BPS), "thin", now_ns)

    def disbelieve(self, now_ns: int) -> None:
        """There is no queue: if the estimate stays where it is, it is asked about again soon, since one may
        only just have begun."""
        self._rose_ns = now_ns - STUCK_NS + ASKED_NS

    def resettled(self, remb_bps: int, now_ns: int) -> None:
        """An estimate after a break of the way, or of stills: where others are counted from, no sign of
        trouble."""
        self._remb_bps = self._reference_bps = remb_bps
        self._rose_ns = now_ns

    def lost(self, share: float, sent_bps: int, now_ns: int) -> bool:
        """The share of its packets (0..1) that the receiver missed of late, retransmissions apart. True when
        that is too much."""
        if now_ns < self._cut_ns:
            return False
        before, self._share = self._share, share
        self._loss += (share - self._loss) / 2
        if self._loss <= LOSSY or min(before, share) <= LOSSY:
            return False  # once is a moment without a way, as when a NAT forgets, and no thin line
        self._loss, self._cut_ns = 0.0, now_ns + SETTLES_NS
        self._unseen_ns = now_ns
        known = [bps for bps in (self.limit_bps, self._remb_bps, sent_bps) if bps]
        self._limit(int(LOSS_FACTOR * min(known, default=LEAST_BPS)), "lossy", now_ns)
        return True

    def waited(self, queue_ns: int, sent_bps: int, now_ns: int) -> bool:
        """Once a second: how much longer than the least a round trip takes. True when a queue stands there
        and does not get shorter in two, whatever the estimate says: of two reports that answer one of ours
        the second tells nothing new."""
        self._queues_ns = (*self._queues_ns[1:], queue_ns)
        before = self._queues_ns[0]
        worked_off = queue_ns < before - max(SHORTER_NS, SHORTER * before)
        if min(self._queues_ns) < QUEUE_NS or worked_off or now_ns < self._cut_ns:
            return False
        self._loss, self._cut_ns = 0.0, now_ns + SETTLES_NS
        self._unseen_ns = now_ns
        self._limit(max(CREDIBLE_BPS, int(LOSS_FACTOR * sent_bps)), "thin", now_ns)
        return True

    def allow(self, bps: int) -> None:
        """So much is given another chance."""
        if self.limit_bps is not None:
            self.limit_bps = max(self.limit_bps, bps)

    def tries(self, paused: bool, now_ns: int) -> bool:
        """Whether it is time to find out if the line carries more. `paused`: somebody misses a picture."""
        if self.limit_bps is None:
            return False
        first, most = (TRY_FROM_NS, TRY_TO_NS) if paused else (SHARPEN_FROM_NS, SHARPEN_TO_NS)
        return now_ns - self._tried_ns >= min(most, first << min(self._failures, 5))

    def refuted_bps(self, now_ns: int) -> int:
        """What pairs of checks said of the line when the padding that followed showed that it is not enough;
        0 = nothing of late."""
        return self._said_bps if now_ns - self._refuted_ns < REFUTED_NS else 0

    def tried(self, carried: bool, bps: int, said_bps: int, now_ns: int) -> None:
        """A trial of pictures and padding of `bps` together is over. `said_bps`: what pairs of checks said
        before the padding; 0 where there was none."""
        self._tried_ns = now_ns
        self._said_bps = said_bps or self._said_bps
        if not carried:
            self._failures += 1
            if said_bps:
                self._refuted_ns = now_ns
            return
        self._passed_ns = now_ns
        self._tried_ns = now_ns - TRY_FROM_NS + AGAIN_NS
        self._failures = 0
        self.why = "thin"
        self.limit_bps = max(self.limit_bps or 0, bps)

    def _limit(self, bps: int, why: Why, now_ns: int) -> None:
        if now_ns - self._passed_ns < HELD_NS:
            self._failures += 2
            self._refuted_ns = now_ns
        self._tried_ns = max(self._tried_ns, now_ns)
        self.limit_bps = max(LEAST_BPS, bps)
        self.why = why
