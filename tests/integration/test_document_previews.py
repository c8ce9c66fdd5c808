"""A page that was looked at before costs next to nothing, is still asked for, and goes with its document."""

from __future__ import annotations

import os
import resource
import zipfile
from pathlib import Path

import pytest

from server.decode.source import Source
from tests.integration.test_documents_seen import actions
from tests.support import documents as made
from tests.support.uploads import BASE, ByFirstBytes, brought, checked, pdf, told
from tests.support.website import Browser, website

LP, KP = "referring_physician", "consulting_physician"


class Counting(ByFirstBytes):
    """How many pictures it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int, int]] = []

    async def preview(self, source: Source, page: int, width: int, *, order: str = "") -> bytes:
        self.asked.append((page, width))
        return await super().preview(source, page, width, order=order)


async def page(browser: Browser, document: str, number: int, width: int) -> tuple[int, bytes]:
    async with browser._http.get(f"{BASE}/{document}/pages/{number}?width={width}") as answer:
        return answer.status, await answer.read()


async def test_a_page_is_drawn_once_for_everybody_and_each_look_is_still_asked_for_and_noted(
    tmp_path: Path,
) -> None:
    decoder = Counting()
    async with website(tmp_path / "data", decoder=decoder) as site:
        lp, kp = await site.signed_in(LP), await site.signed_in(KP)
        document = await brought(site, lp, pdf(500))
        inside = await brought(site, lp, pdf(600), visibility="site")
        first = await page(lp, document, 0, 700)
        assert await page(kp, document, 0, 768) == first == await page(kp, document, 0, 513)
        assert decoder.asked == [(0, 768)]
        assert (await page(kp, document, 1, 768))[0] == 200
        assert decoder.asked == [(0, 768), (1, 768)]
        await page(lp, inside, 0, 768)
        assert (await page(kp, inside, 0, 768))[0] == 404, "a picture that is there is nobody else's"
        assert (await kp.get(f"{BASE}/{document}/pages/9")).code == "page_unknown"
        looks = [action for action, _ in await actions(site, document) if action == "document_looked"]
        assert len(looks) == 2, "one for each of them"
        folder = site.settings.data_dir / "previews" / document
        assert len(list(folder.iterdir())) == 2
        await lp.post(f"{BASE}/{document}/withdraw", {"reason": "wrong_file"})
        await checked(site)
        assert not folder.exists()
        assert (await page(kp, document, 0, 768))[0] == 410
        numbers = (await site.browser().get("/metrics")).text
        assert "hyeopjin_previews_found 2.0" in numbers
        assert "hyeopjin_previews_made 3.0" in numbers


async def test_a_cache_that_cannot_be_read_or_written_stops_no_look(tmp_path: Path) -> None:
    decoder = Counting()
    async with website(tmp_path / "data", decoder=decoder) as site:
        lp = await site.signed_in(LP)
        document = await brought(site, lp, pdf(500))
        (site.settings.data_dir / "previews").write_text("no directory")
        for _ in range(2):
            assert (await page(lp, document, 0, 512))[0] == 200
        assert len(decoder.asked) == 2


def spent() -> float:
    """Seconds of processor of this process and of the children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


@pytest.mark.long
@pytest.mark.parametrize("what", ["study", "pdf", "picture"])
async def test_a_second_look_costs_a_fraction_of_the_first(tmp_path: Path, what: str) -> None:
    studies = {f"IM{n:03}": made.dicom(instance=n + 1, size=(512, 512)) for n in range(20)}
    data = {
        "study": lambda: made.zipped(studies, zipfile.ZIP_STORED),
        "pdf": lambda: made.pdf(),
        "picture": lambda: made.jpeg(3000, 2000),
    }[what]()
    async with website(tmp_path / "data") as site:
        lp = await site.signed_in(LP)
        document = await brought(site, lp, data)
        if what == "study":
            await lp.post(f"{BASE}/{document}/confirm", {"same": True})
        assert (await told(lp, document))["state"] == "ready"
        costs = []
        for _ in range(4):
            before = spent()
            status, picture = await page(lp, document, 0, 1024)
            assert status == 200
            costs.append(spent() - before)
        first, second = costs[0], min(costs[1:])
        print(f"\n{what}: {len(picture)} bytes, {first * 1000:.0f} ms, then {second * 1000:.0f} ms")  # noqa: T201
        assert second < first / 4, (costs, os.getloadavg())
