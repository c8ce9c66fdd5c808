"""The listener: `python -m media.listener`, one finished audio track on stdin, when it sounds on stdout.

For recordings that were finished before levels were read from packets: it decodes, in a process of its own,
to 8 kHz and keeps a level for each 20 ms. It must not write anywhere, or know whose voice it is.
"""

from __future__ import annotations

import io
import json
import math
import os
import resource
import sys
from array import array
from operator import mul

import av

from .rtp.levels import SILENT
from .speech import PACKET_MS, Speech

RATE_HZ = 8000
_SAMPLES = RATE_HZ * PACKET_MS // 1000


def listen(track: bytes) -> list[list[int]]:
    """[from, to] of every stretch of sound, ms since the track's own start. Raises av's errors."""
    speech = Speech()
    samples = array("h")
    done = 0
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    with av.open(io.BytesIO(track), "r", format="webm") as container:
        for frame in container.decode(audio=0):
            for part in resampler.resample(frame):
                samples.frombytes(bytes(part.planes[0])[: part.samples * 2])
            while len(samples) >= _SAMPLES:
                speech.note(done * PACKET_MS, _level(samples[:_SAMPLES]))
                del samples[:_SAMPLES]
                done += 1
    return speech.spans() or []


def _level(samples: array[int]) -> int:
    """-dBov, as RFC 6464 has it: 0 is a full-scale square wave."""
    power = sum(map(mul, samples, samples)) / len(samples)
    return SILENT if power < 1 else min(SILENT, max(0, round(-10 * math.log10(power / 32768**2))))


def main() -> int:
    """The process: 0 with `{"ok": true, "speech": …}`, else 1 with `{"ok": false, "code": …}`."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(15)
    try:
        told: dict[str, object] = {"ok": True, "speech": listen(sys.stdin.buffer.read())}
    except Exception:  # whatever is in the file, it is told by a code
        told = {"ok": False, "code": "not_heard"}
    sys.stdout.write(json.dumps(told, separators=(",", ":")) + "\n")
    return 0 if told["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
