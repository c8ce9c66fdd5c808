"""Ways to hurt what lies in a data directory, and where the parts of a segment lie. Knows the format only."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from media.recordstore import layout
from tests.support.journals import RECORDING

HEADER = {"magic": 1, "version": 9, "length": 11, "ordinal": 15, "epoch": 23, "boottime": 30, "wall": 38,
          "boot_id": 45, "salt": 70, "recording": 89, "seat": 108, "grant": 130}  # fmt: skip
SEAL = {"mark": 1, "kind": 4, "zeros": 6, "length": 11, "index": 19, "previous": 30, "ciphertext": 60}


@dataclass(frozen=True, slots=True)
class Place:
    """A data directory that may be hurt."""

    data: Path

    def segment(self, seat: str, epoch: int = 1, recording: str = RECORDING) -> Path:
        return self.data / "journal" / recording / str(epoch) / layout.segment_name(seat, 1)

    def object(self, name: str, generation: int = 1, recording: str = RECORDING) -> Path:
        return self.data / "objects" / "recordings" / recording / f"g{generation}" / name

    def key(self, seat: str, recording: str = RECORDING) -> Path:
        return self.data / "keys" / recording / f"{seat}.key"

    def secret(self, name: str) -> Path:
        return self.data / "secrets" / name


Hurt = Callable[[Place], object]


def seals_of(path: Path) -> list[tuple[int, int]]:
    """(offset, length) of each seal, by the lengths that the heads give."""
    data = path.read_bytes()
    at = int.from_bytes(data[10:12], "big")
    found: list[tuple[int, int]] = []
    while at < len(data):
        size = layout.SEAL_HEAD.size + int.from_bytes(data[at + 8 : at + 12], "big")
        found.append((at, size))
        at += size
    return found


def flip(path: Path, at: int, mask: int = 0x02) -> None:
    """Change one byte; a negative `at` counts from the end."""
    data = bytearray(path.read_bytes())
    data[at] ^= mask
    path.write_bytes(data)


def change_letter(path: Path, at: int) -> None:
    """Another letter of base64 or hex digit, so that the text stays what it is."""
    data = bytearray(path.read_bytes())
    data[at] = ord("b") if data[at] == ord("a") else ord("a")
    path.write_bytes(data)


def flip_header(path: Path, field: str) -> None:
    flip(path, HEADER[field])


def flip_seal(path: Path, seal: int, field: str) -> None:
    at, size = seals_of(path)[seal]
    flip(path, at + (size - 3 if field == "tag" else SEAL[field]))


def arrange(path: Path, order: Callable[[list[bytes]], list[bytes]]) -> None:
    """The file with its seals in another order, some missing or repeated."""
    data, places = path.read_bytes(), seals_of(path)
    seals = [data[at : at + size] for at, size in places]
    path.write_bytes(data[: places[0][0]] + b"".join(order(seals)))


def swap(one: Path, other: Path) -> None:
    """Each under the other's name."""
    aside = one.with_name("aside")
    os.rename(one, aside)
    os.rename(other, one)
    os.rename(aside, other)


def cut(path: Path, size: int) -> None:
    """Cut to `size` bytes, or by -`size` at the end."""
    os.truncate(path, size if size >= 0 else path.stat().st_size + size)


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def remove(path: Path) -> None:
    """A file, or a directory with everything in it."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
