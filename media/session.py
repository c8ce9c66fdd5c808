"""Negotiation of one connection: what is offered, when, and what the answers mean.

The server always offers; one offer is outstanding, later wishes wait and are merged. A delivery is `ready`
only after the peer's answer for its m-line (the gate). A line given up goes inactive and is used again, with
fresh SSRCs, only after the peer has answered that. Must not see a packet nor parse SDP (`media/sdp.py` does).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from media.aiortc_seam import Certificate
from media.ice.hub import IceHub, now_ns
from media.layers import LAYERED_KINDS, RIDS
from media.ports import KINDS, Delivery, Offer, OfferTrack, OnOffer, PacketSink, Uplink
from media.sdp import (
    INACTIVE,
    RECEIVE,
    SEND,
    Answer,
    LineOffer,
    OfferModel,
    SdpRefused,
    read_answer,
    stream_of,
    write_offer,
)
from media.transport import Forward, PeerTransport

log = logging.getLogger("hyeopjin.media.session")

ANSWER_TIMEOUT_S = 10.0
MAX_LINES = 64


@dataclass
class _Line:
    """One sendonly m-line. `spent` means: inactive and answered, free for another delivery."""

    mid: str
    media: str
    delivery: Delivery | None = None
    spent: bool = False
    dead: bool = False
    """The peer rejected it (port 0): never used again."""

    def offer(self) -> LineOffer:
        delivery = self.delivery
        if delivery is None:
            return LineOffer(self.mid, "audio" if self.media == "audio" else "camera", INACTIVE)
        return LineOffer(
            mid=self.mid,
            kind=delivery.kind,
            direction=SEND,
            stream=stream_of(delivery.source, delivery.kind),
            track=f"{delivery.source}:{delivery.kind}",
            cname=delivery.source,
            ssrc=delivery.ssrc,
            rtx_ssrc=delivery.rtx_ssrc,
        )


@dataclass(frozen=True)
class _Outstanding:
    """The offer that waits for its answer."""

    offer_id: str
    lines: tuple[LineOffer, ...]
    ice_restart: bool
    last_try: bool


def _media_of(kind: str) -> str:
    return "audio" if kind == "audio" else "video"


class Session:
    """One peer's connection; fulfils `media.ports.SessionPort`. Use `create`, `attach`, `start`."""

    def __init__(
        self,
        transport_of: Callable[[Callable[[str], None]], PeerTransport],
        hub: IceHub,
        peer: str,
        connection: str,
        on_offer: OnOffer,
        answer_timeout_s: float,
    ) -> None:
        self.peer = peer
        self.connection = connection
        self.uplink: dict[str, Uplink] = {
            kind: Uplink(kind, str(index), sending=False) for index, kind in enumerate(KINDS)
        }
        self.deliveries: dict[tuple[str, str], Delivery] = {}
        self._hub = hub
        self._on_offer = on_offer
        self._timeout_s = answer_timeout_s
        self._transport = transport_of(self._on_transport_state)
        self.send = self._transport.send
        self.send_rtcp = self._transport.send_rtcp
        self._sink: PacketSink | None = None
        self._lines: list[_Line] = []
        self._wanted: list[tuple[str, str]] = []
        self._used_ssrcs: set[int] = {0}
        self._session_id = secrets.randbits(62)
        self._version = 0
        self._outstanding: _Outstanding | None = None
        self._dirty = False
        self._sparing = False
        self._restart_wanted = False
        self._timer: asyncio.TimerHandle | None = None
        self._state = "connecting"

    @classmethod
    def create(
        cls,
        *,
        hub: IceHub,
        peer: str,
        connection: str,
        on_offer: OnOffer,
        certificate: Certificate | None = None,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> Session:
        """A session listening on `hub`; without a certificate it makes its own (about 0.3 ms)."""
        made = certificate or Certificate()
        return cls(
            lambda on_state: PeerTransport(hub, made, on_state, connection),
            hub,
            peer,
            connection,
            on_offer,
            answer_timeout_s,
        )

    @property
    def state(self) -> str:
        """One of `media.ports.STATES`."""
        return self._state

    @property
    def forward(self) -> Forward:
        """See `SessionPort.forward`."""
        return self._transport.forward

    @property
    def round_trip_ns(self) -> int:
        """See `SessionPort.round_trip_ns`."""
        return self._transport.agent.round_trip.least_ns

    @property
    def transport(self) -> PeerTransport:
        """For metrics and tests."""
        return self._transport

    def attach(self, sink: PacketSink) -> None:
        """See `SessionPort.attach`."""
        self._sink = sink
        self._transport.attach(sink)

    def start(self) -> None:
        """Make the first offer, with whatever `set_subscriptions` has already asked for."""
        self._dirty = True
        self._offer_if_due()

    # -- wishes

    async def set_subscriptions(self, wanted: list[tuple[str, str]]) -> None:
        """The whole wanted list of (source peer, kind). Unknown kinds raise ValueError."""
        if any(kind not in KINDS for _, kind in wanted):
            raise ValueError("unknown track kind")
        ordered = list(dict.fromkeys(wanted))
        if ordered == self._wanted:
            return
        self._wanted = ordered
        self._dirty = True
        if self._version:
            self._offer_if_due()

    def spare(self, sparing: bool) -> None:
        """See `SessionPort.spare`."""
        if sparing != self._sparing:
            self._sparing = sparing
            self._dirty = True
            if self._version:
                self._offer_if_due()

    def probe(self, fill: int, heard: Callable[[int, int], None]) -> bool:
        """See `SessionPort.probe`."""
        return self._transport.agent.probe(fill, now_ns(), heard)

    async def restart_ice(self) -> None:
        """Offer new ICE credentials at once, superseding an offer whose answer may never come."""
        if self._state in ("failed", "closed") or not self._version:
            return
        if self._outstanding is not None and self._outstanding.ice_restart:
            return
        self._restart_wanted = True
        self._outstanding = None
        self._offer_if_due()

    # -- offers

    def _offer_if_due(self, *, last_try: bool = False) -> None:
        if self._state in ("failed", "closed") or self._outstanding is not None:
            return
        if not (self._dirty or self._restart_wanted or last_try):
            return
        self._dirty = False
        restart, self._restart_wanted = self._restart_wanted, False
        if restart:
            self._transport.restart_ice()
        self._assign()
        self._version += 1
        lines = tuple(self._offered_lines())
        offer_id = str(self._version)
        self._outstanding = _Outstanding(offer_id, lines, restart, last_try)
        self._arm()
        local = self._transport.agent.local
        model = OfferModel(
            session=self._session_id,
            version=self._version,
            ufrag=local.ufrag,
            password=local.password,
            fingerprint=self._transport.certificate.fingerprint,
            candidates=self._hub.candidates(),
            lines=lines,
        )
        tracks = tuple(
            OfferTrack(line.mid, line.delivery.source, line.delivery.kind)
            for line in self._lines
            if line.delivery is not None
        )
        offer = Offer(self.connection, offer_id, write_offer(model), restart, tracks)
        self._tell(lambda: self._on_offer(offer))

    def _offered_lines(self) -> list[LineOffer]:
        uplink = [
            LineOffer(
                str(index),
                kind,
                RECEIVE,
                rids=RIDS if kind in LAYERED_KINDS else (),
                sparing=self._sparing,
            )
            for index, kind in enumerate(KINDS)
        ]
        return uplink + [line.offer() for line in self._lines]

    def _assign(self) -> None:
        """Bring the lines to the wanted list: give up, reuse, add."""
        wanted = set(self._wanted)
        for line in self._lines:
            if line.delivery is not None and (line.delivery.source, line.delivery.kind) not in wanted:
                line.delivery.ready = False
                del self.deliveries[line.delivery.source, line.delivery.kind]
                line.delivery = None
                line.spent = False
        for source, kind in self._wanted:
            if (source, kind) in self.deliveries:
                continue
            line_for = self._line_for(_media_of(kind))
            if line_for is None:
                log.warning("connection %s has no m-line left", self.connection)
                continue
            delivery = Delivery(
                source=source,
                kind=kind,
                mid=line_for.mid,
                ssrc=self._fresh_ssrc(),
                rtx_ssrc=None if kind == "audio" else self._fresh_ssrc(),
            )
            line_for.delivery = delivery
            line_for.spent = False
            self.deliveries[source, kind] = delivery

    def _line_for(self, media: str) -> _Line | None:
        for line in self._lines:
            if line.spent and line.media == media and not line.dead:
                return line
        if len(self._lines) >= MAX_LINES:
            return None
        line = _Line(str(len(KINDS) + len(self._lines)), media)
        self._lines.append(line)
        return line

    def _fresh_ssrc(self) -> int:
        while True:
            ssrc = secrets.randbits(32)
            if ssrc not in self._used_ssrcs:
                self._used_ssrcs.add(ssrc)
                return ssrc

    # -- answers

    async def accept_answer(self, offer_id: str, sdp: str) -> None:
        """Take the outstanding offer's answer; any other id is ignored. Raises `SdpRefused`."""
        outstanding = self._outstanding
        if outstanding is None or outstanding.offer_id != offer_id or self._state in ("failed", "closed"):
            return
        answer = read_answer(sdp, outstanding.lines)
        known = self._transport.fingerprints
        if known and known != answer.fingerprints:
            raise SdpRefused("answer_no_dtls", "fingerprint changed")
        self._disarm()
        self._outstanding = None
        self._transport.answered(
            answer.ufrag, answer.password, answer.fingerprints, dtls_server=answer.setup == "active"
        )
        self._apply(answer, outstanding)
        if self._sink is not None:
            self._tell(self._sink.on_negotiated)
        self._offer_if_due()

    def _apply(self, answer: Answer, outstanding: _Outstanding) -> None:
        by_mid = {line.mid: line for line in answer.lines}
        for uplink in self.uplink.values():
            line_answer = by_mid[uplink.mid]
            uplink.sending = line_answer.sends
            uplink.ssrcs = dict(line_answer.ssrcs)
            uplink.rids = line_answer.rids
            uplink.red = line_answer.red
        for line, offered in zip(self._lines, outstanding.lines[len(KINDS) :], strict=False):
            line_answer = by_mid[line.mid]
            line.dead = line.dead or line_answer.rejected
            if line.delivery is None:
                line.spent = offered.direction == INACTIVE
            elif offered.direction == SEND:
                line.delivery.ready = line_answer.receives
                line.delivery.red = line_answer.red

    def _arm(self) -> None:
        self._disarm()
        self._timer = asyncio.get_running_loop().call_later(self._timeout_s, self._on_timeout)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timeout(self) -> None:
        """No answer: offer once more, with everything wanted by now; then the connection has failed."""
        outstanding, self._outstanding = self._outstanding, None
        if outstanding is None:
            return
        if outstanding.last_try:
            log.info("connection %s answered no offer", self.connection)
            self._fail()
            return
        self._restart_wanted = self._restart_wanted or outstanding.ice_restart
        self._offer_if_due(last_try=True)

    # -- state

    def _on_transport_state(self, state: str) -> None:
        if self._state in ("failed", "closed"):
            return
        self._set_state(state)
        if state in ("failed", "closed"):
            self._disarm()

    def _fail(self) -> None:
        self._disarm()
        self._set_state("failed")

    def _set_state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            if self._sink is not None:
                self._tell(partial(self._sink.on_state, state))

    def _tell(self, call: Callable[[], None]) -> None:
        """Whatever the other side of a callback does wrong, negotiation goes on."""
        try:
            call()
        except Exception:
            log.exception("a callback of connection %s failed", self.connection)

    async def close(self) -> None:
        """Idempotent; the sink hears nothing after it."""
        self._disarm()
        self._state = "closed"
        await self._transport.close()
