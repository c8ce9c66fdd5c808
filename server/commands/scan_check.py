"""What `hyeopjin doctor` asks of the virus scanner: does it pass what is harmless, and find the test file."""

from __future__ import annotations

import hashlib
import zlib
from typing import Final, Literal

from server.config import Settings
from server.decode.source import BytesSource
from server.runtime.scan_wrap import ends, local_header, sizes
from server.runtime.scanning import ScanError, Scanner, scanner_of

State = Literal["green", "yellow", "grey", "red"]
#: The EICAR test file, which every scanner finds; written backwards so that none finds this file.
TEST_FILE: Final = b"*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\\4[PA@%P!O5X"[::-1]
#: What no scanner knows and nothing makes smaller.
BLOCK: Final = hashlib.shake_256(b"noise").digest(64 * 1024)
SENTENCES: Final = {
    "not_configured": "documents are shown as not scanned",
    "scanner_away": "nobody answers at [documents] clamd or icap",
    "scanner_unclear": "it answers what we do not understand: is it the right service?",
    "scanner_limit": "it takes not even a small file",
    "scanner_small": "it takes less than [documents] scan_mb: what is larger is shown as not scanned",
    "passes_large": "it passed the test file inside scan_mb: raise its own limits, or lower scan_mb",
    "finds_nothing": "it passed the EICAR test file: are its signatures loaded?",
    "finds_everything": "it finds something in harmless bytes",
    "ok": "finds the test file",
}


async def check(settings: Settings) -> tuple[State, str, str]:
    """With a sentence for the operator."""
    scanner = scanner_of(settings.documents)
    if scanner is None:
        required = settings.documents.scan_required
        return "red" if required else "grey", "not_configured", SENTENCES["not_configured"]
    try:
        if await scanner.infected(BytesSource(b"harmless")):
            code = "finds_everything"
        elif not await scanner.infected(BytesSource(TEST_FILE)):
            code = "finds_nothing"
        else:
            code = await _large(scanner, settings.documents.scan_bytes)
    except ScanError as error:
        code = error.code
    states: dict[str, State] = {"ok": "green", "scanner_small": "yellow"}
    return states.get(code, "red"), code, SENTENCES[code]


async def _large(scanner: Scanner, size: int) -> str:
    try:
        return "ok" if await scanner.infected(LargeSample(size)) else "passes_large"
    except ScanError:
        return "scanner_small"


class LargeSample:
    """A zip of `size` bytes with the test file at its end, behind noise: made as it is read."""

    def __init__(self, size: int) -> None:
        self.size = size
        names = (b"noise", b"eicar.com")
        small = sum(len(local_header(name)) + len(sizes(0, 0)) for name in names) - len(sizes(0, 0))
        small += len(TEST_FILE) + len(ends([(name, 0, 0) for name in names]))
        self._noise = max(0, size - small)
        self._head = local_header(names[0])
        checksum = 0
        for start in range(0, self._noise, len(BLOCK)):
            checksum = zlib.crc32(self._noise_at(start, len(BLOCK)), checksum)
        members = [(names[0], checksum, self._noise), (names[1], zlib.crc32(TEST_FILE), len(TEST_FILE))]
        self._tail = sizes(checksum, self._noise) + local_header(names[1]) + TEST_FILE + ends(members)

    async def read(self, offset: int, length: int) -> bytes:
        """As of every source."""
        begins, ended = len(self._head), len(self._head) + self._noise
        found, at, end = b"", offset, min(offset + length, self.size)
        while at < end:
            if at < begins:
                piece = self._head[at : min(end, begins)]
            elif at < ended:
                piece = self._noise_at(at - begins, min(end, ended) - at)
            else:
                piece = self._tail[at - ended : end - ended]
            found += piece
            at += len(piece)
        return found

    def _noise_at(self, start: int, length: int) -> bytes:
        inside = start % len(BLOCK)
        return BLOCK[inside : inside + min(length, self._noise - start)]
