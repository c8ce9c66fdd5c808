"""The fixed payload types, extension ids and their SDP, the same for everybody: forwarding rewrites little.

Numbers here are part of the journal's format too: never reuse one for something else.
"""

from __future__ import annotations

from dataclasses import dataclass

OPUS_PT = 111
RED_PT = 63
"""Sound with redundancy (RFC 2198): each packet repeats the one before it."""
VP8_PT = 96
RTX_PT = 97

OPUS_CLOCK_HZ = 48_000
VIDEO_CLOCK_HZ = 90_000

# One-byte header extension ids (RFC 8285): 1..14.
EXT_AUDIO_LEVEL = 1
EXT_ABS_SEND_TIME = 2
EXT_TRANSPORT_CC = 3
EXT_MID = 4
EXT_RID = 5
EXT_REPAIRED_RID = 6
EXT_VIDEO_ORIENTATION = 7
EXT_PLAYOUT_DELAY = 8

EXT_URIS: dict[int, str] = {
    EXT_AUDIO_LEVEL: "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    EXT_ABS_SEND_TIME: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    EXT_TRANSPORT_CC: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    EXT_MID: "urn:ietf:params:rtp-hdrext:sdes:mid",
    EXT_RID: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    EXT_REPAIRED_RID: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    EXT_VIDEO_ORIENTATION: "urn:3gpp:video-orientation",
    EXT_PLAYOUT_DELAY: "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
}

BLANKED_WHEN_FORWARDED: frozenset[int] = frozenset({EXT_TRANSPORT_CC, EXT_MID, EXT_RID, EXT_REPAIRED_RID})
"""Extensions that mean something only on the hop they came from; left in, they break a third joiner."""


@dataclass(frozen=True)
class MediaDescription:
    """What one kind of m-line says about codecs, in one direction."""

    media: str
    payload_types: tuple[int, ...]
    """The one that is preferred first."""
    needed: int
    """The one that every answer must take."""
    attributes: tuple[str, ...]
    extensions: tuple[int, ...]


RED_MAP = f"{RED_PT} red/{OPUS_CLOCK_HZ}/2"

# Browsers send redundancy only where it stands before Opus, and only with exactly this fmtp.
_OPUS = (
    f"rtpmap:{RED_MAP}",
    f"fmtp:{RED_PT} {OPUS_PT}/{OPUS_PT}",
    f"rtpmap:{OPUS_PT} opus/{OPUS_CLOCK_HZ}/2",
    f"fmtp:{OPUS_PT} minptime=10;useinbandfec=1",
    f"rtcp-fb:{OPUS_PT} nack",
)
_VP8 = (
    f"rtpmap:{VP8_PT} VP8/{VIDEO_CLOCK_HZ}",
    f"rtcp-fb:{VP8_PT} ccm fir",
    f"rtcp-fb:{VP8_PT} nack",
    f"rtcp-fb:{VP8_PT} nack pli",
)
_RTX = (f"rtpmap:{RTX_PT} rtx/{VIDEO_CLOCK_HZ}", f"fmtp:{RTX_PT} apt={VP8_PT}")

AUDIO_UP = MediaDescription(
    "audio",
    (RED_PT, OPUS_PT),
    OPUS_PT,
    (*_OPUS, f"rtcp-fb:{OPUS_PT} transport-cc"),
    (EXT_AUDIO_LEVEL, EXT_TRANSPORT_CC, EXT_MID),
)
SPARING_VOICE_BPS = 12_000
SPARING_PTIME_MS = 60
AUDIO_UP_SPARING = MediaDescription(
    "audio",
    AUDIO_UP.payload_types,
    AUDIO_UP.needed,
    (
        *(
            text + f";usedtx=1;maxaveragebitrate={SPARING_VOICE_BPS}"
            if text.startswith(f"fmtp:{OPUS_PT} ")
            else text
            for text in AUDIO_UP.attributes
        ),
        f"ptime:{SPARING_PTIME_MS}",
        f"maxptime:{SPARING_PTIME_MS}",
    ),
    AUDIO_UP.extensions,
)
"""A voice that costs as little as it can: few packets, none in silence (RFC 7587 3.1, 6.1)."""
AUDIO_DOWN = MediaDescription(
    "audio",
    (RED_PT, OPUS_PT),
    OPUS_PT,
    _OPUS,
    (EXT_AUDIO_LEVEL, EXT_ABS_SEND_TIME, EXT_MID),
)
VIDEO_UP = MediaDescription(
    "video",
    (VP8_PT, RTX_PT),
    VP8_PT,
    (*_VP8, f"rtcp-fb:{VP8_PT} transport-cc", *_RTX),
    (EXT_TRANSPORT_CC, EXT_MID, EXT_RID, EXT_REPAIRED_RID, EXT_VIDEO_ORIENTATION),
)
VIDEO_DOWN = MediaDescription(
    "video",
    (VP8_PT, RTX_PT),
    VP8_PT,
    (*_VP8, f"rtcp-fb:{VP8_PT} goog-remb", *_RTX),
    (EXT_ABS_SEND_TIME, EXT_MID, EXT_VIDEO_ORIENTATION, EXT_PLAYOUT_DELAY),
)


def description(kind: str, *, uplink: bool, sparing: bool = False) -> MediaDescription:
    """The codecs of one track kind (`audio`, `camera`, `screen`, `exam`) in one direction."""
    if kind == "audio":
        return (AUDIO_UP_SPARING if sparing else AUDIO_UP) if uplink else AUDIO_DOWN
    return VIDEO_UP if uplink else VIDEO_DOWN


def clock_hz(kind: str) -> int:
    """RTP clock rate of a track kind in Hz."""
    return OPUS_CLOCK_HZ if kind == "audio" else VIDEO_CLOCK_HZ
