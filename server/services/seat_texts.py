"""What is read at the door before answering: texts of what being recorded needs, filled in for this case."""

from __future__ import annotations

from typing import Any

from server.domain.errors import Refused
from server.domain.person_consent import required
from server.services.access import behind_link, seat_and_consultation
from server.services.case_sides import sides_of, sits_at
from server.services.context import Context
from server.services.limiting import Attempts
from server.services.person_consents import texts_told
from server.services.probing import Proof
from server.storage import cases


class SeatTexts:
    def __init__(self, context: Context, attempts: Attempts) -> None:
        self._context = context
        self._attempts = attempts

    async def read(self, seat_id: str, proof: Proof, language: str, address: str) -> dict[str, Any]:
        """`open`: the patient sits there and has to see them.

        Raises Refused `no_credential`, `link_unknown`, `link_dead`, `too_many_attempts`.
        """
        await self._attempts.probe(seat_id, address)
        async with self._context.database.read() as tx:
            if proof.credential is not None:
                seat, consultation = await seat_and_consultation(tx, seat_id)
            elif proof.token is not None:
                seat, consultation, _ = await behind_link(tx, seat_id, proof.token, self._context.now_ms())
            else:
                raise Refused("no_credential")
            case = await cases.by_id(tx, consultation.case_id)
            if case is None:
                raise Refused("not_found")
            sides = await sides_of(tx, case)
        told = texts_told(sides, language, self._context, required(sides.countries))
        return told | {"open": sits_at(seat)}
