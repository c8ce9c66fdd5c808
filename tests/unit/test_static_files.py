"""What the pages' files say: one address a release, every module asked for at once, nothing else."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from server.web.static_files import STATIC, _takes_gzip, allowed, modules, release, text

PAGES = sorted(STATIC.glob("*.html"))


def linked(html: str) -> list[str]:
    return re.findall(rf'(?:href|src|data-page)="/static/{release()}/([^"]+)"', html)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_asks_for_everything_at_once_and_for_nothing_that_is_not_there(page: Path) -> None:
    html = text(page).plain.decode()
    module = re.search(r'data-page="([^"]+)"', html)
    assert module
    preloaded = re.findall(r'<link rel="modulepreload" href="([^"]+)" />', html)
    assert preloaded[0] == module[1]
    assert len(preloaded) > 10
    assert len(preloaded) == len(set(preloaded))
    assert [name for name in linked(html) if allowed(name) is None] == []
    assert html.count("/static/") == len(linked(html))


def test_imports_are_found_in_all_their_forms_and_nowhere_else(tmp_path: Path) -> None:
    page = tmp_path / "page.js"
    page.write_text(
        "/** @typedef {import('./types.js').Never} Never */\n"
        "import './first.js';\n"
        "import {\n  two,\n  three,\n} from './second.js';\n"
        'import * as all from "./third.js";\n'
        "export { two } from './second.js';\n"
        "export const said = './never.js';\n"
        "export const told = { from: './never.js' };\n"
    )
    for name in ("first", "second"):
        (tmp_path / f"{name}.js").write_text("export const two = 2, three = 3;\n")
    (tmp_path / "third.js").write_text("import './page.js';\nimport './fourth.js';\n")
    (tmp_path / "fourth.js").write_text("")
    assert [path.stem for path in modules(page)] == ["page", "first", "second", "third", "fourth"]


def test_a_catalogue_is_packed_to_less_than_a_third_and_says_the_same() -> None:
    words = text(STATIC / "i18n/ru.ftl")
    assert gzip.decompress(words.packed) == words.plain == (STATIC / "i18n/ru.ftl").read_bytes()
    assert len(words.packed) * 3 < len(words.plain)


def test_a_module_names_others_under_its_own_release() -> None:
    plain = text(STATIC / "js/i18n.js").plain.decode()
    assert f"'/static/{release()}/vendor/fluent.js'" in plain
    assert f"`/static/{release()}/i18n/" in plain


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("br, GZIP ;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        ("identity", False),
        ("", False),
    ],
)
def test_only_who_takes_gzip_gets_it(accepted: str, packed: bool) -> None:
    assert _takes_gzip(accepted) is packed
