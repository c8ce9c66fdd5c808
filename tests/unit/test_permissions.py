"""The permissions table says what the programme's table of roles says."""

from __future__ import annotations

import pytest

from server.domain.life import LIFE, SYSTEM
from server.domain.permissions import (
    ABILITIES,
    GUESTS,
    PERMISSIONS,
    Action,
    Relation,
    Role,
    abilities,
    allowed,
    chaired,
    page_abilities,
)

R = Relation
EVERY_RELATION = set(Relation) - {R.BREAK_GLASS}  # it has a test of its own
OPEN = {Role.ANYONE, Role.SIGNED_IN}


def may(action: Action, relations: set[Relation]) -> set[str]:
    people = set(Role) - {Role.ANYONE, Role.SIGNED_IN}
    return {str(role) for role in people if allowed(action, [role], relations)}


def test_every_action_has_a_row() -> None:
    assert set(PERMISSIONS) == set(Action)
    assert all(PERMISSIONS.values())


def test_a_referral_is_written_at_its_own_site_and_read_by_those_who_work_on_it() -> None:
    physician = {"referring_physician"}
    for action in (Action.REFERRAL_DRAFT, Action.REFERRAL_SUBMIT):
        assert may(action, EVERY_RELATION) == may(action, {R.OWN_SITE}) == physician
        assert may(action, EVERY_RELATION - {R.OWN_SITE}) == set()
    assert may(Action.CASE_OPEN, set()) == physician
    for relations in (EVERY_RELATION, set(), {R.INVITED}, {R.FOLLOWS}, {R.OWN_SITE}, {R.SITE_TAKES_PART}):
        assert may(Action.REFERRAL_READ, relations) == may(Action.CASE_READ, relations)


def test_a_referral_is_returned_by_coordinator_or_the_invited_and_answered_by_the_invited() -> None:
    assert may(Action.REFERRAL_RETURN, EVERY_RELATION) == {"coordinator", "consulting_physician"}
    assert may(Action.REFERRAL_RETURN, {R.OWN_SITE}) == {"coordinator"}
    assert may(Action.REFERRAL_ANSWER, {R.INVITED}) == {"consulting_physician"}
    assert may(Action.REFERRAL_ANSWER, EVERY_RELATION - {R.INVITED}) == set()


def test_a_site_operator_registers_patients_and_opens_nothing_clinical() -> None:
    assert may(Action.PATIENT_REGISTER, set()) == {"referring_physician", "site_operator"}
    assert may(Action.DEMOGRAPHICS_WRITE, {R.OWN_SITE}) == {"referring_physician", "site_operator"}
    assert may(Action.DEMOGRAPHICS_READ, set()) == {"coordinator"}
    clinical = [Action.CASE_READ, Action.REFERRAL_READ, Action.REFERRAL_DRAFT, Action.RECORDING_LIST]
    for action in [*clinical, Action.RECORDING_WATCH, Action.CASE_OPEN, Action.SPECIALTY_READ]:
        assert "site_operator" not in may(action, EVERY_RELATION), action


#: The move of a case that a route makes, by its action.
MOVES = {
    Action.REFERRAL_SUBMIT: "submit",
    Action.REFERRAL_RETURN: "return",
    Action.REFERRAL_ANSWER: "answer",
    Action.CASE_CANCEL: "cancel",
    Action.CASE_REOPEN: "reopen",
    Action.CASE_END: "end",
}


@pytest.mark.parametrize("action", MOVES)
def test_who_may_ask_for_a_move_is_who_the_life_of_a_case_lets_make_it(action: Action) -> None:
    by = {str(role) for move in LIFE if move.name == MOVES[action] for role in move.by} - {SYSTEM}
    assert may(action, EVERY_RELATION) == by


def test_recordings_are_watched_by_invited_consultants_and_those_who_follow() -> None:
    assert may(Action.RECORDING_WATCH, EVERY_RELATION) == {"consulting_physician", "reviewer"}
    assert may(Action.RECORDING_WATCH, {R.INVITED}) == {"consulting_physician"}
    assert may(Action.RECORDING_WATCH, {R.FOLLOWS}) == {"reviewer"}
    assert may(Action.RECORDING_WATCH, {R.OWN_SITE, R.SITE_TAKES_PART, R.OWN_SEAT}) == set()


def test_an_interpreter_a_site_admin_and_a_privacy_officer_never_open_a_case() -> None:
    assert may(Action.CASE_READ, EVERY_RELATION).isdisjoint({"interpreter", "site_admin", "privacy_officer"})


def test_broken_glass_opens_what_is_read_of_a_patient_and_nothing_that_is_changed_or_taken_away() -> None:
    opened = {action for action in Action if may(action, {R.BREAK_GLASS}) - may(action, set())}
    assert opened == {
        Action.CASE_READ,
        Action.REFERRAL_READ,
        Action.DOCUMENT_READ,
        Action.DEMOGRAPHICS_READ,
        Action.SPECIALTY_READ,
        Action.PATIENT_NAME,
        Action.GLOSSARY_READ,
        Action.RECEIPT_READ,
        Action.RECORDING_LIST,
        Action.RECORDING_WATCH,
        Action.RECORDING_CONSULT,
        Action.CHAT_REVIEW,
        Action.CONDUCT_REVIEW,
    }
    who = {"privacy_officer", "referring_physician", "consulting_physician"}
    for action in opened:
        assert may(action, {R.BREAK_GLASS}) - may(action, set()) <= who, action
    assert may(Action.BREAK_GLASS, EVERY_RELATION) == who
    assert may(Action.BREAK_GLASS_LIST, EVERY_RELATION) == {"privacy_officer"}
    assert "case.read" not in page_abilities(["privacy_officer"])


def test_the_audit_is_a_privacy_officers_and_a_site_admin_sees_who_signed_in() -> None:
    for action in (Action.AUDIT_READ, Action.AUDIT_EXPORT):
        assert may(action, EVERY_RELATION) == {"privacy_officer"}
    assert may(Action.AUDIT_LOGINS, EVERY_RELATION) == {"site_admin"}


def test_holds_are_the_privacy_officers_and_a_coordinator_only_sees_what_will_go() -> None:
    assert may(Action.RETENTION_HOLD, EVERY_RELATION) == {"privacy_officer"}
    assert may(Action.RETENTION_READ, EVERY_RELATION) == {"privacy_officer", "coordinator"}


def test_consent_is_withdrawn_at_ones_own_seat_or_by_the_referring_physician_for_their_site() -> None:
    assert may(Action.SEAT_WITHDRAW, {R.OWN_SEAT}) == {
        "referring_physician",
        "consulting_physician",
        "interpreter",
    }
    assert may(Action.SEAT_WITHDRAW, {R.SEAT_OF_OWN_SITE}) == {"referring_physician"}
    assert may(Action.SEAT_WITHDRAW, set()) == set()


def test_whoever_holds_a_seat_learns_of_its_past_and_may_have_it_destroyed_and_nobody_else() -> None:
    for action in (Action.SEAT_PAST, Action.SEAT_DESTROY):
        assert may(action, {R.OWN_SEAT}) == {
            "referring_physician",
            "consulting_physician",
            "interpreter",
            "patient",
        }
        assert may(action, EVERY_RELATION - {R.OWN_SEAT}) == set()


def test_the_chat_is_for_those_in_the_room_and_afterwards_for_those_who_may_watch() -> None:
    seated = {"referring_physician", "consulting_physician", "interpreter", "patient"}
    for action in (Action.ROOM_CHAT, Action.CHAT_READ):
        assert may(action, {R.OWN_SEAT}) == seated
        assert may(action, EVERY_RELATION - {R.OWN_SEAT}) == set()
    for relations in (EVERY_RELATION, {R.INVITED}, {R.FOLLOWS}, {R.OWN_SITE, R.OWN_SEAT}):
        assert may(Action.CONDUCT_REVIEW, relations) == may(Action.RECORDING_WATCH, relations)
        assert may(Action.CHAT_REVIEW, relations) == may(Action.RECORDING_WATCH, relations)


def test_a_glossary_is_prepared_by_interpreter_physicians_coordinator_and_confirmed_by_physicians() -> None:
    physicians = {"referring_physician", "consulting_physician"}
    assert may(Action.GLOSSARY_WRITE, EVERY_RELATION) == physicians | {"interpreter", "coordinator"}
    assert may(Action.GLOSSARY_CONFIRM, EVERY_RELATION) == physicians
    assert may(Action.GLOSSARY_READ, set()) == {"coordinator"}
    assert may(Action.GLOSSARY_READ, {R.FOLLOWS}) == {"coordinator", "reviewer"}
    assert may(Action.GLOSSARY_WRITE, {R.SITE_TAKES_PART}) == {"coordinator"}
    for action in (Action.GLOSSARY_READ, Action.GLOSSARY_WRITE):
        assert "interpreter" in may(action, {R.RECENT_SEAT})
        assert "interpreter" not in may(action, EVERY_RELATION - {R.RECENT_SEAT}), "not for ever"
    assert may(Action.SEAT_GLOSSARY_WRITE, {R.OWN_SEAT}) == physicians | {"interpreter"}
    assert may(Action.SEAT_GLOSSARY_CONFIRM, {R.OWN_SEAT}) == physicians


def test_an_interpreter_says_when_they_will_be_there_and_a_coordinator_may_say_it_for_them() -> None:
    assert may(Action.SEAT_ARRIVAL, EVERY_RELATION) == {"interpreter"}
    assert may(Action.ARRIVAL_TELL, EVERY_RELATION) == {"coordinator"}


def test_interpreters_hours_are_a_coordinators_to_export() -> None:
    assert may(Action.HOURS_EXPORT, EVERY_RELATION) == {"coordinator"}


def test_hours_are_booked_by_a_coordinator_and_calendars_kept_by_who_they_belong_to() -> None:
    assert may(Action.SCHEDULE_WRITE, EVERY_RELATION) == {"coordinator"}
    everywhere = {"coordinator", "programme_admin"}
    assert may(Action.INTERPRETERS, EVERY_RELATION) == everywhere
    assert allowed(Action.FEED_OWN, ["interpreter"], ())
    for action in (Action.CALENDAR_READ, Action.CALENDAR_WRITE):
        assert may(action, set()) == everywhere
        assert may(action, {R.CALENDAR_OF_OWN_SITE}) == everywhere | {"site_admin"}
        assert may(action, {R.OWN_CALENDAR}) == may(action, EVERY_RELATION)
        assert "privacy_officer" not in may(action, EVERY_RELATION)


def test_hospitals_are_proposed_by_a_coordinator_and_departments_kept_for_the_whole_programme() -> None:
    assert may(Action.MATCH, EVERY_RELATION) == {"coordinator"}
    assert may(Action.DEPARTMENT_WRITE, EVERY_RELATION) == {"coordinator", "programme_admin"}
    assert may(Action.DEPARTMENT_READ, EVERY_RELATION) == {"coordinator", "site_admin", "programme_admin"}


def test_a_site_is_tested_by_its_people_and_the_board_of_sites_is_a_coordinators() -> None:
    assert may(Action.SELF_TEST, set()) == may(Action.SELF_TEST_READ, {R.AT_OWN_SITE})
    assert "privacy_officer" not in may(Action.SELF_TEST, EVERY_RELATION)
    assert may(Action.SELF_TEST_READ, set()) == may(Action.SITE_CHECKS, EVERY_RELATION) == {"coordinator"}


def test_sites_and_licences_are_the_programmes_and_a_sites_people_its_own_admins() -> None:
    assert may(Action.SITE_ADD, EVERY_RELATION) == may(Action.LICENCE_VERIFY, EVERY_RELATION)
    assert may(Action.SITE_ADD, EVERY_RELATION) == {"programme_admin"}
    for action in (Action.SITE_WRITE, Action.PERSON_ADD, Action.PERSON_WRITE, Action.PERSON_LEAVE):
        assert may(action, EVERY_RELATION - {R.AT_OWN_SITE}) == {"programme_admin"}
        assert may(action, {R.AT_OWN_SITE}) == {"programme_admin", "site_admin"}
    assert may(Action.PERSON_READ, {R.AT_OWN_SITE}) == {"programme_admin", "coordinator", "site_admin"}
    assert allowed(Action.PERSON_READ, ["reviewer"], {R.SELF})
    assert allowed(Action.LICENCE_WRITE, ["consulting_physician"], {R.SELF})
    assert not allowed(Action.LICENCE_VERIFY, ["consulting_physician", "site_admin"], EVERY_RELATION)


def test_an_administrator_of_people_sees_nothing_clinical() -> None:
    for action in (Action.CASE_READ, Action.DEMOGRAPHICS_READ, Action.RECORDING_LIST, Action.SCHEDULE_READ):
        assert "programme_admin" not in may(action, EVERY_RELATION)


def test_only_an_interpreter_opens_a_session_and_all_seats_see_how() -> None:
    assert may(Action.ROOM_CONDUCT, EVERY_RELATION) == {"interpreter"}
    assert may(Action.CONDUCT_READ, {R.OWN_SEAT}) == may(Action.ROOM_CHAT, {R.OWN_SEAT})


def test_renderings_are_flagged_by_who_may_watch_and_answered_at_ones_own_seat() -> None:
    for relations in (EVERY_RELATION, {R.INVITED}, {R.FOLLOWS}, {R.OWN_SITE, R.OWN_SEAT}):
        assert may(Action.RENDERING_FLAG, relations) == may(Action.RECORDING_WATCH, relations)
    assert may(Action.RENDERING_ANSWER, {R.OWN_SEAT}) == {"interpreter"}
    assert may(Action.RENDERING_ANSWER, EVERY_RELATION - {R.OWN_SEAT}) == set()
    assert may(Action.RENDERING_OWN, set()) == {"interpreter"}


def test_a_site_admin_a_site_operator_and_a_privacy_officer_see_when_and_who_but_no_specialty() -> None:
    plain = {"site_admin", "site_operator", "privacy_officer"}
    assert plain <= may(Action.SCHEDULE_READ, {R.SITE_TAKES_PART, R.OWN_SITE})
    assert may(Action.SPECIALTY_READ, EVERY_RELATION) == may(Action.SCHEDULE_READ, EVERY_RELATION) - plain


def test_a_case_of_another_site_is_closed_to_a_referring_physician() -> None:
    assert not allowed(Action.CASE_READ, ["referring_physician"], {R.SITE_TAKES_PART, R.INVITED})
    assert allowed(Action.CASE_READ, ["referring_physician"], {R.OWN_SITE})


def test_a_coordinator_sees_schedules_but_never_content() -> None:
    assert allowed(Action.SCHEDULE_READ, ["coordinator"], ())
    assert not allowed(Action.RECORDING_WATCH, ["coordinator"], EVERY_RELATION)
    assert not allowed(Action.ROOM_JOIN, ["coordinator"], EVERY_RELATION)


@pytest.mark.parametrize("role", ["", "anyone_else", "ANYONE", "Reviewer"])
def test_an_unknown_role_counts_for_nothing(role: str) -> None:
    assert not allowed(Action.CASE_READ, [role], EVERY_RELATION)
    assert abilities(role, verified=True) == frozenset()


def test_a_role_named_like_a_way_to_come_gains_nothing() -> None:
    assert not allowed(Action.CASE_READ, ["anyone", "signed_in"], EVERY_RELATION)


def test_abilities_of_the_seats() -> None:
    everything = frozenset(ABILITIES) - {"conduct", "interpret"}  # the interpreter's own
    assert abilities("consulting_physician", verified=True) == everything
    assert abilities("referring_physician", verified=True) == everything
    assert abilities("consulting_physician", verified=False) == everything - {"admit"}
    own = {"floor", "interpret", "conduct"}
    assert abilities("interpreter", verified=True) == {"join", "mode", "chat", "term"} | own


def test_a_patient_is_in_the_room_writes_in_its_chat_and_decides_what_is_kept_of_them_and_no_more() -> None:
    assert abilities("patient", verified=False) == abilities("patient", verified=True) == {"join", "chat"}
    assert chaired("patient") == frozenset()
    assert {action for action in Action if allowed(action, ["patient"], EVERY_RELATION)} == {
        *(action for action, row in PERMISSIONS.items() if not row.keys().isdisjoint(OPEN)),
        Action.SEAT_READ,
        Action.SEAT_CONSENT,
        Action.SEAT_PAST,
        Action.SEAT_DESTROY,
        Action.CHAT_READ,
        Action.ARRIVAL_READ,
        Action.CONDUCT_READ,
        Action.ROOM_JOIN,
        Action.ROOM_CHAT,
    }


def test_a_patients_name_is_not_in_the_lists_of_who_must_not_know_whose_case_it_is() -> None:
    assert may(Action.PATIENT_NAME, EVERY_RELATION).isdisjoint({"site_admin", "privacy_officer", "patient"})
    assert may(Action.PATIENT_NAME, {R.SITE_TAKES_PART}) == {"coordinator"}


def test_no_account_is_given_a_patients_role() -> None:
    from server.commands.user import PEOPLE

    assert {Role.PATIENT} == GUESTS
    assert GUESTS.isdisjoint(PEOPLE)


def test_what_a_physician_may_do_only_while_they_chair() -> None:
    always = chaired("referring_physician")
    assert always == {"end", "pause", "mode", "floor"}
    assert chaired("consulting_physician") == always | {"step_out"}
    assert chaired("interpreter") == frozenset()


def test_pages_learn_only_what_an_account_could_do() -> None:
    assert "recording.watch" in page_abilities(["reviewer"])
    assert "recording.watch" not in page_abilities(["interpreter"])
    assert not any(each.startswith("room.") for each in page_abilities(["consulting_physician"]))


def test_consents_are_written_at_the_patients_site_and_read_by_who_works_on_the_case() -> None:
    assert may(Action.CONSENT_GIVE, EVERY_RELATION) == {"referring_physician", "site_operator"}
    assert may(Action.CONSENT_GIVE, EVERY_RELATION - {R.OWN_SITE}) == set()
    assert may(Action.CONSENT_READ, set()) == {"coordinator", "privacy_officer"}
    assert may(Action.CONSENT_READ, EVERY_RELATION) == {
        "referring_physician", "site_operator", "consulting_physician", "coordinator", "reviewer",
        "privacy_officer",
    }  # fmt: skip


def test_what_holds_between_two_sites_is_changed_by_their_administrators_and_the_privacy_officer() -> None:
    assert may(Action.POLICY_WRITE, EVERY_RELATION) == {"site_admin", "privacy_officer"}
    assert may(Action.POLICY_READ, EVERY_RELATION) == {"site_admin", "privacy_officer", "coordinator"}
