"""What `hyeopjin doctor` asks of the virus scanner: does it pass what is harmless, and find the test file."""

from __future__ import annotations

from typing import Final, Literal

from server.config import Settings
from server.decode.source import BytesSource
from server.runtime.scanning import ScanError, scanner_of

State = Literal["green", "yellow", "grey", "red"]
#: The EICAR test file, which every scanner finds; written backwards so that none finds this file.
TEST_FILE: Final = b"*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\\4[PA@%P!O5X"[::-1]
SENTENCES: Final = {
    "not_configured": "documents are shown as not scanned",
    "scanner_away": "nobody answers at [documents] clamd or icap",
    "scanner_unclear": "it answers what we do not understand: is it the right service?",
    "scanner_limit": "it takes not even a small file",
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
        else:
            code = "ok" if await scanner.infected(BytesSource(TEST_FILE)) else "finds_nothing"
    except ScanError as error:
        code = error.code
    return "green" if code == "ok" else "red", code, SENTENCES[code]
