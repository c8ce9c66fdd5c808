"""Who gives which roles, what a form must say, and until when a licence counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.domain.errors import FormRefused, Refused
from server.domain.people import Account, Site, in_force
from server.domain.permissions import GUESTS, Role
from server.domain.staff import (
    EVERY_ROLE,
    LICENSED,
    OF_A_SITE,
    Licence,
    checked_licence,
    checked_person,
    checked_site,
    end_of_day_ms,
    grantable,
    licence_state,
    require_within,
    zones,
)

SITE = Site("a", "Site A", "Asia/Almaty", "KZ")
SOMEBODY = Account("x", "x@y.org", "X", "ru", "a", ("interpreter",), False, False, "Asia/Almaty")
LICENCE = Licence("x", "1", "KZ", "Board", None, "x", 0)
LANGUAGES = ("ko", "ru", "en")


def actor(*roles: str) -> Account:
    return replace(SOMEBODY, id="actor", roles=roles)


def test_a_role_is_given_by_who_stands_above_it() -> None:
    assert grantable(("programme_admin",)) == EVERY_ROLE == set(Role) - {Role.ANYONE, Role.SIGNED_IN, *GUESTS}
    assert grantable(("site_admin", "reviewer")) == OF_A_SITE
    for role in EVERY_ROLE - {Role.PROGRAMME_ADMIN, Role.SITE_ADMIN}:
        assert grantable((role,)) == frozenset()
    assert OF_A_SITE.isdisjoint({Role.COORDINATOR, Role.PRIVACY_OFFICER, Role.PROGRAMME_ADMIN})
    require_within(actor("site_admin"), ["interpreter", "site_admin"])
    with pytest.raises(Refused, match="role_above"):
        require_within(actor("site_admin"), ["interpreter", "coordinator"])
    assert {"referring_physician", "consulting_physician"} == LICENSED


def test_zones_are_of_places() -> None:
    assert {"Asia/Almaty", "Asia/Kathmandu", "America/New_York"} <= zones()
    assert zones().isdisjoint({"localtime", "UTC", "Etc/GMT+5", "EST5EDT", "posixrules"})


@pytest.mark.parametrize(
    ("change", "number", "wrong"),
    [
        ({"name": "\u202e"}, "", {"name": "empty"}),
        ({"name": "Site B"}, "", {"name": "taken"}),
        ({"address": "x" * 401}, "", {"address": "long"}),
        ({"emergency": "1"}, "", {"emergency": "emergency"}),
        ({"emergency": "103 and 112"}, "", {"emergency": "emergency"}),
        ({"country": "kz"}, "", {"country": "country"}),
        ({"time_zone": "Etc/GMT+5"}, "", {"time_zone": "zone"}),
        ({"languages": ("xx",)}, "8 727 000", {"languages": "language", "telephone": "telephone"}),
    ],
)
def test_a_sites_form_says_what_is_wrong_with_each_field(
    change: dict[str, object], number: str, wrong: dict[str, str]
) -> None:
    others = [SITE, Site("b", "Site B", "Asia/Seoul", "KR")]
    with pytest.raises(FormRefused) as refused:
        checked_site(replace(SITE, **change), number, others)  # type: ignore[arg-type]
    assert refused.value.fields == wrong


def test_a_sites_form_is_kept_in_one_shape() -> None:
    given = replace(SITE, name=" Site\tA ", emergency=" 112 ", languages=("ru", "kk", "ru"))
    made, number = checked_site(given, " +7 727  000 00 00 ", [SITE])
    assert (made.name, made.emergency, made.languages) == ("Site A", "112", ("ru", "kk"))
    assert number == "+7 727 000 00 00"


def test_a_person_needs_a_name_an_address_a_language_of_ours_and_a_role_of_people() -> None:
    made = checked_person(replace(SOMEBODY, email=" X@Y.org ", roles=("reviewer", "reviewer")), LANGUAGES)
    assert (made.email, made.roles) == ("x@y.org", ("reviewer",))
    bad = replace(SOMEBODY, name="", email="", language="xx", roles=("patient",))
    with pytest.raises(FormRefused) as refused:
        checked_person(bad, LANGUAGES)
    assert refused.value.fields == {
        "name": "empty",
        "email": "empty",
        "language": "language",
        "roles": "roles",
    }


def test_a_licence_holds_through_its_last_day_where_the_person_is() -> None:
    end = end_of_day_ms("2026-11-26", "Asia/Almaty")
    assert end == end_of_day_ms("2026-11-26", "UTC") - 5 * 3_600_000
    last = replace(LICENCE, expires="20261126")
    assert checked_licence(last, "Asia/Almaty", end - 1).expires == "2026-11-26"
    for expires, now_ms, what in (
        ("2026-11-26", end, "past"),
        ("26.11.2026", 0, "date"),
        ("9999-12-31", 0, "date"),
    ):
        with pytest.raises(FormRefused) as refused:
            checked_licence(replace(LICENCE, expires=expires), "Asia/Almaty", now_ms)
        assert refused.value.fields == {"expires": what}
    account = replace(SOMEBODY, verified=True, verified_until_ms=end)
    assert [in_force(account, at).verified for at in (end - 1, end)] == [True, False]
    assert [licence_state(account, LICENCE, at) for at in (end - 1, end)] == ["verified", "expired"]
    assert [licence_state(SOMEBODY, one, 0) for one in (None, LICENCE)] == ["none", "unverified"]


def test_a_form_is_refused_for_known_reasons_only() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        FormRefused({"name": "nonsense"})
