"""The life of a case: one table, and the one function that applies a row of it. Pure.

A row says: who may move a case, from where to where, what must hold, and what the audit chain says of it.
The order of the day is `draft → submitted → (returned) → matched → (answered) → scheduled → ready →
prebrief → live → ended → opinions → decision → in_korea → follow_up ⇄ review → outcome → closed ⇄
reopened`. Beside it stand no_show, cancelled, interrupted, emergency. What becomes of *recordings*
(held, expired, destroyed) is a recording's and not a case's: `server/domain/retention.py`.

It must not know who somebody is (`permissions.py` and its relations do) nor when.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from server.domain.errors import Refused
from server.domain.permissions import Role


class State(StrEnum):
    DRAFT = "draft"  # being written at the referring site; nobody else knows of it
    SUBMITTED = "submitted"
    RETURNED = "returned"  # something is missing: the referring physician has it
    MATCHED = "matched"  # somebody at the other end is asked
    ANSWERED = "answered"  # in writing
    SCHEDULED = "scheduled"
    READY = "ready"  # its patient has answered, and agrees to be seen
    PREBRIEF = "prebrief"  # the professionals talk first
    LIVE = "live"
    ENDED = "ended"
    OPINIONS = "opinions"  # waited for
    DECISION = "decision"  # of the patient and the referring physician
    IN_KOREA = "in_korea"
    FOLLOW_UP = "follow_up"  # waits for the next date
    REVIEW = "review"  # what came at that date is looked at
    OUTCOME = "outcome"  # known and written down
    CLOSED = "closed"
    REOPENED = "reopened"
    # beside it
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    EMERGENCY = "emergency"


S = State
#: Nothing leaves these but a reopening, with a reason.
TERMINAL: Final = frozenset({S.CLOSED, S.CANCELLED})
_MET: Final = (S.PREBRIEF, S.LIVE, S.INTERRUPTED, S.ENDED)
#: Superseded while somebody at the other end has it, also while they talk and after.
_SENT: Final = (S.SUBMITTED, S.MATCHED, S.SCHEDULED, S.READY, *_MET)
#: Where a referral may get a first or another version.
WRITABLE: Final = frozenset({S.DRAFT, S.RETURNED, S.REOPENED, *_SENT})
#: Of these, where nobody has met about the patient yet: whose case it is may still be put right.
UNMET: Final = WRITABLE - {*_MET}


class Guard(StrEnum):
    """What must hold. The value is the code of the refusal when it does not."""

    COMPLETE = "referral_incomplete"  # the minimum data set of the specialty, and of the patient
    VERIFIED = "not_verified"  # the actor's licence was checked
    REASON = "reason_missing"
    INVITED = "nobody_invited"  # a consulting physician is named on the case
    ANSWER = "answer_empty"
    BOOKED = "not_booked"  # an hour, with physicians, interpreter and room
    CONSENTS = "consent_missing"  # everybody who must be asked was asked
    OPINION = "opinion_missing"  # every opinion asked for is signed
    PLAN = "plan_missing"  # dates of the follow-up
    OUTCOME = "outcome_missing"


#: Not a person: the room, the clock, a check that ran. Nobody can sign in as it.
SYSTEM: Final = "system"
#: For a target: the state stays as it is; or goes back to where a side state was entered from.
SAME: Final = "same"
BACK: Final = "back"

G = Guard
_LP, _KP, _KC, _RV = (
    Role.REFERRING_PHYSICIAN,
    Role.CONSULTING_PHYSICIAN,
    Role.COORDINATOR,
    Role.REVIEWER,
)


@dataclass(frozen=True, slots=True)
class Move:
    """A row: `name`, from any of `sources` to `target`, by any of `by`, if all of `needs` hold."""

    name: str
    sources: tuple[State, ...]
    target: str
    by: tuple[str, ...]
    needs: tuple[Guard, ...]
    audit: str


_BEFORE_TALK = (S.SUBMITTED, S.RETURNED, S.MATCHED, S.ANSWERED, S.SCHEDULED, S.READY, S.NO_SHOW, S.REOPENED)
#: After one hour may come another, whatever became of the first.
_TALKED = (S.ENDED, S.OPINIONS, S.DECISION)
_AGAIN = (S.FOLLOW_UP, S.REVIEW, S.REOPENED, S.NO_SHOW, S.INTERRUPTED)

LIFE: Final[tuple[Move, ...]] = tuple(
    Move(*row)
    for row in (
        # name, from, to, by, needs, audit
        # the referral
        ("submit", (S.DRAFT,), S.SUBMITTED, (_LP,), (G.VERIFIED, G.COMPLETE), "case_submitted"),
        ("submit", (S.RETURNED, S.REOPENED), S.SUBMITTED, (_LP,), (G.VERIFIED, G.COMPLETE),
            "case_resubmitted"),
        ("submit", _SENT, SAME, (_LP,), (G.VERIFIED, G.COMPLETE), "case_superseded"),
        ("return", (S.SUBMITTED,), S.RETURNED, (_KC,), (G.REASON,), "case_returned"),
        ("return", (S.MATCHED,), S.RETURNED, (_KC, _KP), (G.REASON,), "case_returned"),
        # who is asked
        ("match", (S.SUBMITTED, S.REOPENED), S.MATCHED, (_KC,), (G.INVITED,), "case_matched"),
        ("rematch", (S.MATCHED, S.ANSWERED, S.SCHEDULED, S.READY, S.NO_SHOW, S.INTERRUPTED, S.ENDED),
            S.MATCHED, (_KC,), (G.INVITED, G.REASON), "case_rematched"),
        ("decline", (S.MATCHED,), S.SUBMITTED, (_KP,), (G.REASON,), "case_declined"),
        ("answer", (S.MATCHED,), S.ANSWERED, (_KP,), (G.VERIFIED, G.ANSWER), "case_answered"),
        ("ask_further", (S.ANSWERED,), S.MATCHED, (_LP, _KC), (G.REASON,), "case_asked_further"),
        # the hour
        ("schedule", (S.MATCHED, S.ANSWERED, *_TALKED, *_AGAIN), S.SCHEDULED, (_KC, SYSTEM), (G.BOOKED,),
            "case_scheduled"),
        ("reschedule", (S.SCHEDULED, S.READY), S.SCHEDULED, (_KC,), (G.BOOKED,), "case_rescheduled"),
        ("reschedule", (S.PREBRIEF, S.LIVE), SAME, (_KC,), (G.BOOKED,), "case_rescheduled"),
        ("unschedule", (S.SCHEDULED, S.READY, S.PREBRIEF), S.MATCHED, (_KC,), (G.REASON,),
            "case_unscheduled"),
        ("unschedule_talked", (S.SCHEDULED, S.READY, S.PREBRIEF), S.ENDED, (_KC,), (G.REASON,),
            "case_unscheduled"),
        ("prepare", (S.SCHEDULED,), S.READY, (SYSTEM, _KC), (G.CONSENTS,), "case_ready"),
        ("unprepare", (S.READY,), S.SCHEDULED, (SYSTEM, _KC), (G.REASON,), "case_not_ready"),
        ("no_show", (S.SCHEDULED, S.READY, S.PREBRIEF), S.NO_SHOW, (SYSTEM, _KC), (G.REASON,),
            "case_no_show"),
        # the room
        ("open", (S.MATCHED, S.ANSWERED, S.SCHEDULED, S.READY), S.PREBRIEF, (SYSTEM,), (), "case_prebrief"),
        ("leave", (S.PREBRIEF,), S.SCHEDULED, (SYSTEM,), (), "case_left"),
        ("begin", (S.PREBRIEF,), S.LIVE, (SYSTEM,), (), "case_live"),
        ("interrupt", (S.LIVE,), S.INTERRUPTED, (SYSTEM,), (G.REASON,), "case_interrupted"),
        ("resume", (S.INTERRUPTED,), S.LIVE, (SYSTEM,), (), "case_resumed"),
        ("end", (S.LIVE, S.INTERRUPTED, S.EMERGENCY), S.ENDED, (SYSTEM, _LP, _KP), (), "case_ended"),
        ("alarm", (S.PREBRIEF, S.LIVE, S.INTERRUPTED, S.IN_KOREA, S.FOLLOW_UP, S.REVIEW), S.EMERGENCY,
            (_LP, _KP, _RV), (G.REASON,), "case_emergency"),
        ("stand_down", (S.EMERGENCY,), BACK, (_LP, _KP, _RV), (G.REASON,), "case_emergency_over"),
        # what comes of it
        ("collect", (S.ENDED,), S.OPINIONS, (SYSTEM, _KC), (), "case_opinions_asked"),
        ("conclude", (S.OPINIONS,), S.DECISION, (_KP,), (G.VERIFIED, G.OPINION), "case_concluded"),
        ("travel", (S.DECISION,), S.IN_KOREA, (_KC,), (), "case_in_korea"),
        ("follow", (S.DECISION, S.IN_KOREA, S.ANSWERED, S.REOPENED), S.FOLLOW_UP, (_KP, _RV), (G.PLAN,),
            "case_follow_up"),
        ("report", (S.FOLLOW_UP,), S.REVIEW, (SYSTEM, _LP, _RV), (), "case_review"),
        ("reviewed", (S.REVIEW,), S.FOLLOW_UP, (_KP, _RV), (G.PLAN,), "case_reviewed"),
        ("settle", (S.ANSWERED, S.DECISION, S.IN_KOREA, S.FOLLOW_UP, S.REVIEW, S.REOPENED), S.OUTCOME,
            (_LP, _KP, _RV), (G.OUTCOME,), "case_outcome"),
        ("close", (S.OUTCOME,), S.CLOSED, (_KC, _RV), (G.OUTCOME,), "case_closed"),
        ("cancel", (S.DRAFT,), S.CANCELLED, (_LP,), (G.REASON,), "case_cancelled"),
        ("cancel", (*_BEFORE_TALK, S.INTERRUPTED), S.CANCELLED, (_LP, _KC), (G.REASON,), "case_cancelled"),
        ("reopen", (S.CLOSED, S.CANCELLED), S.REOPENED, (_LP, _KC, _KP, _RV), (G.REASON,), "case_reopened"),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a case is; `before`: where it goes back to from a side state that it will leave again."""

    state: State
    before: State | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What was done: the row, where the case was and is, and by whom. `detail` is for the audit chain."""

    move: Move
    was: Standing
    now: Standing
    by: str
    detail: dict[str, int | str] = field(default_factory=dict)


def rows(name: str, source: State) -> list[Move]:
    """The table's rows of this name from there: one or none."""
    return [move for move in LIFE if move.name == name and source in move.sources]


def moves_from(state: State, role: str) -> list[str]:
    """What somebody of this role could do with a case that stands there, if everything held."""
    return [move.name for move in LIFE if state in move.sources and role in move.by]


def apply(standing: Standing, name: str, roles: Iterable[str], holds: Iterable[Guard]) -> Step:
    """The next standing. The first of `roles` that may counts as the actor.

    Raises Refused `wrong_state` (no such row from there), `forbidden` (not by these), or the code of the
    first guard that does not hold.
    """
    found = rows(name, standing.state)
    if not found:
        raise Refused("wrong_state")
    move = found[0]
    actor = next((role for role in roles if role in move.by), None)
    if actor is None:
        raise Refused("forbidden")
    held = frozenset(holds)
    for guard in move.needs:
        if guard not in held:
            raise Refused(guard.value)
    after = _after(standing, move)
    return Step(
        move,
        standing,
        after,
        actor,
        {"from": standing.state.value, "to": after.state.value, "by": str(actor)},
    )


def _after(standing: Standing, move: Move) -> Standing:
    if move.target == SAME:
        return standing
    if move.target == BACK:
        if standing.before is None:
            raise Refused("wrong_state")
        return Standing(standing.before)
    target = State(move.target)
    return Standing(target, standing.state if target is S.EMERGENCY else None)
