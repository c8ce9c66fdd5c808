"""Six languages: the same list everywhere, dates as CLDR has them, and translations that are translations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from babel import Locale
from fluent.syntax import ast

from server.domain import form_words
from server.domain.glossary import LANGUAGES as TERM_LANGUAGES
from server.domain.referral_form import SPECIALTIES, newest
from server.export import plates
from server.i18n import LANGUAGES, NEAREST, text
from server.services.mailing import when
from tests.support import cldr
from tests.unit.test_i18n_catalogues import BUILT, PAGE_FILES, catalogue, variables

ROOT = Path(__file__).resolve().parents[2]
I18N = ROOT / "static" / "i18n"
WORDS = ROOT / "server" / "domain" / "forms" / "words"
PAGE_LIST = (ROOT / "static/js/languages.js").read_text(encoding="utf-8")
ADDED = ("kk", "uz", "mn")
PENDING = "# review: pending"
#: Letters of a language beside ASCII punctuation and figures; none of a neighbour's.
ALPHABET = {
    "kk": "аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюя",
    "mn": "абвгдеёжзийклмноөпрстуүфхцчшщъыьэюя",
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
}
#: Specialties that sites may write by hand where a case is made; the code knows those of its forms only.
TYPED_BY_SITES = {"specialty-cardiology", "specialty-orthopedics", "specialty-surgery"}
#: What is the same in every language: names, codes, and messages that are a placeable alone.
SAME = {"product-name", "page-title", *(f"language-{code}" for code in LANGUAGES)}


def words_of(message: ast.Message) -> str:
    """A message's text without its placeables, all its variants one after another."""
    found: list[str] = []

    def walk(node: object) -> None:
        if isinstance(node, ast.TextElement):
            found.append(node.value)
        if isinstance(node, ast.BaseNode):
            for value in vars(node).values():
                for one in value if isinstance(value, list) else [value]:
                    walk(one)

    walk(message)
    return " ".join(" ".join(found).split())


@cache
def said(language: str) -> dict[str, str]:
    return {name: words_of(message) for name, message in catalogue(language).items()}


def js_list(name: str) -> list[str]:
    found = re.search(rf"{name} = Object\.freeze\(\[(.*?)\]\)", PAGE_LIST)
    assert found
    return re.findall(r"'(\w+)'", found.group(1))


def test_pages_server_and_glossary_name_the_same_six_languages() -> None:
    assert js_list("LANGUAGES") == list(LANGUAGES) == list(TERM_LANGUAGES)
    assert {path.stem for path in I18N.glob("*.ftl")} == set(LANGUAGES)
    near = re.findall(r"(\w\w): \['(\w\w)'\]", PAGE_LIST)
    assert {code: (nearest,) for code, nearest in near} == NEAREST


def test_what_no_native_reviewer_has_read_says_so_in_every_place() -> None:
    files = {code: (I18N / f"{code}.ftl").read_text(encoding="utf-8") for code in LANGUAGES}
    pending = {code for code, whole in files.items() if PENDING in whole.splitlines()[:4]}
    assert pending == set(js_list("UNREVIEWED"))
    listed = re.findall(
        r"^\| (\w\w) \|.*\| pending \|",
        (ROOT / "docs/languages.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert pending == set(listed)
    forms = {
        path.stem for path in WORDS.glob("*.toml") if path.read_text(encoding="utf-8").startswith(PENDING)
    }
    assert pending == forms


@pytest.mark.parametrize("language", cldr.LANGUAGES)
def test_dates_and_names_of_the_pages_are_those_of_cldr(language: str) -> None:
    """After a new Babel: `python -m tests.support.cldr`."""
    assert (I18N / "cldr" / f"{language}.json").read_text(encoding="utf-8") == cldr.written(language)


@pytest.mark.parametrize(
    ("language", "day"),
    [
        ("kk", "2026 ж. 26 қараша, бейсенбі"),
        ("uz", "payshanba, 26-noyabr, 2026"),
        ("mn", "2026 оны арван нэгдүгээр сарын 26, пүрэв гараг"),
    ],
)
def test_a_mail_writes_the_day_as_its_reader_does(language: str, day: str) -> None:
    written = when(1_795_676_400_000, "Asia/Seoul", language).replace("\u202f", " ")
    assert written.startswith(day), written


def test_a_text_that_a_language_lacks_is_read_in_the_nearest() -> None:
    assert text("kk", "no-such-message") == "no-such-message"
    assert text("xx", "signin-title") == text("en", "signin-title")


@pytest.mark.parametrize("language", ADDED)
def test_every_message_has_the_same_values_and_attributes_as_in_english(language: str) -> None:
    english, other = catalogue("en"), catalogue(language)
    assert other.keys() == english.keys(), sorted(other.keys() ^ english.keys())
    unequal = [
        name
        for name, message in other.items()
        if variables(message) != variables(english[name])
        or {a.id.name for a in message.attributes} != {a.id.name for a in english[name].attributes}
    ]
    assert not unequal, unequal


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
@pytest.mark.parametrize("other", ["en", "ru"])
def test_what_says_the_same_as_english_or_russian_was_not_translated(language: str, other: str) -> None:
    if language == other:
        return
    own, theirs = said(language), said(other)
    telling = [name for name, words in own.items() if name not in SAME and re.search(r"[^\W\d_]{2}", words)]
    same = [name for name in telling if own[name] == theirs.get(name)]
    assert len(same) <= 0.03 * max(1, len(telling)), (len(same), len(telling), same)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_choice_by_number_has_every_plural_of_its_language(language: str) -> None:
    """Russian's default, `other`, may stand for `many`: it would be for fractions alone, and nothing is."""
    plural = Locale.parse(language).plural_form
    needed = {plural(number) for number in range(200)}
    wrong = []
    for name, message in catalogue(language).items():
        for one in selects(message):
            keys = {key.name for key in (v.key for v in one.variants) if isinstance(key, ast.Identifier)}
            lacking = needed - keys - ({"many"} if "other" in keys else set())
            if keys & {"zero", "one", "two", "few", "many", "other"} and lacking:
                wrong.append((name, sorted(keys), sorted(needed)))
    assert not wrong, wrong


def selects(node: object) -> list[ast.SelectExpression]:
    found = [node] if isinstance(node, ast.SelectExpression) else []
    if isinstance(node, ast.BaseNode):
        for value in vars(node).values():
            for one in value if isinstance(value, list) else [value]:
                found += selects(one)
    return found


def code() -> str:
    """All that could ask for a message: pages, server, and the data they read."""
    files = [*PAGE_FILES, *(ROOT / "static").glob("*.html")]
    for folder in ("server", "signaling", "media"):
        files += (ROOT / folder).rglob("*.py")
    files += (ROOT / "server/domain").glob("*.toml")
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def test_every_message_can_be_rendered() -> None:
    """Its id stands in the code, or the code builds it (`role-${…}`) and has the word that is put in."""
    text = code()
    words = set(re.findall(r"['\"`]([A-Za-z0-9_-]+)['\"`]", text))
    words |= set(re.findall(r"[\s{,(\[]([A-Za-z_]+)(?=[:\]=])", text))
    words |= {word.replace("_", "-") for word in words}
    builders = set(re.findall(r"`([a-z][a-z-]*-)\$\{[^`}]*\}((?:-[a-z-]+)?)`", text))
    builders |= set(re.findall(r"f\"([a-z][a-z-]*-)\{[^\"}]*\}((?:-[a-z-]+)?)\"", text))
    builders |= {(f"{prefix}-", "") for prefix in re.findall(r"tValue\('([a-z-]+)'", text)}
    known = (
        words | TYPED_BY_SITES | {f"{prefix}{value}" for prefix, values in BUILT.items() for value in values}
    )
    known |= {f"{name}{end}" for name in catalogue("en") for end in re.findall(r"`\$\{\w+\}(-[a-z]+)`", text)}

    def is_built(name: str) -> bool:
        return any(
            name.startswith(before)
            and name.endswith(end)
            and name[len(before) : len(name) - len(end)] in words
            for before, end in {*builders, ("error-", "")}
        )

    never = [name for name in catalogue("en") if name not in known and not is_built(name)]
    assert not never, never


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_brings_markup_or_invisible_letters(language: str) -> None:
    everything = {**said(language), **{key: key for key in form_texts(language)}}
    wrong = [
        name
        for name, words in everything.items()
        if re.search(
            r"<\s*[/!a-zA-Z]|&#?\w+;|javascript:|[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08]",
            words,
        )
    ]
    assert not wrong, wrong


@pytest.mark.parametrize("language", ADDED)
def test_no_word_mixes_alphabets_or_borrows_a_neighbours_letter(language: str) -> None:
    """A Latin i in a Kazakh word looks right and is found by no search."""
    wrong = []
    for name, words in [*said(language).items(), *((one, one) for one in form_texts(language))]:
        if name in SAME:
            continue
        for word in re.findall(r"[^\W\d_]+", words):
            cyrillic, latin = re.search(r"[\u0400-\u04ff]", word), re.search(r"[A-Za-z]", word)
            stray = language in ALPHABET and [
                c for c in word.lower() if "\u0400" <= c <= "\u04ff" and c not in ALPHABET[language]
            ]
            if (cyrillic and latin) or stray or (language == "uz" and cyrillic):
                wrong.append((name, word))
        if language == "uz" and re.search(r"[A-Za-z]['`\u2018\u2019][a-z]", words):
            wrong.append((name, "oʻ and gʻ are written with U+02BB, the stop with U+02BC"))
    assert not wrong, wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_fonts_that_the_pages_bring_have_every_letter(language: str) -> None:
    letters = {letter for words in [*said(language).values(), *form_texts(language)] for letter in words}
    letters |= set("ӘәҒғҚқҢңӨөҰұҮүҺһІі")
    missing = [letter for letter in sorted(letters) if letter.isalpha() and plates._slice_of(letter) is None]
    assert not missing, missing


@cache
def texts_of_forms() -> list[tuple[str, Mapping[str, str]]]:
    """Every text of every form, with the question it belongs to."""
    found: list[tuple[str, Mapping[str, str]]] = []
    for specialty in SPECIALTIES:
        form = newest(specialty)
        found += [("", texts) for texts in (form.label, *form.sections.values())]
        for one in form.questions:
            found += [(one.id, texts) for texts in (one.label, one.why, *(it.label for it in one.choices))]
    return found


def form_texts(language: str) -> list[str]:
    return [texts[language] for _, texts in texts_of_forms() if language in texts]


@pytest.mark.parametrize("language", ADDED)
def test_every_text_of_every_form_is_there_and_no_other(language: str) -> None:
    anywhere, single = form_words.words(language)
    used: set[tuple[str, str]] = set()
    missing = []
    for question, texts in texts_of_forms():
        if language not in texts:
            missing.append((question, texts["en"]))
        if texts["en"] in single.get(question, {}):
            used.add((question, texts["en"]))
        else:
            used.add(("", texts["en"]))
    assert not missing, missing
    written = {("", text) for text in anywhere}
    written |= {(question, text) for question, texts in single.items() for text in texts}
    assert not written - used, written - used


@pytest.mark.parametrize("language", ADDED)
@pytest.mark.parametrize("other", ["en", "ru"])
def test_a_forms_text_that_says_the_same_was_not_translated(language: str, other: str) -> None:
    telling = [texts for _, texts in texts_of_forms() if len(texts[other]) > 2]
    same = [texts[other] for texts in telling if texts[language] == texts[other]]
    assert len(same) <= 0.03 * len(telling), same


@pytest.mark.parametrize(
    "wrong", ["Ауырсыну", "бас ауыруы", "ogʻriq", "Og'riq", "Oʻsma", "толгой өвдөж байна"]
)
def test_a_complaint_alone_is_no_diagnosis_in_any_language(wrong: str) -> None:
    question = newest("general").question("diagnosis")
    assert question is not None
    assert set(re.findall(r"\w+", wrong.casefold())) <= set(question.not_alone)


def test_pages_write_dates_numbers_and_names_through_the_two_files_that_know_every_language() -> None:
    """A browser's own Intl writes "2026 M11 26" in Kazakh and English in Mongolian."""
    wrong = []
    for path in PAGE_FILES:
        if path.name not in ("cldr.js", "time.js"):
            found = re.findall(
                r"Intl\.(?!DateTimeFormat\('en)\w+|toLocale\w*String", path.read_text(encoding="utf-8")
            )
            wrong += [f"{path.name}: {one}" for one in found if one != "Intl.supportedValuesOf"]
    assert not wrong, wrong
