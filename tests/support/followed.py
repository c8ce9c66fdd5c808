"""The synthetic recording's patient, beside the referring physician, with a word on what becomes of it."""

from __future__ import annotations

from server.domain.consent import CONSENT_VERSION, Consent
from server.domain.consent_text import newest, text_of
from server.domain.people import Account
from server.services.bundle import Services
from server.services.person_consents import Decision, How
from server.storage import accounts, consents
from tests.support.journals import CASE, CONSULTATION, SEATS, SITE, STARTED_MS

#: Where the patient sits, and somebody else.
PATIENTS, OTHERS = SEATS[:2]
ASKS = Account(
    "acc-asks", "asks@synthetic.test", "Asks", "ru", SITE, ("referring_physician",), True, False, "UTC"
)
"""Whoever asks the patient, at their site."""


async def patient_sits(services: Services, seat: str = PATIENTS) -> None:
    """As was said at the door of that seat."""
    persons = ("Physician", "Patient")
    said = Consent("con-1", CONSULTATION, seat, "granted", persons, CONSENT_VERSION, "ru", STARTED_MS, True)
    async with services.context.database.write() as tx:
        await consents.add(tx, said)
        await accounts.add_account(tx, ASKS, "x")


async def says(services: Services, decision: str, purpose: str = "follow_up_review") -> None:
    """The patient says yes or no, or takes a yes back."""
    if decision == "withdrawn":
        await services.person_consents.withdraw(CASE, purpose, ASKS.id, "", account=ASKS.id)
        return
    text = text_of(purpose, newest(purpose), "ru")
    given = Decision(purpose, decision, text.version, text.sha256)
    await services.person_consents.give(CASE, [given], How("ru", "patient", "Synthetic"), ASKS, "")
