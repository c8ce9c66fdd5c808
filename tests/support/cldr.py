"""Writes static/i18n/cldr/*.json: what browsers lack of CLDR for some of the pages' languages.

Chromium has stubs for Kazakh and Uzbek ("2026 M11 26, Thu") and nothing for Mongolian. The names and patterns
come from Babel's copy of CLDR; a test fails when the files are not what it says. Run:
`python -m tests.support.cldr`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from babel import Locale

FOLDER = Path(__file__).resolve().parents[2] / "static" / "i18n" / "cldr"
LANGUAGES = ("kk", "uz", "mn")
#: CLDR's own marks in its patterns; the page knows these only.
TOKENS = ("EEEE", "MMMM", "EEE", "MMM", "y", "d")


def of(language: str) -> dict[str, Any]:
    """One language's part of CLDR, as a page needs it."""
    locale = Locale.parse(language)
    days = {width: [locale.days["format"][width][(n + 6) % 7] for n in range(7)] for width in _WIDTHS}
    months = {width: [locale.months["format"][width][n] for n in range(1, 13)] for width in _WIDTHS}
    symbols = locale.number_symbols["latn"]
    return {
        "weekdays": days["wide"],
        "weekdays_short": days["abbreviated"],
        "months": months["wide"],
        "months_short": months["abbreviated"],
        "full_date": locale.date_formats["full"].pattern,
        "weekday_date": locale.datetime_skeletons["MMMEd"].pattern.replace("E", "EEE"),
        "list_pair": locale.list_patterns["standard"]["2"],
        "list_end": locale.list_patterns["standard"]["end"],
        "decimal": symbols["decimal"],
        "group": symbols["group"],
        "percent": locale.percent_formats[None].pattern,
        **{unit: locale._data["unit_patterns"][f"digital-{unit}"]["short"]["other"] for unit in _SIZES},
        "languages": dict(sorted((c, n) for c, n in locale.languages.items() if len(c) == 2)),
        "regions": dict(sorted((c, n) for c, n in locale.territories.items() if len(c) == 2)),
    }


_WIDTHS = ("wide", "abbreviated")
_SIZES = ("kilobyte", "megabyte", "gigabyte")


def written(language: str) -> str:
    """The file's text."""
    return json.dumps(of(language), ensure_ascii=False, indent=0, sort_keys=True) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in LANGUAGES:
        (FOLDER / f"{each}.json").write_text(written(each), encoding="utf-8")
