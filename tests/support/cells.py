"""The matrix of who hears whom, watched on real pages: what each cell is meant to be, how loud it is, how
soon it changes, and whether those it does not concern notice.

People have letters. What somebody hears is written as the letters of whom they hear, small ones softly: `Al`
is A in front and L behind. Every judgement is of sound that a page plays (`tests/support/listening.py`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tests.support import listening, probes
from tests.support.demo import until
from tests.support.listening import Block
from tests.support.story import Guest

Cell = tuple[str, str]
"""Listener and source."""

SWITCH_MS, GAP_MS = 500.0, 200.0
CLOSED_DB, WITHIN_DB = -40.0, 3.0
BEHIND_DB = 20 * math.log10(0.25)
"""What a page makes of what stands behind, while nobody has chosen otherwise."""
SETTLED_MS, SEEN_MS = 800.0, 2_100.0
"""A level is judged over what lies between, after a change."""


@dataclass
class Row:
    """What one change was like."""

    what: str
    opened: dict[Cell, float] = field(default_factory=dict)
    closed: dict[Cell, float] = field(default_factory=dict)
    cut: dict[Cell, float] = field(default_factory=dict)
    """When nothing came any more, of what the server cuts."""
    off_by: dict[Cell, float] = field(default_factory=dict)
    """Open cells: dB from what they should be."""
    left: dict[Cell, float] = field(default_factory=dict)
    """Closed cells: dB, under what they are when open."""
    gaps: dict[Cell, float] = field(default_factory=dict)
    blind: float = 0.0
    """Ms in which a machine without time for it played nothing at all: a change is not late for that."""
    wrong: list[str] = field(default_factory=list)

    def line(self) -> str:
        """For a table in Markdown: ms of what changed, worst dB of both kinds, longest gap."""
        what = self.what + (f" ({self.blind:.0f} ms without any sound)" if self.blind > 50 else "")
        shown = [what, _times(self.opened), _times(self.closed), _times(self.cut)]
        shown.append(f"{max(map(abs, self.off_by.values())):.1f}" if self.off_by else "–")
        shown.append(f"{max(self.left.values()):.0f}" if self.left else "–")
        shown.append(f"{max(self.gaps.values()):.0f}" if self.gaps else "–")
        return f"| {' | '.join(shown)} |"


HEAD = (
    "| what | opens, ms | closes, ms | nothing comes, ms | open: off by, dB | closed: at most, dB "
    "| longest gap of others, ms |\n|---|---|---|---|---|---|---|"
)


def _times(cells: dict[Cell, float]) -> str:
    return ", ".join(f"{source}→{listener} {ms:.0f}" for (listener, source), ms in cells.items()) or "–"


class Cells:
    """Who is here, and whom each of them is to hear now."""

    def __init__(self) -> None:
        self.people: dict[str, Guest] = {}
        self.hears: dict[str, str] = {}
        self.rows: list[Row] = []
        self._usual: dict[Cell, float] = {}

    def meant(self) -> dict[Cell, str]:
        """front, behind or off, for each cell of those who are here."""
        levels = {}
        for listener in self.people:
            for source in self.people:
                if source != listener:
                    heard = self.hears[listener]
                    soft = "behind" if source.lower() in heard else "off"
                    levels[listener, source] = "front" if source in heard else soft
        return levels

    def watch(self) -> None:
        """Begins to write down every cell, anew."""
        for letter, guest in self.people.items():
            others = [one.seat for other, one in self.people.items() if other != letter]
            until("their tracks", lambda guest=guest, others=others: _has(guest, others), 20)  # type: ignore[misc]
            listening.trace(guest.page, *others)

    def learn(self) -> None:
        """While everybody hears everybody in front: how loud each cell is, for what comes later."""
        since = _now_ms()
        self._wait(since + 1_500)
        for cell in self.meant():
            self._usual[cell] = listening.usual(self._read(cell, since))
            assert self._usual[cell] > 0.03, (cell, self._usual[cell])

    def switch(self, what: str, act: Callable[[], float], **hears: str) -> Row:
        """`act` changes something at once and says when it was touched; then they hear these people."""
        before = self.meant()
        since = act()
        self.hears.update(hears)
        row = Row(what)
        self._wait(since + SEEN_MS)
        for cell, level in self.meant().items():
            blocks = self._read(cell, since)
            self._time(row, cell, (before[cell], level), blocks, since)
            self._level(row, cell, level, blocks, since)
        return self._done(row)

    def around(self, what: str, act: Callable[[], object], *, but: str = "", **hears: str) -> Row:
        """`act` may take a while and bring tracks anew, of those in `but`: whoever hears the others notices
        nothing, and afterwards all is as it should be."""
        before = {cell: level for cell, level in self.meant().items() if not set(cell) & set(but)}
        since = _now_ms()
        act()
        self.hears.update(hears)
        row = Row(what)
        after = self.meant()
        for cell, level in before.items():
            if level != "off" and after.get(cell) == level:
                self._gap(row, cell, level, self._read(cell, since))
        self.watch()
        since = _now_ms()
        self._wait(since + SEEN_MS)
        for cell, level in after.items():
            self._level(row, cell, level, self._read(cell, since), since)
        return self._done(row)

    def table(self) -> str:
        """All that was changed, in Markdown."""
        return "\n".join([HEAD, *(row.line() for row in self.rows)])

    # --- inside ------------------------------------------------------------------------------------------

    def _wait(self, until_ms: float) -> None:
        page = next(iter(self.people.values())).page
        page.wait_for_timeout(max(0.0, until_ms - _now_ms()))

    def _read(self, cell: Cell, since_ms: float) -> list[Block]:
        listener, source = (self.people[one] for one in cell)
        return listening.traced(listener.page, source.seat, source.voice, since_ms)

    def _loud(self, cell: Cell, level: str) -> float:
        """Amplitude of this cell at this level; of one never open yet, as others of that page are."""
        same = [loud for (listener, _), loud in self._usual.items() if listener == cell[0]]
        of_all = sorted(same or self._usual.values())
        return self._usual.get(cell, of_all[len(of_all) // 2]) * 10 ** (_asked_db(level) / 20)

    def _time(
        self, row: Row, cell: Cell, levels: tuple[str, str], blocks: list[Block], since_ms: float
    ) -> None:
        was, now = levels
        if "off" not in levels:
            self._gap(row, cell, "behind" if "behind" in levels else "front", blocks)
        elif was != now:
            times = row.closed if now == "off" else row.opened
            opens = now != "off"
            loud = self._loud(cell, now if opens else was)
            try:
                times[cell] = listening.changed_after(blocks, since_ms, loud, opens=opens)
                if opens:
                    since_open = [block for block in blocks if block.at_ms >= since_ms + times[cell]]
                    self._gap(row, cell, now, since_open)
                else:
                    whole = self._loud(cell, "front")
                    row.cut[cell] = listening.changed_after(
                        blocks, since_ms, whole, opens=False, played=False
                    )
            except AssertionError:
                row.wrong.append(f"{_name(cell)} is never {now}")
                return
            blind = listening.blind(blocks, since_ms, since_ms + times[cell])
            if times[cell] > SWITCH_MS + blind:
                row.wrong.append(f"{_name(cell)} is {now} only after {times[cell]:.0f} ms")
            row.blind = max(row.blind, blind)

    def _gap(self, row: Row, cell: Cell, level: str, blocks: list[Block]) -> None:
        row.gaps[cell] = listening.longest_gap(blocks, self._loud(cell, level))
        if row.gaps[cell] > GAP_MS:
            row.wrong.append(f"{_name(cell)} has a gap of {row.gaps[cell]:.0f} ms")

    def _level(self, row: Row, cell: Cell, level: str, blocks: list[Block], since_ms: float) -> None:
        settled = [block for block in blocks if block.at_ms >= since_ms + SETTLED_MS]
        if not settled or settled[-1].clock_ms - settled[0].clock_ms < 1_000:
            row.wrong.append(f"{_name(cell)} was not traced for a second")
            return
        loud = self._loud(cell, "front")
        heard = _db(_power(block.heard for block in settled) / loud**2)
        came = _db(_power(block.came for block in settled) / loud**2)
        # A crackle has all tones in it for a moment; a person who is heard has theirs all the time.
        stray = _db((sorted(block.stray for block in settled)[len(settled) // 2] / loud) ** 2)
        if level == "off":
            row.left[cell] = max(heard, came)
            if row.left[cell] >= CLOSED_DB:
                row.wrong.append(f"{_name(cell)} is closed, {came:.1f} dB come, {heard:.1f} dB are heard")
        else:
            row.off_by[cell] = heard - _asked_db(level)
            if abs(row.off_by[cell]) > WITHIN_DB or abs(came) > WITHIN_DB:
                row.wrong.append(f"{_name(cell)} is {level}, {came:.1f} dB come, {heard:.1f} dB are heard")
        if stray >= CLOSED_DB:
            row.wrong.append(f"{_name(cell)} has a tone of somebody else, {stray:.1f} dB")

    def _done(self, row: Row) -> Row:
        self.rows.append(row)
        assert not row.wrong, "\n".join([f"after: {row.what}", *row.wrong, HEAD, row.line()])
        return row


def _has(guest: Guest, others: Sequence[str]) -> bool:
    there = {tile["participant"] for tile in probes.tiles(guest.page) if tile["audio"]}
    return there.issuperset(others)


def _now_ms() -> float:
    return time.time() * 1_000


def _name(cell: Cell) -> str:
    return f"{cell[1]}→{cell[0]}"


def _asked_db(level: str) -> float:
    return BEHIND_DB if level == "behind" else 0.0


def _power(amplitudes: Iterable[float]) -> float:
    squares = [one * one for one in amplitudes]
    return sum(squares) / len(squares)


def _db(power: float) -> float:
    return 10 * math.log10(power + 1e-12)
