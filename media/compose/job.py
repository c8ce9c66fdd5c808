"""A composition's job: JSON on stdin, strict about what is needed. Keys are those of single files, raw.

    {"link": fd, "output": {"path", "key", "associated"}, "kind": "film" | "still" | "bundle",
     "sources": [{"size", "key", "associated", "offset_ms", "rotations"?}], …}

film: `from_ms`, `to_ms`, `layout` (grid | speaker), `tiles` [{views [{source, present}], voice, plate,
panels, blank}], `voices` [source], `panels` [PNG], `bar`. still: `source`, `at_ms`, `note`. bundle: `files`
{name: base64}, `tracks` {name: source}, `signing_key`. Keys, PNGs and files in base64.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bundle import Contents
from .film import Bar, Script, Tile, View
from .layout import WIDTH
from .output import Output
from .pictures import PictureTrack
from .sound import VoiceTrack
from .source import Ranges, SealedSource
from .turning import Rotations

LAYOUTS = ("grid", "speaker")


class JobError(Exception):
    """The job cannot be done at all. `code`: job_malformed."""

    def __init__(self, code: str = "job_malformed") -> None:
        super().__init__(code)
        self.code = code


def parse(text: str) -> dict[str, Any]:
    """The job as a dict. Raises JobError."""
    try:
        job = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise JobError from error
    if not isinstance(job, dict) or job.get("kind") not in ("film", "still", "bundle"):
        raise JobError
    return job


def output(job: Mapping[str, Any]) -> Output:
    """Where the result goes."""
    told = job["output"]
    return Output(Path(told["path"]), _key(told["key"]), str(told["associated"]).encode("ascii"))


@dataclass(slots=True)
class Sources:
    """The job's tracks, opened as they are asked for; each opening has its own position."""

    job: Mapping[str, Any]
    ranges: Ranges

    def plain(self, number: int) -> SealedSource:
        """A track's plaintext."""
        told = self.job["sources"][number]
        associated = str(told["associated"]).encode("ascii")
        return SealedSource(self.ranges, number, int(told["size"]), _key(told["key"]), associated)

    def picture(self, number: int) -> PictureTrack:
        """A track's pictures."""
        told = self.job["sources"][number]
        rotations = Rotations(told.get("rotations", ()))
        return PictureTrack(self.plain(number), int(told["offset_ms"]), rotations)

    def voice(self, number: int, from_ms: int) -> VoiceTrack:
        """A track's sound."""
        return VoiceTrack(self.plain(number), int(self.job["sources"][number]["offset_ms"]), from_ms)


def script(job: Mapping[str, Any], sources: Sources) -> Script:
    """What a film job asks for."""
    from_ms, to_ms = int(job["from_ms"]), int(job["to_ms"])
    if not 0 <= from_ms < to_ms or job["layout"] not in LAYOUTS:
        raise JobError
    panels = [_bytes(png) for png in job["panels"]]
    return Script(
        from_ms=from_ms,
        to_ms=to_ms,
        layout=str(job["layout"]),
        tiles=[_tile(told, sources) for told in job["tiles"]],
        panels=panels,
        bar=_bar(job.get("bar")),
        voices=[sources.voice(int(number), from_ms) for number in job["voices"]],
    )


def _tile(told: Mapping[str, Any], sources: Sources) -> Tile:
    views = [View(sources.picture(int(view["source"])), _spans(view["present"])) for view in told["views"]]
    voice = told["voice"]
    return Tile(
        views=views,
        voice=None if voice is None else int(voice),
        plate=_bytes(told["plate"]),
        panels=[(int(start), int(end), int(number)) for start, end, number in told["panels"]],
        blank=int(told["blank"]),
    )


def _bar(told: Mapping[str, Any] | None) -> Bar | None:
    if told is None:
        return None
    numbers = {name: int(told[name]) for name in ("cell", "wall_x", "session_x", "wall_ms")}
    clock = max(numbers["wall_x"], numbers["session_x"]) + 8 * numbers["cell"]
    if numbers["cell"] % 2 or clock > WIDTH:
        raise JobError
    return Bar(picture=_bytes(told["picture"]), digits=_bytes(told["digits"]), **numbers)


def contents(job: Mapping[str, Any], sources: Sources) -> Contents:
    """What a bundle job asks for."""
    return Contents(
        files={str(name): _bytes(content) for name, content in job["files"].items()},
        tracks={str(name): sources.plain(int(number)) for name, number in job["tracks"].items()},
        signing_key=_key(job["signing_key"]),
    )


def _spans(told: Any) -> list[tuple[int, int]]:
    return [(int(start), int(end)) for start, end in told]


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError) as error:
        raise JobError from error


def _key(text: str) -> bytes:
    raw = _bytes(text)
    if len(raw) != 32:
        raise JobError
    return raw
