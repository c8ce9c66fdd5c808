"""What a film shows of whom: layers, causes, seats that are gone; without making one."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from server.export import plan as plans
from server.export.plan import Material, Order
from server.export.plates import plate
from server.i18n import text
from server.storage.recordings import RecordedSeat

END = 10_000
FILM = Order("film", "grid", "ko", "Asia/Almaty", 0, END)


def track(peer: str, kind: str, present: list[list[int]], rid: str = "", **more: Any) -> dict[str, Any]:
    name = f"{peer}-{kind}" + ("-l" if rid == "l" else "")
    return {
        "id": name, "peer": peer, "kind": kind, "rid": rid, "offset_ms": present[0][0], "present": present,
        "duration_ms": present[-1][1] - present[0][0], "gaps": [], **more,
    }  # fmt: skip


def material(*tracks: dict[str, Any], gone: tuple[str, ...] = (), gaps: list[Any] | None = None) -> Material:
    roles = {"a": "referring_physician", "b": "consulting_physician", "c": "interpreter"}
    people = {
        seat: RecordedSeat(seat, role, f"Synthetic {seat}", "ru", "granted") for seat, role in roles.items()
    }
    index = {"recording": "rec", "started_at_ms": 1_790_000_000_000, "duration_ms": END}
    index |= {"tracks": list(tracks), "gaps": gaps or []}
    return Material(index, people, gone, "C-1", synthetic=True)


def film(found: Material, order: Order = FILM) -> tuple[dict[str, Any], list[str]]:
    plan = plans.film(found, order)
    assert plan is not None
    return plan.job, plan.sources


def test_of_two_layers_the_sharp_one_is_asked_first_and_the_other_fills_in() -> None:
    low = track("a", "camera", [[0, END]], "l")
    high = track("a", "camera", [[3000, END]], "h", gaps=[{"from": 0, "to": 3000, "cause": "layer_off"}])
    job, sources = film(material(low, high))
    (tile,) = job["tiles"]
    assert [sources[view["source"]] for view in tile["views"]] == ["a-camera", "a-camera-l"]
    still = plans.still(material(low, high), Order("still", from_ms=1000, track="a-camera"))
    assert still is not None
    assert still.sources == ["a-camera-l"]
    still = plans.still(material(low, high), Order("still", from_ms=5000, track="a-camera"))
    assert still is not None
    assert still.sources == ["a-camera"]


def test_for_teaching_roles_stand_in_the_place_of_names_and_nothing_tells_whose_case_it_is() -> None:
    found = material(*[track("a", kind, [[0, END]]) for kind in ("audio", "camera")])
    named, nameless = film(found)[0], film(found, replace(FILM, teaching=True))[0]
    role = text("ko", "role-referring_physician")
    assert named["tiles"][0]["plate"] == encoded(plate("Synthetic a", role))
    assert nameless["tiles"][0]["plate"] == encoded(plate(role, ""))
    assert named["bar"]["picture"] == film(found)[0]["bar"]["picture"]
    assert named["bar"]["picture"] != nameless["bar"]["picture"]
    unlabelled = replace(found, case_label="")
    assert nameless["bar"]["picture"] == film(unlabelled, replace(FILM, teaching=True))[0]["bar"]["picture"]
    still = plans.still(found, Order("still", from_ms=1000, track="a-camera", teaching=True))
    assert still is not None
    assert still.job["note"] == ""


def encoded(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


def test_a_seat_whose_key_is_gone_is_neither_seen_nor_heard_nor_listed() -> None:
    both = [track(seat, kind, [[0, END]]) for seat in "ab" for kind in ("audio", "camera")]
    found = material(*both, gone=("b",))
    job, sources = film(found)
    assert len(job["tiles"]) == len(job["voices"]) == 1
    assert not [name for name in sources if name.startswith("b-")]
    assert found.contained(FILM) == ["a"]
    assert plans.film(material(*both, gone=("a", "b")), FILM) is None


def test_tiles_stand_in_the_order_of_roles_and_each_picture_has_its_own() -> None:
    tracks = [
        track("c", "audio", [[0, END]]),
        track("b", "camera", [[0, END]]),
        track("a", "camera", [[0, END]]),
    ]
    job, sources = film(material(*tracks, track("a", "exam", [[0, END]])))
    seen = [[sources[view["source"]] for view in tile["views"]] for tile in job["tiles"]]
    assert seen == [["a-camera"], ["a-exam"], ["b-camera"], []]


def test_a_clip_contains_whom_it_touches() -> None:
    found = material(track("a", "camera", [[0, 2000]]), track("b", "camera", [[5000, END]]))
    assert found.contained(Order("clip", from_ms=2500, to_ms=6000)) == ["b"]
    assert found.contained(Order("clip", from_ms=1000, to_ms=6000)) == ["a", "b"]


@pytest.mark.parametrize("cause", ["no_consent", "paused", "worker_lost", "store_slow", "something_new"])
def test_every_cause_has_a_panel_of_its_own(cause: str) -> None:
    camera = track("a", "camera", [[0, 2000], [4000, END]], gaps=[{"from": 2000, "to": 4000, "cause": cause}])
    job, _ = film(material(camera, track("a", "audio", [[0, END]])))
    (tile,) = job["tiles"]
    first = next(number for start, end, number in tile["panels"] if start <= 3000 < end)
    blank = tile["blank"]
    assert job["panels"][first] != job["panels"][blank]
    with Image.open(io.BytesIO(base64.b64decode(job["panels"][first]))) as drawn:
        assert drawn.width > 100


def test_a_voice_without_a_picture_says_that_the_camera_is_off() -> None:
    job, _ = film(material(track("a", "audio", [[1000, 5000]])))
    (tile,) = job["tiles"]
    spans = [(start, end) for start, end, _ in tile["panels"]]
    assert spans == [(1000, 5000)]
    assert tile["voice"] == 0
