"""Spoilt documents: the child never hangs, never takes the parent along, and what is refused has a code."""

from __future__ import annotations

import logging
import random

import pytest

from server.decode.decoder import Decoder
from server.decode.inspection import REFUSALS
from server.decode.source import BytesSource
from server.domain.errors import Refused
from tests.support import documents

WHOLE = {
    "pdf": documents.pdf,
    "jpeg": documents.jpeg,
    "png": documents.png,
    "heic": documents.heic,
    "dicom": lambda: documents.dicom(frames=2),
    "packed dicom": lambda: documents.dicom(syntax=documents.JPEGBaseline8Bit),
    "zip": lambda: documents.zipped(documents.study(2)),
    "mp4": documents.film,
    "webm": lambda: documents.film("webm", "libvpx"),
}


def spoilt(whole: bytes, chance: random.Random) -> bytes:
    """Bits turned, lengths made huge, pieces taken out, doubled or cut off; the first bytes mostly stay."""
    data = bytearray(whole)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        if len(data) < 10:
            break
        at = chance.randrange(8, len(data))
        match chance.randrange(6):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"))
            case 2:
                del data[at : at + chance.randrange(1, 64)]
            case 3:
                data[at:at] = data[at : at + chance.randrange(1, 256)]
            case 4:
                del data[at:]
            case 5:
                data[at : at + 8] = chance.randbytes(8)
    return bytes(data)


async def survives(kind: str, seed: int, caplog: pytest.LogCaptureFixture) -> str:
    """What came of one spoilt document; fails where a child had wanted to import something."""
    data = spoilt(WHOLE[kind](), random.Random(f"{kind} {seed}"))
    decoder = Decoder()
    found = await decoder.inspect(BytesSource(data))
    assert found.refusal in (REFUSALS | {None})
    if found.refusal is None:
        code = ""
        try:
            await decoder.preview(BytesSource(data), max(0, found.pages - 1), 64, order=found.order)
        except Refused as refused:
            code = refused.code
        assert code in REFUSALS | {"page_unknown", "no_preview", ""}
    assert "lost with 72" not in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    return found.refusal or "taken"


@pytest.mark.parametrize("kind", ["pdf", "jpeg", "heic", "zip", "mp4"])
async def test_a_spoilt_document_is_taken_or_refused_with_a_code(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    await survives(kind, 1, caplog)


@pytest.mark.long
@pytest.mark.parametrize("kind", WHOLE)
async def test_forty_spoilt_documents_of_each_kind_are_taken_or_refused_with_a_code(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes = {await survives(kind, seed, caplog) for seed in range(2, 42)}
    assert len(outcomes) > 1
