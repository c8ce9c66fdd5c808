"""Sealed files: Tink reads ours, we read Tink's, and nothing changed or cut is ever given out."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.recordstore import dsse, manifest
from media.recordstore.sealed import (
    FIRST,
    HEADER,
    OTHER,
    SEGMENT,
    RangeOpener,
    SealedError,
    SealedReader,
    SealedWriter,
    final_key,
    seal_bytes,
    sealed_size,
)

KEY, AD = b"k" * 32, b"associated"
SIZES = [0, 1, FIRST - 1, FIRST, FIRST + 1, FIRST + OTHER, FIRST + OTHER + 1, 3 * SEGMENT]


@pytest.fixture(scope="module")
def tink_primitive() -> Any:
    """Tink itself, given our raw key in a keyset of its own making."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tink
        from tink import secret_key_access, streaming_aead
        from tink.proto import aes_gcm_hkdf_streaming_pb2 as streaming
        from tink.proto import common_pb2, tink_pb2

        streaming_aead.register()
        params = streaming.AesGcmHkdfStreamingParams(
            ciphertext_segment_size=SEGMENT, derived_key_size=32, hkdf_hash_type=common_pb2.SHA256
        )
        key = streaming.AesGcmHkdfStreamingKey(version=0, key_value=KEY, params=params)
        data = tink_pb2.KeyData(
            type_url="type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey",
            value=key.SerializeToString(),
            key_material_type=tink_pb2.KeyData.SYMMETRIC,
        )
        entry = tink_pb2.Keyset.Key(
            key_data=data, status=tink_pb2.ENABLED, key_id=1, output_prefix_type=tink_pb2.RAW
        )
        keyset = tink_pb2.Keyset(primary_key_id=1, key=[entry]).SerializeToString()
        handle = tink.proto_keyset_format.parse(keyset, secret_key_access.TOKEN)
        return handle.primitive(streaming_aead.StreamingAead)


@pytest.mark.parametrize("size", SIZES)
def test_tink_reads_what_we_seal(tmp_path: Path, tink_primitive: Any, size: int) -> None:
    data = os.urandom(size)
    seal_bytes(tmp_path / "f", KEY, AD, data)
    with (tmp_path / "f").open("rb") as file, tink_primitive.new_decrypting_stream(file, AD) as stream:
        assert stream.read() == data
    assert (tmp_path / "f").stat().st_size == sealed_size(size)


@pytest.mark.parametrize("size", SIZES)
def test_we_read_what_tink_seals(tmp_path: Path, tink_primitive: Any, size: int) -> None:
    data = os.urandom(size)
    with tink_primitive.new_encrypting_stream((tmp_path / "f").open("wb"), AD) as stream:
        stream.write(data)
    with SealedReader(tmp_path / "f", KEY, AD) as reader:
        assert reader.size == size
        assert b"".join(reader.chunks()) == data


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_range_is_the_same_range_of_the_plaintext(tmp_path_factory: Any, data: st.DataObject) -> None:
    plain = bytes(range(251)) * 700
    path = tmp_path_factory.mktemp("sealed") / "f"
    seal_bytes(path, KEY, AD, plain)
    start = data.draw(st.integers(0, len(plain)))
    end = data.draw(st.integers(0, len(plain) + 10))
    with SealedReader(path, KEY, AD) as reader:
        assert reader.read(start, end) == plain[start:end]


@pytest.mark.parametrize("size", [0, 100, FIRST, FIRST + 10, FIRST + 2 * OTHER])
def test_every_cut_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "f"
    seal_bytes(path, KEY, AD, os.urandom(size))
    good = path.read_bytes()
    for keep in {
        0,
        1,
        HEADER,
        HEADER + 15,
        HEADER + 16,
        len(good) - 1,
        len(good) - 17,
        *range(SEGMENT, len(good), SEGMENT),
    }:
        if 0 <= keep < len(good):
            path.write_bytes(good[:keep])
            with pytest.raises(SealedError), SealedReader(path, KEY, AD) as reader:
                list(reader.chunks())


def test_every_flipped_bit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f"
    seal_bytes(path, KEY, AD, os.urandom(100))
    good = path.read_bytes()
    for at in range(len(good)):
        path.write_bytes(good[:at] + bytes((good[at] ^ (1 << at % 8),)) + good[at + 1 :])
        with pytest.raises(SealedError), SealedReader(path, KEY, AD) as reader:
            list(reader.chunks())


def test_segments_cannot_change_places_or_files(tmp_path: Path) -> None:
    path = tmp_path / "f"
    seal_bytes(path, KEY, AD, os.urandom(FIRST + 3 * OTHER))
    good = path.read_bytes()
    swapped = (
        good[:SEGMENT] + good[2 * SEGMENT : 3 * SEGMENT] + good[SEGMENT : 2 * SEGMENT] + good[3 * SEGMENT :]
    )
    path.write_bytes(swapped)
    with SealedReader(path, KEY, AD) as reader, pytest.raises(SealedError):
        reader.read(SEGMENT, SEGMENT + 10)
    path.write_bytes(good)
    with pytest.raises(SealedError):
        SealedReader(path, KEY, b"another track")


def test_the_front_may_be_patched_and_the_rest_not(tmp_path: Path) -> None:
    with SealedWriter(tmp_path / "f", KEY, AD, hold=1) as writer:
        writer.write(b"?" * 10 + b"a" * (FIRST + 3 * OTHER))
        end = writer.tell()
        writer.seek(0)
        writer.write(b"0123456789")
        writer.seek(FIRST + OTHER)
        with pytest.raises(SealedError):
            writer.write(b"late")
        writer.seek(end)
        writer.write(b"end")
        writer.commit()
    with SealedReader(tmp_path / "f", KEY, AD) as reader:
        assert b"".join(reader.chunks()) == b"0123456789" + b"a" * (FIRST + 3 * OTHER) + b"end"


def test_an_unfinished_file_leaves_nothing_and_is_never_seen(tmp_path: Path) -> None:
    with SealedWriter(tmp_path / "f", KEY, AD) as writer:
        writer.write(b"x" * 200_000)
        assert not (tmp_path / "f").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_range_opener_works_on_bytes_from_anywhere(tmp_path: Path) -> None:
    key, associated = final_key(b"s" * 32, "recording-1", 3, "seat-audio")
    plain = os.urandom(200_000)
    seal_bytes(tmp_path / "f", key, associated, plain)
    data = (tmp_path / "f").read_bytes()
    opener = RangeOpener(key, associated, data[:HEADER], len(data))
    low, high = opener.sealed_range(70_000, 140_001)
    assert opener.open(70_000, 140_001, data[low:high]) == plain[70_000:140_001]
    with pytest.raises(SealedError):
        opener.open(70_000, 140_001, data[low : high - 1])
    with pytest.raises(SealedError):
        opener.sealed_range(0, 200_001)


def test_a_manifest_verifies_under_its_own_key_only() -> None:
    envelope = manifest.sign({"version": 1, "recording": "r"}, b"s" * 32)
    public = dsse.public_key(b"s" * 32)
    assert manifest.verify(envelope, public)["recording"] == "r"
    assert envelope == manifest.sign({"version": 1, "recording": "r"}, b"s" * 32)
    with pytest.raises(manifest.ManifestError):
        manifest.verify(envelope, dsse.public_key(b"t" * 32))
    for at in range(len(envelope)):
        changed = envelope[:at] + bytes((envelope[at] ^ 1,)) + envelope[at + 1 :]
        try:
            assert manifest.verify(changed, public) == {"version": 1, "recording": "r"}
        except manifest.ManifestError:
            continue


@given(st.binary(max_size=300))
def test_no_bytes_make_the_manifest_parser_raise_anything_else(data: bytes) -> None:
    with pytest.raises(manifest.ManifestError):
        manifest.verify(data, dsse.public_key(b"s" * 32))
