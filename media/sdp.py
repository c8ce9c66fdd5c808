"""Offers as text from a small model, and a strict reader of answers (RFC 8829, 8839, 8843, 5576).

The server always offers: ICE-lite, one bundle, four fixed recvonly m-lines, then a sendonly one per delivery.
Must not know ICE state, DTLS or when to offer; whatever a peer answers, only `SdpRefused` is raised.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from media.aiortc_seam import Fingerprint
from media.codecs import EXT_URIS, RED_MAP, RED_PT, description
from media.ice.addresses import CandidateLine
from media.ports import KINDS

MAX_ANSWER_CHARS = 64 * 1024
MAX_LINE_CHARS = 4096
MAX_SECTIONS = 128
MAX_SSRCS = 64
MAX_RIDS = 8
SEND, RECEIVE, INACTIVE = "sendonly", "recvonly", "inactive"
DIRECTIONS = ("sendrecv", SEND, RECEIVE, INACTIVE)

CODES = frozenset({"bad_answer", "answer_too_large", "answer_mismatch", "answer_no_ice", "answer_no_dtls"})


class SdpRefused(Exception):  # noqa: N818
    """An answer we do not take. `code` is one of CODES; `reason` is for logs and holds no SDP."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


# -- offers


@dataclass(frozen=True)
class LineOffer:
    """One m-line of an offer. `ssrc`, `stream` and `track` only where we send; `rids`, low first, only where
    we take layers."""

    mid: str
    kind: str
    direction: str
    stream: str = ""
    track: str = ""
    cname: str = ""
    ssrc: int = 0
    rtx_ssrc: int | None = None
    rids: tuple[str, ...] = ()
    sparing: bool = False
    """Sound that we take is to cost as little as it can."""


@dataclass(frozen=True)
class OfferModel:
    """Everything an offer says. `version` grows with every offer of a connection."""

    session: int
    version: int
    ufrag: str
    password: str
    fingerprint: Fingerprint
    candidates: Sequence[CandidateLine]
    lines: Sequence[LineOffer]


def stream_of(participant: str, kind: str) -> str:
    """The stream id that names the participant: sound and camera share one, so they are played in step."""
    return f"{participant}:{'main' if kind in ('audio', 'camera') else kind}"


def write_offer(model: OfferModel) -> str:
    """The offer's text, CRLF lines."""
    out = [
        "v=0",
        f"o=- {model.session} {model.version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE " + " ".join(line.mid for line in model.lines),
        "a=ice-lite",
        "a=msid-semantic: WMS *",
    ]
    for index, line in enumerate(model.lines):
        out += _section(model, line, first=index == 0)
    return "\r\n".join(out) + "\r\n"


def _section(model: OfferModel, line: LineOffer, *, first: bool) -> list[str]:
    codecs = description(line.kind, uplink=line.mid in _UPLINK_MIDS, sparing=line.sparing)
    types = " ".join(map(str, codecs.payload_types))
    head = [
        f"m={codecs.media} 9 UDP/TLS/RTP/SAVPF {types}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
    ]
    rest = [
        f"ice-ufrag:{model.ufrag}",
        f"ice-pwd:{model.password}",
        f"fingerprint:{model.fingerprint.algorithm} {model.fingerprint.value}",
        "setup:actpass",
        f"mid:{line.mid}",
        *(f"extmap:{number} {EXT_URIS[number]}" for number in codecs.extensions),
        line.direction,
        *([f"msid:{line.stream} {line.track}"] if line.direction == SEND else []),
        "rtcp-mux",
        "rtcp-rsize",
        *codecs.attributes,
    ]
    if line.direction == SEND:
        rest += _sources(line)
    if line.rids:  # RFC 8851, 8853
        rest += [f"rid:{rid} recv" for rid in line.rids]
        rest.append("simulcast:recv " + ";".join(line.rids))
    if first:
        rest += [candidate.text() for candidate in model.candidates]
        rest.append("end-of-candidates")
    return head + ["a=" + text for text in rest]


def _sources(line: LineOffer) -> list[str]:
    ssrcs = [line.ssrc] if line.rtx_ssrc is None else [line.ssrc, line.rtx_ssrc]
    group = [] if line.rtx_ssrc is None else [f"ssrc-group:FID {line.ssrc} {line.rtx_ssrc}"]
    return group + [f"ssrc:{ssrc} cname:{line.cname}" for ssrc in ssrcs]


_UPLINK_MIDS = frozenset(str(index) for index in range(len(KINDS)))


# -- answers


@dataclass
class LineAnswer:
    """One m-line of an answer."""

    mid: str
    media: str
    rejected: bool
    direction: str
    payload_types: frozenset[int]
    ssrcs: dict[int, int | None] = field(default_factory=dict)
    """Media SSRC -> RTX SSRC of its FID group."""
    rids: tuple[str, ...] = ()
    """The layers it sends, empty without simulcast."""
    red: bool = False
    """It takes sound with redundancy (RFC 2198)."""

    @property
    def sends(self) -> bool:
        return not self.rejected and self.direction in ("sendrecv", SEND)

    @property
    def receives(self) -> bool:
        return not self.rejected and self.direction in ("sendrecv", RECEIVE)


@dataclass(frozen=True)
class Answer:
    """A whole answer. All accepted lines share one transport (BUNDLE)."""

    ufrag: str
    password: str
    fingerprints: tuple[Fingerprint, ...]
    setup: str
    lines: tuple[LineAnswer, ...]


_ICE_CHARS = re.compile(r"[A-Za-z0-9+/]+")
_MID = re.compile(r"[A-Za-z0-9_.+-]{1,32}")
_HEX_PAIRS = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})+")
_HASHES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_MEDIA_LINE = re.compile(r"(audio|video) ([0-9]{1,5}) UDP/TLS/RTP/SAVPF((?: [0-9]{1,3})*)")
_RID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_NUMBER = re.compile(r"[0-9]{1,10}")


class _Section:
    """The lines of one m-section (or of the session) while they are read."""

    def __init__(self, media: str = "", port: int = 0, types: frozenset[int] = frozenset()) -> None:
        self.media, self.port, self.types = media, port, types
        self.values: dict[str, str] = {}
        self.fingerprints: list[Fingerprint] = []
        self.directions: list[str] = []
        self.ssrcs: dict[int, None] = {}
        self.pairs: list[tuple[int, int]] = []
        self.rids: dict[str, str] = {}
        self.red = False


def read_answer(text: str, offered: Sequence[LineOffer]) -> Answer:
    """Read the answer to an offer of these lines. Raises `SdpRefused`, nothing else."""
    session, sections = _split(text)
    if len(sections) != len(offered):
        raise SdpRefused("answer_mismatch", "number of m-lines")
    lines = tuple(_line(section, offer) for section, offer in zip(sections, offered, strict=True))
    accepted = [section for section, line in zip(sections, lines, strict=True) if not line.rejected]
    if not accepted:
        raise SdpRefused("answer_mismatch", "every m-line rejected")
    bundled = session.values.get("bundle", "").split()
    if any(line.mid not in bundled for line in lines if not line.rejected):
        raise SdpRefused("answer_mismatch", "bundle")
    tagged = next((s for s in accepted if s.values.get("mid") == bundled[0]), accepted[0])
    return _transport(session, tagged, lines)


def _split(text: str) -> tuple[_Section, list[_Section]]:
    if len(text) > MAX_ANSWER_CHARS:
        raise SdpRefused("answer_too_large", "characters")
    raw = text.replace("\r\n", "\n").split("\n")
    if raw and raw[-1] == "":
        raw.pop()
    if not raw or raw[0] != "v=0":
        raise SdpRefused("bad_answer", "no v=0")
    session = _Section()
    sections: list[_Section] = []
    for line in raw[1:]:
        if len(line) > MAX_LINE_CHARS or len(line) < 2 or line[1] != "=" or not line[0].islower():
            raise SdpRefused("bad_answer", "line form")
        if line[0] == "m":
            if len(sections) >= MAX_SECTIONS:
                raise SdpRefused("answer_too_large", "m-lines")
            sections.append(_media_line(line[2:]))
        elif line[0] == "a":
            _attribute(sections[-1] if sections else session, line[2:])
    return session, sections


def _media_line(text: str) -> _Section:
    found = _MEDIA_LINE.fullmatch(text)
    if found is None or int(found[2]) > 65535:
        raise SdpRefused("bad_answer", "m-line")
    types = frozenset(int(number) for number in found[3].split())
    if any(number > 127 for number in types):
        raise SdpRefused("bad_answer", "payload type")
    return _Section(found[1], int(found[2]), types)


def _attribute(section: _Section, text: str) -> None:
    name, _, value = text.partition(":")
    if name in ("ice-ufrag", "ice-pwd", "mid", "setup"):
        if name in section.values:
            raise SdpRefused("bad_answer", f"{name} twice")
        section.values[name] = value
    elif name == "fingerprint":
        section.fingerprints.append(_fingerprint(value))
        if len(section.fingerprints) > 8:
            raise SdpRefused("bad_answer", "fingerprints")
    elif name == "rtpmap" and value.lower() == RED_MAP:
        section.red = True
    elif name == "rtcp-mux":
        section.values[name] = "yes"
    elif name in DIRECTIONS:
        section.directions.append(name)
    elif name == "group" and value.startswith("BUNDLE"):
        section.values["bundle"] = value[6:]
    elif name == "ssrc":
        section.ssrcs[_ssrc(value.partition(" ")[0])] = None
        if len(section.ssrcs) > MAX_SSRCS:
            raise SdpRefused("answer_too_large", "ssrcs")
    elif name == "ssrc-group" and value.startswith("FID "):
        pair = [_ssrc(number) for number in value.split()[1:]]
        if len(pair) != 2 or len(section.pairs) >= MAX_SSRCS:
            raise SdpRefused("bad_answer", "FID group")
        section.pairs.append((pair[0], pair[1]))
    elif name == "rid":
        rid, _, rest = value.partition(" ")
        if _RID.fullmatch(rid) is None or rid in section.rids or len(section.rids) >= MAX_RIDS:
            raise SdpRefused("bad_answer", "rid")
        section.rids[rid] = rest.partition(" ")[0]
    elif name == "simulcast":
        if name in section.values:
            raise SdpRefused("bad_answer", "simulcast twice")
        section.values[name] = value


def _fingerprint(value: str) -> Fingerprint:
    algorithm, _, digest = value.partition(" ")
    algorithm = algorithm.lower()
    pairs = (len(digest) + 1) // 3
    if _HEX_PAIRS.fullmatch(digest) is None or _HASHES.get(algorithm, pairs) != pairs:
        raise SdpRefused("bad_answer", "fingerprint")
    return Fingerprint(algorithm, digest.upper())


def _ssrc(text: str) -> int:
    if _NUMBER.fullmatch(text) is None or int(text) > 0xFFFFFFFF:
        raise SdpRefused("bad_answer", "ssrc")
    return int(text)


def _line(section: _Section, offer: LineOffer) -> LineAnswer:
    mid = section.values.get("mid", "")
    codecs = description(offer.kind, uplink=offer.mid in _UPLINK_MIDS)
    if _MID.fullmatch(mid) is None or mid != offer.mid or section.media != codecs.media:
        raise SdpRefused("answer_mismatch", "mid or media")
    if len(section.directions) > 1:
        raise SdpRefused("bad_answer", "direction")
    direction = section.directions[0] if section.directions else "sendrecv"
    line = LineAnswer(mid, section.media, section.port == 0, direction, section.types)
    if line.rejected:
        return line
    if not section.types <= set(codecs.payload_types) or codecs.needed not in section.types:
        raise SdpRefused("answer_mismatch", "payload types")
    if "rtcp-mux" not in section.values:
        raise SdpRefused("answer_mismatch", "rtcp-mux")
    if (line.sends and offer.direction != RECEIVE) or (line.receives and offer.direction != SEND):
        raise SdpRefused("answer_mismatch", "direction")
    repairs = dict(section.pairs)
    if len(repairs) != len(section.pairs) or set(repairs) & set(repairs.values()):
        raise SdpRefused("bad_answer", "FID group")
    line.rids = _layers(section, offer)
    line.red = section.red and RED_PT in section.types
    if line.sends:
        line.ssrcs = {ssrc: repairs.get(ssrc) for ssrc in section.ssrcs if ssrc not in repairs.values()}
    return line


def _layers(section: _Section, offer: LineOffer) -> tuple[str, ...]:
    """What `a=simulcast:send` says: each layer one rid that we offered; one that is paused for now counts."""
    words = section.values.get("simulcast", "").split()
    if "send" not in words[:-1]:
        return ()
    rids = tuple(rid.lstrip("~") for rid in words[words.index("send") + 1].split(";"))
    if len(set(rids)) != len(rids) or any(
        rid not in offer.rids or section.rids.get(rid) != "send" for rid in rids
    ):
        raise SdpRefused("answer_mismatch", "rid")
    return rids


def _transport(session: _Section, tagged: _Section, lines: tuple[LineAnswer, ...]) -> Answer:
    def value(name: str) -> str:
        return tagged.values.get(name) or session.values.get(name, "")

    ufrag, password = value("ice-ufrag"), value("ice-pwd")
    if not (4 <= len(ufrag) <= 256 and 22 <= len(password) <= 256):
        raise SdpRefused("answer_no_ice", "length")
    if _ICE_CHARS.fullmatch(ufrag) is None or _ICE_CHARS.fullmatch(password) is None:
        raise SdpRefused("answer_no_ice", "characters")
    setup = value("setup")
    if setup not in ("active", "passive"):
        raise SdpRefused("answer_no_dtls", "setup")
    fingerprints = tuple(f for f in (tagged.fingerprints or session.fingerprints) if f.algorithm in _HASHES)
    if not fingerprints:
        raise SdpRefused("answer_no_dtls", "fingerprint")
    return Answer(ufrag, password, fingerprints, setup, lines)
