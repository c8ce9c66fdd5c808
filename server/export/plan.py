"""What an export shows: from a recording's index and its people to a composer's job. Pure, no I/O.

A seat whose key was destroyed is in nothing; one that was never recorded has no tile. Texts are drawn here,
so that the composer knows neither names nor languages.
"""

from __future__ import annotations

import base64
import datetime
import zoneinfo
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from server.export.plates import AMBER, BOLD, CELL, PLAIN, SOFT, Words, bar, panel, plate
from server.i18n import text
from server.storage.recordings import RecordedSeat

KINDS = ("film", "clip", "still", "bundle")
LAYOUTS = ("grid", "speaker")
_ROLES = ("referring_physician", "patient", "consulting_physician", "interpreter")
_PICTURES = ("camera", "exam", "screen")
_PLAIN_CAUSES = ("muted", "left", "empty", "absent")
"""Nothing is missing there: nobody would have expected a picture."""
Track = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody asked for; times in ms since the recording's start."""

    kind: str
    layout: str = "grid"
    language: str = "en"
    zone: str = "UTC"
    from_ms: int = 0
    to_ms: int = 0
    track: str = ""
    teaching: bool = False
    """For teaching: nobody is named, and nothing tells whose case it is."""


@dataclass(frozen=True, slots=True)
class Material:
    """What there is of a recording. `people` by seat; `gone`: seats whose key was destroyed, or left out."""

    index: Mapping[str, Any]
    people: Mapping[str, RecordedSeat]
    gone: Collection[str]
    case_label: str
    synthetic: bool
    settled: bool = True
    """Nothing more is being recorded or finalised."""

    def tracks(self) -> list[Track]:
        """Every track that can still be opened."""
        return [track for track in self.index.get("tracks", []) if track["peer"] not in self.gone]

    def seats(self) -> list[str]:
        """Everybody of whom there is something."""
        return sorted({str(track["peer"]) for track in self.tracks()})

    def without(self, seats: Collection[str]) -> Material:
        """The same with nothing of these."""
        return replace(self, gone={*self.gone, *seats})

    def only(self, seats: Collection[str]) -> Material:
        """The same with nothing of any other."""
        return self.without({seat for seat in self.seats() if seat not in seats})

    def contained(self, order: Order) -> list[str]:
        """The seats that an export would contain something of."""
        found = [t for t in self.tracks() if order.kind != "still" or t["id"] == order.track]
        if order.kind == "clip":
            found = [t for t in found if _touches(t, order.from_ms, order.to_ms)]
        return sorted({str(track["peer"]) for track in found})


def _touches(track: Track, from_ms: int, to_ms: int) -> bool:
    start = int(track["offset_ms"])
    return start < to_ms and start + int(track["duration_ms"]) > from_ms


@dataclass(slots=True)
class Plan:
    """A job but for its keys and places: `sources` are the tracks' ids by number."""

    job: dict[str, Any]
    sources: list[str] = field(default_factory=list)

    def source(self, track: Track) -> int:
        """The number under which the composer asks for a track."""
        if track["id"] not in self.sources:
            self.sources.append(str(track["id"]))
        return self.sources.index(track["id"])


def still(material: Material, order: Order) -> Plan | None:
    """One picture; None where the track shows nothing, nor another layer of the same picture."""
    asked = next((track for track in material.tracks() if track["id"] == order.track), None)
    if asked is None or asked["kind"] not in _PICTURES:
        return None
    for track in _layers(material.tracks(), str(asked["peer"]), str(asked["kind"])):
        if any(start <= order.from_ms < end for start, end in track["present"]):
            note = (
                ""
                if order.teaching
                else f"recording {material.index['recording']}, track {track['id']}, {order.from_ms} ms"
            )
            plan = Plan({"kind": "still", "at_ms": order.from_ms, "note": note})
            plan.job["source"] = plan.source(track)
            return plan
    return None


def film(material: Material, order: Order) -> Plan | None:
    """Tiles and voices; None where there is nobody to be seen or heard."""
    lanes = _lanes(material, order)
    if not lanes:
        return None
    panels = _Panels(order.language)
    plan = Plan({"kind": "film", "from_ms": order.from_ms, "to_ms": order.to_ms, "layout": order.layout})
    tiles: list[dict[str, Any]] = []
    voices: list[int] = []
    for lane in lanes:
        voice = None
        if lane.voice is not None:
            voices.append(plan.source(lane.voice))
            voice = len(voices) - 1
        for kind, pictures in lane.pictures or [("camera", [])]:
            seen = [{"source": plan.source(track), "present": track["present"]} for track in pictures]
            tiles.append(
                {
                    "views": seen,
                    "voice": voice if kind == "camera" else None,
                    "plate": _base64(_plate(lane.seat, kind, order)),
                    "panels": _panel_spans(material.index, lane, pictures, panels),
                    "blank": panels.number("absent"),
                }
            )
    plan.job |= {"tiles": tiles, "voices": voices, "panels": panels.pictures()}
    plan.job["bar"] = _bar(material, order)
    return plan


@dataclass(frozen=True, slots=True)
class _Lane:
    """One seat: its pictures by kind (the best layer first) and its voice."""

    seat: RecordedSeat
    pictures: Sequence[tuple[str, list[Track]]]
    voice: Track | None


def _lanes(material: Material, order: Order) -> list[_Lane]:
    wanted = [t for t in material.tracks() if _touches(t, order.from_ms, order.to_ms)]
    found = []
    for peer in {str(track["peer"]) for track in wanted}:
        mine = [track for track in wanted if track["peer"] == peer]
        pictures = [(kind, layers) for kind in _PICTURES if (layers := _layers(mine, peer, kind))]
        seat = material.people.get(peer) or RecordedSeat(peer, "", "", "", "granted")
        voice = next((track for track in mine if track["kind"] == "audio"), None)
        found.append(_Lane(seat, pictures, voice))
    return sorted(found, key=lambda lane: (_rank(lane.seat.role), lane.seat.id))


def _layers(tracks: Sequence[Track], peer: str, kind: str) -> list[Track]:
    """The tracks of one picture, the sharpest first."""
    found = [track for track in tracks if (track["peer"], track["kind"]) == (peer, kind)]
    return sorted(found, key=lambda track: str(track.get("rid")) == "l")


def _rank(role: str) -> int:
    return _ROLES.index(role) if role in _ROLES else len(_ROLES)


def _plate(seat: RecordedSeat, kind: str, order: Order) -> bytes:
    """Who, and what they are there; for teaching only that."""
    role = _or(order.language, f"role-{seat.role}", "")
    shown = "" if kind == "camera" else _or(order.language, f"kind-{kind}", kind)
    if order.teaching:
        return plate(role, shown)
    return plate(seat.name or seat.id, ", ".join(filter(None, (role, shown))))


def _panel_spans(
    index: Mapping[str, Any], lane: _Lane, pictures: Sequence[Track], panels: _Panels
) -> list[list[int]]:
    """Causes first; where a voice is heard without one, the camera is off."""
    gaps = [gap for track in pictures[:1] for gap in track.get("gaps", [])]
    if not pictures and lane.voice is not None:
        gaps = [gap for gap in lane.voice.get("gaps", []) if gap["cause"] != "muted"]
    spans = [
        [int(gap["from"]), int(gap["to"]), panels.number(str(gap["cause"]))]
        for gap in (*gaps, *index.get("gaps", []))
    ]
    heard = lane.voice["present"] if lane.voice is not None else []
    return spans + [[int(start), int(end), panels.number("muted")] for start, end in heard]


class _Panels:
    """Pictures for causes, each drawn once."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._causes: list[str] = []

    def number(self, cause: str) -> int:
        if cause not in self._causes:
            self._causes.append(cause)
        return self._causes.index(cause)

    def pictures(self) -> list[str]:
        return [_base64(panel([Words(self._words(cause), BOLD, SOFT)])) for cause in self._causes]

    def _words(self, cause: str) -> str:
        if cause == "muted":
            return text(self._language, "review-camera-off")
        other = text(self._language, "gap-other")
        told = _or(self._language, f"gap-{cause.replace('_', '-')}", other)
        return told if cause in _PLAIN_CAUSES else text(self._language, "export-panel", cause=told)


def _bar(material: Material, order: Order) -> dict[str, Any]:
    started_ms = int(material.index["started_at_ms"])
    try:
        zone: datetime.tzinfo = zoneinfo.ZoneInfo(order.zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        zone = datetime.UTC
    began = datetime.datetime.fromtimestamp((started_ms + order.from_ms) / 1000, zone)
    offset = began.utcoffset() or datetime.timedelta()
    minutes = int(offset.total_seconds()) // 60
    named = f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60}"
    named += f":{abs(minutes) % 60:02}" if minutes % 60 else ""
    right = [] if order.teaching else [Words(material.case_label, PLAIN, SOFT)]
    if material.synthetic:
        right.insert(0, Words(text(order.language, "case-synthetic"), BOLD, AMBER))
    drawn = bar(began.strftime("%Y-%m-%d"), named, text(order.language, "export-session-time"), right)
    return {
        "picture": _base64(drawn.picture),
        "digits": _base64(drawn.digits),
        "cell": CELL,
        "wall_x": drawn.wall_x,
        "session_x": drawn.session_x,
        "wall_ms": started_ms + minutes * 60_000,
    }


def _or(language: str, message: str, otherwise: str) -> str:
    told = text(language, message)
    return otherwise if told == message else told


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
