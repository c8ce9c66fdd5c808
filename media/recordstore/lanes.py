"""Which streams of a person make one track of the recording, and what it is called.

The high layer of a camera and a camera without layers are one track, `<seat>-<kind>`; any other layer is one
of its own, `<seat>-<kind>-<rid>`. Pure; must not read media.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

HIGH = "h"
LAYER_OFF = "layer_off"
"""Cause of a gap: the sender sent only the other layer (browsers do on a thin line)."""
GUESSES = frozenset({"no_media", "network_loss", "stills"})
"""Causes that only say that nothing came, or little."""


def lane_of(rid: str) -> str:
    """What tells the tracks of one peer and kind apart: "" for the best layer, else the rid."""
    return "" if rid == HIGH else rid


def track_id(peer: str, kind: str, rid: str) -> str:
    """A track's id, which is also its file's name."""
    lane = lane_of(rid)
    return f"{peer}-{kind}" + (f"-{lane}" if lane else "")


def name_layer_gaps(tracks: Sequence[dict[str, Any]]) -> None:
    """Where nothing came of a layer while another one of the same picture was there, says so in its gaps."""
    for track in tracks:
        others = [other for other in tracks if other is not track and _same_picture(other, track)]
        present = sorted(tuple(span) for other in others for span in other["present"])
        track["gaps"] = [part for gap in track["gaps"] for part in _split(gap, present)]


def _same_picture(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(one["peer"] == other["peer"] and one["kind"] == other["kind"])


def _split(gap: dict[str, Any], present: Sequence[tuple[int, ...]]) -> list[dict[str, Any]]:
    """A gap cut where the other layer begins and ends."""
    if gap["cause"] not in GUESSES:
        return [gap]
    parts: list[dict[str, Any]] = []
    at, end = int(gap["from"]), int(gap["to"])
    for begin, stop in present:
        low, high = max(at, begin), min(end, stop)
        if high <= low:
            continue
        if low > at:
            parts.append(gap | {"from": at, "to": low})
        parts.append(gap | {"from": low, "to": high, "cause": LAYER_OFF})
        at = high
    return [*parts, gap | {"from": at}] if at < end else parts
