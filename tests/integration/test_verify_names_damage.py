"""Every kind of damage to what is stored is found by `recordings verify`, with its name and its place.

One table: what is done, and the faults that must come of it, no more and no fewer.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.damage import (
    HEADER,
    SEAL,
    Hurt,
    Place,
    append,
    arrange,
    change_letter,
    cut,
    flip,
    flip_header,
    flip_seal,
    remove,
    seals_of,
    swap,
)
from tests.support.journals import RECORDING
from tests.support.verified import CAMERA, ONE, OTHER, SEG, SEG2, TWO, VOICE, prepare, report_of, told


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("whole")
    asyncio.run(prepare(data))
    return data


@pytest.fixture
def place(whole: Path, tmp_path: Path) -> Place:
    shutil.copytree(whole, tmp_path / "data")
    return Place(tmp_path / "data")


def header_case(field: str) -> tuple[str, Hurt, str, set[str]]:
    codes = {"magic": "bad_magic", "version": "bad_version", "length": "bad_header"}
    code = codes.get(
        field, "misnamed" if field in ("ordinal", "epoch", "recording", "seat") else "bad_header"
    )
    expected = {f"1/{ONE}.0001.seg: header.{field} = {code}"}
    return f"header.{field}", lambda at: flip_header(at.segment(ONE), field), RECORDING, expected


def room_header_case(field: str) -> tuple[str, Hurt, str, set[str]]:
    _, _, _, expected = header_case(field)
    named = {line.replace(f"1/{ONE}", "1/room") for line in expected}
    return f"room header.{field}", lambda at: flip_header(at.segment("room"), field), RECORDING, named


def seal_case(field: str, seal: int) -> tuple[str, Hurt, str, set[str]]:
    codes = {"index": "bad_index", "previous": "bad_chain", "ciphertext": "bad_tag", "tag": "bad_tag"}
    what = field if field in ("ciphertext", "tag") else f"seal.{field}"
    if seal == -1 and field in ("ciphertext", "tag"):
        what = "ciphertext_or_tag"
    name = codes.get(field, "bad_seal")

    def hurt(at: Place) -> None:
        flip_seal(at.segment(ONE), seal, field)

    number = seal if seal >= 0 else LAST
    return f"seal {seal} {field}", hurt, RECORDING, {f"1/{ONE}.0001.seg: seal {number} {what} = {name}"}


LAST = 4
"""Index of the end mark of ONE's first segment; the fixture's own test holds it to that."""


def moved(one: str, other: str, fields: str) -> set[str]:
    return {f"{file}: header.{field} = misnamed" for file in (one, other) for field in fields.split()}


def with_rest(*lines: str, file: str, seals: range = range(0)) -> set[str]:
    return {*lines, *(f"{file}: seal {n} ciphertext = bad_tag" for n in seals)}


CASES: list[tuple[str, Hurt, str, set[str]]] = [
    *(header_case(field) for field in HEADER),
    *(room_header_case(field) for field in HEADER if field not in ("grant", "seat")),
    *(seal_case(field, 2) for field in (*SEAL, "tag")),
    *(seal_case(field, 0) for field in (*SEAL, "tag")),
    # the end mark: its own head and place are known, its tag has no witness behind it
    *(seal_case(field, -1) for field in (*SEAL, "tag")),
    (
        "a seal removed",
        lambda at: arrange(at.segment(ONE), lambda s: s[:2] + s[3:]),
        RECORDING,
        {f"{SEG}: seal 2 seals 2-2 = lost_seals"},
    ),
    (
        "two seals swapped",
        lambda at: arrange(at.segment(ONE), lambda s: [*s[:1], s[2], s[1], *s[3:]]),
        RECORDING,
        {f"{SEG}: seal 1 seals 1-1 = lost_seals", f"{SEG}: seal 1 seal = repeated_seal",
         f"{SEG}: seal 2 seals 2-2 = lost_seals"},
    ),
    (
        "a seal repeated",
        lambda at: arrange(at.segment(ONE), lambda s: [*s[:2], s[1], *s[2:]]),
        RECORDING,
        {f"{SEG}: seal 1 seal = repeated_seal"},
    ),
    (
        "a seal of another seat put in",
        lambda at: arrange(
            at.segment(ONE),
            lambda s: [*s[:2], at.segment(TWO).read_bytes()[slice(*_span(at.segment(TWO), 2))], *s[3:]],
        ),
        RECORDING,
        {f"{SEG}: seal 2 ciphertext = bad_tag"},
    ),
    (
        "segments swapped between seats",
        lambda at: swap(at.segment(ONE), at.segment(TWO)),
        RECORDING,
        moved(SEG, SEG2, "seat"),
    ),
    (
        "segments swapped between epochs",
        lambda at: swap(at.segment(ONE), at.segment(ONE, 2)),
        RECORDING,
        moved(SEG, f"2/{ONE}.0001.seg", "epoch"),
    ),
    (
        "segments swapped between recordings",
        lambda at: swap(at.segment(ONE), at.segment(ONE, 1, OTHER)),
        RECORDING,
        {f"{SEG}: header.recording = misnamed"},
    ),
    (
        "a segment repeated under the next number",
        lambda at: shutil.copy(at.segment(ONE), at.segment(ONE).with_name(f"{ONE}.0002.seg")),
        RECORDING,
        {f"1/{ONE}.0002.seg: header.ordinal = misnamed"},
    ),
    (
        "an epoch repeated under another number",
        lambda at: shutil.copytree(at.segment(ONE).parent, at.segment(ONE, 7).parent),
        RECORDING,
        {f"7/{who}.0001.seg: header.epoch = misnamed" for who in ("room", ONE, TWO)},
    ),
    (
        "a segment cut in its end mark",
        lambda at: cut(at.segment(ONE), -7),
        RECORDING,
        {f"{SEG}: seal {LAST} seals = cut_after_ack", f"{SEG}: seal {LAST} seal = truncated",
         f"{SEG}: end_mark = missing_end"},
    ),
    (
        "a segment cut between two seals",
        lambda at: cut(at.segment(ONE), seals_of(at.segment(ONE))[2][0]),
        RECORDING,
        {f"{SEG}: seal 2 seals = cut_after_ack", f"{SEG}: end_mark = missing_end"},
    ),
    (
        "a segment cut in its header",
        lambda at: cut(at.segment(ONE), 50),
        RECORDING,
        {f"{SEG}: seal 0 seals = cut_after_ack", f"{SEG}: header = truncated",
         f"{SEG}: end_mark = missing_end"},
    ),
    (
        "the room's file cut between two seals",
        lambda at: cut(at.segment("room"), seals_of(at.segment("room"))[1][0]),
        RECORDING,
        {"1/room.0001.seg: seal 1 seals = cut_after_ack", "1/room.0001.seg: end_mark = missing_end"},
    ),
    (
        "bytes behind the end mark",
        lambda at: append(at.segment(ONE), b"more"),
        RECORDING,
        {f"{SEG}: seal {LAST + 1} end_mark = after_end"},
    ),
    (
        "an older version of a segment and of the room's file",
        lambda at: [cut(at.segment(who), seals_of(at.segment(who))[2][0]) for who in ("room", ONE, TWO)]
       ,
        RECORDING,
        {
            f"1/{who}.0001.seg: {line}"
            for who in ("room", ONE, TWO)
            for line in ("seal 2 seals = cut_after_ack", "end_mark = missing_end")
        },
    ),
    (
        "a segment removed",
        lambda at: remove(at.segment(TWO)),
        RECORDING,
        {f"{SEG2}: segment = missing_segment"},
    ),
    (
        "the room's file removed",
        lambda at: remove(at.segment("room")),
        RECORDING,
        {"1/room.0001.seg: segment = missing_segment"},
    ),
    (
        "an epoch removed",
        lambda at: remove(at.segment("room").parent),
        RECORDING,
        {"1: epoch = missing_epoch"},
    ),
    (
        "a journal without generation: a seat's file removed",
        lambda at: remove(at.segment(ONE, 1, OTHER)),
        OTHER,
        {f"{SEG}: segment = missing_segment"},
    ),
    (
        "a journal without generation: the room's file removed",
        lambda at: remove(at.segment("room", 1, OTHER)),
        OTHER,
        {"1/room.0001.seg: segment = missing_segment"},
    ),
    (
        "the manifest's payload",
        lambda at: change_letter(at.object("manifest.json", 2), 60),
        RECORDING,
        {"g2/manifest.json: payload_or_signature = manifest_unsigned"},
    ),
    (
        "the manifest's signature",
        lambda at: change_letter(at.object("manifest.json", 2), -20),
        RECORDING,
        {"g2/manifest.json: payload_or_signature = manifest_unsigned"},
    ),
    (
        "the manifest's key id",
        lambda at: change_letter(
            at.object("manifest.json", 2), at.object("manifest.json", 2).read_bytes().find(b'keyid":"') + 9
        ),
        RECORDING,
        {"g2/manifest.json: keyid = manifest_malformed"},
    ),
    (
        "a space behind the manifest",
        lambda at: append(at.object("manifest.json", 2), b" "),
        RECORDING,
        {"g2/manifest.json: envelope = manifest_malformed"},
    ),
    (
        "a cut manifest",
        lambda at: cut(at.object("manifest.json", 2), -9),
        RECORDING,
        {"g2/manifest.json: envelope = manifest_malformed"},
    ),
    (
        "the manifest removed",
        lambda at: remove(at.object("manifest.json", 2)),
        RECORDING,
        {"g2/manifest.json: object = object_missing"},
    ),
    (
        "the manifest of an older generation",
        lambda at: shutil.copy(at.data / "aside/manifest.json", at.object("manifest.json", 2)),
        RECORDING,
        {"g2/manifest.json: manifest = manifest_misplaced"},
    ),
    (
        "the index",
        lambda at: flip(at.object("index.json.sealed", 2), 90),
        RECORDING,
        {"g2/index.json.sealed: header_or_segment 0 = sealed_damaged"},
    ),
    (
        "the index's salt",
        lambda at: flip(at.object("index.json.sealed", 2), 9),
        RECORDING,
        {"g2/index.json.sealed: header_or_segment 0 = sealed_damaged"},
    ),
    (
        "the index of an older generation",
        lambda at: shutil.copy(at.data / "aside/index.json.sealed", at.object("index.json.sealed", 2)),
        RECORDING,
        {"g2/index.json.sealed: header_or_segment 0 = sealed_damaged"},
    ),
    (
        "the index removed",
        lambda at: remove(at.object("index.json.sealed", 2)),
        RECORDING,
        {"g2/index.json.sealed: object = object_missing"},
    ),
    (
        "a track's salt",
        lambda at: flip(at.object(CAMERA, 2), 9),
        RECORDING,
        {f"g2/{CAMERA}: header_or_segment 0 = sealed_damaged"},
    ),
    (
        "a track's header length",
        lambda at: flip(at.object(CAMERA, 2), 0),
        RECORDING,
        {f"g2/{CAMERA}: header = sealed_damaged"},
    ),
    (
        "a track's ciphertext",
        lambda at: flip(at.object(CAMERA, 2), 3000),
        RECORDING,
        {f"g2/{CAMERA}: header_or_segment 0 = sealed_damaged"},
    ),
    (
        "a track's tag",
        lambda at: flip(at.object(CAMERA, 2), -3),
        RECORDING,
        {f"g2/{CAMERA}: header_or_segment 0 = sealed_damaged"},
    ),
    (
        "a track cut",
        lambda at: cut(at.object(CAMERA, 2), -100),
        RECORDING,
        {f"g2/{CAMERA}: end = sealed_truncated"},
    ),
    (
        "bytes behind a track",
        lambda at: append(at.object(CAMERA, 2), b"more"),
        RECORDING,
        {f"g2/{CAMERA}: end = after_end"},
    ),
    ("a track removed", lambda at: remove(at.object(CAMERA, 2)), RECORDING,
     {f"g2/{CAMERA}: object = object_missing"}),
    (
        "a track of an older generation",
        lambda at: shutil.copy(at.data / "aside" / VOICE, at.object(VOICE, 2)),
        RECORDING,
        {f"g2/{VOICE}: end = sealed_truncated"},
    ),
    (
        "two tracks swapped",
        lambda at: swap(at.object(VOICE, 2), at.object(CAMERA, 2)),
        RECORDING,
        {f"g2/{VOICE}: end = sealed_truncated", f"g2/{CAMERA}: end = after_end"},
    ),
    (
        "a strange object",
        lambda at: at.object("more.sealed", 2).write_bytes(b"x"),
        RECORDING,
        {"g2/more.sealed: object = object_unexpected"},
    ),
    (
        "a whole generation removed",
        lambda at: remove(at.object("x", 2).parent),
        RECORDING,
        {"g2/manifest.json: object = object_missing"},
    ),
    (
        "a wrapped key",
        lambda at: flip(at.key(ONE), -20),
        RECORDING,
        {f"{ONE}.key: wrapped_key = key_unreadable"},
    ),
    (
        "a wrapped key's magic",
        lambda at: flip(at.key(ONE), 3),
        RECORDING,
        {f"{ONE}.key: magic = key_unreadable"},
    ),
    (
        "a wrapped key cut",
        lambda at: cut(at.key(ONE), -3),
        RECORDING,
        {f"{ONE}.key: length = key_unreadable"},
    ),
    (
        "a key's fingerprint",
        lambda at: flip(at.key(ONE).with_suffix(".print"), 5, 1),
        RECORDING,
        {f"{ONE}.print: fingerprint = fingerprint_differs"},
    ),
    (
        "two wrapped keys swapped",
        lambda at: swap(at.key(ONE), at.key(TWO)),
        RECORDING,
        {f"{who}.key: wrapped_key = key_unreadable" for who in (ONE, TWO)},
    ),
    (
        "a seat's key removed",
        lambda at: remove(at.key(ONE)),
        RECORDING,
        {f"{ONE}.key: key = key_missing"},
    ),
    ("the room's key removed", lambda at: remove(at.key("room")), RECORDING, {"room.key: key = key_missing"}),
    (
        "the key-encryption key",
        lambda at: flip(at.secret("kek"), 5),
        RECORDING,
        {"secrets/kek: kek = kek_wrong",
         *(f"{who}.key: wrapped_key = key_unreadable" for who in ("room", ONE, TWO))},
    ),
    ("the key-encryption key removed", lambda at: remove(at.secret("kek")), RECORDING,
     {"secrets/kek: kek = kek_missing"}),
    ("the key-encryption key cut", lambda at: cut(at.secret("kek"), -1), RECORDING,
     {"secrets/kek: kek = kek_invalid"}),
    (
        "the signing key",
        lambda at: flip(at.secret("signing.key"), 5),
        RECORDING,
        {"secrets/signing.pub: public_key = signing_keys_differ"},
    ),
    ("the signing key removed", lambda at: remove(at.secret("signing.key")), RECORDING,
     {"secrets/signing.key: signing_key = signing_key_missing"}),
    (
        "the public key",
        lambda at: flip(at.secret("signing.pub"), 5),
        RECORDING,
        {"secrets/signing.pub: public_key = signing_keys_differ",
         "g2/manifest.json: signing_key = manifest_unsigned"},
    ),
    (
        "both signing keys",
        lambda at: (at.secret("signing.key").write_bytes(b"s" * 32), remove(at.secret("signing.pub"))),
        RECORDING,
        {"g2/manifest.json: signing_key = manifest_unsigned"},
    ),
]  # fmt: skip


def _span(path: Path, seal: int) -> tuple[int, int]:
    at, size = seals_of(path)[seal]
    return at, at + size


async def test_whole_recordings_have_no_fault(place: Place) -> None:
    for recording in (RECORDING, OTHER):
        report = await report_of(place.data, recording)
        assert (report["chain"], report["faults"]) == ("intact", [])
    assert len(seals_of(place.segment(ONE))) == LAST + 1


@pytest.mark.parametrize(("hurt", "recording", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
async def test_damage_is_found_and_named(
    place: Place, hurt: Callable[[Place], object], recording: str, expected: set[str]
) -> None:
    hurt(place)
    report = await report_of(place.data, recording)
    assert {told(fault) for fault in report["faults"]} == expected
    assert report["chain"] in ("broken", "cut_after_ack")
