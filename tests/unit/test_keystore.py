"""The key store: durable before use, useless under another key, deaf to path tricks."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from server.runtime.keystore import KeyStore, KeyStoreError

RECORDING = "recording-0000001"
OTHER = "recording-0000002"
SEAT = "seat-00000000000a"
NEIGHBOUR = "seat-00000000000b"


def code_of(error: pytest.ExceptionInfo[KeyStoreError]) -> str:
    return error.value.code


def test_a_key_is_the_same_at_every_call_and_after_reopening(tmp_path: Path) -> None:
    store = KeyStore.open(tmp_path)
    key = store.seat_key(RECORDING, SEAT)
    assert len(key) == 32
    assert store.seat_key(RECORDING, SEAT) == key
    assert KeyStore.open(tmp_path).seat_key(RECORDING, SEAT) == key


def test_every_seat_and_every_recording_has_its_own_key(tmp_path: Path) -> None:
    store = KeyStore.open(tmp_path)
    pairs = [(RECORDING, SEAT), (RECORDING, NEIGHBOUR), (RECORDING, "room"), (OTHER, SEAT), (OTHER, "room")]
    assert len({store.seat_key(*pair) for pair in pairs}) == len(pairs)
    assert store.seats(RECORDING) == sorted([SEAT, NEIGHBOUR, "room"])
    assert store.keys(OTHER).keys() == {SEAT, "room"}


def test_files_are_private_and_hold_no_key_in_clear(tmp_path: Path) -> None:
    store = KeyStore.open(tmp_path)
    key = store.seat_key(RECORDING, SEAT)
    for path in tmp_path.rglob("*"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
        assert path.is_dir() or key not in path.read_bytes()
    assert not list(tmp_path.rglob(".*")), "nothing is left aside"


def test_the_key_is_synced_with_its_directory_before_it_is_given_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = KeyStore.open(tmp_path)
    synced: list[str] = []
    real = os.fsync

    def watching(handle: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        real(handle)

    monkeypatch.setattr(os, "fsync", watching)
    store.seat_key(RECORDING, SEAT)
    folder = str(tmp_path / "keys" / RECORDING)
    assert str(tmp_path / "keys") in synced, "the recording's new directory"
    assert any(path.startswith(f"{folder}/") for path in synced), "the file"
    assert synced[-1] == folder, "the file's name, last"


def test_another_kek_opens_nothing(tmp_path: Path) -> None:
    KeyStore.open(tmp_path).seat_key(RECORDING, SEAT)
    (tmp_path / "secrets" / "kek").write_bytes(bytes(32))
    with pytest.raises(KeyStoreError) as error:
        KeyStore.open(tmp_path).seat_key(RECORDING, SEAT)
    assert code_of(error) == "key_unreadable"
    assert KeyStore.open(tmp_path).keys(RECORDING) == {}


def test_a_lost_kek_is_never_replaced_while_keys_exist(tmp_path: Path) -> None:
    KeyStore.open(tmp_path).seat_key(RECORDING, SEAT)
    (tmp_path / "secrets" / "kek").unlink()
    with pytest.raises(KeyStoreError) as error:
        KeyStore.open(tmp_path)
    assert code_of(error) == "kek_missing"
    assert not (tmp_path / "secrets" / "kek").exists()


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_kek_of_the_wrong_size_is_refused(tmp_path: Path, size: int) -> None:
    KeyStore.open(tmp_path)
    (tmp_path / "secrets" / "kek").write_bytes(bytes(size))
    with pytest.raises(KeyStoreError) as error:
        KeyStore.open(tmp_path)
    assert code_of(error) == "kek_invalid"


def test_opening_to_read_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreError) as error:
        KeyStore.open(tmp_path, create=False)
    assert code_of(error) == "kek_missing"
    assert list(tmp_path.iterdir()) == []


def test_every_flipped_byte_and_every_cut_is_noticed(tmp_path: Path) -> None:
    store = KeyStore.open(tmp_path)
    store.seat_key(RECORDING, SEAT)
    path = tmp_path / "keys" / RECORDING / f"{SEAT}.key"
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(KeyStoreError, match="key_unreadable"):
            store.seat_key(RECORDING, SEAT)
    for damaged in (b"", whole[:-1], whole + b"\0"):
        path.write_bytes(damaged)
        with pytest.raises(KeyStoreError, match="key_unreadable"):
            store.seat_key(RECORDING, SEAT)
    path.write_bytes(whole)
    assert store.seat_key(RECORDING, SEAT)


def test_a_key_moved_to_another_seat_or_recording_does_not_open(tmp_path: Path) -> None:
    store = KeyStore.open(tmp_path)
    store.seat_key(RECORDING, SEAT)
    store.seat_key(OTHER, SEAT)
    wrapped = (tmp_path / "keys" / RECORDING / f"{SEAT}.key").read_bytes()
    (tmp_path / "keys" / RECORDING / f"{NEIGHBOUR}.key").write_bytes(wrapped)
    (tmp_path / "keys" / OTHER / f"{SEAT}.key").write_bytes(wrapped)
    for pair in ((RECORDING, NEIGHBOUR), (OTHER, SEAT)):
        with pytest.raises(KeyStoreError, match="key_unreadable"):
            store.existing_key(*pair)


@settings(max_examples=200, deadline=None)
@given(name=st.text(alphabet=st.characters(codec="utf-8"), max_size=64) | st.from_regex(r"(\.\./)+etc/x"))
def test_only_plain_ids_become_paths(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    plain = 16 <= len(name) <= 32 and name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    if plain or name == "room":
        return
    root = tmp_path_factory.mktemp("data")
    store = KeyStore.open(root)
    before = sorted(root.rglob("*"))
    for pair in ((name, SEAT), (RECORDING, name)):
        with pytest.raises(KeyStoreError, match="key_id_invalid"):
            store.seat_key(*pair)
        with pytest.raises(KeyStoreError, match="key_id_invalid"):
            store.destroy(*pair)
    assert sorted(root.rglob("*")) == before


@pytest.mark.parametrize(
    "name", ["..", "seat-00000000000a\n", "a" * 15, "a" * 33, "../recording-00001", "r" * 16 + "\0"]
)
def test_path_tricks_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(KeyStoreError, match="key_id_invalid"):
        KeyStore.open(tmp_path).seat_key(name, SEAT)
    with pytest.raises(KeyStoreError, match="key_id_invalid"):
        KeyStore.open(tmp_path).seat_key(RECORDING, name)


def test_a_link_in_the_place_of_a_key_is_not_followed(tmp_path: Path) -> None:
    store = KeyStore.open(tmp_path)
    store.seat_key(RECORDING, SEAT)
    path = tmp_path / "keys" / RECORDING / f"{SEAT}.key"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyStoreError, match="key_unreadable"):
        store.seat_key(RECORDING, SEAT)


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_no_key_and_nobody_waits_for_it(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    store = KeyStore.open(tmp_path)
    store.seat_key(RECORDING, SEAT)
    path = tmp_path / "keys" / RECORDING / f"{SEAT}.key"
    path.unlink()
    make(path)
    with pytest.raises(KeyStoreError, match="key_unreadable"):
        store.existing_key(RECORDING, SEAT)


def test_a_destroyed_key_is_gone_and_is_never_made_again(tmp_path: Path) -> None:
    store = KeyStore.open(tmp_path)
    neighbour = store.seat_key(RECORDING, NEIGHBOUR)
    wrapped = tmp_path / "keys" / RECORDING / f"{SEAT}.key"
    store.seat_key(RECORDING, SEAT)
    before = wrapped.read_bytes()
    assert store.destroy(RECORDING, SEAT) is True
    assert store.destroyed(RECORDING, SEAT)
    assert store.destroy(RECORDING, SEAT) is False
    for again in (store, KeyStore.open(tmp_path)):
        with pytest.raises(KeyStoreError, match="key_destroyed"):
            again.seat_key(RECORDING, SEAT)
        assert again.keys(RECORDING) == {NEIGHBOUR: neighbour}
    assert not any(before == path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_crash_between_mark_and_removal_still_counts_as_destroyed(tmp_path: Path) -> None:
    store = KeyStore.open(tmp_path)
    store.seat_key(RECORDING, SEAT)
    (tmp_path / "keys" / RECORDING / f"{SEAT}.destroyed").touch()
    with pytest.raises(KeyStoreError, match="key_destroyed"):
        store.existing_key(RECORDING, SEAT)


def test_two_stores_asking_at_once_agree_on_one_key(tmp_path: Path) -> None:
    stores = [KeyStore.open(tmp_path) for _ in range(4)]
    gate = threading.Barrier(len(stores))
    keys: list[bytes] = []

    def ask(store: KeyStore) -> None:
        gate.wait()
        keys.append(store.seat_key(RECORDING, SEAT))

    threads = [threading.Thread(target=ask, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 4
    assert len(set(keys)) == 1


def test_the_signing_key_signs_what_the_public_half_verifies(tmp_path: Path) -> None:
    store = KeyStore.open(tmp_path)
    signature = Ed25519PrivateKey.from_private_bytes(store.signing_key).sign(b"manifest")
    Ed25519PublicKey.from_public_bytes(store.verify_key).verify(signature, b"manifest")
    assert KeyStore.open(tmp_path).signing_key == store.signing_key
