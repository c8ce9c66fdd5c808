"""The roles people have and the ways they stand to things; `permissions.py` says what follows. Pure."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    REFERRING_PHYSICIAN = "referring_physician"
    SITE_OPERATOR = "site_operator"
    CONSULTING_PHYSICIAN = "consulting_physician"
    INTERPRETER = "interpreter"
    COORDINATOR = "coordinator"
    REVIEWER = "reviewer"
    SITE_ADMIN = "site_admin"
    PROGRAMME_ADMIN = "programme_admin"  # sites, people and licences of the whole programme
    PRIVACY_OFFICER = "privacy_officer"
    PATIENT = "patient"  # a seat's only: they come by its link, no account has this role
    # Not people's roles but ways to come:
    ANYONE = "anyone"  # no proof of anything
    SIGNED_IN = "signed_in"  # any account, whatever its roles


class Relation(StrEnum):
    """How somebody stands to a case, a consultation, a recording or a seat."""

    ANY = "any"  # none needed
    OWN_SITE = "own_site"  # the case is their site's
    SITE_TAKES_PART = "site_takes_part"  # their site has the case or a seat in the consultation
    INVITED = "invited"  # named on the case
    FOLLOWS = "follows"  # follows the patient afterwards
    OWN_SEAT = "own_seat"  # their account's seat, or the seat whose credential they hold
    RECENT_SEAT = "recent_seat"  # a seat of theirs in the case is to come, runs, or was sat in lately
    SEAT_OF_OWN_SITE = "seat_of_own_site"  # the seat is one of their site's
    OWN_CALENDAR = "own_calendar"
    BREAK_GLASS = "break_glass"  # they broke the glass for its patient, and it is still open
    CALENDAR_OF_OWN_SITE = "calendar_of_own_site"  # the site's, one of its rooms' or people's
    AT_OWN_SITE = "at_own_site"  # the site, or somebody of it
    SELF = "self"  # their own account
