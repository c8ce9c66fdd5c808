"""Debian's own clamd and c-icap: what they find, what they let pass, and that we do not call that clean."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.commands import scan_check
from server.commands.scan_check import TEST_FILE
from server.config import load_settings
from server.decode.source import BytesSource
from server.document_settings import DocumentSettings
from server.runtime.scanning import Icap, ScanError, scanner_of
from tests.support import documents as made
from tests.support.real_scanners import HARMLESS, RealClamd, RealIcap, running
from tests.support.scanners import MARK
from tests.support.uploads import ByFirstBytes, brought, checked, pdf, told
from tests.support.website import website

pytestmark = pytest.mark.long
FILES = {
    "pdf": made.pdf, "jpeg": made.jpeg, "png": made.png, "heic": made.heic, "dicom": made.dicom,
    "mp4": made.film, "webm": lambda: made.film("webm", "libvpx"),
}  # fmt: skip


@pytest.fixture(scope="module")
def clamd() -> Iterator[RealClamd]:
    with running(RealClamd) as daemon:
        assert isinstance(daemon, RealClamd)
        yield daemon


@pytest.fixture(scope="module")
def icap(clamd: RealClamd) -> Iterator[RealIcap]:
    with running(lambda folder: RealIcap(folder, clamd)) as daemon:
        assert isinstance(daemon, RealIcap)
        yield daemon


def settings_of(way: str, clamd: RealClamd, icap: RealIcap) -> dict[str, object]:
    return {"icap": icap.url} if way == "icap" else {"clamd": clamd.unix if way == "unix" else clamd.tcp}


async def said(folder: Path, **documents: object) -> tuple[str, str]:
    """What `hyeopjin doctor` says."""
    state, code, _ = await scan_check.check(load_settings(None, data_dir=folder, documents=documents))
    return state, code


@pytest.mark.parametrize("way", ["unix", "tcp", "icap"])
async def test_every_kind_of_file_is_scanned_and_the_test_file_found(
    way: str, clamd: RealClamd, icap: RealIcap
) -> None:
    scanner = scanner_of(DocumentSettings(**settings_of(way, clamd, icap)))  # type: ignore[arg-type]
    assert scanner is not None
    assert await scanner.infected(BytesSource(TEST_FILE))
    assert await scanner.infected(BytesSource(made.zipped({"a": TEST_FILE})))
    for kind, make in FILES.items():
        data = make()
        assert await scanner.infected(BytesSource(data)) is False, kind
        assert await scanner.infected(BytesSource(data + MARK)) is True, kind
    assert await scanner.infected(BytesSource(os.urandom(7_000_000))) is False
    assert await scanner.infected(BytesSource(os.urandom(7_000_000) + MARK)) is True


async def test_c_icap_calls_clean_what_it_does_not_look_into_unless_it_comes_in_an_archive(
    icap: RealIcap,
) -> None:
    """Why `scan_wrap.py` is there: sent as it is, a PNG passes."""
    naked = Naked(icap.url)
    assert await naked.infected(BytesSource(made.png() + MARK)) is False
    assert await Icap(icap.url).infected(BytesSource(made.png() + MARK)) is True


class Naked(Icap):
    """As if there were no zip around it."""

    async def infected(self, source: BytesSource) -> bool:  # type: ignore[override]
        import asyncio

        from server.runtime.scanning import icap_found

        data = await source.read(0, source.size)
        inner = f"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: {len(data)}\r\n\r\n"
        head = (
            f"RESPMOD {self._url} ICAP/1.0\r\nHost: x\r\nAllow: 204\r\nConnection: close\r\n"
            f"Encapsulated: res-hdr=0, res-body={len(inner)}\r\n\r\n{inner}{len(data):x}\r\n"
        )
        host, port = self._address.rsplit(":", 1)
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(head.encode() + data + b"\r\n0\r\n\r\n")
        answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        return icap_found(answer)


@pytest.mark.parametrize("way", ["unix", "tcp", "icap"])
async def test_documents_are_scanned_and_quarantined_by_real_scanners(
    way: str, clamd: RealClamd, icap: RealIcap, tmp_path: Path
) -> None:
    settings = settings_of(way, clamd, icap) | {"scan_mb": 1}
    async with website(tmp_path / "data", decoder=ByFirstBytes(), documents=settings) as site:
        lp = await site.signed_in("referring_physician")
        clean, found = await brought(site, lp, pdf(200_000)), await brought(site, lp, made.png() + MARK)
        large = await brought(site, lp, pdf(1_200_000) + MARK)
        rows = [await told(lp, one) for one in (clean, found, large)]
        assert [(row["state"], row["scan"]) for row in rows] == [
            ("ready", "clean"),
            ("quarantined", "infected"),
            ("ready", "not_scanned"),
        ]


@pytest.mark.parametrize("way", ["unix", "tcp", "icap"])
async def test_doctor_is_content_with_debians_configuration(
    way: str, clamd: RealClamd, icap: RealIcap, tmp_path: Path
) -> None:
    assert await said(tmp_path, **settings_of(way, clamd, icap)) == ("green", "ok")


async def test_doctor_finds_limits_that_are_lower_than_ours(
    clamd: RealClamd, icap: RealIcap, tmp_path: Path
) -> None:
    limited = icap.url.replace("avscan", "limited")  # to 5 MB, without a word
    state, code = await said(tmp_path, icap=limited, scan_mb=8)
    assert (state, code) != ("green", "ok")
    assert await said(tmp_path, icap=limited, scan_mb=4) == ("green", "ok")
    with running(lambda folder: RealClamd(folder, "StreamMaxLength 10M")) as small:
        assert isinstance(small, RealClamd)
        assert await said(tmp_path, clamd=small.tcp) == ("yellow", "scanner_small")
        assert await said(tmp_path, clamd=small.tcp, scan_mb=9) == ("green", "ok")
    with running(lambda folder: RealClamd(folder, "MaxFileSize 10M", "MaxScanSize 10M")) as silent:
        assert isinstance(silent, RealClamd)
        assert await said(tmp_path, clamd=silent.tcp) == ("red", "passes_large")
        assert await said(tmp_path, clamd=silent.tcp, scan_mb=4) == ("green", "ok"), (
            "the zip and what is in it"
        )


async def test_doctor_finds_a_scanner_that_knows_nothing_and_a_service_that_is_none(
    icap: RealIcap, tmp_path: Path
) -> None:
    with running(lambda folder: RealClamd(folder, signatures=HARMLESS)) as ignorant:
        assert isinstance(ignorant, RealClamd)
        assert await said(tmp_path, clamd=ignorant.unix) == ("red", "finds_nothing")
    assert (await said(tmp_path, icap=icap.echo))[0] == "red"
    with pytest.raises(ScanError, match="scanner_unclear"):
        await Icap(icap.url.replace("avscan", "nothing_here")).infected(BytesSource(b"x"))


async def test_what_came_while_clamd_was_killed_is_scanned_when_it_is_back(tmp_path: Path) -> None:
    with running(RealClamd) as daemon:
        assert isinstance(daemon, RealClamd)
        settings = {"clamd": daemon.unix}
        async with website(tmp_path / "data", decoder=ByFirstBytes(), documents=settings) as site:
            lp = await site.signed_in("referring_physician")
            daemon.kill()
            document = await brought(site, lp, pdf(1000) + MARK)
            assert (await told(lp, document))["scan"] == "not_scanned"
            daemon.start()
            site.clock.advance(hours=0.5)
            await checked(site)
            assert (await told(lp, document))["state"] == "quarantined"


def test_the_sample_with_which_doctor_asks_is_found_by_nobody_as_our_own_source() -> None:
    assert TEST_FILE not in Path(scan_check.__file__).read_bytes()
    with zipfile.ZipFile(io.BytesIO(made.zipped({"a": TEST_FILE}))) as archive:
        assert archive.read("a") == TEST_FILE
