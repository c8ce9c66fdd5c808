"""Says why something is missing: the holes of a track and of the whole recording, each with one cause.

Evidence in order of weight: damage and overflow that were written down, the worker's death, consent, the
person's leaving, their line's silence, the mute button, lost sequence numbers. Pure; must not guess beyond
that (the rest is `no_media`).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from media.clock import MS

from .dark import SILENT, Span, dark_spans, is_dark
from .index import EpochSpan, Event, Survey
from .lost import NODE_LOST
from .tail import BACK, CRASH_NS, GONE, inside_at_end, lost_from, tail

WITHDRAWN, LEFT, MUTED, PAUSED, ASIDE = "no_consent", "left", "muted", "paused", "aside"
NO_MEDIA, NETWORK, WORKER = "no_media", "network_loss", "worker_lost"
EMPTY = "empty"
LOST = "lost"
STILLS = "stills"
"""The line was so thin that pictures came one at a time, seconds apart (`media/survival.py`)."""
SLACK_NS = 1_500 * MS
"""The page tells of its mute button a little before or after the packets stop."""

TAIL_MS = 2_000
"""Tracks end a little apart; a longer silence before the end is a gap."""

HOLE_MS = {"audio": 600, "camera": 1500, "screen": 3000, "exam": 1500}
"""Without a packet or frame for longer than this, a track was not present."""
OUTAGE_MS = 100
MUTED_MS = 1000

_KINDS = {
    "mic": "audio",
    "audio": "audio",
    "camera": "camera",
    "video": "camera",
    "screen": "screen",
    "exam": "exam",
}


def track_gaps(
    survey: Survey,
    peer: str,
    kind: str,
    present: Sequence[Sequence[int]],
    losses: Sequence[int],
    end_ms: int = 0,
) -> list[dict[str, object]]:
    """Gaps between spans of presence, from the last one to `end_ms` (or what a crash took behind it), and
    before the first one if a crash took what was there, session ms: {"from", "to", "cause"}. `losses`:
    session ns of lost packets.
    """
    gaps: list[dict[str, object]] = []
    paused = pauses(survey)
    crash, least = tail(survey), TAIL_MS
    if crash is not None and peer in crash.inside:
        end_ms, least = max(end_ms, crash.to_ns // MS), 0
    spans = [*present, [end_ms, end_ms]] if present and end_ms - present[-1][1] > least else present
    lead = _lead(survey, peer, present)
    spans = spans if lead is None else [[lead, lead], *spans]
    dark = dark_spans(survey.events, peer)
    for (_, begin), (end, _) in itertools.pairwise(spans):
        for low, high, pause in _by_pause(begin, end, paused):
            if pause is not None:
                gaps.append({"from": low, "to": high, **pause.cause()})
                continue
            pieces: list[dict[str, object]] = []
            turns = sorted({*_turns(survey, peer, low, high), *_dark_turns(dark, low, high)})
            for first, last in itertools.pairwise([low, *turns, high]):
                cause = _cause(survey, peer, kind, first * MS, last * MS, losses, dark)
                pieces.append({"from": first, "to": last, "cause": cause})
            gaps += _one_dark(pieces)
    return gaps


def _dark_turns(dark: Sequence[Span], begin: int, end: int) -> list[int]:
    """Where a hole over dark times may change its cause, session ms: who is muted around them is so then."""
    turns = {at // MS for span in dark for at in span}
    return [at for at in turns if begin + TAIL_MS < at < end - TAIL_MS]


def _one_dark(pieces: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Dark is told some seconds late, and media need some to flow again: where nothing else is known, one
    gap. So is a withdrawal: the page stops at once, and media hear of it when they can."""
    whole: list[dict[str, object]] = []
    for piece in pieces:
        causes = {whole[-1]["cause"], piece["cause"]} if whole else set()
        if NETWORK in causes and causes <= {NETWORK, NO_MEDIA, STILLS}:
            whole[-1] |= {"to": piece["to"], "cause": NETWORK}
        elif whole and piece["cause"] == WITHDRAWN and causes <= {WITHDRAWN, NO_MEDIA}:
            whole[-1] |= {"to": piece["to"], "cause": WITHDRAWN}
        else:
            whole.append(piece)
    return whole


def _lead(survey: Survey, peer: str, present: Sequence[Sequence[int]]) -> int | None:
    """Since when, session ms, a crash may have taken all that a seat had sent before its first presence."""
    for span in sorted(survey.epochs, key=lambda span: span.epoch):
        if not present or span.last_ns // MS >= present[0][0]:
            return None
        told = (e for e in survey.events if e.epoch == span.epoch and e.peer == peer)
        inside = [e.at for e in told if e.name in BACK or e.name == "admitted"]
        if inside and not span.ended:
            return max(min(inside), span.last_ns - CRASH_NS) // MS
    return None


@dataclass(frozen=True, slots=True)
class Pause:
    """When the recording was paused, session ms, within one epoch; by whom and why, as last said."""

    begin: int
    end: int
    by: str
    why: str

    def cause(self) -> dict[str, object]:
        """What makes a gap a named pause."""
        return {"cause": PAUSED, "by": self.by, "why": self.why}


def pauses(survey: Survey) -> list[Pause]:
    """The room's pauses. One that outlives its epoch ends with it and begins again with the next."""
    found: list[Pause] = []
    for span in sorted(survey.epochs, key=lambda span: span.epoch):
        since: int | None = None
        by = why = ""
        told = (e for e in survey.events if e.epoch == span.epoch and not e.peer)
        for event in sorted(told, key=lambda e: e.at):
            if event.name == "paused":
                since = event.at // MS if since is None else since
                by, why = str(event.fields.get("by", "")), str(event.fields.get("why", ""))
            elif event.name == "resumed" and since is not None:
                found.append(Pause(since, event.at // MS, by, why))
                since = None
        if since is not None and span.last_ns // MS > since:
            found.append(Pause(since, span.last_ns // MS, by, why))
    return found


def _by_pause(begin: int, end: int, paused: Sequence[Pause]) -> list[tuple[int, int, Pause | None]]:
    """A hole cut where a pause begins and ends. The moments around a pause belong to it."""
    pieces: list[tuple[int, int, Pause | None]] = []
    at = begin
    for pause in paused:
        low, high = max(pause.begin, at), min(pause.end, end)
        if high <= low:
            continue
        low = at if low - at < SLACK_NS // MS else low
        high = end if end - high < SLACK_NS // MS else high
        if low > at:
            pieces.append((at, low, None))
        pieces.append((low, high, pause))
        at = high
    if at < end:
        pieces.append((at, end, None))
    return pieces


def _turns(survey: Survey, peer: str, begin: int, end: int) -> list[int]:
    """Where a hole over a worker's death changes its cause, session ms: at it and at the return.

    Only in between is the death the cause; a microphone that was muted before or after has its own.
    """
    found: set[int] = set()
    spans = sorted(survey.epochs, key=lambda span: span.epoch)
    for before, after in itertools.pairwise(spans):
        died, again = before.last_ns // MS, after.first_ns
        if died >= end or again // MS <= begin or _emptied(survey, before):
            continue
        back = [e.at // MS for e in survey.events if e.peer == peer and e.at >= again and e.name in BACK]
        found.update([died] if died > begin + TAIL_MS else [])
        found.update([min(back)] if back and begin < min(back) < end - TAIL_MS else [])
    last = tail(survey)
    if last is not None and begin + TAIL_MS < last.from_ns // MS < end:
        found.add(last.from_ns // MS)
    return sorted(found)


def media_end_ms(survey: Survey) -> int:
    """When the last packet of anybody came, session ms: nobody watches an empty room."""
    return max((stream.last_at for stream in survey.streams), default=0) // MS


def muted_spans(survey: Survey, peer: str, kind: str, end_ms: int) -> list[tuple[int, int]]:
    """When the peer had this kind switched off, by what was told, session ms; open ones last until
    `end_ms`.
    """
    spans: list[tuple[int, int]] = []
    since: int | None = None
    state: dict[str, bool] = {}
    for event in sorted((e for e in survey.events if e.peer == peer), key=lambda e: e.at):
        _apply(state, event, kind)
        if state.get(MUTED) and since is None:
            since = event.at // MS
        elif not state.get(MUTED) and since is not None:
            spans.append((since, event.at // MS))
            since = None
    if since is not None and since < end_ms:
        spans.append((since, end_ms))
    return spans


def without(
    present: Sequence[Sequence[int]], absent: Sequence[tuple[int, int]], least_ms: int
) -> list[list[int]]:
    """`present` less the spans of `absent` that last at least `least_ms`."""
    left = [list(span) for span in present]
    for begin, end in absent:
        if end - begin < least_ms:
            continue
        cut: list[list[int]] = []
        for low, high in left:
            parts = [[low, min(high, begin)], [max(low, end), high]]
            cut += [part for part in parts if part[1] > part[0]]
        left = cut
    return left


def presence(
    survey: Survey, peer: str, kind: str, seen: Sequence[Sequence[int]], end_ms: int
) -> list[list[int]]:
    """When somebody is to be seen or heard, out of the spans in which something of theirs came (session ms).

    A muted microphone goes on sending silence: to a reviewer that is absence, with a cause. Between two
    epochs there was no recorder: absence, however short.
    """
    outages = [(int(str(gap["from"])), int(str(gap["to"]))) for gap in recording_gaps(survey)]
    present = without(seen, outages, OUTAGE_MS)
    if kind == "audio":
        present = without(present, muted_spans(survey, peer, kind, end_ms), MUTED_MS)
    # The error of the clocks may put the first packets before the session's start: nobody was there then.
    return [[max(0, begin), end] for begin, end in present if end > 0]


def recording_gaps(survey: Survey) -> list[dict[str, object]]:
    """Times in which nobody could be recorded: between epochs, and what the room's own file lost."""
    gaps: list[dict[str, object]] = []
    spans = sorted(survey.epochs, key=lambda span: span.epoch)
    if spans and spans[0].epoch > 1 and spans[0].first_ns > 0:
        gaps.append({"from": 0, "to": spans[0].first_ns // MS, "cause": WORKER})
    for before, after in itertools.pairwise(spans):
        if after.first_ns > before.last_ns:
            gaps += _between(survey, before, after)
    for hole in survey.holes:
        if not hole.peer:
            gaps.append({"from": hole.from_ns // MS, "to": hole.to_ns // MS, "cause": hole.cause})
    gaps += _behind(survey, spans)
    gaps += [{"from": p.begin, "to": p.end, **p.cause()} for p in pauses(survey)]
    return sorted(gaps, key=lambda gap: (str(gap["from"]).zfill(16), str(gap["cause"])))


def unheard_gaps(survey: Survey) -> list[dict[str, object]]:
    """What was lost of seats of which nothing at all was stored: they have no track that could name it."""
    heard = {stream.peer for stream in survey.streams}
    return [
        {"from": hole.from_ns // MS, "to": hole.to_ns // MS, "cause": hole.cause, "peer": hole.peer}
        for hole in survey.holes
        if hole.peer and hole.peer not in heard and hole.packets
    ]


def _between(survey: Survey, before: EpochSpan, after: EpochSpan) -> list[dict[str, object]]:
    """From one epoch to the next. Of one that left nothing the worker's death is the cause, whatever ended
    the one before.
    """
    cause = EMPTY if _emptied(survey, before) else NODE_LOST if before.restored else WORKER
    begin, end = before.last_ns // MS, after.first_ns // MS
    lost = lost_from(survey, before, after)
    at = begin if lost is None else lost // MS
    if lost is None or cause == WORKER:
        return [{"from": begin, "to": end, "cause": cause}]
    first = [{"from": begin, "to": at, "cause": cause}] if at > begin else []
    return [*first, {"from": at, "to": end, "cause": WORKER}]


def _behind(survey: Survey, spans: Sequence[EpochSpan]) -> list[dict[str, object]]:
    """What a crash took to which nobody returned, and what was before it."""
    last = tail(survey)
    if last is None:
        return []
    found: list[dict[str, object]] = []
    if spans and last.from_ns > spans[-1].last_ns:
        cause = EMPTY if _emptied(survey, spans[-1]) else NODE_LOST
        found.append({"from": spans[-1].last_ns // MS, "to": last.from_ns // MS, "cause": cause})
    return [*found, {"from": last.from_ns // MS, "to": last.to_ns // MS, "cause": WORKER}]


def _emptied(survey: Survey, span: EpochSpan) -> bool:
    """Whether an epoch ended because everybody had left. A worker whose server was killed or stopped ends
    its files too, but with people in the room: they are dismissed without having left.
    """
    return span.ended and not inside_at_end(survey, span)


def _cause(
    survey: Survey, peer: str, kind: str, begin: int, end: int, losses: Sequence[int], dark: Sequence[Span]
) -> str:
    for hole in survey.holes:
        if hole.peer in ("", peer) and hole.from_ns < end and hole.to_ns > begin:
            return hole.cause
    spans = sorted(survey.epochs, key=lambda span: span.epoch)
    for before, after in itertools.pairwise(spans):
        if before.last_ns < end and after.first_ns > begin and not _emptied(survey, before):
            return WORKER
    last = tail(survey)
    if last is not None and last.from_ns < end and last.to_ns > begin:
        return WORKER
    told = _told(survey.events, peer, kind, begin, end)
    if told not in (WITHDRAWN, LEFT) and is_dark(dark, begin, end):
        return NETWORK
    if told is not None:
        return told
    if any(begin - SLACK_NS <= at <= end + SLACK_NS for at in losses):
        return NETWORK
    for before, after in itertools.pairwise(spans):
        if before.last_ns < end and after.first_ns > begin:
            return LEFT
    return NO_MEDIA


def _told(events: Sequence[Event], peer: str, kind: str, begin: int, end: int) -> str | None:
    """The gravest state the peer was in at any time between, by what was told; None if in none."""
    state: dict[str, bool] = {}
    seen: set[str] = set()
    for event in sorted((e for e in events if e.peer in ("", peer)), key=lambda e: e.at):
        if event.at > end - min(SLACK_NS, (end - begin) // 2):
            break
        if event.at > begin + SLACK_NS:
            seen.update(name for name, holds in state.items() if holds)
        _apply(state, event, kind)
    seen.update(name for name, holds in state.items() if holds)
    return next((name for name in (WITHDRAWN, LEFT, PAUSED, ASIDE, MUTED, STILLS) if name in seen), None)


def _apply(state: dict[str, bool], event: Event, kind: str) -> None:
    name = event.name
    if name in ("muted", "unmuted"):
        if _KINDS.get(str(event.fields.get("kind", kind))) == kind:
            state[MUTED] = name == "muted"
    elif name == "media":
        state[MUTED] = event.fields.get({"audio": "mic"}.get(kind, kind)) == 0
    elif name in ("paused", "resumed"):
        state[PAUSED] = name == "paused"
    elif name == STILLS and kind != "audio":
        state[STILLS] = event.fields.get("on") == 1
    elif name == "lost":
        state[LOST] = True
    elif name == "dismissed" and event.fields.get("cause") == "withdrawn":
        state[WITHDRAWN] = True
    elif name == "dismissed" and event.fields.get("cause") == ASIDE:
        state[ASIDE] = True
    elif name == "dismissed" and event.fields.get("cause") != PAUSED:
        state[LEFT] = state.get(LEFT, False) or not state.get(LOST)
    elif name == "admitted":
        state[WITHDRAWN] = state[LEFT] = state[LOST] = state[ASIDE] = False
    elif name in GONE - SILENT:
        state[LEFT] = True
    elif name in BACK:
        state[LEFT] = state[LOST] = False
        if name == "joined":
            state[STILLS] = False
