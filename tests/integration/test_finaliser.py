"""From journal to watchable tracks, in the real child process, with real codecs on both sides."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from media.recordstore.dsse import public_key
from media.recordstore.sealed import SealedReader, final_key
from media.recordstore.verify import verify_journal, verify_manifest
from tests.support.recorded import NS, RECORDING, Packet, Person, in_order, loudest_hz, mean_colour, opus
from tests.support.studio import ROOM_KEY, SIGNING_KEY, Studio, track

ANNA = Person("seat-synthetic-0001")
BORIS = Person("seat-synthetic-0002", (200, 60, 60), 880, delay_ns=90_000_000, clock_off_ns=-3 * NS)
TOLERANCE_MS = 80


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def both(person: Person, studio: Studio, begin_s: float = 0.5, seconds: float = 6.0) -> list[Packet]:
    wall = studio.wall_ns
    return in_order(person.video(begin_s, seconds, wall), person.audio(begin_s, seconds, wall))


def sound(studio: Studio, found: dict[str, Any]) -> np.ndarray:
    """All samples of an audio track, mono; sample n is at offset + n / 48000 s."""
    container = studio.open(found)
    return np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])


def tone_at(studio: Studio, found: dict[str, Any], at_s: float) -> tuple[float, float]:
    """(frequency, loudness) of 100 ms of an audio track at a session time."""
    begin = int((at_s - found["offset_ms"] / 1000) * 48_000)
    part = sound(studio, found)[begin : begin + 4800]
    return loudest_hz(part), float(np.abs(part).mean())


def colour_at(studio: Studio, found: dict[str, Any], at_s: float) -> tuple[float, float, float]:
    """Colour of the frame that is shown at a session time."""
    shown = None
    for frame in studio.open(found).decode(video=0):
        if frame.time + found["offset_ms"] / 1000 > at_s:
            break
        shown = frame
    assert shown is not None
    return mean_colour(shown)


def near(a: tuple[float, float, float], b: tuple[int, int, int]) -> bool:
    return all(abs(x - y) < 12 for x, y in zip(a, b, strict=True))


def test_colours_and_tones_are_where_the_index_says(studio: Studio) -> None:
    studio.session({ANNA.peer: both(ANNA, studio), BORIS.peer: both(BORIS, studio, 2.0)})
    result = studio.finalise()
    assert result["chain"] == "intact"
    assert (result["failed"], result["out_of_sync"]) == ([], [])
    for person, begin in ((ANNA, 0.5), (BORIS, 2.0)):
        camera, audio = track(result, person.peer, "camera"), track(result, person.peer, "audio")
        assert near(colour_at(studio, camera, begin + 3), person.colour)
        assert abs(tone_at(studio, audio, begin + 3)[0] - person.tone_hz) < 15
        for found in (camera, audio):
            assert abs(found["offset_ms"] - begin * 1000 - person.delay_ns / 1e6) < 20
            assert abs(found["duration_ms"] - 6000) <= 60
            assert found["sync_error_ms"] <= TOLERANCE_MS
            assert found["gaps"] == []
        assert abs(camera["offset_ms"] - audio["offset_ms"]) < TOLERANCE_MS
        assert (camera["width"], camera["height"]) == (160, 120)
        assert [
            b - a for a, b in zip(camera["key_frames_ms"], camera["key_frames_ms"][1:], strict=False)
        ] == [2000] * 2


def test_a_track_is_seekable_and_of_finite_length(studio: Studio) -> None:
    studio.session({ANNA.peer: both(ANNA, studio)})
    result = studio.finalise()
    for kind in ("camera", "audio"):
        found = track(result, ANNA.peer, kind)
        container = studio.open(found)
        assert abs(container.duration / 1000 - found["duration_ms"]) < 60
        plain = studio.plain(found)
        assert 0 < plain.find(b"\x1c\x53\xbb\x6b") < plain.find(b"\x1f\x43\xb6\x75"), "cues before clusters"
        assert (len(plain), result["index"]["recording"]) == (found["bytes"], RECORDING)


def test_a_second_run_gives_the_same_plaintext_under_other_ciphertext(studio: Studio) -> None:
    studio.session({ANNA.peer: both(ANNA, studio, seconds=3)})
    runs = [studio.finalise() for _ in range(2)]
    one, two = ([(t["id"], t["sha256"]) for t in run["index"]["tracks"]] for run in runs)
    assert one == two
    name = runs[0]["index"]["tracks"][0]["file"]
    assert (studio.root / "g1" / name).read_bytes()[:60] != (studio.root / "g2" / name).read_bytes()[:60]


def test_index_and_manifest_say_the_same_and_hold_without_the_journal(studio: Studio) -> None:
    studio.session({ANNA.peer: both(ANNA, studio, seconds=3)})
    result = studio.finalise()
    seat_key, associated = final_key(ROOM_KEY, RECORDING, 1, "index")
    with SealedReader(studio.out / "index.json.sealed", seat_key, associated) as reader:
        index = json.loads(b"".join(reader.chunks()))
    assert index == result["index"]
    told = verify_manifest((studio.out / "manifest.json").read_bytes(), public_key(SIGNING_KEY))
    assert (told["recording"], told["chain"]) == (RECORDING, "intact")
    assert [t["sha256"] for t in told["tracks"]] == [t["sha256"] for t in index["tracks"]]
    journal = verify_journal(studio.journal, RECORDING, studio.keys, ROOM_KEY)
    assert told["segments"] == journal["segments"]
    assert told["stored"] == [
        [a - told["stored"][0][0] + told["stored"][0][0], b] for a, b in index["stored"]
    ]


def test_loss_disorder_and_repeats_hold_time(studio: Studio) -> None:
    chance = random.Random(7)
    packets = both(ANNA, studio)
    kept = []
    for packet in packets:
        if packet.ntp or chance.random() > 0.05 or packet.at_ns < NS:
            late = 0 if packet.ntp else chance.choice([0, 0, 0, 150_000_000])
            kept.append(replace(packet, at_ns=packet.at_ns + late))
            if chance.random() < 0.1:
                kept.append(replace(packet, at_ns=packet.at_ns + late + 5_000_000))
    studio.session({ANNA.peer: kept})
    result = studio.finalise()
    audio, camera = track(result, ANNA.peer, "audio"), track(result, ANNA.peer, "camera")
    assert audio["lost_packets"] > 5
    assert abs(audio["duration_ms"] - 6000) <= 60
    assert abs(tone_at(studio, audio, 4.0)[0] - 440) < 30
    assert camera["dropped_frames"] > 0
    decoded = list(studio.open(camera).decode(video=0))
    assert all(near(mean_colour(frame), ANNA.colour) for frame in decoded), "no broken picture is kept"
    assert abs(audio["offset_ms"] - camera["offset_ms"]) < TOLERANCE_MS


def muted(studio: Studio, *, reports: bool) -> list[Packet]:
    """Audio whose RTP time and sequence stand still over 5.5 s of wall, as replaceTrack(null) leaves them."""
    person = replace(ANNA, reports=reports)
    wall = studio.wall_ns
    first = list(person.audio(0.5, 4.0, wall, 1.0))
    sent = len(opus(440, 4.0))
    back = round((10.0 - 4.5 - 0.02) * 48_000)
    second = replace(person, tone_hz=880, seq=person.seq + sent, audio_rtp=person.audio_rtp - back)
    return first + list(second.audio(10.0, 4.0, wall, 1.0)) + list(person.video(0.5, 13.5, wall))


@pytest.mark.parametrize("kind", ["audio", "camera"])
def test_a_short_outage_is_a_gap_although_players_would_bridge_it(studio: Studio, kind: str) -> None:
    studio.session({ANNA.peer: both(ANNA, studio, 0.5, 2.0)}, crash=True)
    again = replace(ANNA, audio_ssrc=9, video_ssrc=8)
    studio.session({ANNA.peer: both(again, studio, 3.1, 2.0)})
    (gap,) = track(studio.finalise(), ANNA.peer, kind)["gaps"]
    assert gap["cause"] == "worker_lost"
    assert 300 < gap["to"] - gap["from"] < 1500


def test_a_muted_microphone_that_sends_silence_is_a_gap(studio: Studio) -> None:
    events = [
        (2.0, ANNA.peer, "media", {"mic": 0, "camera": 1}),
        (4.0, ANNA.peer, "media", {"mic": 1, "camera": 1}),
    ]
    studio.session({ANNA.peer: both(ANNA, studio)}, events)
    result = studio.finalise()
    (gap,) = track(result, ANNA.peer, "audio")["gaps"]
    assert (gap["cause"], gap["from"], gap["to"]) == ("muted", 2000, 4000)
    assert track(result, ANNA.peer, "camera")["gaps"] == []
    # `recordings verify` says the same of the journal, and that packets came all the while
    (told,) = (t for t in studio.verified()["tracks"] if t["kind"] == "audio")
    assert told["gaps"] == [gap]
    assert [span[1] for span in told["present"]][:1] == [2000]
    assert len(told["received"]) == 1


@pytest.mark.parametrize("reports", [True, False])
def test_a_mute_in_which_rtp_time_stood_still_moves_no_sound(studio: Studio, reports: bool) -> None:
    events = [
        (4.5, ANNA.peer, "media", {"mic": 0, "camera": 1}),
        (9.9, ANNA.peer, "media", {"mic": 1, "camera": 1}),
    ]
    studio.session({ANNA.peer: muted(studio, reports=reports)}, events)
    result = studio.finalise()
    audio, camera = track(result, ANNA.peer, "audio"), track(result, ANNA.peer, "camera")
    samples = sound(studio, audio)
    loud = np.abs(samples[: len(samples) // 480 * 480]) > 0.02
    steps = audio["offset_ms"] + np.flatnonzero(np.diff(loud.reshape(-1, 480).any(axis=1).astype(int))) * 10
    back_ms = min(step for step in steps if step > 6000)
    assert abs(back_ms - 10_000 - ANNA.delay_ns / 1e6) < TOLERANCE_MS
    assert tone_at(studio, audio, 7.0)[1] < 0.01
    assert abs(tone_at(studio, audio, 12.0)[0] - 880) < 15
    (gap,) = audio["gaps"]
    assert gap["cause"] == "muted"
    assert abs(gap["from"] - 4540) < 100
    assert camera["gaps"] == []
    assert abs(camera["offset_ms"] - audio["offset_ms"]) < TOLERANCE_MS


def test_a_killed_worker_is_a_named_gap_between_two_connections(studio: Studio) -> None:
    studio.session({ANNA.peer: both(ANNA, studio, 0.5, 4.0)}, crash=True)
    again = replace(
        ANNA, colour=(60, 180, 100), tone_hz=1200, audio_ssrc=9, video_ssrc=8, seq=77, clock_off_ns=0
    )
    studio.session({ANNA.peer: both(again, studio, 9.0, 4.0)})
    result = studio.finalise()
    camera, audio = track(result, ANNA.peer, "camera"), track(result, ANNA.peer, "audio")
    for found in (camera, audio):
        (gap,) = found["gaps"]
        assert gap["cause"] == "worker_lost"
        assert 3.0 < gap["from"] / 1000 < 4.7
        assert abs(gap["to"] / 1000 - 9.04) < 0.1
    assert [gap["cause"] for gap in result["index"]["gaps"]] == ["worker_lost"]
    assert near(colour_at(studio, camera, 2.0), ANNA.colour)
    assert near(colour_at(studio, camera, 11.0), again.colour)
    assert abs(tone_at(studio, audio, 2.0)[0] - 440) < 15
    assert abs(tone_at(studio, audio, 11.0)[0] - 1200) < 15
    assert result["chain"] == "intact"


@pytest.mark.parametrize("lie", ["reports", "timestamps", "standstill"])
def test_a_sender_that_lies_about_time_moves_nobody_else(studio: Studio, lie: str) -> None:
    chance = random.Random(5)
    packets = []
    for packet in both(ANNA, studio):
        if lie == "reports" and packet.ntp:
            packets.append(replace(packet, ntp=chance.getrandbits(64) | 1, rtp=chance.getrandbits(32)))
        elif lie != "reports" and not packet.ntp:
            stamp = chance.getrandbits(32) if lie == "timestamps" else 7
            data = packet.data[:4] + stamp.to_bytes(4, "big") + packet.data[8:]
            packets.append(replace(packet, data=data))
        else:
            packets.append(packet)
    studio.session({ANNA.peer: packets, BORIS.peer: both(BORIS, studio)})
    result = studio.finalise()
    assert result["failed"] == []
    assert track(result, BORIS.peer, "audio")["gaps"] == []
    assert result["duration_ms"] < 60_000
    for found in result["index"]["tracks"]:
        assert found["duration_ms"] < 40_000, (found["id"], found["duration_ms"])
        assert found["offset_ms"] > -30_000


def test_what_a_fenced_worker_went_on_writing_is_never_played(studio: Studio) -> None:
    studio.session({ANNA.peer: both(ANNA, studio, 0.5, 6.0)}, crash=True)
    again = replace(ANNA, tone_hz=1200, audio_ssrc=9, video_ssrc=8)
    studio.session({ANNA.peer: both(again, studio, 3.0, 6.0)})
    result = studio.finalise()
    audio = track(result, ANNA.peer, "audio")
    assert abs(tone_at(studio, audio, 2.5)[0] - 440) < 15
    assert abs(tone_at(studio, audio, 5.0)[0] - 1200) < 15
    assert abs(audio["duration_ms"] - 8500) < 100


def test_one_ruined_file_never_stops_the_others(studio: Studio) -> None:
    studio.session({p.peer: both(p, studio) for p in (ANNA, BORIS)})
    (path,) = studio.files(ANNA.peer)
    data = bytearray(path.read_bytes())
    data[60] ^= 1  # the header's salt: without its copy in the room's file nothing would open
    marks = [i for i in range(len(data)) if data[i : i + 4] == b"SEAL"]
    data[marks[3] + 100] ^= 1
    path.write_bytes(data)
    result = studio.finalise()
    assert result["chain"] == "broken"
    assert track(result, BORIS.peer, "audio")["gaps"] == []
    gaps = track(result, ANNA.peer, "audio")["gaps"]
    assert [gap["cause"] for gap in gaps] == ["damaged"]
    assert 500 <= gaps[0]["to"] - gaps[0]["from"] < 2500
    path.write_bytes(os.urandom(len(data)))
    result = studio.finalise()
    assert [t["peer"] for t in result["index"]["tracks"]] == [BORIS.peer] * 2


def test_a_withdrawn_key_shreds_one_person_alone(studio: Studio) -> None:
    studio.session({p.peer: both(p, studio, seconds=3) for p in (ANNA, BORIS)})
    del studio.keys[ANNA.peer]
    result = studio.finalise()
    assert {t["peer"] for t in result["index"]["tracks"]} == {BORIS.peer}
    assert result["chain"] == "intact", "the chain is walked without the key"


@pytest.mark.parametrize(
    "job",
    [b"", b"{}", b"[1]", b'{"recording": "../../x"}', b"\xff", b'{"keys": 3, "epochs": []}', b"[" * 9999],
)
def test_a_malformed_job_is_refused_with_a_code(job: bytes) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "media.finaliser"], input=job, capture_output=True, timeout=30
    )
    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[-1]) == {"ok": False, "code": "job_malformed"}
    assert done.stderr == b""


def test_an_exception_nobody_expected_is_told_without_its_text() -> None:
    script = "import media.finaliser as f; f.parse_job = lambda job: {}['MARKED']; f.main()"
    done = subprocess.run([sys.executable, "-c", script], input=b"{}", capture_output=True, timeout=30)
    assert done.returncode == 1
    assert b"MARKED" not in done.stdout + done.stderr
    assert json.loads(done.stderr)["error"] == "KeyError"


def test_a_killed_finaliser_leaves_no_plaintext_and_runs_again(studio: Studio) -> None:
    studio.session({p.peer: both(p, studio, seconds=30) for p in (ANNA, BORIS)})
    marks = [
        b"OpusHead",
        b"webm",
        b"V_VP8",
        ANNA.peer.encode() + b'"',
        opus(440, 30.0)[100],
        opus(880, 30.0)[900],
    ]
    result = studio.finalise()
    plain = studio.plain(track(result, ANNA.peer, "audio"))
    assert marks[0] in plain, "the scan would find it"
    assert marks[4] in plain
    chance = random.Random(11)
    for attempt in range(6):
        out = studio.root / f"killed{attempt}"
        child = subprocess.Popen(
            [sys.executable, "-m", "media.finaliser"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert child.stdin
        child.stdin.write(studio.job(out))
        child.stdin.close()
        time.sleep(0.15 + chance.random() * 0.35)
        child.kill()
        child.wait()
        assert child.stdout
        child.stdout.close()
        for path in out.rglob("*") if out.exists() else ():
            data = path.read_bytes()
            allowed = marks[3:4] if path.name.startswith("manifest") else []
            assert not [mark for mark in marks if mark in data and mark not in allowed], path
    again = studio.finalise()
    assert [t["sha256"] for t in again["index"]["tracks"]] == [t["sha256"] for t in result["index"]["tracks"]]
