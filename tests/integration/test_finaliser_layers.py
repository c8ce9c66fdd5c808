"""A camera that came in layers: each is a track of its own, the high one bears the plain name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from media.recordstore.verify import verify_journal
from tests.support.recorded import NS, RECORDING, Packet, Person, in_order, mean_colour
from tests.support.studio import ROOM_KEY, Studio, track

HIGH = Person("seat-synthetic-0001", colour=(100, 90, 200), video_ssrc=0x2222, video_rtp=0x1234_5678)
LOW = replace(HIGH, colour=(160, 200, 90), video_ssrc=0x3333, video_rtp=0xFFFF_0000, seq=7)
"""The same camera; another colour, so that a mistaken layer would be seen."""
SECONDS = 12.0
AWAY = (4.0, 8.0)
"""When the high layer is not sent, session seconds."""


def layer(packets: Iterable[Packet], rid: str) -> list[Packet]:
    return [replace(packet, rid=rid) for packet in packets]


def recorded(tmp_path: Path) -> Studio:
    studio = Studio(tmp_path)
    wall = studio.wall_ns
    high = layer(HIGH.video(0.5, SECONDS, wall), "h")
    high = [packet for packet in high if not AWAY[0] * NS <= packet.at_ns < AWAY[1] * NS]
    low = layer(LOW.video(0.5, SECONDS, wall), "l")
    sound = list(HIGH.audio(0.5, SECONDS, wall))
    studio.session({HIGH.peer: in_order(iter(high), iter(low), iter(sound))})
    return studio


def test_both_layers_are_tracks_and_what_one_lacks_is_named(tmp_path: Path) -> None:
    studio = recorded(tmp_path)
    result = studio.finalise()
    assert result["failed"] == []
    high, low = (track(result, HIGH.peer, "camera", rid) for rid in ("h", "l"))
    assert (high["id"], low["id"]) == (f"{HIGH.peer}-camera", f"{HIGH.peer}-camera-l")
    assert len(result["index"]["tracks"]) == 3
    assert low["gaps"] == []
    (gap,) = high["gaps"]
    assert gap["cause"] == "layer_off"
    assert abs(gap["from"] - AWAY[0] * 1000) < 150
    # Pictures begin again with a key frame; the studio sends one every two seconds.
    assert AWAY[1] * 1000 - 50 < gap["to"] <= AWAY[1] * 1000 + 2100
    assert abs(high["offset_ms"] - low["offset_ms"]) < 20
    for found, person in ((high, HIGH), (low, LOW)):
        with studio.open(found) as container:
            colours = [mean_colour(frame) for frame in container.decode(video=0)]
        assert len(colours) == found["frames"]
        assert all(abs(colour[0] - person.colour[0]) < 12 for colour in colours)
        assert len(found["key_frames_ms"]) >= 4


def test_verify_names_them_alike(tmp_path: Path) -> None:
    studio = recorded(tmp_path)
    report = verify_journal(studio.journal, RECORDING, studio.keys, ROOM_KEY)
    tracks = {found["id"]: found for found in report["tracks"]}  # type: ignore[attr-defined]
    assert set(tracks) == {f"{HIGH.peer}-{name}" for name in ("audio", "camera", "camera-l")}
    assert [gap["cause"] for gap in tracks[f"{HIGH.peer}-camera"]["gaps"]] == ["layer_off"]


def test_a_page_without_layers_continues_the_high_track(tmp_path: Path) -> None:
    studio = recorded(tmp_path)
    wall = studio.wall_ns
    later = replace(HIGH, video_ssrc=0x4444)
    studio.session({HIGH.peer: list(later.video(20.0, 4.0, wall))})
    result = studio.finalise()
    ids = [found["id"] for found in result["index"]["tracks"] if found["kind"] == "camera"]
    assert ids == [f"{HIGH.peer}-camera", f"{HIGH.peer}-camera-l"]
    high = track(result, HIGH.peer, "camera", "h")
    assert high["present"][-1][1] > 23_500
