"""A few seconds of a long track: they alone come out, and little else is read."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import av
import pytest

from media.clip import cut
from media.finalise_track import CLUSTER_MS
from media.finalise_write import Timed, write_audio
from media.recordstore.sealed import SealedError, SealedReader
from server.playback.seeking import Seekable

KEY, ABOUT = bytes(range(32)), b"about"
MINUTES, MS = 60, 1_000_000
OPUS_20_MS = 0x08


def packet(number: int) -> Timed:
    """20 ms of Opus whose last bytes say which they are."""
    payload = bytes([OPUS_20_MS]) + number.to_bytes(4, "big") + bytes(75)
    head = (
        bytes([0x80, 111])
        + (number & 0xFFFF).to_bytes(2, "big")
        + (number * 960).to_bytes(4, "big")
        + bytes(4)
    )
    at_ns = number * 20 * MS
    return Timed(at_ns, 1, number & 0xFFFF, number * 960, at_ns, head + payload)


@pytest.fixture(scope="module")
def track(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour of sound, sealed as a finished one."""
    path = tmp_path_factory.mktemp("clip") / "track.webm.sealed"
    packets = (packet(number) for number in range(MINUTES * 60 * 50))
    write_audio(path, KEY, ABOUT, packets, 16 + 2 * MINUTES * 60_000 // CLUSTER_MS)
    return path


def numbers(webm: bytes) -> list[int]:
    with av.open(io.BytesIO(webm), "r", format="webm") as opened:
        return [int.from_bytes(bytes(one)[1:5], "big") for one in opened.demux(audio=0) if one.size]


@pytest.mark.parametrize("minute", [0, 31, MINUTES - 1])
async def test_half_a_minute_out_of_an_hour_reads_a_fiftieth_of_it(track: Path, minute: int) -> None:
    begin, end = minute * 60_000 + 10_000, minute * 60_000 + 40_000
    read = 0
    with SealedReader(track, KEY, ABOUT) as reader:

        async def piece(start: int, stop: int) -> bytes:
            nonlocal read
            read += stop - start
            return reader.read(start, stop)

        file = Seekable(piece, reader.size, asyncio.get_running_loop())
        found = await asyncio.to_thread(cut, file, begin, end)
        assert read < reader.size / 50
        whole = cut(io.BytesIO(reader.read(0, reader.size)), begin, end)
    assert found == whole
    assert numbers(found) == list(range(begin // 20, end // 20))


async def test_behind_the_end_there_is_nothing_and_damage_is_told(track: Path) -> None:
    with SealedReader(track, KEY, ABOUT) as reader:

        async def piece(start: int, stop: int) -> bytes:
            if start > 1_000_000:
                raise SealedError("sealed_damaged")
            return reader.read(start, stop)

        loop = asyncio.get_running_loop()
        late = (MINUTES + 1) * 60_000
        with pytest.raises(SealedError):
            await asyncio.to_thread(cut, Seekable(piece, reader.size, loop), 1_800_000, 1_830_000)
        assert await asyncio.to_thread(cut, io.BytesIO(reader.read(0, reader.size)), late, late + 1000) == b""
