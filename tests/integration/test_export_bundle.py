"""A bundle is accepted by the documented script and by openssl, and refused after any change."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import pytest

from media.recordstore import dsse
from server.domain.chat import ChatMessage
from server.domain.consent import Consent
from server.export.bundle_files import fingerprint, public_pem
from server.export.plan import Order
from server.storage import chat, consents
from tests.integration.export_rig import ExportRig
from tests.support.journals import CONSULTATION, RECORDING, SEATS, STARTED_MS

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "check_bundle.py"
Files = dict[str, bytes]


@dataclass
class Bundles:
    whole: bytes
    after_withdrawal: bytes
    fingerprint: str


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Bundles:
    return asyncio.run(_make(tmp_path_factory.mktemp("bundle")))


async def _make(data: Path) -> Bundles:
    rig = await ExportRig().open(data)
    async with rig.books.database.write() as tx:
        for seat, decision in ((SEATS[0], "granted"), (SEATS[1], "granted"), (SEATS[2], "declined")):
            said = Consent(f"c-{seat}", CONSULTATION, seat, decision, ("A",), "1", "en", STARTED_MS)
            await consents.add(tx, said)
            line = ChatMessage(
                f"m-{seat}", CONSULTATION, RECORDING, seat, "m", f"said at {seat}", STARTED_MS + 1500
            )
            await chat.add(tx, line)
    whole = await rig.make(Order("bundle"))
    rig.keys.destroy(RECORDING, SEATS[1])
    after = await rig.make(Order("bundle"))
    public = dsse.public_key(rig.keys.signing_key)
    await rig.close()
    return Bundles(whole, after, fingerprint(public))


def files_of(bundle: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(bundle)) as box:
        assert box.testzip() is None
        return {name: box.read(name) for name in box.namelist()}


def packed(files: Files, *twice: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as box:
        for name in (*files, *twice):
            box.writestr(name, files[name])
    return out.getvalue()


def check(tmp_path: Path, bundle: bytes, key: str) -> tuple[int, str]:
    """The script's exit code and words, run with nothing of ours on the path."""
    path = tmp_path / "bundle.zip"
    path.write_bytes(bundle)
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(path), key], capture_output=True, text=True, cwd=tmp_path
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def test_the_script_is_short_and_imports_nothing_of_ours() -> None:
    text = SCRIPT.read_text()
    assert len(text.splitlines()) <= 50
    assert not any(f"import {name}" in text or f"from {name}" in text for name in ("media", "server"))


def test_a_good_bundle_is_accepted_and_plays(bundles: Bundles, tmp_path: Path) -> None:
    code, words = check(tmp_path, bundles.whole, bundles.fingerprint)
    assert (code, words.split()[0]) == (0, "good:"), words
    files = files_of(bundles.whole)
    tracks = [name for name in files if name.startswith("tracks/")]
    assert len(tracks) == 4
    for name in tracks:
        with av.open(io.BytesIO(files[name])) as box:
            assert sum(1 for _ in box.decode(box.streams[0])) > 50
    for language in ("ko", "ru", "kk", "uz", "mn", "en"):
        assert len(files[f"README.{language}.txt"].decode()) > 300
    assert not any(b"Synthetic " in content for name, content in files.items() if "tracks" not in name)


def test_openssl_and_sha256sum_accept_it_too(bundles: Bundles, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(bundles.whole)) as box:
        box.extractall(tmp_path)
    signature = ["-in", "SHA256SUMS", "-sigfile", "SHA256SUMS.sig"]
    for command in (
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "public.pem", "-rawin", *signature],
        ["sha256sum", "--strict", "-c", "SHA256SUMS"],
    ):
        done = subprocess.run(command, capture_output=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr


def test_a_withdrawn_seats_tracks_are_left_out_and_said_to_be(bundles: Bundles, tmp_path: Path) -> None:
    code, words = check(tmp_path, bundles.after_withdrawal, bundles.fingerprint)
    assert code == 0, words
    files = files_of(bundles.after_withdrawal)
    assert {name for name in files if SEATS[1] in name} == set()
    assert set(json.loads(files["bundle.json"])["left_out"]) == {
        f"{SEATS[1]}-audio",
        f"{SEATS[1]}-camera",
    }


def test_the_chat_goes_with_it_of_those_who_consent_and_have_not_withdrawn(bundles: Bundles) -> None:
    def lines(bundle: bytes) -> list[tuple[str, str, int]]:
        told = json.loads(files_of(bundle)["chat.json"])["messages"]
        return [(one["seat"], one["text"], one["at_ms"]) for one in told]

    both = [(seat, f"said at {seat}", STARTED_MS + 1500) for seat in SEATS[:2]]
    assert lines(bundles.whole) == both
    assert lines(bundles.after_withdrawal) == both[:1]


def _flip(name: str) -> Callable[[Files], bytes]:
    def change(files: Files) -> bytes:
        content = bytearray(files[name])
        content[len(content) // 2] ^= 1
        return packed({**files, name: bytes(content)})

    return change


def _drop(name: str) -> Callable[[Files], bytes]:
    return lambda files: packed({n: content for n, content in files.items() if n != name})


def _own_sums(files: Files, key: bytes) -> Files:
    """A forger's list, signed with a key of their own."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.from_private_bytes(key)
    files = {**files, "public.pem": public_pem(dsse.public_key(key))}
    names = sorted(set(files) - {"SHA256SUMS", "SHA256SUMS.sig"})
    sums = "".join(f"{hashlib.sha256(files[n]).hexdigest()}  {n}\n" for n in names).encode()
    return {**files, "SHA256SUMS": sums, "SHA256SUMS.sig": private.sign(sums)}


TRACK = f"tracks/{SEATS[0]}-audio.webm"
OTHER = f"tracks/{SEATS[1]}-audio.webm"
TAMPERING: dict[str, Callable[[Files], bytes]] = {
    "a byte of a track": _flip(TRACK),
    "a byte of the index": _flip("index.json"),
    "a byte of the manifest": _flip("manifest.json"),
    "a byte of the attendance": _flip("attendance.json"),
    "a byte of the chat": _flip("chat.json"),
    "a byte of the list": _flip("SHA256SUMS"),
    "a byte of the signature": _flip("SHA256SUMS.sig"),
    "a track taken out": _drop(TRACK),
    "the signature taken out": _drop("SHA256SUMS.sig"),
    "a file put in": lambda files: packed({**files, "note.txt": b"more"}),
    "two tracks swapped": lambda files: packed({**files, TRACK: files[OTHER], OTHER: files[TRACK]}),
    "a file twice": lambda files: packed(files, TRACK),
    "signed by somebody else": lambda files: packed(_own_sums({**files, TRACK: files[OTHER]}, b"k" * 32)),
    "cut off": lambda files: packed(files)[:-3000],
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("what", sorted(TAMPERING))
def test_any_change_is_refused(bundles: Bundles, tmp_path: Path, what: str) -> None:
    changed = TAMPERING[what](files_of(bundles.whole))
    code, words = check(tmp_path, changed, bundles.fingerprint)
    assert (code, words.split()[0]) == (1, "refused:"), words
