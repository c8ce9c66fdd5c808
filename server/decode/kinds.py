"""What a document is, by its first bytes alone. Names and declared types are not asked."""

from __future__ import annotations

from server.decode.wire import JPEG, PNG

HEAD = 1100
"""How much of a document is looked at."""
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"hevx"}
_FILM = {
    brand.encode().ljust(4)
    for brand in [
        "isom",
        "iso2",
        "iso4",
        "iso5",
        "iso6",
        "mp41",
        "mp42",
        "avc1",
        "M4V",
        "M4VH",
        "M4VP",
        "dash",
        "MSNV",
        "3gp4",
        "3gp5",
    ]
}
_FIRST_BOXES = {b"moov", b"mdat", b"wide", b"free", b"skip"}
"""What old QuickTime files, which have no `ftyp`, begin with."""


def media_type(head: bytes) -> str:
    """One of `inspection.MediaType`, or `""`."""
    if head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n\t \0").startswith(b"%PDF-"):
        return "application/pdf"
    if head.startswith(JPEG):
        return "image/jpeg"
    if head.startswith(PNG):
        return "image/png"
    if head[128:132] == b"DICM":
        return "application/dicom"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "application/zip"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "video/webm" if b"webm" in head[:64] else ""
    return _boxes(head)


def _boxes(head: bytes) -> str:
    if head[4:8] != b"ftyp":
        return "video/quicktime" if head[4:8] in _FIRST_BOXES and len(head) > 16 else ""
    brand = head[8:12]
    if brand in _HEIC:
        return "image/heic"
    if brand == b"qt  ":
        return "video/quicktime"
    return "video/mp4" if brand in _FILM else ""
