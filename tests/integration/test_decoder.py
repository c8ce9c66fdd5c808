"""Documents through the real child: what each kind turns out to be, what it looks like, what is refused."""

from __future__ import annotations

import asyncio
import io
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import gdcm
import pytest
from PIL import Image

from server.decode.decoder import Decoder, Patience
from server.decode.source import LONGEST_READ, BytesSource
from server.domain.errors import Refused
from tests.support import documents
from tests.support.documents import dicom, zipped

PATIENCE = Patience(cpu_s=20, wall_s=60)


class Watched(BytesSource):
    """Keeps to the contract, and counts."""

    taken = 0

    async def read(self, offset: int, length: int) -> bytes:
        assert offset >= 0
        assert 0 < length <= LONGEST_READ
        assert offset + length <= self.size
        self.taken += length
        return await super().read(offset, length)


async def looked_at(data: bytes, page: int = 0, width: int = 48) -> tuple[dict[str, Any], Image.Image]:
    """What it is, and what page `page` looks like."""
    decoder = Decoder(at_once=2)
    found = await decoder.inspect(Watched(data), "whatever.exe")
    assert found.refusal is None, found
    shown = Image.open(io.BytesIO(await decoder.preview(Watched(data), page, width, order=found.order)))
    return found.model_dump(exclude_defaults=True), shown


async def refused(data: bytes) -> str:
    return str((await Decoder().inspect(Watched(data))).refusal)


async def test_a_pdf_has_pages_and_the_second_is_darker_than_the_first() -> None:
    found, first = await looked_at(documents.pdf())
    assert found == {"media_type": "application/pdf", "kind": "pdf", "pages": 3, "width": 200, "height": 290}
    second = Image.open(io.BytesIO(await Decoder().preview(Watched(documents.pdf()), 1, 48)))
    assert (first.format, first.size) == ("PNG", (48, 70))
    assert first.getpixel((24, 40))[0] > second.getpixel((24, 40))[0] > 0  # type: ignore[index]
    assert first.getpixel((1, 1)) == (255, 255, 255)
    with pytest.raises(Refused, match="page_unknown"):
        await Decoder().preview(Watched(documents.pdf()), 3, 48)


async def test_a_photograph_is_turned_and_says_nothing_of_where_it_was_taken() -> None:
    found, shown = await looked_at(documents.jpeg(turn=6))
    assert (found["width"], found["height"]) == (40, 60)
    assert (shown.format, shown.size) == ("JPEG", (40, 60))
    red, green, _blue = shown.getpixel((37, 3))  # type: ignore[misc]
    assert red > 200 > 90 > green  # its upper left corner went to the right
    assert not shown.getexif()
    assert shown.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


async def test_png_and_heic_are_pictures_too() -> None:
    found, shown = await looked_at(documents.png(mode="RGBA"))
    assert (found["kind"], shown.format, shown.size, shown.mode) == ("image", "PNG", (48, 32), "RGB")
    found, shown = await looked_at(documents.heic())
    assert found == {"media_type": "image/heic", "kind": "image", "pages": 1, "width": 64, "height": 48}
    assert (shown.format, shown.size) == ("JPEG", (48, 36))


@pytest.mark.parametrize(
    ("form", "codec", "media_type"),
    [("mp4", "libx264", "video/mp4"), ("webm", "libvpx", "video/webm"), ("mov", "mpeg4", "video/quicktime")],
)
async def test_a_film_has_a_length_and_a_picture(form: str, codec: str, media_type: str) -> None:
    found, shown = await looked_at(documents.film(form, codec))
    assert found == {
        "media_type": media_type, "kind": "video", "pages": 1, "width": 96, "height": 64, "duration_ms": 2000,
    }  # fmt: skip
    assert (shown.format, shown.size) == ("JPEG", (48, 32))


async def test_a_dicom_says_whose_it_is_in_every_script() -> None:
    name = "Kim^Test=金^試驗=김^시험"
    data = dicom(name=name, charset="\\ISO 2022 IR 149", frames=3, birth="19610407", sex="M", number="00-7")
    found, shown = await looked_at(data, page=2, width=400)
    assert found["pages"] == 3
    assert found["dicom"]["patients"] == [
        {
            "names": ["Kim Test", "金 試驗", "김 시험"],
            "birth_date": "1961-04-07",
            "number": "00-7",
            "sex": "M",
        }
    ]
    assert found["dicom"]["series"] == [
        {"modality": "CT", "description": "Series 1", "images": 1, "frames": 3}
    ]
    assert (shown.format, shown.mode, shown.size) == ("PNG", "L", (24, 16))  # never larger than it is


async def test_grey_values_are_those_of_the_file_s_own_window() -> None:
    _found, shown = await looked_at(dicom(WindowCenter=40, WindowWidth=400, size=(64, 4)))
    row = [shown.getpixel((x, 2)) for x in range(shown.width)]
    assert row[0] == 0  # 801 - 1024 is below -160
    assert row[-1] == 255
    assert row == sorted(row)  # type: ignore[type-var]
    _found, inverse = await looked_at(dicom(PhotometricInterpretation="MONOCHROME1", size=(64, 4)))
    assert inverse.getpixel((0, 2)) == 255


@pytest.mark.parametrize(
    "name",
    [
        "JPEGLosslessProcess14_1",
        pytest.param("JPEGLSLossless", marks=pytest.mark.long),
        pytest.param("JPEG2000Lossless", marks=pytest.mark.long),
        pytest.param("RLELossless", marks=pytest.mark.long),
    ],
)
async def test_a_packed_dicom_looks_like_the_plain_one(name: str, tmp_path: Path) -> None:
    (tmp_path / "plain.dcm").write_bytes(dicom(frames=2))
    reader = gdcm.ImageReader()
    reader.SetFileName(str(tmp_path / "plain.dcm"))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, name)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    writer.SetFileName(str(tmp_path / "packed.dcm"))
    assert writer.Write()
    decoder = Decoder(at_once=2)
    plain, packed = [
        await decoder.preview(Watched((tmp_path / f"{one}.dcm").read_bytes()), 1, 48)
        for one in ("plain", "packed")
    ]
    assert Image.open(io.BytesIO(plain)).tobytes() == Image.open(io.BytesIO(packed)).tobytes()


async def test_a_zipped_study_is_turned_over_in_its_own_order() -> None:
    files = documents.study() | {"DICOM/DICOMDIR": b"\0" * 128 + b"DICM" + b"1.2.840.10008.1.3.10"}
    found, first = await looked_at(zipped(files))
    assert [(s["description"], s["images"]) for s in found["dicom"]["series"]] == [
        ("Series 1", 4),
        ("Series 2", 4),
    ]
    assert (found["pages"], found["order"], found["media_type"]) == (8, "4-7,0-3", "application/zip")
    assert len(found["dicom"]["patients"]) == 1
    _found, alone = await looked_at(dicom(series=1, instance=1))
    assert first.tobytes() == alone.tobytes()


async def test_two_patients_in_one_zip_are_both_told() -> None:
    found, _shown = await looked_at(zipped({"1": dicom(), "2": dicom(name="OTHER^ONE", instance=2)}))
    assert [p["names"] for p in found["dicom"]["patients"]] == [["TEST ALPHA"], ["OTHER ONE"]]


async def test_a_report_without_pictures_is_taken_and_has_no_preview() -> None:
    data = dicom(Rows=None, Columns=None)
    found = await Decoder().inspect(Watched(data))
    assert (found.refusal, found.pages) == (None, 0)
    with pytest.raises(Refused, match="no_preview"):
        await Decoder().preview(Watched(data), 0, 48)


def png_bomb() -> bytes:
    """A black square of 30,000 by 30,000 in a hundred kilobytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10_000_000)))


def locked_pdf() -> bytes:
    lock = f"/Encrypt<</Filter/Standard/V 1/R 2/O<{'11' * 32}>/U<{'22' * 32}>/P -4>>/ID[<00><00>]"
    return documents.pdf().replace(b"/Root 1 0 R", b"/Root 1 0 R" + lock.encode())


REFUSED = {
    "document_empty": lambda: b"",
    "document_kind": lambda: b"MZ\x90\0" + bytes(2000),
    "document_damaged": lambda: documents.jpeg(600, 400)[:1500],
    "document_locked": locked_pdf,
    "document_too_heavy": png_bomb,
    "document_too_many": lambda: zipped({f"{n:05}": b"" for n in range(10_001)}),
    "archive_stranger": lambda: zipped({"1.dcm": dicom(), "letter.txt": b"Dear colleague"}),
    "archive_nested": lambda: zipped({"1.dcm": dicom(), "more.zip": zipped({"2.dcm": dicom()})}),
    "archive_path": lambda: zipped({"../1.dcm": dicom()}),
    "archive_expands": lambda: zipped({"1.dcm": dicom() + bytes(200_000)}),
}


@pytest.mark.parametrize("code", REFUSED)
async def test_what_is_refused_has_a_code(code: str) -> None:
    assert await refused(REFUSED[code]()) == code


class Vast:
    """Two gigabytes of DICOM: a header, then frames of nothing; nothing of it is ever in memory at once."""

    size = 2 * 1024**3

    def __init__(self) -> None:
        small = dicom(frames=2, size=(512, 512), NumberOfFrames=4000)
        self._head = small[: -2 * 512 * 512 * 2]
        self.taken = 0
        stated = self.size - len(self._head)
        self._head = self._head[:-4] + struct.pack("<I", 4000 * 512 * 512 * 2)
        assert stated >= 4000 * 512 * 512 * 2

    async def read(self, offset: int, length: int) -> bytes:
        self.taken += length
        return (self._head[offset : offset + length]).ljust(length, b"\0")


async def test_of_two_gigabytes_only_what_is_shown_is_read() -> None:
    vast = Vast()
    found = await Decoder().inspect(vast)
    assert (found.refusal, found.pages) == (None, 4000)
    assert Image.open(io.BytesIO(await Decoder().preview(vast, 3999, 64))).size == (64, 64)
    assert vast.taken < 4 * 1024 * 1024


SAYS = "import os,struct,sys,time; s=struct.Struct('>BQI'); os.read(0,9)\n"
LIARS = {
    "says nothing and goes": "pass",
    "dies of a signal": "os.kill(os.getpid(), 11)",
    "sends what is no frame": "os.write(0, b'x' * 100)",
    "asks past the end": "os.write(0, s.pack(1, 1 << 60, 100)); time.sleep(60)",
    "asks for too much at once": "os.write(0, s.pack(1, 0, 1 << 31)); time.sleep(60)",
    "announces more than it may": "os.write(0, s.pack(2, 0, 1 << 30)); time.sleep(60)",
    "tells what nobody asked": "os.write(0, s.pack(2, 0, 17) + b'{\"secret\": [[[1]]]'[:17])",
    "tells another type": 'os.write(0, s.pack(2, 0, 26) + b\'{"media_type":"text/html"} \')',
    "answers well and fails": 'os.write(0, s.pack(2, 0, 27) + b\'{"media_type":"image/jpeg"}\'); sys.exit(9)',
}


@pytest.mark.parametrize("how", LIARS)
async def test_a_child_that_was_taken_over_gets_nowhere(how: str) -> None:
    decoder = Decoder(command=(sys.executable, "-S", "-c", SAYS + LIARS[how]), inspection=PATIENCE)
    assert (await decoder.inspect(Watched(documents.jpeg()))).refusal == "document_damaged"


async def test_a_child_that_hangs_is_ended_and_the_next_one_has_its_turn() -> None:
    decoder = Decoder(
        command=(sys.executable, "-S", "-c", "import os, time; os.close(0); time.sleep(600)"),
        inspection=Patience(1, 0.2),
    )
    async with asyncio.timeout(30):
        both = await asyncio.gather(*(decoder.inspect(Watched(documents.jpeg())) for _ in range(2)))
    assert [one.refusal for one in both] == ["document_too_heavy"] * 2


async def test_what_the_source_raises_reaches_the_caller() -> None:
    class Broken(BytesSource):
        async def read(self, offset: int, length: int) -> bytes:
            raise PermissionError

    with pytest.raises(PermissionError):
        await Decoder().inspect(Broken(b"12"))


async def test_a_machine_where_no_child_can_start_says_so() -> None:
    with pytest.raises(Refused, match="decoder_unavailable"):
        await Decoder(command=("/nowhere/python",)).inspect(BytesSource(documents.jpeg()))
