"""The patient's own way by a code that their site gives: their hour, their consents and back, who has looked.

The code is the only proof; it is short-lived, dies with the next one, and is tried a few times a minute only.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict
from typing import Any, Final

from server.domain.consent_text import PURPOSES
from server.domain.consultation import OVER, effective_state
from server.domain.errors import Refused
from server.domain.people import Account
from server.domain.trail import OWN_READ
from server.services.case_sides import sides_of
from server.services.consent_page import purpose_told
from server.services.context import Context
from server.services.limiting import Attempts
from server.services.looks import Looks
from server.services.person_consents import PersonConsents, given_text, places_told
from server.services.two_clocks import clocks
from server.storage import audit, cases, consultations, patients, person_consents, seen
from server.storage.ids import hashed, new_id
from server.storage.person_consents import Link

LIFE_MS: Final = 72 * 3_600_000
LOOKS: Final = 200
#: Crockford's letters: nothing that is read as something else. 12 of them are 60 bits.
_LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH: Final = 12
_SAME: Final = str.maketrans("oil", "011", "- ")


class PatientsWay:
    def __init__(self, context: Context, consents: PersonConsents, attempts: Attempts, looks: Looks) -> None:
        self._context = context
        self._looks = looks
        self._consents = consents
        self._attempts = attempts

    async def issue(self, case_id: str, account: Account, address: str) -> dict[str, Any]:
        """A new code; the one before is dead. It is told once."""
        now_ms = self._context.now_ms()
        code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
        link = Link(new_id(), case_id, account.id, now_ms + LIFE_MS)
        async with self._context.database.write() as tx:
            await person_consents.add_link(tx, link, hashed(code), now_ms)
            entry = audit.Entry(
                "patients_code_made", "case", case_id, address, account_id=account.id, case_id=case_id
            )
            await audit.append(tx, now_ms, entry)
        shown = "-".join(code[at : at + 4] for at in range(0, _LENGTH, 4))
        url = f"{self._context.settings.public_url}/my#{shown}"
        return {"code": shown, "url": url, "expires_ms": link.expires_ms}

    async def look(self, code: str, address: str) -> dict[str, Any]:
        """Their hours ahead, what they agreed to and who has looked.

        Raises Refused `code_unknown`, `too_many_attempts`.
        """
        link = await self._link(code, address)
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            case = await cases.by_id(tx, link.case_id)
            if case is None:
                raise Refused("code_unknown")
            sides = await sides_of(tx, case)
            given = await person_consents.of_case(tx, case.id)
            patient = await patients.of_case(tx, case.id)
            ahead = [
                one
                for one in await consultations.of_case(tx, case.id)
                if effective_state(one, now_ms) not in OVER
            ]
            looks = await seen.of_case(tx, case.id, patient.id if patient else None, LOOKS)
            entry = audit.Entry(OWN_READ, "link", link.id, address, case_id=case.id)
            await audit.append(tx, now_ms, entry)
        return {
            "clinic": sides.referring.name,
            "time_zone": sides.referring.time_zone,
            "languages": list(sides.person.languages),
            "places": places_told(sides.places(self._context)),
            "hours": [
                clocks(one.starts_at_ms, [sides.referring, *sides.consulting]) for one in reversed(ahead)
            ],
            "purposes": [purpose_told(one, given, sides, {}) for one in PURPOSES],
            "seen": [asdict(one) for one in looks],
            "expires_ms": link.expires_ms,
            "now_ms": now_ms,
        }

    async def text(self, code: str, consent_id: str, address: str) -> dict[str, Any]:
        """What they agreed to, as it was worded. Raises Refused as `look`, and `not_found`."""
        link = await self._link(code, address)
        async with self._context.database.read() as tx:
            told = given_text(await person_consents.of_case(tx, link.case_id), consent_id)
        entry = audit.Entry(OWN_READ, "link", link.id, address, case_id=link.case_id)
        await self._looks.note(entry, OWN_READ, link.id)
        return told

    async def withdraw(self, code: str, purpose: str, address: str) -> dict[str, Any]:
        """Raises Refused as `look`, and `not_given`."""
        link = await self._link(code, address)
        count = await self._consents.withdraw(link.case_id, purpose, link.id, address)
        return {"recordings": count}

    async def _link(self, code: str, address: str) -> Link:
        await self._attempts.code(address)
        typed = code.strip().lower().translate(_SAME)
        async with self._context.database.read() as tx:
            link = await person_consents.link_by_code(tx, hashed(typed), self._context.now_ms())
        if link is None:
            raise Refused("code_unknown")
        return link
