"""Uploads as a page makes them, and a decoder that knows a file by its first bytes."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from typing import Any

from server.decode.decoder import Decoder
from server.decode.inspection import Dicom, DicomPatient, Inspection
from server.decode.source import Source
from server.domain.errors import Refused
from server.services.demo import CASE_ID
from tests.support.website import Answer, Browser, Website

BASE = f"/api/cases/{CASE_ID}/documents"
BYTES = {"Content-Type": "application/offset+octet-stream"}
PNG = b"\x89PNG\r\n\x1a\n"


class ByFirstBytes(Decoder):
    """PDF and PNG are taken; `DICM{…}` is a study of that patient; `HANG` waits for a decoder."""

    async def inspect(self, source: Source, name: str = "") -> Inspection:
        head = await source.read(0, min(source.size, 400))
        if head.startswith(b"%PDF"):
            return Inspection(media_type="application/pdf", kind="pdf", pages=2)
        if head.startswith(PNG):
            return Inspection(media_type="image/png", kind="image", pages=1, width=4, height=3)
        if head.startswith(b"DICM"):
            told = json.loads(head[4:].split(b"\x00")[0])
            patients = [DicomPatient(**one) for one in told]
            dicom = Dicom(patients=patients)
            return Inspection(media_type="application/dicom", kind="dicom", pages=1, dicom=dicom)
        if head.startswith(b"HANG"):
            raise Refused("decoder_unavailable")
        return Inspection(refusal="document_kind")

    async def preview(self, source: Source, page: int, width: int, *, order: str = "") -> bytes:
        return PNG + await source.read(0, 4) + f"{page} {width}".encode()


def pdf(size: int, seed: int = 0) -> bytes:
    """`size` bytes that begin like one, no two places alike."""
    block = hashlib.sha256(str(seed).encode()).digest()
    body = b"".join(hashlib.sha256(block + i.to_bytes(4, "big")).digest() for i in range(size // 32 + 1))
    return (b"%PDF-1.7 SYNTHETIC " + body)[:size]


def dicom(*patients: dict[str, Any]) -> bytes:
    return b"DICM" + json.dumps(patients).encode() + bytes(8)


async def begun(browser: Browser, data: bytes, **more: Any) -> Any:
    body = {"name": "scan of Monday.pdf", "size": len(data), "kind": "report", **more}
    answer = await browser.post(BASE, body)
    assert answer.status == 201, answer.text
    return answer.json


async def sent(browser: Browser, document: str, data: bytes, offset: int = 0) -> Answer:
    headers = {**BYTES, "Upload-Offset": str(offset)}
    return await browser.ask("PATCH", f"{BASE}/{document}/upload", data=io.BytesIO(data), headers=headers)


async def kept(browser: Browser, document: str) -> int:
    return int((await browser.get(f"{BASE}/{document}/upload")).json["offset"])


async def uploaded(browser: Browser, data: bytes, **more: Any) -> str:
    """Whole, and not yet judged."""
    made = await begun(browser, data, **more)
    answer = await sent(browser, made["id"], data)
    assert answer.status == 204, answer.text
    return str(made["id"])


async def brought(site: Website, browser: Browser, data: bytes, **more: Any) -> str:
    """Whole and judged."""
    document = await uploaded(browser, data, **more)
    await checked(site)
    return document


async def checked(site: Website) -> None:
    assert site.documents is not None
    await site.documents.checks.turn()


async def told(browser: Browser, document: str) -> Any:
    answer = await browser.get(f"{BASE}/{document}")
    assert answer.status == 200, answer.text
    return answer.json


async def cut(browser: Browser, document: str, data: bytes, offset: int, size: int) -> None:
    """Says that `size` bytes come, sends `data`, and hangs up."""
    host, port = browser.base_url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies().items())
    head = (
        f"PATCH {BASE}/{document}/upload HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookies}\r\n"
        f"Content-Type: {BYTES['Content-Type']}\r\nUpload-Offset: {offset}\r\nContent-Length: {size}\r\n\r\n"
    )
    writer.write(head.encode() + data)
    await writer.drain()
    writer.close()
    await writer.wait_closed()
