"""A case's consents as they are shown: who has given what, in which version, what is missing. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from server.domain.consent import Consent
from server.domain.consent_text import PURPOSES, languages, newest
from server.domain.documents import Viewer, sees
from server.domain.errors import Refused
from server.domain.people import Account
from server.domain.permissions import Action, Relation, allowed
from server.domain.person_consent import Given, is_minor, missing, newest_of, required, state_of
from server.services.case_sides import Sides, sides_of
from server.services.context import Context
from server.services.person_consents import papers_of, places_told
from server.storage import accounts, audit, cases, consents, consultations, person_consents, site_policies
from server.storage.database import Transaction


async def consent_page(
    context: Context, account: Account, case_id: str, held: frozenset[Relation], address: str
) -> dict[str, Any]:
    """The look is audited. Raises Refused `not_found`. Who may not know the patient's name is not told it."""
    now_ms = context.now_ms()
    async with context.database.write() as tx:
        case = await cases.by_id(tx, case_id)
        if case is None:
            raise Refused("not_found")
        sides = await sides_of(tx, case)
        given = await person_consents.of_case(tx, case_id)
        names = await accounts.names(
            tx, {name for one in given for name in (one.recorded_by, one.witnessed_by)}
        )
        seats = await _seats(tx, case_id, now_ms)
        policies = await site_policies.newest(tx, sides.pairs)
        viewer = Viewer(account.id, account.roles, held)
        papers = [one for one in await papers_of(tx, case_id) if sees(viewer, one)]
        entry = audit.Entry("consents_read", "case", case_id, address, account_id=account.id, case_id=case_id)
        await audit.append(tx, now_ms, entry)
    named = any(
        allowed(action, account.roles, held) for action in (Action.PATIENT_NAME, Action.DEMOGRAPHICS_READ)
    )
    counting = newest_of(given)
    needed = required(sides.countries)
    return {
        "case": {"id": case.id, "label": case.label},
        "patient": _patient(sides, now_ms) if named else None,
        "places": places_told(sides.places(context)),
        "required": list(needed),
        "missing": missing(needed, counting, sides.recipients),
        "purposes": [purpose_told(one, given, sides, names if named else None) for one in PURPOSES],
        "seats": [_anonymous(one) for one in seats] if not named else seats,
        "policies": [
            {"seat_rule": one.seat_rule, "legal_basis": one.legal_basis, "version": one.version}
            for one in policies
        ],
        "papers": [{"id": one.id, "name": one.name, "at_ms": one.made_ms} for one in papers],
        "time_zone": sides.referring.time_zone,
        "now_ms": now_ms,
    }


def purpose_told(
    purpose: str, given: list[Given], sides: Sides, names: Mapping[str, str] | None
) -> dict[str, Any]:
    """One purpose: how it stands and every decision about it, the newest first. `names` None: tell none."""
    own = [one for one in given if one.purpose == purpose]
    newest_one = newest_of(own).get(purpose)
    return {
        "purpose": purpose,
        "version": newest(purpose),
        "languages": languages(purpose, newest(purpose)),
        "state": state_of(newest_one, sides.recipients),
        "decisions": [_decision(one, names) for one in reversed(own)],
    }


def _decision(one: Given, names: Mapping[str, str] | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": one.id,
        "decision": one.decision,
        "version": one.version,
        "language": one.language,
        "sha256": one.sha256,
        "method": one.method,
        "by": one.by,
        "at_ms": one.at_ms,
        "witnessed_ms": one.witnessed_ms,
    }
    if names is not None:
        told |= {
            "name": one.name,
            "relation": one.relation,
            "drawing": one.drawing,
            "witness": one.witness,
            "witnessed_by": names.get(one.witnessed_by, ""),
            "recorded_by": names.get(one.recorded_by, ""),
        }
    return told


def _patient(sides: Sides, now_ms: int) -> dict[str, Any]:
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    person = sides.person
    return {
        "names": dict(person.names),
        "languages": list(person.languages),
        "minor": is_minor(person, today),
        "guardians": [{"name": one.name, "relation": one.relation} for one in person.guardians],
    }


async def _seats(tx: Transaction, case_id: str, now_ms: int) -> list[dict[str, Any]]:
    """What was answered at the doors of this case's rooms, the newest consultation first."""
    found = []
    for consultation in await consultations.of_case(tx, case_id):
        decisions = await consents.newest_by_seat(tx, consultation.id)
        for seat in await consultations.seats_of(tx, {consultation.id}):
            said = decisions.get(seat.id)
            found.append(
                {
                    "starts_at_ms": consultation.starts_at_ms,
                    "role": seat.role,
                    "decision": said.decision if said else "undecided",
                    "persons": list(said.persons) if said else [],
                    "read": _read(said),
                    "at_ms": said.at_ms if said else None,
                }
            )
    return found


def _read(said: Consent | None) -> list[dict[str, Any]]:
    if said is None or said.texts is None:
        return []
    return [
        {"purpose": purpose, "version": version, "language": language}
        for purpose, (version, language, _) in said.texts.items()
    ]


def _anonymous(seat: dict[str, Any]) -> dict[str, Any]:
    return seat | {"persons": ["" for _ in seat["persons"]]}
