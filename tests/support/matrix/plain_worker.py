"""The media worker as it would be with plain settings: the row beside ours in docs/network.md, nothing else.

Sound without redundancy (Opus alone, with its in-band FEC and audio NACK), and what an uplink lost is asked
for once, as soon as the gap is seen, never by a timer; nothing is sent twice.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from media import codecs, subscription, tracks
from media.rtp import nack
from media.worker import main


def without_red(offered: codecs.MediaDescription) -> codecs.MediaDescription:
    kept = tuple(text for text in offered.attributes if f":{codecs.RED_PT} " not in text)
    return replace(offered, payload_types=(codecs.OPUS_PT,), attributes=kept)


def plain() -> None:
    """Before anything runs: the worker has no such switch."""
    codecs.AUDIO_UP = without_red(codecs.AUDIO_UP)
    codecs.AUDIO_DOWN = without_red(codecs.AUDIO_DOWN)
    tracks.MAX_TRIES = tracks.AUDIO_NACK_TRIES = 1  # type: ignore[attr-defined]
    nack.FIRST_WAIT_NS = nack.FIRST_PACKETS = nack.MOST_PATIENCE_NS = 0
    nack.FAR_NS = subscription.FAR_NS = nack.NEVER  # type: ignore[attr-defined]


if __name__ == "__main__":
    plain()
    sys.exit(main())
