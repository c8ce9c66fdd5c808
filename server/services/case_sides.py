"""The two sides of a case for consents and policies: its patient, who refers, who is to consult."""

from __future__ import annotations

from dataclasses import dataclass

from server.domain.case import Case
from server.domain.consultation import Seat
from server.domain.patient import Person
from server.domain.people import Site
from server.domain.permissions import Role
from server.domain.person_consent import Places
from server.domain.retention import DEFAULT_CLASS, years_of
from server.domain.site_policy import Pair
from server.services.context import Context
from server.storage import accounts, cases, consultations, patients
from server.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class Sides:
    """`consulting`: sites of whoever is invited or has a consulting physician's seat, in the order of ids."""

    case: Case
    person: Person
    referring: Site
    consulting: tuple[Site, ...]

    @property
    def countries(self) -> frozenset[str]:
        return frozenset({self.referring.country, *(site.country for site in self.consulting)})

    @property
    def recipients(self) -> tuple[str, ...]:
        """Ids of the sites that data go to."""
        return tuple(site.id for site in self.consulting)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        return tuple((self.referring.id, site.id) for site in self.consulting)

    def places(self, context: Context) -> Places:
        """What fills the holes of a text."""
        return Places(
            self.referring.name,
            tuple(site.name for site in self.consulting),
            tuple(dict.fromkeys(site.country for site in self.consulting)),
            years_of(DEFAULT_CLASS, context.settings.retention_years),
            self.recipients,
        )


async def sides_of(tx: Transaction, case: Case) -> Sides:
    sites = await accounts.all_sites(tx)
    seats = await consultations.seats_of_case(tx, case.id)
    invited = {account.site_id for account in await cases.invited(tx, case.id)}
    sat = {seat.site_id for seat in seats if seat.role == Role.CONSULTING_PHYSICIAN}
    consulting = sorted((invited | sat) - {case.site_id})
    patient = await patients.of_case(tx, case.id)
    person = patient.person if patient else _as_told(case)
    return Sides(case, person, sites[case.site_id], tuple(sites[each] for each in consulting))


def sits_at(seat: Seat) -> bool:
    """Whether it is the patient's own seat."""
    return seat.role == Role.PATIENT


def _as_told(case: Case) -> Person:
    """Of a case older than registered patients."""
    told = case.patient
    return Person({"latin": str(told.get("name", ""))}, str(told.get("birth_date", "")))
