"""The life of a case keeps to its table: by the table, and by walks that nobody planned."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.errors import STATUS_BY_CODE, Refused
from server.domain.life import (
    BACK,
    LIFE,
    SAME,
    SYSTEM,
    TERMINAL,
    WRITABLE,
    Guard,
    Standing,
    State,
    Step,
    apply,
    moves_from,
    rows,
)
from server.domain.permissions import Role

S = State
EVERYTHING = frozenset(Guard)
ACTORS = [str(role) for role in Role] + [SYSTEM]
NAMES = sorted({move.name for move in LIFE})
BY = {"lp": "referring_physician", "kp": "consulting_physician", "kc": "coordinator", "rv": "reviewer"}


def walked(start: State, *steps: tuple[str, str]) -> list[Step]:
    standing, done = Standing(start), []
    for name, who in steps:
        done.append(apply(standing, name, [BY.get(who, who)], EVERYTHING))
        standing = done[-1].now
    return done


def test_a_name_and_a_state_have_one_row_at_most() -> None:
    for name in NAMES:
        for state in State:
            assert len(rows(name, state)) <= 1, (name, state)


def test_every_row_has_actors_an_audit_entry_and_states_that_exist() -> None:
    for move in LIFE:
        assert move.by, move
        assert set(move.by) <= {*Role, SYSTEM} - {Role.ANYONE, Role.SIGNED_IN}, move
        assert move.audit.startswith("case_"), move
        assert move.target in {*State, SAME, BACK}, move


def test_every_guard_is_a_refusal_with_a_status() -> None:
    assert not [guard for guard in Guard if guard.value not in STATUS_BY_CODE]


def test_every_state_can_be_reached_from_a_draft_and_can_be_left() -> None:
    reached, new = set[State](), {S.DRAFT}
    while new:
        reached |= new
        targets = {State(m.target) for m in LIFE if m.target in set(State) and set(m.sources) & reached}
        new = targets - reached
    assert reached == set(State)
    assert not [state for state in State if not any(state in move.sources for move in LIFE)]


def test_only_a_reopening_leaves_what_is_over() -> None:
    for state in TERMINAL:
        assert {move.name for move in LIFE if state in move.sources} == {"reopen"}


def test_a_referral_is_written_exactly_where_the_table_lets_it_be_submitted() -> None:
    assert {state for state in State if rows("submit", state)} == WRITABLE


def outcome(standing: Standing, name: str, who: str, holds: frozenset[Guard]) -> Step | str:
    try:
        return apply(standing, name, [who], holds)
    except Refused as refused:
        return refused.code


def one_step(standing: Standing, name: str, who: str, holds: frozenset[Guard]) -> Standing:
    """Applies it and holds the answer against the table, looked up here once more."""
    found = [move for move in LIFE if move.name == name and standing.state in move.sources]
    done = outcome(standing, name, who, holds)
    if isinstance(done, str):
        if not found:
            assert done == "wrong_state"
        elif who not in found[0].by:
            assert done == "forbidden"
        else:
            assert done in {guard.value for guard in found[0].needs if guard not in holds}
        return standing
    (row,) = found
    assert who in row.by
    assert set(row.needs) <= holds
    assert done.move.audit
    assert done.detail == {"from": standing.state.value, "to": done.now.state.value, "by": who}
    assert done.now.state == {SAME: standing.state, BACK: standing.before}.get(row.target, row.target)
    assert standing.state not in TERMINAL or done.now.state is S.REOPENED
    return done.now


STEPS = st.tuples(st.sampled_from([*NAMES, "made_up"]), st.sampled_from(ACTORS), st.booleans())


@settings(max_examples=40)
@given(st.lists(STEPS, max_size=25))
def test_no_walk_leaves_the_table_and_every_step_of_it_is_audited(walk: list[tuple[str, str, bool]]) -> None:
    standing = Standing(S.DRAFT)
    for name, who, all_holds in walk:
        standing = one_step(standing, name, who, EVERYTHING if all_holds else frozenset())


@pytest.mark.parametrize("seed", range(20))
def test_long_walks_along_the_table_reach_far_and_stay_on_it(seed: int) -> None:
    standing, rng, seen = Standing(S.DRAFT), random.Random(seed), {S.DRAFT}
    for _ in range(300):
        ways = [(move.name, who) for move in LIFE if standing.state in move.sources for who in move.by]
        name, who = rng.choice(ways) if rng.random() < 0.8 else (rng.choice(NAMES), rng.choice(ACTORS))
        standing = one_step(standing, name, str(who), EVERYTHING)
        seen.add(standing.state)
    assert len(seen) > 12


def test_the_long_way_through() -> None:
    steps = walked(
        S.DRAFT,
        ("submit", "lp"), ("return", "kc"), ("submit", "lp"), ("match", "kc"), ("return", "kp"),
        ("submit", "lp"), ("match", "kc"), ("answer", "kp"), ("schedule", "kc"), ("prepare", SYSTEM),
        ("open", SYSTEM), ("begin", SYSTEM), ("interrupt", SYSTEM), ("resume", SYSTEM), ("end", SYSTEM),
        ("collect", SYSTEM), ("conclude", "kp"), ("travel", "kc"), ("follow", "rv"), ("report", "lp"),
        ("reviewed", "rv"), ("report", "lp"), ("schedule", "kc"), ("no_show", "kc"), ("schedule", "kc"),
        ("open", SYSTEM), ("begin", SYSTEM), ("end", "kp"), ("collect", "kc"), ("conclude", "kp"),
        ("settle", "lp"), ("close", "kc"), ("reopen", "lp"),
        ("follow", "rv"), ("settle", "rv"), ("close", "rv"),
    )  # fmt: skip
    assert steps[-1].now.state is S.CLOSED
    assert len({step.move.audit for step in steps}) > 20


@pytest.mark.parametrize("source", [S.PREBRIEF, S.LIVE, S.FOLLOW_UP, S.IN_KOREA])
def test_an_emergency_goes_back_to_where_it_came_from(source: State) -> None:
    alarm, over = walked(source, ("alarm", "lp"), ("stand_down", "lp"))
    assert alarm.now == Standing(S.EMERGENCY, source)
    assert over.now == Standing(source)


def test_an_emergency_that_came_from_nowhere_cannot_go_back() -> None:
    with pytest.raises(Refused) as refused:
        apply(Standing(S.EMERGENCY), "stand_down", ["reviewer"], EVERYTHING)
    assert refused.value.code == "wrong_state"


def test_a_new_version_leaves_the_case_where_it_is() -> None:
    for state in (S.SUBMITTED, S.MATCHED, S.SCHEDULED, S.READY):
        (step,) = walked(state, ("submit", "lp"))
        assert (step.now.state, step.move.audit) == (state, "case_superseded")


def test_nothing_is_closed_without_an_outcome() -> None:
    assert {move.name for move in LIFE if move.target == S.CLOSED} == {"close"}
    assert all(Guard.OUTCOME in move.needs for move in LIFE if move.target in (S.CLOSED, S.OUTCOME))


def test_nothing_incomplete_is_submitted_and_nothing_by_an_unverified_account() -> None:
    for holds, code in ((EVERYTHING - {Guard.COMPLETE}, "referral_incomplete"), (set(), "not_verified")):
        with pytest.raises(Refused) as refused:
            apply(Standing(S.DRAFT), "submit", ["referring_physician"], holds)
        assert refused.value.code == code


def test_who_has_several_roles_acts_in_the_one_that_may() -> None:
    step = apply(Standing(S.SUBMITTED), "return", ["interpreter", "coordinator"], EVERYTHING)
    assert step.by == "coordinator"


def test_a_page_learns_what_a_role_could_do_next() -> None:
    assert moves_from(S.RETURNED, "referring_physician") == ["submit", "cancel"]
    assert moves_from(S.DRAFT, "coordinator") == []
    assert moves_from(S.CLOSED, "interpreter") == []
