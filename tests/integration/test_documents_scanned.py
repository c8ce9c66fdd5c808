"""Scanned by clamd or ICAP over a real line, and looked into by the server's own decoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from server.commands import scan_check
from server.config import load_settings
from server.decode.decoder import Decoder
from server.decode.source import BytesSource
from server.document_settings import DocumentSettings
from server.runtime.scanning import ScanError, scanner_of
from tests.support import documents as made
from tests.support.ports import free_port
from tests.support.scanners import MARK, address, scanner
from tests.support.uploads import BASE, ByFirstBytes, brought, checked, pdf, told
from tests.support.website import website

KINDS = ("clamd", "icap")


@pytest.mark.parametrize("kind", KINDS)
async def test_what_a_scanner_passes_is_clean_and_what_it_finds_nobody_opens(
    kind: str, tmp_path: Path
) -> None:
    async with scanner(kind) as there:
        settings = {kind: address(kind, there.port)}
        async with website(tmp_path / "data", decoder=ByFirstBytes(), documents=settings) as site:
            lp = await site.signed_in("referring_physician")
            kp = await site.signed_in("consulting_physician")
            good, bad = pdf(200_000), pdf(200_000)[:-100] + MARK
            clean, found = await brought(site, lp, good), await brought(site, lp, bad)
            assert there.seen == [good, bad], "the scanner is sent the whole file and nothing else"
            assert ((await told(lp, clean))["state"], (await told(lp, clean))["scan"]) == ("ready", "clean")
            row = await told(lp, found)
            assert (row["state"], row["scan"], row["pages"]) == ("quarantined", "infected", 0)
            for browser in (lp, kp):
                answer = await browser.get(f"{BASE}/{found}/content?reason=treatment")
                assert answer.code == ("document_quarantined" if browser is lp else "not_found")
            assert (await lp.post(f"{BASE}/{found}/withdraw", {"reason": "unreadable"})).status == 200
            await checked(site)
            assert (await told(lp, found))["withdrawn"]["destroyed"] is True


@pytest.mark.parametrize("kind", KINDS)
async def test_without_an_answer_it_is_not_scanned_and_says_so_and_is_scanned_later(
    kind: str, tmp_path: Path
) -> None:
    async with scanner(kind) as there:
        there.says = b"\x00\xffwhat?\x00" if kind == "clamd" else b"ICAP/1.0 500 Oops\r\n\r\n\r\n\r\n"
        settings = {kind: address(kind, there.port)}
        async with website(tmp_path / "data", decoder=ByFirstBytes(), documents=settings) as site:
            lp = await site.signed_in("referring_physician")
            document = await brought(site, lp, pdf(1000) + MARK)
            assert (await told(lp, document))["scan"] == "not_scanned"
            assert (await told(lp, document))["state"] == "ready"
            there.says = None
            await checked(site)
            assert (await told(lp, document))["scan"] == "not_scanned", "not asked again at once"
            site.clock.advance(hours=0.5)
            await checked(site)
            assert (await told(lp, document))["state"] == "quarantined"


async def test_what_was_not_scanned_is_scanned_one_a_turn_and_one_without_bytes_stops_no_other(
    tmp_path: Path,
) -> None:
    async with scanner("clamd") as there:
        there.says = b"what?\x00"
        settings = {"clamd": address("clamd", there.port)}
        async with website(tmp_path / "data", decoder=ByFirstBytes(), documents=settings) as site:
            lp = await site.signed_in("referring_physician")
            made = []
            for number in range(3):
                made.append(await brought(site, lp, pdf(1000, number) + MARK))
                site.clock.advance(hours=0.001)
            lost, *others = made
            (part,) = (site.settings.documents_dir / lost).iterdir()
            part.unlink()
            there.says = None
            site.clock.advance(hours=0.5)
            for found in ([], others[:1], others):
                await checked(site)
                states = [(await told(lp, one))["state"] for one in others]
                assert states.count("quarantined") == len(found)
            assert (await told(lp, lost))["scan"] == "not_scanned"


@pytest.mark.parametrize("kind", KINDS)
async def test_where_a_scan_is_required_a_document_waits_for_it(kind: str, tmp_path: Path) -> None:
    settings = {kind: address(kind, free_port()), "scan_required": True}
    async with website(tmp_path / "data", decoder=ByFirstBytes(), documents=settings) as site:
        lp = await site.signed_in("referring_physician")
        document = await brought(site, lp, pdf(1000))
        assert (await told(lp, document))["state"] == "checking"


async def test_a_scanner_that_takes_no_more_and_one_that_says_nothing_have_not_scanned() -> None:
    async with scanner("clamd", limit=100_000) as there:
        clamd = scanner_of(DocumentSettings(clamd=address("clamd", there.port)))
        assert clamd is not None
        with pytest.raises(ScanError) as refused:
            await clamd.infected(BytesSource(bytes(3_000_000)))
        assert refused.value.code in ("scanner_limit", "scanner_unclear")  # it may hang up before it is heard
        assert await clamd.infected(BytesSource(bytes(100_000))) is False
    with pytest.raises(ScanError, match="scanner_away"):
        await clamd.infected(BytesSource(b"x"))


@pytest.mark.parametrize("kind", KINDS)
async def test_doctor_says_whether_the_scanner_finds_anything(kind: str, tmp_path: Path) -> None:
    async def said(**more: Any) -> tuple[str, str]:
        state, code, _ = await scan_check.check(load_settings(None, data_dir=tmp_path, documents=more))
        return state, code

    assert await said() == ("grey", "not_configured")
    assert await said(scan_required=True) == ("red", "not_configured")
    assert await said(**{kind: address(kind, free_port())}) == ("red", "scanner_away")
    async with scanner(kind) as there:
        settings = {kind: address(kind, there.port), "scan_mb": 1}
        assert await said(**settings) == ("green", "ok")
        there.limit = 900_000
        if kind == "clamd":
            assert await said(**settings) == ("yellow", "scanner_small")
        there.says = b"stream: OK\x00" if kind == "clamd" else b"ICAP/1.0 204 No Content\r\n\r\n"
        assert await said(**settings) == ("red", "finds_nothing")


async def test_what_people_really_send_is_known_by_its_content(tmp_path: Path) -> None:
    taken = {
        "application/pdf": made.pdf(3),
        "application/zip": made.zipped(made.study(2)),
    }
    refused = {
        "archive_nested": made.zipped({"a.zip": made.zipped({"b.dcm": made.dicom()})}),
        "archive_expands": made.zipped({"zeros.dcm": bytes(30_000_000)}),
    }
    async with website(tmp_path / "data", decoder=Decoder()) as site:
        lp = await site.signed_in("referring_physician")
        for kind, data in taken.items():
            row = await told(lp, await brought(site, lp, data, name="holiday.exe"))
            assert row["media_type"] == kind, row["refused"]
            assert row["state"] == ("confirm" if kind == "application/zip" else "ready")
            async with lp._http.get(f"{BASE}/{row['id']}/pages/{row['pages'] - 1}?width=100") as response:
                assert response.status == 200
                assert (await response.read())[:3] in (b"\x89PN", b"\xff\xd8\xff")
        assert row["details"]["series"][0]["modality"] == "CT"
        assert row["confirm"]["differs"] == ["name", "birth_date"]
        for code, data in refused.items():
            row = await told(lp, await brought(site, lp, data, name="scan.pdf"))
            assert (row["state"], row["refused"]) == ("refused", code)
