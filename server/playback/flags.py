"""Flags on renderings: set by who may watch, answered by the interpreter, who hears what is around each.

Nothing of a recording but those seconds of sound leaves here for an interpreter: they are cut out before they
are sent, so that there is nothing else to be asked for. Who may is asked before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from media.clip import cut
from server.domain.errors import Refused
from server.domain.renderings import MOST_FLAGS, Flag, asked_window, worded
from server.playback.interpretation import Interpretations
from server.playback.playback import Playback, require_playable_in, seat_of
from server.playback.seeking import Seekable
from server.services.access import Asking
from server.services.context import Context
from server.services.follow_up import Looking, Withheld, require_open, withheld_from
from server.storage import accounts, audit, destructions, renderings
from server.storage.database import Transaction
from server.storage.ids import new_id
from server.storage.recordings import started_of
from signaling.wording import cleaned


class Flags:
    """One per server."""

    def __init__(self, context: Context, interpretations: Interpretations, playback: Playback) -> None:
        self._context, self._found, self._playback = context, interpretations, playback

    async def of_recording(
        self, recording: str, pairs: Sequence[Mapping[str, Any]], kept_back: Withheld
    ) -> list[dict[str, Any]]:
        """Flags on a recording, as who may watch it is told; once consent was withdrawn for a part of it, or
        one is kept back, only those on `pairs`, which are told: not when and of what somebody spoke there.
        """
        async with self._context.database.read() as tx:
            flags = await renderings.of_recording(tx, recording)
            if kept_back or await destructions.blocked(tx, recording):
                flags = [flag for flag in flags if any(_is_on(flag, pair) for pair in pairs)]
            return await _told(tx, flags)

    async def add(
        self,
        recording: str,
        seat: str,
        span: tuple[int, int],
        comment: str,
        asking: Asking,
        kept_back: Withheld,
    ) -> dict[str, Any]:
        """Raises Refused `flag_empty`, `no_such_rendering` (none of this seat is there), `too_many_flags`,
        `destroyed`.
        """
        kept = worded(cleaned(comment))
        found = await self._found.of(recording, kept_back)
        rendered = {"participant": seat, "from": span[0], "to": span[1]}
        pair = next((each for each in found["pairs"] if each["rendered"] == rendered), None)
        if pair is None:
            raise Refused("no_such_rendering")
        now_ms = self._context.now_ms()
        flag = Flag(
            new_id(), recording, seat, *span, pair["source"], pair["target"], kept, asking.account, now_ms
        )
        async with self._context.database.write() as tx:
            await require_playable_in(tx, recording, seat)  # what is destroyed gets no words any more
            if await renderings.count(tx, recording) >= MOST_FLAGS:
                raise Refused("too_many_flags")
            await renderings.add(tx, flag)
            await audit.append(tx, now_ms, _entry("rendering_flagged", flag, asking))
            return (await _told(tx, [flag]))[0]

    async def of_account(self, account: str) -> list[dict[str, Any]]:
        """On an interpreter's own renderings, newest first: nothing of the case but the comment itself."""
        async with self._context.database.read() as tx:
            flags = await renderings.of_account(tx, account)
            started = await started_of(tx, {flag.recording_id for flag in flags})
            blocked = await destructions.blocked_of(tx, started)
            shown = [
                flag
                for flag in flags
                if flag.recording_id in started
                and blocked.isdisjoint(
                    {(flag.recording_id, seat) for seat in (destructions.WHOLE, flag.seat_id)}
                )
            ]
            told = await _told(tx, shown)
        return [
            each | {"started_at_ms": started[flag.recording_id]}
            for flag, each in zip(shown, told, strict=True)
        ]

    async def look(self, flag_id: str, looking: Looking, asking: Asking) -> dict[str, Any]:
        """One flag with the sound tracks that have something around it; the look is audited."""
        flag = await self._flag(flag_id)
        await self._playback.require_playable(flag.recording_id, flag.seat_id)
        begin, end = flag.window
        described = await self._playback.describe(
            flag.recording_id, await self._kept_back(flag.recording_id, looking)
        )
        tracks = []
        for track in described["tracks"]:
            start, stop = track["offset_ms"], track["offset_ms"] + track["duration_ms"]
            if track["kind"] != "audio" or stop <= begin or start >= end:
                continue
            spans = [[max(begin, a), min(end, b)] for a, b in track["present"] if a < end and b > begin]
            tracks.append(
                {name: track[name] for name in ("id", "participant", "name", "role", "language")}
                | {"offset_ms": max(begin, start), "end_ms": min(end, stop), "present": spans}
            )
        async with self._context.database.write() as tx:
            await audit.append(tx, self._context.now_ms(), _entry("rendering_heard", flag, asking))
            [told] = await _told(tx, [flag])
        return told | {"window": [begin, end], "started_at_ms": described["started_at_ms"], "tracks": tracks}

    async def answer(self, flag_id: str, text: str, asking: Asking) -> dict[str, Any]:
        """The interpreter's word on it; a later one takes the place of an earlier. Raises `flag_empty`."""
        kept = worded(cleaned(text))
        flag = await self._flag(flag_id)
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            await require_playable_in(tx, flag.recording_id, flag.seat_id)
            await renderings.answer(tx, flag.id, kept, asking.account, now_ms)
            await audit.append(tx, now_ms, _entry("rendering_answered", flag, asking))
            answered = await renderings.by_id(tx, flag.id)
            return (await _told(tx, [answered or flag]))[0]

    async def clip(
        self, flag_id: str, track: str, from_ms: int | None, to_ms: int | None, looking: Looking
    ) -> bytes:
        """Those seconds of one sound track, as WebM. Raises Refused `outside_flag` for any other seconds,
        `not_found` for what is no sound or silent there, `withdrawn`, `destroyed`, `follow_up_refused` …
        """
        flag = await self._flag(flag_id)
        await self._playback.require_playable(flag.recording_id, flag.seat_id)
        begin, end = asked_window(flag, from_ms, to_ms)
        kept_back = await self._kept_back(flag.recording_id, looking)
        require_open(kept_back, [seat_of(track)])
        reader = await self._playback.track(flag.recording_id, track)
        described = await self._playback.describe(flag.recording_id, kept_back)
        row = next((each for each in described["tracks"] if each["id"] == track), None)
        if row is None or row["kind"] != "audio":
            raise Refused("not_found")
        offset = int(row["offset_ms"])
        file = Seekable(reader.read, reader.size, asyncio.get_running_loop())
        found = await asyncio.to_thread(cut, file, max(0, begin - offset), max(0, end - offset))
        if not found:
            raise Refused("not_found")
        return found

    async def _kept_back(self, recording: str, looking: Looking) -> Withheld:
        return await withheld_from(self._context.database, recording, looking, self._context.now_ms())

    async def _flag(self, flag_id: str) -> Flag:
        async with self._context.database.read() as tx:
            flag = await renderings.by_id(tx, flag_id)
        if flag is None:
            raise Refused("not_found")
        return flag


def _is_on(flag: Flag, pair: Mapping[str, Any]) -> bool:
    """That rendering, or what was later found to overlap it, of the same languages."""
    rendered = pair["rendered"]
    return (
        (rendered["participant"], pair["source"], pair["target"]) == (flag.seat_id, flag.source, flag.target)
        and flag.from_ms < rendered["to"]
        and rendered["from"] < flag.to_ms
    )


async def _told(tx: Transaction, flags: Sequence[Flag]) -> list[dict[str, Any]]:
    people = {each for flag in flags for each in (flag.made_by, flag.answered_by) if each}
    names = await accounts.names(tx, people)
    return [
        {
            "id": flag.id,
            "participant": flag.seat_id,
            "from": flag.from_ms,
            "to": flag.to_ms,
            "source": flag.source,
            "target": flag.target,
            "comment": flag.comment,
            "made_by": names.get(flag.made_by, ""),
            "made_at_ms": flag.made_ms,
            "answer": None
            if flag.answer is None
            else {
                "text": flag.answer,
                "by": names.get(flag.answered_by or "", ""),
                "at_ms": flag.answered_ms,
            },
        }
        for flag in flags
    ]


def _entry(action: str, flag: Flag, asking: Asking) -> audit.Entry:
    return audit.Entry(
        action=action,
        subject_type="recording",
        subject_id=flag.recording_id,
        address=asking.address,
        account_id=asking.account,
        case_id=asking.case_id,
        detail={"flag": flag.id, "seat": flag.seat_id, "from_ms": flag.from_ms, "to_ms": flag.to_ms},
    )
