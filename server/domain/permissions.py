"""Who may do what: one table, role × action × relation. Routes, sockets and pages read only this.

It must not load anything: the caller says which relations hold (`server/services/access.py` finds out).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from server.domain.actions import Action as Action
from server.domain.roles import Relation as Relation
from server.domain.roles import Role as Role

Row = dict[Role, frozenset[Relation]]


def _by(relation: Relation, *roles: Role) -> Row:
    return {role: frozenset({relation}) for role in roles}


_LP, _KP, _IN = Role.REFERRING_PHYSICIAN, Role.CONSULTING_PHYSICIAN, Role.INTERPRETER
_LO = Role.SITE_OPERATOR
_KC, _RV, _SA, _PO = Role.COORDINATOR, Role.REVIEWER, Role.SITE_ADMIN, Role.PRIVACY_OFFICER
_PA = Role.PROGRAMME_ADMIN
_PT = Role.PATIENT
_R = Relation

#: Who reads what is not theirs for a while, with a reason, and is written down. They change nothing.
_GLASS: Final[Row] = _by(_R.BREAK_GLASS, _PO, _LP, _KP)


def _or_glass(row: Row) -> Row:
    return {role: row.get(role, frozenset()) | _GLASS.get(role, frozenset()) for role in {**row, **_GLASS}}


#: Who reads a case.
_CASE: Final[Row] = _or_glass(
    {
        _LP: frozenset({_R.OWN_SITE}),
        _KP: frozenset({_R.INVITED}),
        _KC: frozenset({_R.ANY}),
        _RV: frozenset({_R.FOLLOWS}),
    }
)
#: Who may take away what was recorded of it, and write beside it.
_WATCH: Final[Row] = {_KP: frozenset({_R.INVITED}), _RV: frozenset({_R.FOLLOWS})}
#: Who may watch it.
_LOOK: Final[Row] = _or_glass(_WATCH)
_CALENDAR: Final[Row] = {
    **_by(_R.OWN_CALENDAR, _LP, _KP, _IN, _RV),
    **_by(_R.ANY, _KC, _PA),
    _SA: frozenset({_R.OWN_CALENDAR, _R.CALENDAR_OF_OWN_SITE}),
}
#: Who keeps a site and its people.
_KEEPS: Final[Row] = {_PA: frozenset({_R.ANY}), _SA: frozenset({_R.AT_OWN_SITE})}

PERMISSIONS: Final[dict[Action, Row]] = {
    Action.PAGE: _by(_R.ANY, Role.ANYONE),
    Action.HEALTH: _by(_R.ANY, Role.ANYONE),
    Action.SIGN_IN: _by(_R.ANY, Role.ANYONE),
    Action.SIGN_OUT: _by(_R.ANY, Role.SIGNED_IN),
    Action.PASSWORD_RESET: _by(_R.ANY, Role.ANYONE),
    Action.ACCOUNT_ACTIVE: _by(_R.ANY, Role.SIGNED_IN),
    Action.ACCOUNT_ME: _by(_R.ANY, Role.SIGNED_IN),
    Action.ACCOUNT_PROVE: _by(_R.ANY, Role.SIGNED_IN),
    Action.ACCOUNT_SECURITY: _by(_R.ANY, Role.SIGNED_IN),
    Action.ACCOUNT_READ: _by(_R.ANY, Role.SIGNED_IN),
    Action.ACCOUNT_REVOKE: _by(_R.ANY, Role.SIGNED_IN),
    Action.WORKLIST: _by(_R.ANY, Role.SIGNED_IN),
    Action.SCHEDULE_READ: {
        _LO: frozenset({_R.OWN_SITE}),
        _LP: frozenset({_R.OWN_SITE, _R.OWN_SEAT}),
        _KP: frozenset({_R.INVITED, _R.OWN_SEAT}),
        _IN: frozenset({_R.OWN_SEAT}),
        _KC: frozenset({_R.ANY}),
        _RV: frozenset({_R.FOLLOWS}),
        _SA: frozenset({_R.SITE_TAKES_PART}),
        _PO: frozenset({_R.ANY}),
    },
    Action.SCHEDULE_WRITE: _by(_R.ANY, _KC),
    Action.CALENDAR_READ: _CALENDAR,
    Action.CALENDAR_WRITE: _CALENDAR,
    Action.SITE_ADD: _by(_R.ANY, _PA),
    Action.SITE_LIST: _by(_R.ANY, _PA, _KC, _SA, _LO),
    Action.SITE_READ: {**_by(_R.ANY, _PA, _KC), **_by(_R.AT_OWN_SITE, _SA, _LO)},
    Action.SITE_WRITE: _KEEPS,
    Action.PERSON_LIST: _by(_R.ANY, _PA, _KC, _SA),
    Action.PERSON_READ: {
        **_by(_R.ANY, _PA, _KC),
        _SA: frozenset({_R.AT_OWN_SITE}),
        Role.SIGNED_IN: frozenset({_R.SELF}),
    },
    Action.PERSON_ADD: _KEEPS,
    Action.PERSON_WRITE: _KEEPS,
    Action.PERSON_LEAVE: _KEEPS,
    Action.SECOND_STEP_RESET: _KEEPS,
    Action.LICENCE_WRITE: {**_KEEPS, Role.SIGNED_IN: frozenset({_R.SELF})},
    Action.LICENCE_VERIFY: _by(_R.ANY, _PA),
    Action.HOURS_AT_RISK: _by(_R.ANY, _KC),
    Action.SELF_TEST: _by(_R.ANY, _LP, _LO, _KP, _IN, _KC, _RV, _SA),
    Action.SELF_TEST_READ: {**_by(_R.AT_OWN_SITE, _LP, _LO, _KP, _IN, _RV, _SA), _KC: frozenset({_R.ANY})},
    Action.SITE_CHECKS: _by(_R.ANY, _KC),
    Action.FEED_OWN: _by(_R.ANY, Role.SIGNED_IN),
    Action.FEED_READ: _by(_R.ANY, Role.ANYONE),
    Action.INTERPRETERS: _by(_R.ANY, _KC, _PA),
    Action.SPECIALTY_READ: _or_glass(
        {
            _LP: frozenset({_R.OWN_SITE, _R.OWN_SEAT}),
            _KP: frozenset({_R.INVITED, _R.OWN_SEAT}),
            _IN: frozenset({_R.OWN_SEAT}),
            _KC: frozenset({_R.ANY}),
            _RV: frozenset({_R.FOLLOWS}),
        }
    ),
    Action.PATIENT_NAME: _or_glass(
        {
            _LP: frozenset({_R.OWN_SITE, _R.OWN_SEAT}),
            _KP: frozenset({_R.INVITED, _R.OWN_SEAT}),
            _IN: frozenset({_R.RECENT_SEAT}),
            _KC: frozenset({_R.ANY}),
            _RV: frozenset({_R.FOLLOWS}),
        }
    ),
    Action.CASE_READ: _CASE,
    Action.CASE_LIST: _by(_R.ANY, Role.SIGNED_IN),
    Action.CASE_OPEN: _by(_R.ANY, _LP),
    Action.CASE_CANCEL: {_LP: frozenset({_R.OWN_SITE}), _KC: frozenset({_R.ANY})},
    Action.CASE_END: {_LP: frozenset({_R.OWN_SITE}), _KP: frozenset({_R.INVITED})},
    Action.CASE_REOPEN: {
        _LP: frozenset({_R.OWN_SITE}),
        _KP: frozenset({_R.INVITED}),
        _KC: frozenset({_R.ANY}),
        _RV: frozenset({_R.FOLLOWS}),
    },
    Action.PATIENT_REGISTER: _by(_R.ANY, _LP, _LO),
    Action.DEMOGRAPHICS_READ: _or_glass({**_by(_R.OWN_SITE, _LP, _LO), _KC: frozenset({_R.ANY})}),
    Action.DEMOGRAPHICS_WRITE: _by(_R.OWN_SITE, _LP, _LO),
    Action.REFERRAL_FORM: _by(_R.ANY, Role.SIGNED_IN),
    Action.REFERRAL_DRAFT: _by(_R.OWN_SITE, _LP),
    Action.REFERRAL_SUBMIT: _by(_R.OWN_SITE, _LP),
    Action.REFERRAL_READ: _CASE,
    Action.REFERRAL_RETURN: {_KP: frozenset({_R.INVITED}), _KC: frozenset({_R.ANY})},
    Action.REFERRAL_ANSWER: _by(_R.INVITED, _KP),
    Action.DOCUMENT_READ: {**_CASE, _LO: frozenset({_R.OWN_SITE})},  # an operator: what they brought
    Action.DOCUMENT_ADD: {
        **_by(_R.OWN_SITE, _LP, _LO),
        _KP: frozenset({_R.INVITED}),
        _KC: frozenset({_R.ANY}),
    },
    Action.MATCH: _by(_R.ANY, _KC),
    Action.DEPARTMENT_READ: _by(_R.ANY, _KC, _SA, _PA),
    Action.DEPARTMENT_WRITE: _by(_R.ANY, _KC, _PA),
    Action.MATCHING_RULES: _by(_R.ANY, _KC, _KP),
    Action.RECORDING_LIST: _CASE,
    Action.RECORDING_WATCH: _LOOK,
    # what the patient keeps from follow-up review: `services/follow_up.py` says until when they are invited
    Action.RECORDING_CONSULT: _or_glass(_by(_R.INVITED, _KP)),
    Action.RETENTION_READ: _by(_R.ANY, _KC, _PO),
    Action.RETENTION_HOLD: _by(_R.ANY, _PO),
    Action.BREAK_GLASS: _by(_R.ANY, _PO, _LP, _KP),
    Action.BREAK_GLASS_LIST: _by(_R.ANY, _PO),
    Action.AUDIT_OWN: _by(_R.ANY, Role.SIGNED_IN),
    Action.AUDIT_LOGINS: _by(_R.ANY, _SA),
    Action.AUDIT_READ: _by(_R.ANY, _PO),
    Action.AUDIT_EXPORT: _by(_R.ANY, _PO),
    Action.AUDIT_REVIEW: _by(_R.ANY, _PO),
    Action.AUDIT_ACKNOWLEDGE: _by(_R.ANY, _PO),
    Action.RECEIPT_READ: {**_CASE, _IN: frozenset({_R.OWN_SEAT}), _PO: frozenset({_R.ANY})},
    Action.CONSENT_READ: {
        **_by(_R.OWN_SITE, _LP, _LO),
        **_by(_R.ANY, _KC, _PO),
        _KP: frozenset({_R.INVITED}),
        _RV: frozenset({_R.FOLLOWS}),
    },
    Action.CONSENT_GIVE: _by(_R.OWN_SITE, _LP, _LO),
    Action.CONSENT_OWN: _by(_R.ANY, Role.ANYONE),
    Action.POLICY_READ: _by(_R.ANY, _KC, _SA, _PO),
    Action.POLICY_WRITE: _by(_R.ANY, _SA, _PO),
    Action.SEAT_TEXTS: _by(_R.ANY, Role.ANYONE),
    # one's own seat; the referring physician also for whoever sits at another seat of that site: the patient
    Action.SEAT_WITHDRAW: {
        _LP: frozenset({_R.OWN_SEAT, _R.SEAT_OF_OWN_SITE}),
        _KP: frozenset({_R.OWN_SEAT}),
        _IN: frozenset({_R.OWN_SEAT}),
    },
    Action.RECORDING_EXPORT: _WATCH,
    Action.CHAT_READ: _by(_R.OWN_SEAT, _LP, _KP, _IN, _PT),
    Action.CHAT_REVIEW: _LOOK,
    Action.SEAT_ARRIVAL: _by(_R.OWN_SEAT, _IN),
    Action.ARRIVAL_TELL: _by(_R.ANY, _KC),
    Action.ARRIVAL_READ: _by(_R.OWN_SEAT, _LP, _KP, _IN, _PT),
    Action.HOURS_EXPORT: _by(_R.ANY, _KC),
    Action.CONDUCT_READ: _by(_R.OWN_SEAT, _LP, _KP, _IN, _PT),
    Action.CONDUCT_REVIEW: _LOOK,
    Action.RENDERING_FLAG: _WATCH,
    Action.RENDERING_OWN: _by(_R.ANY, _IN),
    Action.RENDERING_ANSWER: _by(_R.OWN_SEAT, _IN),
    Action.SEAT_TAKE: _by(_R.OWN_SEAT, _LP, _KP, _IN),
    Action.SEAT_DECLINE: _by(_R.OWN_SEAT, _LP, _KP, _IN),
    Action.SEAT_REDEEM: _by(_R.ANY, Role.ANYONE),
    Action.SEAT_KNOCK: _by(_R.ANY, Role.ANYONE),
    Action.SEAT_PROBE: _by(_R.ANY, Role.ANYONE),
    Action.SEAT_READ: _by(_R.OWN_SEAT, _LP, _KP, _IN, _PT),
    Action.SEAT_CONSENT: _by(_R.OWN_SEAT, _LP, _KP, _IN, _PT),
    Action.SEAT_PAST: _by(_R.OWN_SEAT, _LP, _KP, _IN, _PT),
    Action.SEAT_DESTROY: _by(_R.OWN_SEAT, _LP, _KP, _IN, _PT),
    Action.GLOSSARY_LIST: _by(_R.ANY, _LP, _KP, _IN, _KC, _RV),
    Action.GLOSSARY_READ: {**_CASE, _IN: frozenset({_R.RECENT_SEAT})},
    Action.GLOSSARY_WRITE: {
        _LP: frozenset({_R.OWN_SITE}),
        _KP: frozenset({_R.INVITED}),
        _IN: frozenset({_R.RECENT_SEAT}),
        _KC: frozenset({_R.ANY}),
    },
    Action.GLOSSARY_CONFIRM: {
        _LP: frozenset({_R.OWN_SITE}),
        _KP: frozenset({_R.INVITED}),
    },
    Action.SEAT_GLOSSARY_READ: _by(_R.OWN_SEAT, _LP, _KP, _IN),
    Action.SEAT_GLOSSARY_WRITE: _by(_R.OWN_SEAT, _LP, _KP, _IN),
    Action.SEAT_GLOSSARY_CONFIRM: _by(_R.OWN_SEAT, _LP, _KP),
    Action.ROOM_JOIN: _by(_R.OWN_SEAT, _LP, _KP, _IN, _PT),
    Action.ROOM_END: _by(_R.OWN_SEAT, _LP, _KP),  # see AS_CHAIR
    Action.ROOM_PAUSE: _by(_R.OWN_SEAT, _LP, _KP),
    Action.ROOM_MODE: _by(_R.OWN_SEAT, _LP, _KP, _IN),
    Action.ROOM_FLOOR: _by(_R.OWN_SEAT, _LP, _KP, _IN),
    Action.ROOM_INTERPRET: _by(_R.OWN_SEAT, _IN),
    Action.ROOM_ADMIT: _by(_R.OWN_SEAT, _LP, _KP),  # and only verified
    Action.ROOM_STEP_OUT: _by(_R.OWN_SEAT, _LP, _KP),
    Action.ROOM_CHAT: _by(_R.OWN_SEAT, _LP, _KP, _IN, _PT),
    Action.ROOM_TERM: _by(_R.OWN_SEAT, _LP, _KP, _IN),
    Action.ROOM_CONDUCT: _by(_R.OWN_SEAT, _IN),
}

#: Who may do it only while they chair.
AS_CHAIR: Final[dict[Action, frozenset[Role]]] = {
    Action.ROOM_END: frozenset({_LP, _KP}),
    Action.ROOM_PAUSE: frozenset({_LP, _KP}),
    Action.ROOM_MODE: frozenset({_LP, _KP}),
    Action.ROOM_FLOOR: frozenset({_LP, _KP}),
    Action.ROOM_STEP_OUT: frozenset({_KP}),  # the referring physician at any time
}

#: The socket's word for an ability → the action it needs.
ABILITIES: Final[dict[str, Action]] = {
    "join": Action.ROOM_JOIN,
    "end": Action.ROOM_END,
    "pause": Action.ROOM_PAUSE,
    "mode": Action.ROOM_MODE,
    "admit": Action.ROOM_ADMIT,
    "step_out": Action.ROOM_STEP_OUT,
    "chat": Action.ROOM_CHAT,
    "term": Action.ROOM_TERM,
    "conduct": Action.ROOM_CONDUCT,
    "floor": Action.ROOM_FLOOR,
    "interpret": Action.ROOM_INTERPRET,
}

#: Who sits by a link alone: no account is ever given these.
GUESTS: Final = frozenset({_PT})

#: Actions proven by a seat's own cookie instead of an account's session.
BY_SEAT_CREDENTIAL: Final = frozenset(
    {
        Action.SEAT_READ,
        Action.SEAT_CONSENT,
        Action.SEAT_PAST,
        Action.SEAT_DESTROY,
        Action.CHAT_READ,
        Action.SEAT_GLOSSARY_READ,
        Action.SEAT_GLOSSARY_WRITE,
        Action.SEAT_GLOSSARY_CONFIRM,
        Action.CONDUCT_READ,
        Action.SEAT_ARRIVAL,
        Action.ARRIVAL_READ,
        *ABILITIES.values(),
    }
)

#: Abilities that somebody who came by link alone does not get.
VERIFIED_ONLY: Final = frozenset({Action.ROOM_ADMIT})


def is_open(action: Action) -> bool:
    """Whether no proof at all is needed."""
    return Role.ANYONE in PERMISSIONS[action]


def allowed(action: Action, roles: Iterable[str], relations: Iterable[Relation]) -> bool:
    """Whether somebody with these roles and relations may; unknown roles count for nothing."""
    row = PERMISSIONS[action]
    if Role.ANYONE in row:
        return True
    held = {*relations, Relation.ANY}
    mine = {*roles, Role.SIGNED_IN}
    return any(role in mine and not held.isdisjoint(needed) for role, needed in row.items())


def abilities(role: str, *, verified: bool) -> frozenset[str]:
    """What a seat of this role may do in its room; being chair is decided there."""
    return frozenset(
        word
        for word, action in ABILITIES.items()
        if role in PERMISSIONS[action] and (verified or action not in VERIFIED_ONLY)
    )


def chaired(role: str) -> frozenset[str]:
    """Which of these a seat of this role has only while it chairs."""
    return frozenset(word for word, action in ABILITIES.items() if role in AS_CHAIR.get(action, ()))


def page_abilities(roles: Iterable[str]) -> list[str]:
    """Actions that some relation would allow to an account of these roles: pages show their links by it.

    What only broken glass would open is not among them.
    """
    mine = {*roles, Role.SIGNED_IN}
    return sorted(
        action.value
        for action, row in PERMISSIONS.items()
        if action not in BY_SEAT_CREDENTIAL
        and Role.ANYONE not in row
        and any(role in mine and held != {Relation.BREAK_GLASS} for role, held in row.items())
    )
