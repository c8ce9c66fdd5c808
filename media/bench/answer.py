"""Reads the worker's offers and writes the answers a browser would give (RFC 8866, RFC 8829).

Deliberately independent of `media.sdp`: it is the second opinion on what the worker writes. It reads
the subset a bundling, rtcp-mux, ICE-lite offerer uses and raises `OfferError` for anything else.
"""

from __future__ import annotations

from dataclasses import dataclass, field

FLIPPED = {"sendonly": "recvonly", "recvonly": "sendonly", "sendrecv": "sendrecv", "inactive": "inactive"}
COPIED = ("rtpmap:", "fmtp:", "rtcp-fb:", "extmap:")


class OfferError(ValueError):
    """An offer that a browser would refuse, with the reason."""


@dataclass
class OfferedMedia:
    """One m-line: `kind` is audio or video, `ssrcs` maps a media SSRC to its RTX SSRC or None."""

    kind: str
    payloads: tuple[int, ...]
    port: int
    mid: str = ""
    direction: str = "sendrecv"
    rtpmaps: dict[int, str] = field(default_factory=dict)
    extensions: dict[str, int] = field(default_factory=dict)
    ssrcs: dict[int, int | None] = field(default_factory=dict)
    streams: tuple[str, ...] = ()
    copied: list[str] = field(default_factory=list)

    def payload(self, codec: str) -> int | None:
        """The payload type of a codec by its rtpmap prefix (`opus/48000`), or None."""
        for number, name in self.rtpmaps.items():
            if name.lower().startswith(codec.lower()):
                return number
        return None

    def extension(self, ending: str) -> int | None:
        """The id of the header extension whose URI ends so, or None (RFC 8285)."""
        for uri, number in self.extensions.items():
            if uri.endswith(ending):
                return number
        return None


@dataclass
class Offer:
    """What a peer needs of an offer. `candidates` are UDP (address, port) pairs in the order given."""

    media: list[OfferedMedia] = field(default_factory=list)
    ufrag: str = ""
    password: str = ""
    fingerprint: str = ""
    lite: bool = False
    candidates: list[tuple[str, int]] = field(default_factory=list)


def parse_offer(sdp: str) -> Offer:
    """Reads an offer; raises OfferError when a browser could not use it."""
    offer = Offer()
    media: OfferedMedia | None = None
    for line in sdp.replace("\r\n", "\n").split("\n"):
        if line.startswith("m="):
            media = _media_line(line)
            offer.media.append(media)
        elif line.startswith("a="):
            _transport_line(offer, line[2:])
            if media is not None:
                _attribute(media, line[2:])
    if not (offer.ufrag and offer.password and offer.fingerprint and offer.media):
        raise OfferError("no ICE credentials, fingerprint or m-line")
    mids = [m.mid for m in offer.media]
    if "" in mids or len(set(mids)) != len(mids):
        raise OfferError("mids missing or not unique")
    return offer


def _media_line(line: str) -> OfferedMedia:
    parts = line[2:].split()
    if len(parts) < 4 or parts[0] not in ("audio", "video") or parts[2] != "UDP/TLS/RTP/SAVPF":
        raise OfferError(f"m-line not understood: {line[:60]!r}")
    return OfferedMedia(kind=parts[0], port=int(parts[1]), payloads=tuple(int(p) for p in parts[3:]))


def _transport_line(offer: Offer, line: str) -> None:
    name, _, value = line.partition(":")
    if name == "ice-ufrag":
        offer.ufrag = value
    elif name == "ice-pwd":
        offer.password = value
    elif name == "ice-lite":
        offer.lite = True
    elif name == "fingerprint":
        algorithm, _, digest = value.partition(" ")
        if algorithm.lower() == "sha-256":
            offer.fingerprint = digest.upper()
    elif name == "candidate":
        parts = value.split()
        if len(parts) >= 8 and parts[2].lower() == "udp":
            where = (parts[4], int(parts[5]))
            if where not in offer.candidates:
                offer.candidates.append(where)


def _attribute(media: OfferedMedia, line: str) -> None:
    name, _, value = line.partition(":")
    if line.startswith(COPIED):
        media.copied.append(line)
    if line in FLIPPED:
        media.direction = line
    elif name == "mid":
        media.mid = value
    elif name == "msid":
        media.streams = (*media.streams, value.split()[0])
    elif name == "rtpmap":
        number, _, codec = value.partition(" ")
        media.rtpmaps[int(number)] = codec
    elif name == "extmap":
        number, _, uri = value.partition(" ")
        media.extensions[uri.split()[0]] = int(number.split("/")[0])
    elif name == "ssrc":
        media.ssrcs.setdefault(int(value.split()[0]), None)
    elif name == "ssrc-group" and value.startswith("FID "):
        _, primary, rtx = value.split()[:3]
        media.ssrcs[int(primary)] = int(rtx)
    if name == "ssrc-group" or name == "ssrc":
        for rtx_ssrc in [r for r in media.ssrcs.values() if r is not None]:
            media.ssrcs.pop(rtx_ssrc, None)


@dataclass(frozen=True)
class Sending:
    """A track the answer offers to send on one of the uplink m-lines."""

    ssrc: int
    rtx_ssrc: int | None
    track: str
    rids: tuple[str, ...] = ()
    """Its layers; then no SSRC is listed, as Chromium does."""


@dataclass(frozen=True)
class LocalSide:
    """The answering peer's own transport: ICE credentials, certificate digest (sha-256), host address."""

    ufrag: str
    password: str
    fingerprint: str
    address: tuple[str, int]
    cname: str


def write_answer(offer: Offer, local: LocalSide, sending: dict[str, Sending]) -> str:
    """The answer as Chromium shapes it; `sending` is keyed by mid, other recvonly lines are inactive."""
    out = [
        "v=0",
        "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE " + " ".join(m.mid for m in offer.media if m.port),
        "a=extmap-allow-mixed",
        "a=msid-semantic: WMS",
    ]
    for index, media in enumerate(offer.media):
        out += _answer_media(media, local, sending.get(media.mid), first=index == 0)
    return "\r\n".join(out) + "\r\n"


def _answer_media(media: OfferedMedia, local: LocalSide, track: Sending | None, first: bool) -> list[str]:
    direction = FLIPPED[media.direction]
    if direction in ("sendonly", "sendrecv") and track is None:
        direction = "inactive"
    out = [
        f"m={media.kind} 9 UDP/TLS/RTP/SAVPF " + " ".join(str(p) for p in media.payloads),
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
    ]
    if first:
        out.append(
            f"a=candidate:1 1 udp 2122260223 {local.address[0]} {local.address[1]} typ host generation 0"
        )
    out += [
        f"a=ice-ufrag:{local.ufrag}",
        f"a=ice-pwd:{local.password}",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {local.fingerprint}",
        "a=setup:active",
        f"a=mid:{media.mid}",
        *(f"a={line}" for line in media.copied if line.startswith("extmap:")),
        f"a={direction}",
    ]
    if track is not None and direction != "inactive":
        out.append(f"a=msid:- {track.track}")
    out += ["a=rtcp-mux", "a=rtcp-rsize"]
    out += [f"a={line}" for line in media.copied if not line.startswith("extmap:")]
    if track is not None and direction != "inactive" and track.rids:
        out += [f"a=rid:{rid} send" for rid in track.rids]
        out.append("a=simulcast:send " + ";".join(track.rids))
    elif track is not None and direction != "inactive":
        if track.rtx_ssrc is not None:
            out.append(f"a=ssrc-group:FID {track.ssrc} {track.rtx_ssrc}")
        for ssrc in [s for s in (track.ssrc, track.rtx_ssrc) if s is not None]:
            out += [f"a=ssrc:{ssrc} cname:{local.cname}", f"a=ssrc:{ssrc} msid:- {track.track}"]
    return out
