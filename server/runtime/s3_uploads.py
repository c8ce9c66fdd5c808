"""Multipart uploads that nobody will finish: what a killed server leaves in an S3 store, unseen and paid for.

obstore begins and ends uploads but cannot list them, so this asks the store itself: two requests, signed by
AWS Signature Version 4. It must touch nothing outside the bucket's prefix and no finished object.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import html
import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from server.runtime.bucket import ObjectError, S3Options

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
PAGES = 100
_UPLOAD = re.compile(r"<Upload>.*?</Upload>", re.DOTALL)
_FIELD = r"<{0}>(.*?)</{0}>"


async def abort_unfinished(options: S3Options, began_before_ms: int) -> int:
    """Abort every multipart upload below the prefix that began before then (Unix ms); how many there were.

    Raises ObjectError store_refused, store_unreachable.
    """
    aborted = 0
    try:
        async with ClientSession(timeout=ClientTimeout(total=30)) as http:
            for key, upload, began_ms in await _unfinished(http, options):
                if began_ms < began_before_ms:
                    await _ask(http, options, "DELETE", key, {"uploadId": upload})
                    aborted += 1
    except (ClientError, TimeoutError, OSError):
        raise ObjectError("store_unreachable") from None
    return aborted


async def _unfinished(http: ClientSession, options: S3Options) -> list[tuple[str, str, int]]:
    """(key, upload id, began at Unix ms) of each upload below the prefix."""
    prefix = options.prefix.strip("/") + "/" if options.prefix.strip("/") else ""
    found: list[tuple[str, str, int]] = []
    marker: dict[str, str] = {}
    for _ in range(PAGES):
        page = await _ask(http, options, "GET", "", {"uploads": "", "prefix": prefix, **marker})
        for upload in _UPLOAD.findall(page):
            key = _value(upload, "Key")
            if key.startswith(prefix):
                found.append((key, _value(upload, "UploadId"), _unix_ms(_value(upload, "Initiated"))))
        if _value(page, "IsTruncated") != "true":
            break
        marker = {
            "key-marker": _value(page, "NextKeyMarker"),
            "upload-id-marker": _value(page, "NextUploadIdMarker"),
        }
    return found


async def _ask(
    http: ClientSession, options: S3Options, method: str, key: str, query: Mapping[str, str]
) -> str:
    endpoint = options.endpoint or f"https://s3.{options.region}.amazonaws.com"
    path = "/" + options.bucket + ("/" + key if key else "")
    at = datetime.datetime.now(datetime.UTC)
    headers = signed_headers(options, method, urlsplit(endpoint).netloc, path, query, at)
    url = URL(f"{endpoint.rstrip('/')}{_quoted(path)}?{_query(query)}", encoded=True)
    async with http.request(method, url, headers=headers) as response:
        if response.status in (401, 403):
            raise ObjectError("store_refused")
        if response.status >= 400 and response.status != 404:
            raise ObjectError("store_unreachable")
        return await response.text()


def signed_headers(
    options: S3Options,
    method: str,
    host: str,
    path: str,
    query: Mapping[str, str],
    at: datetime.datetime,
) -> dict[str, str]:
    """Headers of a request without a body (AWS Signature Version 4, "Create a signed AWS API request")."""
    stamp, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    headers = {"host": host, "x-amz-content-sha256": EMPTY_SHA256, "x-amz-date": stamp}
    if options.session_token:
        headers["x-amz-security-token"] = options.session_token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = "\n".join([method, _quoted(path), _query(query), lines, names, EMPTY_SHA256])
    scope = f"{day}/{options.region}/s3/aws4_request"
    to_sign = "\n".join([ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{options.secret_access_key}".encode()
    for part in (day, options.region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    given = f"Credential={options.access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "authorization": f"{ALGORITHM} {given}"}


def _quoted(path: str) -> str:
    return quote(path, safe="/-_.~")


def _query(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='-_.~')}={quote(query[name], safe='-_.~')}" for name in sorted(query))


def _value(xml: str, name: str) -> str:
    found = re.search(_FIELD.format(name), xml, re.DOTALL)
    return html.unescape(found[1]) if found else ""


def _unix_ms(text: str) -> int:
    """An unreadable time is now: such an upload is left alone."""
    try:
        at = datetime.datetime.fromisoformat(text)
    except ValueError:
        at = datetime.datetime.now(datetime.UTC)
    return int(at.timestamp() * 1000)
