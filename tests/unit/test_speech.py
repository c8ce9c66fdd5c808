"""When somebody speaks is read from the packets' own levels."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import pytest

from media.clock import MS
from media.codecs import EXT_AUDIO_LEVEL, EXT_MID
from media.finalise_write import Timed
from media.listener import listen
from media.speech import Speech, level_of
from tests.support.recorded import opus, rtp


def packet(level: int, *, extension: int = EXT_AUDIO_LEVEL) -> bytes:
    plain = bytearray(rtp(111, 1, 960, 7, b"sound"))
    plain[0] |= 0x10
    mid = bytes((EXT_MID << 4, 0x30))
    return bytes(plain[:12]) + b"\xbe\xde\0\1" + mid + bytes((extension << 4, level)) + bytes(plain[12:])


def spans(*levels: tuple[int, int]) -> list[list[int]] | None:
    """Of packets every 20 ms: (level, how many)."""
    speech = Speech()
    at = 0
    for level, many in levels:
        for _ in range(many):
            [_] = speech.tap(iter([Timed(at * MS, 0, 0, 0, at * MS, packet(level))]))
            at += 20
    return speech.spans()


def test_a_level_is_read_wherever_its_extension_stands() -> None:
    assert level_of(packet(31)) == 31
    assert level_of(packet(0x80 | 31)) == 31  # the bit says that a codec believes it to be voice
    assert level_of(packet(31, extension=5)) is None
    assert level_of(rtp(111, 1, 960, 7, b"sound")) is None


@pytest.mark.parametrize("cut", range(12, 22))
def test_a_packet_that_is_cut_off_has_a_level_or_none_and_breaks_nothing(cut: int) -> None:
    assert level_of(packet(31)[:cut]) in (31, None)


def test_talk_over_a_quiet_room_is_found_between_its_silences() -> None:
    assert spans((70, 100), (28, 50), (66, 50), (30, 50), (70, 50)) == [[2000, 3000], [4000, 5000]]


def test_a_syllables_pause_does_not_part_talk() -> None:
    assert spans((70, 50), (28, 20), (70, 8), (28, 20), (70, 50)) == [[1000, 1960]]


def test_a_noisy_room_is_not_talk_and_a_voice_above_it_is() -> None:
    assert spans((45, 200), (30, 50), (45, 100)) == [[4000, 5000]]


def test_digital_silence_is_silent_and_who_never_pauses_is_heard_all_along() -> None:
    assert spans((127, 200)) == []
    assert spans((25, 200)) == [[0, 4000]]


def test_a_track_without_levels_says_that_it_does_not_know() -> None:
    assert Speech().spans() is None


def test_a_finished_track_is_listened_to_where_packets_told_no_level() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as container:
        stream = container.add_stream("libopus", rate=48_000)
        stream.layout = "stereo"
        tone, silence = opus(440, 1.0), b"\xf8\xff\xfe"
        for number, payload in enumerate([*[silence] * 50, *tone, *[silence] * 50]):
            made = av.Packet(payload)
            made.stream, made.time_base = stream, Fraction(1, 48_000)
            made.pts = made.dts = number * 960
            made.duration = 960
            container.mux(made)
    [[begin, end]] = listen(file.getvalue())
    assert abs(begin - 1000) <= 60
    assert abs(end - 2000) <= 100
