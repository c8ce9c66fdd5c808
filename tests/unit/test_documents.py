"""Rules of documents, the words of scanners, and the sealed parts that a document is kept in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from server.domain.document_kinds import missing, wanted
from server.domain.document_patient import differs, found
from server.domain.documents import (
    BRINGS,
    HELD,
    VISIBILITY,
    Document,
    Part,
    Side,
    State,
    Viewer,
    changes,
    clean_file_name,
    destroyed_by,
    opens,
    sees,
    withdraws,
)
from server.domain.patient import Person
from server.domain.permissions import Action, Relation, Role, allowed
from server.runtime.document_store import DocumentGoneError, DocumentStore
from server.runtime.keystore import KeyStore
from server.runtime.scanning import ScanError, clamd_found, icap_found

R = Relation
CASE, OTHER, DOCUMENT = "case-0000000000000001", "case-0000000000000002", "document-000000000001"
READY = Document(
    id=DOCUMENT, case_id=CASE, request="r", name="a.pdf", kind="report", visibility="case",
    patient_copy=False, state=State.READY, size=3, received=3, wanted_sha256="", sha256="x",
    made_by="lp", made_ms=1, touched_ms=1, site_id="almaty",
)  # fmt: skip
#: An opinion that a hospital's physician wrote.
OPINION = replace(READY, side=Side.CONSULTING, site_id="seoul", made_by="kp")
PEOPLE = {
    "lp": Viewer("lp", (Role.REFERRING_PHYSICIAN,), frozenset({R.OWN_SITE})),
    "lo": Viewer("lo", (Role.SITE_OPERATOR,), frozenset({R.OWN_SITE})),
    "kp": Viewer("kp", (Role.CONSULTING_PHYSICIAN,), frozenset({R.INVITED}), "seoul"),
    "rv": Viewer("rv", (Role.REVIEWER,), frozenset({R.FOLLOWS})),
    "kc": Viewer("kc", (Role.COORDINATOR,), frozenset()),
    "in": Viewer("in", (Role.INTERPRETER,), frozenset(R) - {R.BREAK_GLASS}),
    "elsewhere": Viewer("elsewhere", (Role.REFERRING_PHYSICIAN,), frozenset({R.SITE_TAKES_PART})),
    "po": Viewer("po", (Role.PRIVACY_OFFICER,), frozenset({R.BREAK_GLASS})),
}


def who(judge: object, document: Document) -> set[str]:
    assert callable(judge)
    return {name for name, viewer in PEOPLE.items() if judge(viewer, document)}


def test_each_visibility_names_who_sees_a_file() -> None:
    assert who(sees, READY) == {"lp", "kp", "rv", "kc", "po"}
    assert who(sees, replace(READY, visibility="physicians")) == {"lp", "kp", "po"}
    assert who(sees, replace(READY, visibility="site")) == {"lp", "po"}
    assert who(sees, replace(READY, made_by="lo", visibility="site")) == {"lp", "lo", "po"}


ALSO = {
    "colleague": Viewer("colleague", (Role.CONSULTING_PHYSICIAN,), frozenset({R.INVITED}), "seoul"),
    "busan": Viewer("busan", (Role.CONSULTING_PHYSICIAN,), frozenset({R.INVITED}), "busan"),
    "stranger": Viewer("stranger", (Role.CONSULTING_PHYSICIAN,), frozenset({R.OWN_SEAT}), "seoul"),
}


def and_who(judge: object, document: Document) -> set[str]:
    assert callable(judge)
    return who(judge, document) | {name for name, one in ALSO.items() if judge(one, document)}


def test_what_the_hospital_brings_is_seen_by_the_referring_site_as_its_visibility_says() -> None:
    asked = {"kp", "colleague"}
    assert and_who(sees, OPINION) == asked | {"busan", "lp", "rv", "kc", "po"}
    assert and_who(sees, replace(OPINION, visibility="physicians")) == asked | {"busan", "lp", "po"}
    assert and_who(sees, replace(OPINION, visibility="site")) == asked | {"po"}
    assert and_who(sees, replace(OPINION, visibility="site", made_by="kc")) == asked | {"kc", "po"}
    assert and_who(sees, replace(OPINION, state=State.CHECKING)) == asked


def test_each_side_changes_and_takes_back_its_own_only() -> None:
    assert and_who(changes, OPINION) == {"kp", "colleague"}
    assert and_who(changes, replace(OPINION, made_by="kc", site_id="office")) == {"kc"}
    assert and_who(changes, READY) == {"lp"}
    for sent in (True, False):
        back = {name for name, one in (PEOPLE | ALSO).items() if withdraws(one, OPINION, sent=sent)}
        assert back == {"kp", "colleague"}
    struck = replace(OPINION, state=State.WITHDRAWN)
    assert and_who(opens, struck) == {"kp", "colleague"}


@pytest.mark.parametrize("name", [*PEOPLE, *ALSO])
def test_whoever_may_bring_a_file_brings_it_for_their_own_side(name: str) -> None:
    viewer = (PEOPLE | ALSO)[name]
    may = allowed(Action.DOCUMENT_ADD, viewer.roles, viewer.relations)
    assert may == viewer.among(BRINGS[viewer.side])
    assert may == (name in {"lp", "lo", "kp", "kc", "colleague", "busan"})
    assert (viewer.side is Side.REFERRING) == (name in {"lp", "lo"})


def test_what_a_referral_wants_is_brought_by_the_referring_side() -> None:
    required = {"general": ("report",)}
    assert missing("general", required, [OPINION]) == ["report"]
    assert missing("general", required, [OPINION, READY]) == []
    assert wanted("general", required, [OPINION])[0]["documents"] == []


def test_nobody_who_may_not_ask_at_all_is_named_by_a_visibility() -> None:
    for row in VISIBILITY.values():
        for role, relations in row.items():
            assert allowed(Action.DOCUMENT_READ, (role,), relations)


@pytest.mark.parametrize("state", State)
def test_a_state_says_who_sees_and_who_opens(state: State) -> None:
    one = replace(READY, state=state)
    shown = state in (State.READY, State.WITHDRAWN, State.ENDED)
    given_up = state in (State.EXPIRED, State.CANCELLED)
    assert who(sees, one) == ({"lp", "kp", "rv", "kc", "po"} if shown else {"lp"})
    assert ("lp" in who(sees, replace(one, made_by="lo"))) is not given_up
    opened = {State.READY: set(PEOPLE), State.WITHDRAWN: {"lp"}, State.CONFIRM: {"lp"}}
    assert who(opens, one) == opened.get(state, set())
    assert who(opens, replace(one, destroy=True)) == set()


def test_what_came_is_changed_by_its_own_and_once_submitted_taken_back_by_a_physician_only() -> None:
    theirs = replace(READY, made_by="lo")
    assert who(changes, theirs) == {"lp", "lo"}
    assert who(changes, READY) == {"lp"}
    for sent in (True, False):
        back = {name for name, one in PEOPLE.items() if withdraws(one, theirs, sent=sent)}
        assert back == ({"lp"} if sent else {"lp", "lo"})
    for state in State:
        taken = withdraws(PEOPLE["lp"], replace(READY, state=state), sent=False)
        assert taken == (state in HELD - {State.UPLOADING})
    assert destroyed_by("wrong_file", sent=False)
    assert not destroyed_by("wrong_file", sent=True)
    assert destroyed_by("wrong_patient", sent=True)


def test_a_file_name_is_a_line_without_a_path() -> None:
    assert clean_file_name("C:\\Снимки\\ кость \n 1.dcm") == "кость 1.dcm"
    assert clean_file_name("../../etc/passwd") == "passwd"
    assert clean_file_name("a\u202efdp.exe\x00") == "afdp.exe"
    assert clean_file_name("///") == ""


PERSON = Person(
    names={"latin": "Nurlan Akhmetov", "cyrillic": "Нурлан Ахметов"}, birth_date="1970-05-04", sex="male"
)


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({"names": ["AKHMETOV^NURLAN"], "birth_date": "19700504", "sex": "M"}, []),
        ({"names": ["АХМЕТОВ^НУРЛАН^СЕРИКОВИЧ"], "birth_date": "1970-05-04"}, []),
        ({"names": ["AKHMETOV^NURLAN"], "birth_date": "19700405"}, ["birth_date"]),
        ({"names": ["KIM^MINSU"], "birth_date": "19700504", "sex": "F"}, ["name", "sex"]),
        ({"names": [], "birth_date": "", "sex": "", "number": "7"}, []),
    ],
)
def test_what_a_study_says_is_laid_beside_the_registration(told: dict[str, object], wrong: list[str]) -> None:
    assert differs(found([told]), PERSON) == wrong


def test_a_study_of_two_people_says_so_and_one_of_two_machines_does_not() -> None:
    one = {"names": ["AKHMETOV^NURLAN"], "birth_date": "19700504", "number": "1"}
    again = {**one, "names": ["NURLAN AKHMETOV"], "number": "B-2"}
    assert differs(found([one, again]), PERSON) == []
    assert differs(found([one, {**one, "birth_date": "19700505"}]), PERSON) == ["several", "birth_date"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"stream: OK\x00", False),
        (b"stream: OK\n", False),
        (b"stream: Win.Test.EICAR_HDB-1 FOUND\x00", True),
        (b"INSTREAM size limit exceeded. ERROR\x00", "scanner_limit"),
        (b"stream: OK FOUND", True),
        (b"OK", "scanner_unclear"),
        (b"stream: OK\x00stream: X FOUND\x00", "scanner_unclear"),
        (b"", "scanner_unclear"),
    ],
)
def test_only_a_plain_word_of_clamd_is_believed(answer: bytes, said: bool | str) -> None:
    if isinstance(said, str):
        with pytest.raises(ScanError, match=said):
            clamd_found(answer)
    else:
        assert clamd_found(answer) is said


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b'ICAP/1.0 204 No Content\r\nISTag: "x"\r\n\r\n', False),
        (b"ICAP/1.0 204 No Content\r\nX-Virus-ID: Eicar\r\n\r\n", True),
        (b"ICAP/1.0 200 OK\r\nX-Infection-Found: Type=0;\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", True),
        (b"ICAP/1.0 200 OK\r\nISTag: x\r\n\r\nHTTP/1.1 403 Forbidden\r\n\r\n", True),
        (b"ICAP/1.0 200 OK\r\nISTag: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "scanner_unclear"),
        (b"ICAP/1.0 500 Oops\r\nX-Virus-ID: Eicar\r\n\r\n", "scanner_unclear"),
        (b"ICAP/1.0 413 Too large\r\n\r\n", "scanner_limit"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "scanner_unclear"),
        (b"", "scanner_unclear"),
    ],
)
def test_only_what_an_icap_server_says_plainly_is_believed(answer: bytes, said: bool | str) -> None:
    if isinstance(said, str):
        with pytest.raises(ScanError, match=said):
            icap_found(answer)
    else:
        assert icap_found(answer) is said


@pytest.fixture
def store(tmp_path: Path) -> DocumentStore:
    return DocumentStore(tmp_path / "documents", KeyStore.open(tmp_path))


def written(store: DocumentStore, *pieces: bytes, document: str = DOCUMENT) -> list[Part]:
    parts: list[Part] = []
    for number, piece in enumerate(pieces, 1):
        writer = store.begin_now(CASE, document, number)
        writer.write(piece)
        parts.append(writer.commit(parts[-1].start + parts[-1].size if parts else 0))
    return parts


def test_parts_are_read_as_one_from_anywhere(store: DocumentStore) -> None:
    pieces = [bytes([n]) * size for n, size in enumerate((1, 70_000, 200_000, 65_480))]
    whole, parts = b"".join(pieces), written(store, *pieces)
    reader = store.reader_now(CASE, DOCUMENT, parts)
    assert reader.size == len(whole)
    for start, length in ((0, 1), (0, 400_000), (1, 65_480), (69_999, 5), (270_000, 65_481), (335_480, 9)):
        assert reader.read_now(start, length) == whole[start : start + length]
    reader.close()


def test_parts_of_one_document_are_not_taken_for_anothers_nor_in_another_order(store: DocumentStore) -> None:
    one, two = written(store, b"first", b"secnd"), written(store, b"other", document=OTHER)
    folder = store.folder(DOCUMENT)
    first, second = (folder / f"{part.file}.sealed" for part in one)
    own = first.read_bytes()
    for other in (second, store.folder(OTHER) / f"{two[0].file}.sealed"):
        first.write_bytes(other.read_bytes())
        with pytest.raises(DocumentGoneError, match="document_damaged"):
            store.reader_now(CASE, DOCUMENT, one).read_now(0, 5)
    first.write_bytes(own)
    assert store.reader_now(CASE, DOCUMENT, one).read_now(3, 4) == b"stse"


def test_a_part_cut_short_or_changed_is_found(store: DocumentStore) -> None:
    parts = written(store, bytes(200_000))
    path = store.folder(DOCUMENT) / f"{parts[0].file}.sealed"
    sealed = path.read_bytes()
    for damaged in (sealed[:65536], sealed[:-1], sealed[:100] + b"\x00" + sealed[101:], b""):
        path.write_bytes(damaged)
        if damaged == sealed:
            continue
        with pytest.raises(DocumentGoneError, match="document_damaged"):
            store.reader_now(CASE, DOCUMENT, parts).read_now(0, 200_000)


async def test_without_its_key_nothing_is_read_and_no_new_key_is_made(store: DocumentStore) -> None:
    parts = written(store, b"bytes")
    await store.destroy(CASE, DOCUMENT, parts)
    await store.destroy(CASE, DOCUMENT, parts)
    assert store.destroyed(CASE, DOCUMENT)
    for call in (
        lambda: store.reader_now(CASE, DOCUMENT, parts),
        lambda: store.begin_now(CASE, DOCUMENT, 2),
    ):
        with pytest.raises(DocumentGoneError, match="document_destroyed"):
            call()


def test_what_the_books_do_not_name_is_cleared_away(store: DocumentStore) -> None:
    parts = written(store, b"kept")
    store.begin_now(CASE, DOCUMENT, 2).write(bytes(70_000))
    written(store, b"overtaken")
    assert len(list(store.folder(DOCUMENT).iterdir())) == 3
    store.tidy_now(DOCUMENT, parts)
    assert [path.name for path in store.folder(DOCUMENT).iterdir()] == [f"{parts[0].file}.sealed"]
