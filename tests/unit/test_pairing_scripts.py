"""The timing scripts and the counting against them are themselves right."""

from __future__ import annotations

from dataclasses import replace

from tests.support.long_talk import TRAINING, drawn, held_seeds
from tests.support.pairing import DEVELOPING, MEASURING, Scene, count, heard, scenes, seeds_by_hash


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


def test_in_long_talk_no_rendering_begins_before_what_it_renders_nor_ends_before_it() -> None:
    for scene in scenes("long"):
        for rendered in {rendered for _, rendered in scene.pairs}:
            interpreter, begins, _ = scene.speech[rendered]
            said = [scene.speech[told] for told, label in scene.pairs if label == rendered]
            assert scene.people[interpreter][0] == "interpreter"
            assert interpreter not in {person for person, _, _ in said}
            assert min(start for _, start, _ in said) < begins
        for told in {told for told, _ in scene.pairs}:
            ends = [scene.speech[rendered][2] for said, rendered in scene.pairs if said == told]
            assert max(ends) > scene.speech[told][2]


def test_a_variation_keeps_the_order_and_moves_everything() -> None:
    scene = scenes()[0]
    one, other = heard(scene, 0), heard(scene, 2)
    assert one.sounds != other.sounds
    assert heard(scene, 0) == one
    starts = [start for _, start, _ in one.speech.values()]
    assert starts == sorted(starts)


def test_the_truth_itself_counts_as_all_right() -> None:
    for scene in [*scenes(), *scenes("long")]:
        told = heard(scene, 1)
        counted = count(told, ((told.speech[said], told.speech[rendered]) for said, rendered in scene.pairs))
        assert (counted.right, counted.wrong, counted.missed) == (len(scene.pairs), 0, 0)


def test_what_pairs_a_cough_counts_as_wrong_and_what_is_left_out_as_missed() -> None:
    scene = scenes()[0]
    told = heard(replace(scene, noise=[]), 1)
    said, rendered = told.speech["k1"], told.speech["i1"]
    counted = count(told, [(said, rendered), (said, ("in", 100, 300)), (said, told.speech["i2"])])
    assert (counted.right, counted.wrong, counted.missed) == (1, 2, len(scene.pairs) - 1)


def test_half_of_the_long_scenes_is_held_and_their_seeds_are_of_their_own_text() -> None:
    long = scenes("long")
    held = [scene for scene in long if scene.held]
    assert 2 * len(held) == len(long) == 12
    for scene in held:
        assert min(seeds_by_hash(scene)) > max(MEASURING)
    for scene in long:
        talking = max(stop - start for start, stop in _joined(scene))
        assert talking > 20_000, scene.name


def _joined(scene: Scene) -> list[tuple[int, int]]:
    """Stretches in which somebody goes on while another renders them."""
    spans = sorted((start, stop) for _, start, stop in scene.speech.values())
    joined = [spans[0]]
    for start, stop in spans[1:]:
        if start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stop))
        else:
            joined.append((start, stop))
    return joined


def test_scenes_that_are_drawn_hold_together_and_nobody_has_chosen_those_that_are_held() -> None:
    held = held_seeds()
    assert len(set(held)) == 10
    assert not set(held) & set(TRAINING)
    for seed in [*TRAINING, *held]:
        scene = drawn(seed)
        assert len(scene.pairs) >= 10
        assert {scene.people[who][0] for _, label in scene.pairs for who in scene.speech[label][:1]} == {
            "interpreter"
        }
        told = heard(scene, 1)
        counted = count(told, ((told.speech[said], told.speech[rendered]) for said, rendered in scene.pairs))
        assert (counted.right, counted.wrong, counted.missed) == (len(scene.pairs), 0, 0)
