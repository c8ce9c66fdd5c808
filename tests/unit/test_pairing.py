"""Who rendered what, measured against the timing scripts, and the rules one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random

import pytest

from server.domain.pairing import Pair, interpreted
from server.domain.talk import Change, Person, Settings, Utterance, own_words, utterances
from tests.support.long_talk import drawn, held_seeds
from tests.support.pairing import (
    DEVELOPING,
    MEASURING,
    Count,
    Scene,
    changes,
    count,
    heard,
    scenes,
    seeds_by_hash,
)

KP = Person("kp", "consulting_physician", ("ko",))
LP = Person("lp", "referring_physician", ("ru",))
IN = Person("in", "interpreter", ("ru", "ko"))
PEOPLE = (KP, LP, IN)


def pairs(
    people: Sequence[Person], settings: Settings, sounds: Mapping[str, Iterable[tuple[int, int]]]
) -> list[Pair]:
    return interpreted(people, settings, sounds).pairs


def part(one: Utterance) -> tuple[str, int, int]:
    return one.person, one.from_ms, one.to_ms


def measured(scene: Scene, seed: int) -> Count:
    told = heard(scene, seed)
    people = [Person(name, role, speaks) for name, (role, speaks) in scene.people.items()]
    settings = Settings([Change(*each) for each in changes(told.timeline)])
    found = [
        (part(said), part(pair.rendered))
        for pair in pairs(people, settings, told.sounds)
        for said in pair.said
    ]
    return count(told, found)


@pytest.mark.parametrize("seeds", [DEVELOPING, MEASURING], ids=["developing", "measuring"])
def test_nineteen_of_twenty_pairs_found_are_right_and_nineteen_of_twenty_right_ones_are_found(
    seeds: Iterable[int],
) -> None:
    every = Count()
    for scene in scenes():
        of_scene = Count()
        for seed in seeds:
            of_scene += measured(scene, seed)
        assert of_scene.precision >= 0.9, (scene.name, of_scene)
        assert of_scene.recall >= 0.95, (scene.name, of_scene)
        every += of_scene
    assert every.precision >= 0.95, every
    assert every.recall >= 0.95, every


@pytest.mark.parametrize(
    ("held", "precision", "coarse", "recall"), [(False, 0.95, 0.98, 0.95), (True, 0.9, 0.96, 0.95)]
)
def test_long_simultaneous_talk_is_paired_sentence_by_sentence(
    held: bool, precision: float, coarse: float, recall: float
) -> None:
    every = Count()
    for scene in scenes("long"):
        if scene.held == held:
            for seed in seeds_by_hash(scene) if held else DEVELOPING:
                every += measured(scene, seed)
    assert every.recall >= recall, every
    assert every.precision >= precision, every
    assert 1 - (every.wrong - every.coarse) / (every.right + every.wrong) >= coarse, every


def test_what_is_drawn_and_cannot_be_told_by_time_alone_gets_no_worse() -> None:
    every = Count()
    for seed in held_seeds():
        for variation in (1, 2, 3):
            every += measured(drawn(seed), variation)
    assert every.precision >= 0.68, every
    assert every.recall >= 0.8, every


def test_an_hour_of_simultaneous_talk_is_paired_in_a_moment() -> None:
    random = Random(1)
    talk: dict[str, list[tuple[int, int]]] = {"kp": [], "in": []}
    for who, begin in (("kp", 1000), ("in", 4000)):
        at = begin
        while at < 3_600_000:
            stop = at + random.randint(900, 3500)
            talk[who].append((at, stop))
            at = stop + random.choice((random.randint(210, 450), random.randint(400, 900)))
    told = (Change(0, "mode", "", "simultaneous"), Change(0, "direction", "in", "ko>ru"))
    assert len(found(talk, *told)) > 300


def test_words_put_in_by_the_other_side_part_nothing() -> None:
    told = (Change(0, "mode", "", "simultaneous"), Change(0, "direction", "in", "ko>ru"))
    sounds = {"kp": [(0, 3000), (3300, 6000)], "in": [(2800, 5600), (5900, 8700)], "lp": [(3000, 4400)]}
    assert found(sounds, *told) == [([0], 2)]


def test_what_is_left_over_of_simultaneous_talk_is_told_in_one_piece() -> None:
    told = (Change(0, "mode", "", "simultaneous"), Change(0, "direction", "in", "ko>ru"))
    heard_of = interpreted(PEOPLE, Settings(told), {"in": [(5000, 7000), (7300, 9000), (12_000, 14_000)]})
    assert [(one.from_ms, one.to_ms) for one in heard_of.rest] == [(5000, 9000), (12_000, 14_000)]
    assert heard_of.pairs == heard_of.own == []


def found(sounds: dict[str, list[tuple[int, int]]], *told: Change) -> list[tuple[list[int], int]]:
    """Pairs by when their parts begin, in seconds."""
    result: list[Pair] = pairs(PEOPLE, Settings(told), sounds)
    return [([each.from_ms // 1000 for each in one.said], one.rendered.from_ms // 1000) for one in result]


def test_a_sentence_and_what_follows_it_in_the_other_language_are_a_pair() -> None:
    [pair] = pairs(PEOPLE, Settings(), {"kp": [(1000, 5000)], "in": [(5600, 9800)]})
    assert (pair.source, pair.target, pair.mode) == ("ko", "ru", "consecutive")


def test_an_interpreter_who_has_signalled_it_speaks_for_themselves() -> None:
    sounds = {"kp": [(1000, 5000)], "in": [(5600, 9800)]}
    assert found(sounds) == [([1], 5)]
    assert found(sounds, Change(5300, "signal", "in", "own_words")) == []
    assert found(sounds, Change(6200, "signal", "in", "own_words")) == []
    assert found(sounds, Change(5300, "signal", "in", "slower")) == [([1], 5)]


def test_what_an_interpreter_says_long_before_and_long_after_all_the_others_renders_nothing() -> None:
    sounds = {"kp": [(30_000, 34_000)], "in": [(5000, 8000), (34_700, 38_500), (45_000, 48_000)]}
    assert found(sounds) == [([30], 34)]


def test_people_of_one_language_who_confer_are_not_all_rendered_by_what_renders_the_last_of_them() -> None:
    other = Person("kq", "consulting_physician", ("ko",))
    sounds = {"kq": [(1000, 5000)], "kp": [(5200, 9000)], "in": [(9700, 13_800)]}
    [pair] = pairs([*PEOPLE, other], Settings(), sounds)
    assert [each.person for each in pair.said] == ["kp"]
    both = {**sounds, "in": [(9700, 17_500)]}
    [pair] = pairs([*PEOPLE, other], Settings(), both)
    assert [each.person for each in pair.said] == ["kq", "kp"]


def test_a_signal_parts_what_was_said_before_it_from_what_comes_after() -> None:
    spoken = utterances("in", [(1000, 3000), (3200, 5000)], edges=[3100])
    assert [each.from_ms for each in spoken] == [1000, 3200]
    told = Settings([Change(3100, "signal", "in", "own_words")])
    assert own_words(told, "in", spoken) == {spoken[1]}


def test_what_the_room_did_not_hear_renders_nothing() -> None:
    sounds = {"kp": [(1000, 5000)], "in": [(5600, 9800)]}
    for kind in ("partner", "silenced", "out"):
        line = (Change(5200, kind, "in", "on"), Change(10_000, kind, "in", "off"))
        assert found(sounds, *line) == [], kind


def test_simultaneous_goes_by_the_direction_that_was_set() -> None:
    sounds = {"kp": [(0, 6000)], "lp": [(300, 6200)], "in": [(2800, 9000)]}
    mode = Change(0, "mode", "", "simultaneous")
    assert found(sounds, mode, Change(0, "direction", "in", "ko>ru")) == [([0], 2)]
    [pair] = pairs(PEOPLE, Settings([mode, Change(0, "direction", "", "ru>ko")]), sounds)
    assert (pair.said[0].person, pair.target) == ("lp", "ko")


def test_yes_and_a_cough_are_no_utterances_but_pauses_are_inside_one() -> None:
    spoken = utterances("kp", [(0, 300), (5000, 6000), (6400, 8000), (20_000, 20_700)])
    assert [(each.from_ms, each.to_ms, each.sound_ms) for each in spoken] == [(5000, 8000, 2600)]


def test_an_interpreter_of_one_language_and_a_room_without_one_have_no_pairs() -> None:
    sounds = {"kp": [(1000, 5000)], "lp": [(5600, 9800)]}
    assert found(sounds) == []
    assert (
        pairs([KP, Person("in", "interpreter", ("ko",))], Settings(), sounds | {"in": [(5600, 9800)]}) == []
    )


def test_an_interpreter_of_three_languages_renders_into_the_one_that_is_needed() -> None:
    three = Person("in", "interpreter", ("en", "ru", "ko"))
    [pair] = pairs([KP, LP, three], Settings(), {"kp": [(1000, 5000)], "in": [(5600, 9800)]})
    assert pair.target == "ru"
    told = Settings([Change(0, "direction", "in", "ko>en")])
    [pair] = pairs([KP, LP, three], told, {"kp": [(1000, 5000)], "in": [(5600, 9800)]})
    assert pair.target == "en"


def test_two_hours_are_paired_in_a_moment() -> None:
    turns = range(0, 7_200_000, 20_000)
    sounds = {
        "kp": [(at, at + 4000) for at in turns],
        "in": [(at + 4600, at + 8800) for at in turns] + [(at + 14_600, at + 19_000) for at in turns],
        "lp": [(at + 10_000, at + 14_000) for at in turns],
    }
    assert len(found(sounds)) == 2 * len(turns)
