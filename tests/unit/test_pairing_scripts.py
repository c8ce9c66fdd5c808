"""The timing scripts and the counting against them are themselves right."""

from __future__ import annotations

from dataclasses import replace

from tests.support.pairing import DEVELOPING, MEASURING, count, heard, scenes


def test_there_are_hundreds_of_pairs_to_be_found_under_each_half_of_the_seeds() -> None:
    pairs = sum(len(scene.pairs) for scene in scenes())
    assert len(scenes()) >= 12
    assert pairs * len(DEVELOPING) > 500
    assert not set(DEVELOPING) & set(MEASURING)


def test_every_pair_is_of_an_interpreter_and_somebody_else_who_ended_before() -> None:
    for scene in scenes():
        for said, rendered in scene.pairs:
            (speaker, _, ended), (interpreter, _, done) = scene.speech[said], scene.speech[rendered]
            assert scene.people[interpreter][0] == "interpreter"
            assert speaker != interpreter
            assert ended < done


def test_a_variation_keeps_the_order_and_moves_everything() -> None:
    scene = scenes()[0]
    one, other = heard(scene, 0), heard(scene, 2)
    assert one.sounds != other.sounds
    assert heard(scene, 0) == one
    starts = [start for _, start, _ in one.speech.values()]
    assert starts == sorted(starts)


def test_the_truth_itself_counts_as_all_right() -> None:
    for scene in scenes():
        told = heard(scene, 1)
        counted = count(told, ((told.speech[said], told.speech[rendered]) for said, rendered in scene.pairs))
        assert (counted.right, counted.wrong, counted.missed) == (len(scene.pairs), 0, 0)


def test_what_pairs_a_cough_counts_as_wrong_and_what_is_left_out_as_missed() -> None:
    scene = scenes()[0]
    told = heard(replace(scene, noise=[]), 1)
    said, rendered = told.speech["k1"], told.speech["i1"]
    counted = count(told, [(said, rendered), (said, ("in", 100, 300)), (said, told.speech["i2"])])
    assert (counted.right, counted.wrong, counted.missed) == (1, 2, len(scene.pairs) - 1)
