"""The boundary between transport and relay: what each side may ask of the other.

Transport (sessions, ICE, DTLS, SRTP) never looks inside a packet; the relay sees no SDP, address or key.
This module holds types only: it must not import anything of media that does work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

KINDS: tuple[str, ...] = ("audio", "camera", "screen", "exam")
"""Track kinds; the index is the mid of the uplink m-line in every offer."""

AUDIO_KINDS: frozenset[str] = frozenset({"audio"})

SPARE = 64
"""Bytes that must be free behind a packet handed to `SessionPort.send` (SRTP tag and trailer)."""

STATES: tuple[str, ...] = ("connecting", "connected", "disconnected", "failed", "closed")
"""What `PacketSink.on_state` may be told. `failed` and `closed` are final; `disconnected` may recover."""


@dataclass
class Uplink:
    """One m-line on which this peer publishes, as its last answer described it."""

    kind: str
    mid: str
    sending: bool
    """The answer's direction was sendonly (False for inactive or a rejected m-line)."""
    ssrcs: dict[int, int | None] = field(default_factory=dict)
    """Media SSRC -> its RTX SSRC from `ssrc-group:FID`; may be empty: then demux by the MID extension."""
    rids: tuple[str, ...] = ()
    """Layers that it sends; not empty: demux by the RID extension, whatever SSRCs are listed."""
    red: bool = False
    """Its sound may come with redundancy (RFC 2198)."""


@dataclass
class Delivery:
    """One sendonly m-line of this session: the way to this peer for one (source, kind)."""

    source: str
    kind: str
    mid: str
    ssrc: int
    rtx_ssrc: int | None
    """None for audio (an audio NACK is never answered by RTX)."""
    ready: bool = False
    """True only after this peer's answer accepted the m-line. Never send before (the gate)."""
    red: bool = False
    """The answer takes sound with redundancy (RFC 2198); else the peer is sent plain Opus only."""


@dataclass(frozen=True)
class OfferTrack:
    mid: str
    participant: str
    kind: str


@dataclass(frozen=True)
class Offer:
    """One offer for the peer; `on_offer` is called in the event loop and must not block."""

    connection: str
    offer_id: str
    sdp: str
    ice_restart: bool
    tracks: tuple[OfferTrack, ...]
    """The live deliveries (not the uplink, not the inactive lines)."""


OnOffer = Callable[[Offer], None]


class PacketSink(Protocol):
    """The relay's end of one connection. Exceptions are logged and counted; they never reach the socket."""

    def on_rtp(self, packet: bytes, at_ns: int) -> None:
        """One decrypted RTP packet, owned bytes: version 2, CSRCs and extension inside the packet.

        `at_ns` is CLOCK_BOOTTIME in nanoseconds, read once per wake-up of the socket.
        """

    def on_rtcp(self, packet: bytes, at_ns: int) -> None:
        """One decrypted RTCP compound, owned bytes, at least 8 long; the inner lengths are NOT checked."""

    def on_negotiated(self) -> None:
        """`uplink` or `deliveries` of the session changed."""

    def on_state(self, state: str) -> None:
        """One of STATES."""


class SessionPort(Protocol):
    """A peer's live connection as the relay and the worker see it (`media.session.Session`)."""

    @property
    def peer(self) -> str: ...

    @property
    def connection(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def uplink(self) -> Mapping[str, Uplink]: ...

    @property
    def deliveries(self) -> Mapping[tuple[str, str], Delivery]: ...

    @property
    def round_trip_ns(self) -> int:
        """The least that the peer's answers to our ICE checks have taken; 0 while there was none."""

    def attach(self, sink: PacketSink) -> None:
        """Set the sink; before `start`, once."""

    def start(self) -> None:
        """Make the first offer and listen for the peer."""

    async def set_subscriptions(self, wanted: list[tuple[str, str]]) -> None:
        """Whole wanted list of (source peer, kind). Returns at once; offers follow one at a time."""

    def spare(self, sparing: bool) -> None:
        """Whether this peer's voice is to cost as little as it can; an offer says so."""

    def probe(self, fill: int, heard: Callable[[int, int], None]) -> bool:
        """One ICE check to where media goes, `fill` bytes longer than it need be; `heard` is told when it was
        sent and answered (CLOCK_BOOTTIME ns). False when it could not be sent."""

    async def accept_answer(self, offer_id: str, sdp: str) -> None:
        """Take the answer of the outstanding offer; a stale id is ignored. Raises `media.sdp.SdpRefused`."""

    async def restart_ice(self) -> None:
        """Offer new ICE credentials; media keeps flowing on the old ones until the peer moves."""

    async def close(self) -> None:
        """Stop: send a DTLS close, free the hub's entries. Idempotent."""

    def send(self, packet: bytearray | memoryview, length: int) -> None:
        """Protect `packet[:length]` in place and send it. The buffer has SPARE bytes behind `length`."""

    def forward(self, packet: bytes, pt: int, seq: int, timestamp: int, ssrc: int) -> None:
        """Copy, rewrite the header (the marker bit stays), protect, send. The hot path; never raises.

        Values are taken modulo their field: `seq` and `timestamp` may be negative or longer than it.
        While connected it may be kept and called directly, without asking the session for it each time.

        With AES-GCM a (ssrc, seq) sent twice must carry the very same bytes, extensions included: anything
        else gives the authentication key away. Nor may a sequence number ever run back on one ssrc.
        """

    def send_rtcp(self, packet: bytes) -> None:
        """Protect one RTCP compound and send it. Never raises; dropped when not connected."""
