"""The demo's world: two sites, marked-synthetic people and patient, a consultation whose window is open now.

It must never touch a directory that `demo` did not make (the command sees to that). Every name is invented
and says so; passwords and links are random per directory and kept in one 0600 file of that directory.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.domain.case import Case
from server.domain.consultation import UNUSED, Consultation, Seat, is_joinable
from server.domain.people import Account, Site
from server.domain.site_policy import NOT_REQUIRED, Policy
from server.domain.staff import Licence
from server.services import demo_programme, demo_referral
from server.services.bundle import Services
from server.services.demo_calendars import ensure_calendars
from server.services.programme_file import put_programme, shipped
from server.storage import accounts, cases, consultations, site_policies, staff, telephones
from server.storage import seats as chairs
from server.storage.database import Transaction
from server.storage.ids import hashed, new_id, new_token

HOUR_MS = 3_600_000
OPEN_BEFORE_MS = 10 * 60_000
WINDOW_MS = 24 * HOUR_MS
RENEW_BEFORE_MS = HOUR_MS  # a start this close to the end gets a fresh consultation

SITES = (
    Site(
        "demo-site-almaty-00", "Almaty Demo Clinic (synthetic)", "Asia/Almaty", "KZ", "", ("kk", "ru"), "103"
    ),
    Site(
        "demo-site-seoul-000", "Seoul Demo Hospital (synthetic)", "Asia/Seoul", "KR", "", ("ko", "en"), "119"
    ),
)
ALMATY, SEOUL = (site.id for site in SITES)
TELEPHONES = {ALMATY: "+7 000 000 0001", SEOUL: "+82 0 0000 0002", "interpreter": "+82 0 0000 0003"}
"""Nobody's numbers."""
ROOMS = {ALMATY: "Video room 1 (synthetic)", SEOUL: "Studio A (synthetic)"}
CASE_ID = "demo-case-000000001"


@dataclass(frozen=True, slots=True)
class Person:
    """A synthetic person: `relation` to the demo case, `seat` language when they sit in the room."""

    role: str
    name: str
    language: str
    site_id: str
    relation: str | None = None
    seat: str | None = None

    @property
    def email(self) -> str:
        return f"{self.role.replace('_', '.')}@demo.invalid"


PEOPLE = (
    Person("referring_physician", "Айгерим Демова (synthetic)", "ru", ALMATY, "invited", "ru"),
    Person("site_operator", "Оператор Демова (synthetic)", "ru", ALMATY),
    Person("consulting_physician", "김데모 (synthetic)", "ko", SEOUL, "invited", "ko"),
    Person("interpreter", "Vera Demo-Kim (synthetic)", "ru", SEOUL, None, "ru/ko"),
    Person("coordinator", "박데모 (synthetic)", "ko", SEOUL),
    Person("reviewer", "이데모 (synthetic)", "ko", SEOUL, "follows"),
    Person("site_admin", "Admin Demo (synthetic)", "en", SEOUL),
    Person("programme_admin", "정데모 (synthetic)", "ko", SEOUL),
    Person("privacy_officer", "최데모 (synthetic)", "ko", SEOUL),
)

PROGRAMME_ADMIN = "programme.admin@demo.invalid"
PATIENT = Person("patient", "Пациент Синтетический (synthetic)", "ru", ALMATY, None, "ru")
"""Of the demo's case; comes by a link and has no account."""


@dataclass(frozen=True, slots=True)
class DemoSeat:
    role: str
    name: str
    language: str
    room_url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DemoAccount:
    email: str
    password: str = field(repr=False)
    role: str


@dataclass(frozen=True, slots=True)
class DemoTable:
    """What the demo prints and writes to the seats file."""

    base_url: str
    consultation_id: str
    closes_at_ms: int
    seats: tuple[DemoSeat, ...]
    accounts: tuple[DemoAccount, ...]
    programme: tuple[int, str] | None = field(default=None, repr=False)
    """How many accounts of the second programme there are, and their one password."""

    def as_json(self) -> dict[str, Any]:
        """The seats file's form, a stable interface."""
        return {
            "base_url": self.base_url,
            "consultation_id": self.consultation_id,
            "seats": [
                # One language, the one the page opens in; an interpreter's second is in the table only.
                {
                    "role": seat.role,
                    "name": seat.name,
                    "language": seat.language.split("/")[0],
                    "room_url": seat.room_url,
                }
                for seat in self.seats
            ],
            "accounts": [
                {"email": account.email, "password": account.password, "role": account.role}
                for account in self.accounts
            ],
            **({} if self.programme is None else {"programme_password": self.programme[1]}),
        }


class Demo:
    """Seeds and renews. `file` keeps passwords and unused links between starts; `patient` adds a seat."""

    def __init__(
        self, services: Services, file: Path, *, patient: bool = False, programme: bool = False
    ) -> None:
        self._services = services
        self._file = file
        self._patient = patient
        self._programme = programme

    async def prepare(self) -> DemoTable:
        """The world as it should be now; a fresh consultation with fresh links when the old one is over."""
        context = self._services.context
        kept = _read(self._file)
        passwords: dict[str, str] = kept.get("passwords", {})
        for person in PEOPLE:
            passwords.setdefault(person.role, secrets.token_urlsafe(12))
        hashes = {
            person.role: await self._services.passwords.hash(passwords[person.role]) for person in PEOPLE
        }
        wide, wide_password, wide_hash = 0, "", ""
        if self._programme:
            wide_password = passwords.setdefault("programme", secrets.token_urlsafe(12))
            wide_hash = await self._services.passwords.hash(wide_password)
        now_ms = context.now_ms()
        async with context.database.write() as tx:
            await _ensure_world(tx, hashes, now_ms)
            if self._programme:
                admin = await accounts.by_email(tx, PROGRAMME_ADMIN)
                wide = await demo_programme.ensure(tx, wide_hash, admin[0].id if admin else "", now_ms)
            consultation = await _current(tx, now_ms) or await _fresh(tx, now_ms)
            if self._patient:
                await _ensure_patient(tx, consultation)
            links = await _links(tx, consultation.id, kept.get("links", {}))
            seats = await consultations.seats_of(tx, {consultation.id})
        _write(self._file, {"passwords": passwords, "links": links})
        base_url = context.settings.public_url
        return DemoTable(
            base_url=base_url,
            consultation_id=consultation.id,
            closes_at_ms=consultation.closes_at_ms,
            seats=tuple(
                DemoSeat(seat.role, seat.name, seat.language, f"{base_url}/room/{seat.id}#{links[seat.id]}")
                for seat in seats
            ),
            accounts=tuple(
                DemoAccount(person.email, passwords[person.role], person.role) for person in PEOPLE
            ),
            programme=(wide, wide_password) if wide else None,
        )


async def _ensure_world(tx: Transaction, hashes: dict[str, str], now_ms: int) -> None:
    known = await accounts.all_sites(tx)
    for site in SITES:
        if site.id not in known:
            await accounts.add_site(tx, site)
        await telephones.put(tx, site.id, TELEPHONES[site.id])
    zones = {site.id: site.time_zone for site in SITES}
    case_is_new = await cases.by_id(tx, CASE_ID) is None
    if case_is_new:
        await cases.add_case(tx, _case(now_ms))
    for person in PEOPLE:
        found = await accounts.by_email(tx, person.email)
        if found is not None:
            await accounts.set_password(tx, found[0].id, hashes[person.role])
            continue
        account = Account(
            id=new_id(),
            email=person.email,
            name=person.name,
            language=person.language,
            site_id=person.site_id,
            roles=(person.role,),
            verified=person.role in ("referring_physician", "consulting_physician", "interpreter"),
            disabled=False,
            time_zone=zones[person.site_id],
        )
        await accounts.add_account(tx, account, hashes[person.role])
        await telephones.put(tx, account.id, TELEPHONES.get(person.role, ""))
        if person.relation:
            await cases.add_person(tx, CASE_ID, account.id, person.relation)
    await _ensure_licences(tx, now_ms)
    interpreter = await accounts.by_email(tx, "interpreter@demo.invalid")
    if interpreter is not None:
        await ensure_calendars(tx, ROOMS, interpreter[0].id, now_ms)
    referring = await accounts.by_email(tx, PEOPLE[0].email)
    if referring is not None:
        await demo_referral.ensure(tx, CASE_ID, ALMATY, referring[0].id, now_ms)
    await put_programme(tx, shipped("nine_hospitals"), now_ms)
    pair = (ALMATY, SEOUL)
    if (await site_policies.newest(tx, [pair]))[0].version == 0:  # nobody is verified by a link
        made = Policy(pair, 1, NOT_REQUIRED, "demonstration", "", now_ms)
        await site_policies.add(tx, made)


async def _ensure_licences(tx: Transaction, now_ms: int) -> None:
    """Of who is verified from the start, seen by the programme's admin."""
    admin = await accounts.by_email(tx, PROGRAMME_ADMIN)
    by = admin[0].id if admin else ""
    for person in PEOPLE:
        found = await accounts.by_email(tx, person.email)
        if found is None or not found[0].verified or await staff.licences_of(tx, {found[0].id}):
            continue
        account, country = found[0], "KZ" if person.site_id == ALMATY else "KR"
        number, board = f"DEMO-{person.role[:3].upper()}-0000", "Demo licensing board (synthetic)"
        licence = Licence(account.id, number, country, board, None, account.id, now_ms, by, now_ms)
        await staff.put_licence(tx, licence)


def _case(now_ms: int) -> Case:
    return Case(
        id=CASE_ID,
        label="DEMO-0001",
        site_id=ALMATY,
        specialty="orthopaedics",
        question=(
            "Synthetic case for demonstration. Right knee, 6 weeks after a fall: is arthroscopy indicated, "
            "and what should be prepared before travel?"
        ),
        patient={
            "name": PATIENT.name,
            "birth_date": "1968-04-12",
            "sex": "female",
            "synthetic": True,
        },
        state="scheduled",
        created_ms=now_ms,
    )


async def _current(tx: Transaction, now_ms: int) -> Consultation | None:
    """The newest one, while people can still join it for a while."""
    newest = next(iter(await consultations.of_case(tx, CASE_ID)), None)
    if newest is None or not is_joinable(newest, now_ms):
        return None
    return newest if now_ms < newest.closes_at_ms - RENEW_BEFORE_MS else None


async def _fresh(tx: Transaction, now_ms: int) -> Consultation:
    consultation = Consultation(
        id=new_id(),
        case_id=CASE_ID,
        state="scheduled",
        starts_at_ms=now_ms,
        opens_at_ms=now_ms - OPEN_BEFORE_MS,
        closes_at_ms=now_ms + WINDOW_MS,
    )
    await consultations.add_consultation(tx, consultation)
    for position, person in enumerate(person for person in PEOPLE if person.seat):
        await _add_seat(tx, consultation, person, position)
    return consultation


async def _ensure_patient(tx: Transaction, consultation: Consultation) -> None:
    seats = await consultations.seats_of(tx, {consultation.id})
    if all(seat.role != PATIENT.role for seat in seats):
        await _add_seat(tx, consultation, PATIENT, len(seats))


async def _add_seat(tx: Transaction, consultation: Consultation, person: Person, position: int) -> None:
    found = await accounts.by_email(tx, person.email)
    seat = Seat(
        id=new_id(),
        consultation_id=consultation.id,
        role=person.role,
        name=person.name,
        language=person.seat or person.language,
        site_id=person.site_id,
        account_id=found[0].id if found else None,
        link_state=UNUSED,
    )
    await consultations.add_seat(tx, seat, position, hashed(new_token()))


async def _links(tx: Transaction, consultation_id: str, kept: dict[str, str]) -> dict[str, str]:
    """Seat id → a link's token that works now.

    An unused link stays as it is; a taken one gets a successor, until whose first use whoever sits there
    stays seated.
    """
    links: dict[str, str] = {}
    for seat in await consultations.seats_of(tx, {consultation_id}):
        token = kept.get(seat.id)
        if token is None or await chairs.link_state(tx, seat.id, hashed(token)) != UNUSED:
            token = new_token()
            await chairs.reissue_link(tx, seat.id, hashed(token))
        links[seat.id] = token
    return links


def _read(file: Path) -> dict[str, Any]:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _write(file: Path, content: dict[str, Any]) -> None:
    """Private from its first byte, and whole or not at all."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = file.with_suffix(".tmp")
    aside.unlink(missing_ok=True)
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump(content, out)
    aside.replace(file)
