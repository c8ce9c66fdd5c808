"""The table of who hears whom, cell by cell, and what follows from it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from signaling.interpretation import (
    RULES,
    Cell,
    Direction,
    Voice,
    available,
    both_open,
    fallen_back,
    first_direction,
    heard,
    hearing,
    renders_for,
    routes,
    spoken,
)
from signaling.wire_interpreting import Hearing, Level, ModeWord

RU_KO, KO_RU = Direction("ru", "ko"), Direction("ko", "ru")
RU = Voice("ru", ("ru",))
KO = Voice("ko", ("ko",))
BOTH = Voice("both", ("ru", "ko"))
EN = Voice("en", ("en",))
FIRST = Voice("first", ("ru", "ko"), interprets=True, direction=RU_KO)
SECOND = Voice("second", ("ru", "ko"), interprets=True, direction=RU_KO, muted=True)
MODES: tuple[ModeWord, ...] = ("consecutive", "simultaneous")


def row(listener: Voice, *others: Voice, mode: ModeWord = "simultaneous") -> dict[str, Level]:
    return heard(mode, (listener, *others), listener)


def test_in_consecutive_mode_everyone_hears_everyone_whatever_they_chose() -> None:
    people = (RU, KO, BOTH, EN, FIRST)
    for listener, choice in itertools.product(people, ("original", "interpreted", "both")):
        chosen = replace(listener, chosen=choice)
        others = [one for one in people if one is not listener]
        assert set(row(chosen, *others, mode="consecutive").values()) == {"front"}


@pytest.mark.parametrize(
    ("choice", "ru", "first"),
    [
        (None, "off", "front"),
        ("interpreted", "off", "front"),
        ("both", "behind", "front"),
        ("original", "front", "off"),
    ],
)
def test_a_listener_of_the_target_language_hears_what_they_chose(
    choice: Hearing | None, ru: Level, first: Level
) -> None:
    assert row(replace(KO, chosen=choice), RU, FIRST) == {"ru": ru, "first": first}


def test_a_listener_of_the_source_language_hears_the_floor_and_no_interpreter() -> None:
    assert row(RU, KO, BOTH, FIRST) == {"ko": "front", "both": "front", "first": "off"}


def test_who_turns_the_direction_turns_the_table() -> None:
    turned = replace(FIRST, direction=KO_RU)
    assert row(RU, KO, turned) == {"ko": "off", "first": "front"}
    assert row(KO, RU, turned) == {"ru": "front", "first": "off"}


def test_a_bilingual_listener_has_the_original_unless_they_choose_otherwise() -> None:
    assert row(BOTH, RU, FIRST) == {"ru": "front", "first": "off"}
    assert row(replace(BOTH, chosen="both"), RU, FIRST) == {"ru": "behind", "first": "front"}
    assert (hearing(BOTH, RU_KO), hearing(KO, RU_KO), hearing(KO, None)) == (
        "original",
        "interpreted",
        "interpreted",
    )


def test_who_speaks_the_listeners_language_is_heard_as_they_are() -> None:
    other = replace(KO, id="ko2")
    assert row(KO, other, RU, FIRST)["ko2"] == "front"


def test_a_bilingual_speaker_is_taken_to_speak_the_source_language() -> None:
    assert row(KO, BOTH, FIRST) == {"both": "off", "first": "front"}


def test_a_language_that_nobody_renders_is_heard_as_it_is() -> None:
    assert row(EN, RU, KO, FIRST) == {"ru": "front", "ko": "front", "first": "off"}


def test_the_interpreter_hears_the_floor_and_no_other_interpreter() -> None:
    assert row(FIRST, RU, KO, replace(SECOND, muted=False)) == {"ru": "front", "ko": "front", "second": "off"}


def test_in_relay_the_second_interpreter_hears_the_first_and_listeners_the_second() -> None:
    kk = Voice("kk", ("kk",))
    first = Voice("a", ("kk", "ru"), interprets=True, direction=Direction("kk", "ru"))
    second = Voice("b", ("ru", "ko"), interprets=True, direction=RU_KO, listens="a")
    everyone = (kk, RU, KO, first, second)
    assert heard("simultaneous", everyone, second) == {"kk": "off", "ru": "off", "ko": "off", "a": "front"}
    assert heard("simultaneous", everyone, first) == {"kk": "front", "ru": "front", "ko": "front", "b": "off"}
    assert heard("simultaneous", everyone, KO) == {"kk": "off", "ru": "off", "a": "off", "b": "front"}
    assert heard("simultaneous", everyone, RU) == {"kk": "off", "ko": "front", "a": "front", "b": "off"}
    assert not both_open("simultaneous", everyone)
    circle = (kk, RU, KO, replace(first, listens="b"), second)
    assert heard("simultaneous", circle, KO) == heard("simultaneous", everyone, KO), "no endless round"
    gone = (kk, RU, KO, second)
    assert heard("simultaneous", gone, second)["kk"] == "front", "what is not here is not listened to"


@pytest.mark.parametrize("loss", [{"there": False}, {"out": True}, {"muted": True}])
def test_an_interpreter_who_drops_leaves_the_original_and_no_silence(loss: dict[str, bool]) -> None:
    lost = replace(FIRST, **loss)  # type: ignore[arg-type]
    assert row(KO, RU, lost)["ru"] == "front"
    assert fallen_back("simultaneous", (KO, RU, lost))
    assert not fallen_back("consecutive", (KO, RU, lost))
    assert not available(lost)


def test_an_interpreter_without_a_direction_renders_nothing() -> None:
    silent = replace(FIRST, direction=None)
    assert row(KO, RU, silent) == {"ru": "front", "first": "front"}
    assert fallen_back("simultaneous", (KO, RU, silent))
    assert not fallen_back("simultaneous", (KO, RU, silent, replace(SECOND, muted=False)))
    assert not fallen_back("consecutive", (KO, RU, silent))


def test_a_pause_of_the_interpreter_lets_nothing_through() -> None:
    quiet = replace(FIRST, mic=False)
    assert row(KO, RU, quiet) == {"ru": "off", "first": "front"}
    assert not fallen_back("simultaneous", (KO, RU, quiet))


@pytest.mark.parametrize("mode", MODES)
def test_the_partner_line_is_heard_by_the_fellow_interpreter_alone(mode: ModeWord) -> None:
    aside = replace(FIRST, partner=True)
    for listener in (RU, KO, BOTH, EN):
        assert row(listener, aside, SECOND, mode=mode)["first"] == "off"
    assert row(SECOND, aside, RU, mode=mode)["first"] == "front"
    silenced = replace(SECOND, partner=True)
    assert row(FIRST, silenced, mode=mode) == {"second": "front"}, "also while silenced"


@pytest.mark.parametrize("mode", MODES)
def test_a_silenced_interpreter_is_heard_by_nobody(mode: ModeWord) -> None:
    for listener in (RU, KO, BOTH, EN, FIRST):
        assert row(listener, SECOND, mode=mode)["second"] == "off"


@pytest.mark.parametrize("mode", MODES)
def test_who_has_stepped_out_hears_nobody_and_is_heard_by_nobody(mode: ModeWord) -> None:
    waiting = replace(RU, out=True, chosen="both")
    everyone = (waiting, KO, BOTH, FIRST, replace(SECOND, partner=True))
    assert set(heard(mode, everyone, waiting).values()) == {"off"}
    assert all(heard(mode, everyone, one)["ru"] == "off" for one in everyone if one.id != "ru")
    assert heard(mode, everyone, KO)["both"] != "off" or mode == "simultaneous"


def test_nobody_is_a_source_of_their_own() -> None:
    for mode in MODES:
        for voice in (RU, KO, FIRST):
            assert voice.id not in row(voice, EN, mode=mode)


def test_every_rule_decides_some_cell_of_some_room() -> None:
    """None of the table is dead, and the last one catches what is left."""
    used: set[str] = set()
    people = [RU, KO, BOTH, EN, FIRST, SECOND]
    for listener, source, mode in itertools.product(people, people, MODES):
        if listener is source:
            continue
        for out, partner, muted, choice, listens in itertools.product(
            (False, True), (False, True), (False, True), (None, "both"), (None, "ru")
        ):
            one = replace(listener, chosen=choice, listens=listens)
            other = replace(source, out=out, partner=partner, muted=muted)
            rest = [p for p in people if p.id not in (one.id, other.id)]
            rendering = tuple(v for v in (other, *rest) if available(v) and renders_for(v, one))
            ids = frozenset(p.id for p in (other, *rest))
            covered = frozenset(v.direction.source for v in rendering if v.direction)
            cell = Cell(mode, one, other, ids, rendering, covered)
            used.add(next(name for name, holds, _ in RULES if holds(cell)))
    assert used == {name for name, _, _ in RULES}


def test_a_listener_is_never_left_in_silence_by_languages_alone() -> None:
    """Whoever speaks is heard, or somebody who is there renders for this listener."""
    people = (RU, KO, BOTH, EN)
    for direction, there, choice in itertools.product(
        (None, RU_KO, KO_RU), (False, True), (None, "original", "interpreted", "both")
    ):
        interpreter = replace(FIRST, direction=direction, there=there)
        for listener in people:
            chosen = replace(listener, chosen=choice)
            others = [one for one in people if one is not listener]
            found = row(chosen, *others, interpreter)
            for source in others:
                assert found[source.id] != "off" or (there and found["first"] == "front")


def test_two_interpreters_into_the_same_language_are_open_at_once() -> None:
    other = replace(SECOND, muted=False)
    for mode in MODES:
        assert both_open(mode, (FIRST, other))
        for closed in ({"mic": False}, {"muted": True}, {"partner": True}, {"there": False}, {"out": True}):
            assert not both_open(mode, (FIRST, replace(other, **closed)))  # type: ignore[arg-type]


def test_an_interpreter_begins_into_the_chairs_language() -> None:
    silent = replace(FIRST, direction=None)
    assert first_direction(silent, KO, (RU, KO)) == RU_KO
    assert first_direction(silent, RU, (RU, KO)) == KO_RU
    assert first_direction(silent, EN, (EN,)) == RU_KO
    assert first_direction(replace(silent, speaks=("ru",)), KO, (RU, KO)) is None


def test_routes_are_left_out_while_everything_is_open_and_pictures_stop_for_who_is_out_only() -> None:
    assert routes("consecutive", (RU, KO, FIRST)) is None
    told = routes("simultaneous", (RU, KO, FIRST))
    assert told is not None
    assert ("ru", "audio") not in told["ko"]
    assert {("ru", "camera"), ("ru", "screen"), ("ru", "exam"), ("first", "audio")} <= set(told["ko"])
    waiting = routes("consecutive", (replace(RU, out=True), KO, FIRST))
    assert waiting is not None
    assert waiting["ru"] == ()
    assert all(source != "ru" for pairs in waiting.values() for source, _ in pairs)


def test_languages_as_the_books_write_them() -> None:
    assert spoken("ru/ko") == ("ru", "ko")
    assert spoken("EN") == ("en",)
    assert spoken("") == ()
