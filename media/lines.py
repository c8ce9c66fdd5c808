"""The lines of one room: gives each receiver the pictures that its line carries, and tells the room of it.

Looks at every receiver once a second, and within a tick when its estimate has changed; tries now and then
whether a line carries more (`media/trial.py`). Reaches packets by `Layer.highest` alone; the reasoning is in
`media/downlink.py` and `media/allocation.py`. Must not see a packet.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from media.allocation import Key, Picture, allocate, bare
from media.breaks import BROKEN_NS, silence_ns
from media.doubt import Doubt
from media.downlink import Downlink
from media.layers import HIGH, LAYERED_KINDS, LOW
from media.lifeline import Lifeline
from media.plan import RoomPlan
from media.publication import Publication
from media.receiver import Receiver
from media.relay import CallLater, Relay
from media.trial import STEP_NS, Trial

FLOWS_NS = 3_000_000_000
"""A source that has sent nothing for this long has its picture off: nothing of it is missed."""
TELL_NS = 1_000_000_000
TRIAL_LEAST_BPS = 50_000
OVERHEAD = 1.05
"""Of pictures: headers, SRTP, UDP and IP."""
TOLD_STEP = 0.25
"""While pictures are missing, an estimate that has moved by this share is told again."""
NOMINAL = {"camera": 1_200_000, "screen": 1_500_000, "exam": 1_500_000, LOW: 150_000}
"""Rates of what has not been measured yet: the most that our page lets them have."""

log = logging.getLogger("hyeopjin.media.lines")

Emit = Callable[[dict[str, Any]], None]


class Lines:
    """`apply` every plan, `tick` every 100 ms, `second` every second."""

    def __init__(
        self,
        room: str,
        epoch: int,
        relay: Relay,
        emit: Emit,
        call_later: CallLater,
        now: Callable[[], int],
    ) -> None:
        self._room, self._epoch = room, epoch
        self._relay, self._emit = relay, emit
        self._call_later, self._now = call_later, now
        self._stepping = False
        self._views: dict[str, Mapping[Key, int]] = {}
        self._receivers: dict[str, Receiver] = {}
        self._told: dict[str, dict[str, Any]] = {}
        self._told_ns = 0
        self._news = False
        self._lifeline = Lifeline(relay)
        self.on_survival: Callable[[str, bool], None] = lambda peer, held: None
        """A participant's line has gone into survival mode, or has left it."""

    def apply(self, plan: RoomPlan, now_ns: int) -> None:
        """What the pages show. Acts at once where that has changed."""
        for peer, wanted in plan.peers.items():
            view = {(source, kind): height for source, kind, height in wanted.view}
            if view != self._views.get(peer, {}):
                self._views[peer] = view
                receiver = self._receivers.get(peer)
                if receiver is not None:
                    self._allocate(receiver, now_ns)
        for peer in self._views.keys() - plan.peers.keys():
            del self._views[peer]
        self._lifeline.up_thin = {peer: wanted.up_thin for peer, wanted in plan.peers.items()}

    def tick(self, now_ns: int) -> None:
        """Down at once: an estimate that has fallen is acted upon here."""
        self._follow(now_ns)
        silences = {peer: silence_ns(one, now_ns) for peer, one in self._relay.endpoints.items()}
        silent = max(silences.values(), default=0) > BROKEN_NS
        for receiver in self._receivers.values():
            receiver.note_sent(now_ns)
            if silent or receiver.breaks.open:
                returned = receiver.breaks.look(receiver.endpoint, silences, now_ns)
                if returned or receiver.breaks.own:
                    receiver.endpoint.unheard(returned)
            remb_bps = receiver.endpoint.remb_bps
            if remb_bps != receiver.remb_bps:
                receiver.remb_bps = remb_bps
                if not receiver.breaks.settled(now_ns):
                    receiver.downlink.resettled(remb_bps, now_ns)
                elif receiver.downlink.suspects(remb_bps, receiver.sent_bps(), now_ns):
                    self._doubt(receiver)
        broken = {peer for peer, r in self._receivers.items() if not r.breaks.own_settled(now_ns)}
        for peer in self._lifeline.tick(now_ns, broken):
            receiver = self._receivers[peer]
            receiver.trial = receiver.doubt = None
            self.on_survival(peer, self._lifeline.holds(peer))
            if not self._lifeline.holds(peer):
                receiver.downlink = Downlink(now_ns)  # it was measured: what was believed before is void
                receiver.downlink.measured(self._lifeline.measured_bps(peer, now_ns))
                receiver.downlink.resettled(receiver.remb_bps, now_ns)
            self._allocate(receiver, now_ns)
        if self._news and now_ns - self._told_ns >= TELL_NS:
            self._tell(now_ns)

    def second(self, now_ns: int) -> None:
        """Everybody, by what flows and what is lost now."""
        for receiver in self._receivers.values():
            if self._in_trouble(receiver, now_ns):
                self._give_up(receiver, now_ns)
            self._allocate(receiver, now_ns)
            # A doubt's checks would wait behind what a trial sends, and tell of a queue of the trial's own.
            if receiver.trial is None and receiver.doubt is None and self._should_try(receiver, now_ns):
                # What was given a moment ago is not in what was sent yet.
                given_bps = max(receiver.sent_bps(), receiver.allocation.spent_bps)
                extra_bps = max(TRIAL_LEAST_BPS, receiver.allocation.need_bps - given_bps)
                total_bps = int(receiver.allocation.need_bps * OVERHEAD) + receiver.voice_bps()
                session = receiver.endpoint.session
                refuted_bps = receiver.downlink.refuted_bps(now_ns)
                receiver.trial = Trial(session, receiver.pad, extra_bps, total_bps, refuted_bps, now_ns)
                self._step_soon()
        self._news = True

    def _doubt(self, receiver: Receiver) -> None:
        """An estimate says that this is too much; checks are to tell, as those of a trial do that is on."""
        if receiver.trial is None and receiver.doubt is None:
            receiver.doubt = Doubt(receiver.endpoint.session, receiver.distance_ns)
            self._step_soon()

    def _decide(self, receiver: Receiver, queue: bool, now_ns: int) -> None:
        """The checks have told."""
        receiver.doubt = None
        if queue:
            receiver.downlink.believe(now_ns, receiver.carried_bps(now_ns))
            receiver.carries_bps = 0
            self._allocate(receiver, now_ns)
        else:
            receiver.downlink.disbelieve(now_ns)

    def _in_trouble(self, receiver: Receiver, now_ns: int) -> bool:
        """What shows over seconds: a queue, a loss; and an estimate that does not move raises a doubt."""
        downlink, sent_bps, share = receiver.downlink, receiver.sent_bps(), receiver.loss()
        if not receiver.breaks.settled(now_ns):
            return False
        queued = downlink.waited(receiver.queue_ns(now_ns), sent_bps, now_ns)
        lossy = share is not None and downlink.lost(share, sent_bps, now_ns)
        if receiver.remb_bps > 0 and downlink.suspects(receiver.remb_bps, sent_bps, now_ns):
            self._doubt(receiver)
        return queued or lossy

    @staticmethod
    def _should_try(receiver: Receiver, now_ns: int) -> bool:
        allocation = receiver.allocation
        return allocation.need_bps > 0 and receiver.downlink.tries(bool(allocation.paused), now_ns)

    @staticmethod
    def _give_up(receiver: Receiver, now_ns: int) -> None:
        """There is trouble: whatever is being tried is too much."""
        receiver.doubt = None
        if receiver.trial is not None:
            receiver.end_trial(False, now_ns)

    def _step_soon(self) -> None:
        if not self._stepping:
            self._stepping = True
            self._call_later(STEP_NS / 1e9, self._step)

    def _step(self) -> None:
        """Every 30 ms while a trial or a doubt is on."""
        self._stepping = False
        now_ns = self._now()
        for receiver in self._receivers.values():
            if not receiver.endpoint.connected:
                receiver.trial = receiver.doubt = None
            if receiver.doubt is not None:
                queue = receiver.doubt.step(now_ns)
                if queue is None:
                    self._step_soon()
                else:
                    self._decide(receiver, queue, now_ns)
            if receiver.trial is None:
                continue
            verdict = receiver.trial.step(now_ns)
            if verdict is None:
                self._step_soon()
                continue
            log.debug("room %s: a trial of %d: %s", self._room, receiver.allocation.need_bps, verdict)
            receiver.end_trial(verdict, now_ns)
            self._allocate(receiver, now_ns)

    def _follow(self, now_ns: int) -> None:
        """One Receiver for each connected endpoint; another connection is another line."""
        for peer, endpoint in self._relay.endpoints.items():
            known = self._receivers.get(peer)
            if endpoint.connected and (known is None or known.endpoint is not endpoint):
                self._receivers[peer] = Receiver(endpoint, Downlink(now_ns))
                if self._lifeline.holds(peer):
                    self.on_survival(peer, True)  # another connection, the same line
        for peer, receiver in list(self._receivers.items()):
            if self._relay.endpoints.get(peer) is not receiver.endpoint:
                del self._receivers[peer]

    def _allocate(self, receiver: Receiver, now_ns: int) -> None:
        pictures = self._pictures(receiver, now_ns)
        if self._lifeline.holds(receiver.endpoint.peer):
            allocation = bare(pictures)
        else:
            allocation = allocate(receiver.downlink.limit_bps, pictures)
            if allocation.kept:
                receiver.downlink.allow(allocation.spent_bps)
        if allocation.levels != receiver.allocation.levels:
            log.debug(
                "room %s: limit %s, estimate %d, sent %d, voice %d, gives %s, next %d",
                self._room,
                receiver.downlink.limit_bps,
                receiver.remb_bps,
                receiver.sent_bps(),
                receiver.voice_bps(),
                [(kind, level) for (_, kind), level in sorted(allocation.levels.items())],
                allocation.need_bps,
            )
        receiver.allocation = allocation
        self._news = True
        for key, level in allocation.levels.items():
            layer = receiver.endpoint.subscriptions[key].layer
            if layer.highest != level:
                layer.highest = level
                self._relay.publications[key].decide(now_ns)

    def _pictures(self, receiver: Receiver, now_ns: int) -> list[Picture]:
        view = self._views.get(receiver.endpoint.peer, {})
        found = []
        for key, subscription in receiver.endpoint.subscriptions.items():
            publication = self._relay.publications.get(key)
            if publication is None or not publication.video:
                continue
            if now_ns - publication.last_packet_ns > FLOWS_NS:
                continue
            found.append(picture_of(publication, view.get(key), subscription.layer.highest))
        return found

    def _tell(self, now_ns: int) -> None:
        self._told_ns = now_ns
        self._news = False
        peers = {}
        for peer, receiver in self._receivers.items():
            line = line_of(receiver, survival=self._lifeline.holds(peer))
            if not same_line(self._told.get(peer), line):
                peers[peer] = self._told[peer] = line
        for peer in self._told.keys() - self._receivers.keys():
            del self._told[peer]
        if peers:
            self._emit({"ev": "lines", "room": self._room, "epoch": self._epoch, "peers": peers})


def picture_of(publication: Publication, height: int | None, level: Any) -> Picture:
    """A publication that flows, in rates."""
    flows = [stream for stream in publication.streams.values() if not stream.idle]
    low = [s.rate_bps or NOMINAL[LOW] for s in flows if s.rid == LOW]
    high = [s.rate_bps or NOMINAL[publication.kind] for s in flows if s.rid != LOW]
    layered = publication.kind in LAYERED_KINDS and any(s.rid in (LOW, HIGH) for s in flows)
    return Picture(
        source=publication.peer,
        kind=publication.kind,
        low_bps=max(low, default=0),
        high_bps=max(high, default=NOMINAL[publication.kind] if layered else 0),
        height=height,
        level=level,
        high_flows=bool(high),
    )


def line_of(receiver: Receiver, *, survival: bool) -> dict[str, Any]:
    """What the room is told of it."""
    allocation, why = receiver.allocation, receiver.downlink.why
    return {
        "down_bps": receiver.carries_bps if allocation.reduced else receiver.remb_bps,
        "paused": [[source, kind, why] for source, kind in allocation.paused],
        "mode": "survival" if survival else "thin" if allocation.reduced else "full",
    }


def same_line(told: Mapping[str, Any] | None, now: Mapping[str, Any]) -> bool:
    """Whether the room need not hear of it: an estimate alone is news only while something is missing."""
    if told is None or (told["mode"], told["paused"]) != (now["mode"], now["paused"]):
        return False
    moved = abs(told["down_bps"] - now["down_bps"]) > TOLD_STEP * told["down_bps"]
    return now["mode"] == "full" or not moved
