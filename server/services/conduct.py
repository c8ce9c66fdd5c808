"""The interpreter's opening of a session: kept by whom and when, on the time line and in the audit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from server.domain.conduct import Step, counts
from server.domain.errors import Refused
from server.services.access import seat_and_consultation
from server.services.context import Context
from server.storage import audit, conduct, consultations, sessions


class Conduct:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def confirm(
        self, seat_id: str, session: str | None, steps: Sequence[str], outcome: str, reason: str | None
    ) -> tuple[list[dict[str, Any]], list[str]]:
        """All of the session's steps, as everybody is told, and which are news. Told again it writes nothing.

        Raises Refused `no_session`, `not_found`.
        """
        if session is None:
            raise Refused("no_session")
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            _, consultation = await seat_and_consultation(tx, seat_id)
            before = {s.step: s for s in await conduct.of_sessions(tx, [session]) if s.seat_id == seat_id}
            news = [step for step in dict.fromkeys(steps) if counts(before.get(step), outcome)]
            for step in news:
                await conduct.put(tx, Step(session, seat_id, step, outcome, reason, now_ms))
                detail: dict[str, int | str] = {"step": step, "outcome": outcome}
                entry = audit.Entry(
                    action="conduct_confirmed" if reason is None else "conduct_skipped",
                    subject_type="session",
                    subject_id=session,
                    address="",
                    seat_id=seat_id,
                    case_id=consultation.case_id,
                    detail=detail if reason is None else {**detail, "reason": reason},
                )
                await audit.append(tx, now_ms, entry)
            return [_told(step) for step in await conduct.of_sessions(tx, [session])], news

    async def mark(self, session: str, steps: Sequence[str], seat_id: str | None) -> None:
        """On the time line, while something is recorded; `seat_id` only of who is recorded themselves."""
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            for step in steps:
                await sessions.note(tx, session, now_ms, f"conduct_{step}", seat_id)

    async def of_seat(self, seat_id: str) -> list[dict[str, Any]]:
        """The steps of the session that runs in this seat's consultation. Raises Refused `not_found`."""
        async with self._context.database.read() as tx:
            _, consultation = await seat_and_consultation(tx, seat_id)
            running = [one.id for one in await sessions.unended(tx, consultation.id)][:1]
            return [_told(step) for step in await conduct.of_sessions(tx, running)]

    async def of_recording(self, recording: str) -> list[dict[str, Any]]:
        """Who opened how, by name. Raises Refused `not_found`."""
        async with self._context.database.read() as tx:
            session = await sessions.by_id(tx, recording)
            if session is None:
                raise Refused("not_found")
            seats = {s.id: s for s in await consultations.seats_of(tx, {session.consultation_id})}
            return [
                {
                    **_told(step),
                    "name": seats[step.seat_id].name,
                    "ms": max(0, step.at_ms - session.started_ms),
                }
                for step in await conduct.of_sessions(tx, [recording])
            ]


def _told(step: Step) -> dict[str, Any]:
    return {
        "participant": step.seat_id,
        "session": step.session_id,
        "step": step.step,
        "outcome": step.outcome,
        "reason": step.reason,
        "at_ms": step.at_ms,
    }
