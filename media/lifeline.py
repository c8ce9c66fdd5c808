"""Keeps in the room who sits behind a line that carries a voice and little else: survival mode.

Looks at every line of one room, probes those that are in doubt, and acts by the verdict
(`media/survival.py`): everybody's voice is offered sparingly, feedback on a thin line is rarer, its receiver
gets stills (`media/stills.py`). That it gets no other pictures, and what the room is told, is the business of
`media/lines.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from media.capacity import Capacity
from media.endpoint import Endpoint
from media.publication import Publication
from media.relay import Relay
from media.rtp.twcc import INTERVAL_NS, SPARING_NS
from media.still_subscription import PictureSubscription
from media.stills import Stills
from media.survival import GOOD_PROBES, Line, Reading, doubtful

log = logging.getLogger("hyeopjin.media.lifeline")


@dataclass(slots=True)
class _Member:
    """One connection; the verdict over the line is the participant's and outlives it."""

    endpoint: Endpoint
    capacity: Capacity
    stills: Stills

    def reading(self, up_thin: bool, now_ns: int) -> Reading:
        capacity = self.capacity
        return Reading(
            estimate_bps=self.endpoint.remb_bps,
            up_thin=up_thin,
            capacity_bps=capacity.bps(now_ns),
            newest=tuple(capacity.newest(GOOD_PROBES, now_ns)),
            unanswered=capacity.unanswered(now_ns),
        )


class Lifeline:
    """`tick` every 100 ms. `up_thin`: of each peer, whether its page says that its way up is too thin."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._lines: dict[str, Line] = {}
        self._members: dict[str, _Member] = {}
        self.up_thin: Mapping[str, bool] = {}

    def holds(self, peer: str) -> bool:
        """Whether this participant's line is in survival."""
        line = self._lines.get(peer)
        return line is not None and line.survival

    def measured_bps(self, peer: str, now_ns: int) -> int:
        """What this participant's line carries, by its last checks; 0 = not known."""
        member = self._members.get(peer)
        return 0 if member is None else member.capacity.bps(now_ns)

    @property
    def anybody(self) -> bool:
        """Whether anybody's line who is here is."""
        return any(self.holds(peer) for peer in self._members)

    def tick(self, now_ns: int, broken: Collection[str] = ()) -> list[str]:
        """Looks at every line and sends the stills that are due; the peers whose verdict has changed. A line
        that is `broken`, or has been just now, is no thin one for that."""
        self._follow()
        changed = []
        for peer, member in self._members.items():
            if peer in broken and not self._lines[peer].survival:
                self._lines[peer].trust()
                member.capacity.forget()
            elif self._judge(peer, member, now_ns):
                changed.append(peer)
        sparing = self.anybody
        for peer, member in self._members.items():
            endpoint, held = member.endpoint, self.holds(peer)
            endpoint.session.spare(sparing)
            endpoint.twcc.interval_ns = SPARING_NS if held else INTERVAL_NS
            self._relay.be_patient(peer, held)
            if held:
                single = {
                    key: one
                    for key, one in endpoint.subscriptions.items()
                    if isinstance(one, PictureSubscription) and one.layer.highest == "stills"
                }
                member.stills.tick(single, self._relay.publications, now_ns)
        return changed

    def _judge(self, peer: str, member: _Member, now_ns: int) -> bool:
        line = self._lines[peer]
        up_thin = self.up_thin.get(peer, False)
        if line.at_rest and not doubtful(member.endpoint.remb_bps, up_thin):
            return False
        reading = member.reading(up_thin, now_ns)
        changed = line.look(reading, now_ns)
        if changed:
            log.debug("survival %s: %s, %s", line.survival, line.cause or "good", reading)
            member.stills = Stills(Publication.ask_keyframe)
        every_ns = line.probe_every_ns(reading)
        if every_ns:
            member.capacity.probe(now_ns, every_ns)
        return changed

    def _follow(self) -> None:
        """One member for each connected endpoint."""
        endpoints = self._relay.endpoints
        for peer, endpoint in endpoints.items():
            known = self._members.get(peer)
            if endpoint.connected and (known is None or known.endpoint is not endpoint):
                self._lines.setdefault(peer, Line())
                self._members[peer] = _Member(
                    endpoint, Capacity(endpoint.session.probe), Stills(Publication.ask_keyframe)
                )
        for peer, member in list(self._members.items()):
            if endpoints.get(peer) is not member.endpoint:
                del self._members[peer]
