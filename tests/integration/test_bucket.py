"""Objects in a real S3 API server, and what must not happen to them."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiohttp import web
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from server.runtime.bucket import SINGLE_PUT, Bucket, ObjectError, S3Options
from server.runtime.objects import Objects
from server.runtime.s3_uploads import abort_unfinished, signed_headers
from tests.support.s3 import BUCKET, S3Server, SlowLine

RECORDING = "recording-0000001"


@pytest.fixture
def prefix() -> str:
    return f"run/{secrets.token_hex(4)}"


def large(tmp_path: Path, size: int = SINGLE_PUT + 3_000_001) -> Path:
    path = tmp_path / "large"
    path.write_bytes(os.urandom(size))
    return path


@pytest.mark.parametrize("kind", ["s3", "directory"])
async def test_an_object_is_put_once_and_what_is_there_stays(
    s3: S3Server, prefix: str, tmp_path: Path, kind: str
) -> None:
    bucket = s3.bucket(prefix) if kind == "s3" else Bucket.local(tmp_path)
    await bucket.put_new("a/small", b"0123456789")
    big = large(tmp_path)
    await bucket.put_new("a/large", big)
    for path in ("a/small", "a/large"):
        for again in (b"other", big):
            with pytest.raises(ObjectError, match="object_exists"):
                await bucket.put_new(path, again)
    assert await bucket.read("a/small", 3, 4) == b"3456"
    content = big.read_bytes()
    assert await bucket.size("a/large") == len(content)
    assert await bucket.digest("a/large") == (len(content), hashlib.sha256(content).hexdigest())
    assert await asyncio.to_thread(bucket.read_now, "a/large", len(content) - 5, 5) == content[-5:]
    listed = await asyncio.to_thread(bucket.listing, "a")
    assert [(entry.path, entry.size) for entry in listed] == [("a/large", len(content)), ("a/small", 10)]
    await bucket.delete("a/small", "a/large", "a/never-there")
    assert await bucket.size("a/small") is None
    with pytest.raises(ObjectError, match="object_missing"):
        await bucket.read("a/small", 0, 1)


async def test_a_store_that_is_away_or_refuses_is_told_apart_and_neither_text_is_kept(
    unused_tcp_port: int,
) -> None:
    away = Bucket.s3(S3Options(BUCKET, "", f"http://127.0.0.1:{unused_tcp_port}", allow_http=True))
    with pytest.raises(ObjectError) as told:
        await away.put_new("a", b"x")
    assert (told.value.code, str(told.value)) == ("store_unreachable", "store_unreachable")
    assert told.value.__suppress_context__

    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    options = S3Options(BUCKET, "", f"http://127.0.0.1:{runner.addresses[0][1]}", allow_http=True)
    try:
        with pytest.raises(ObjectError, match="store_refused"):
            await Bucket.s3(options).put_new("a", b"x")
        with pytest.raises(ObjectError, match="store_refused"):
            await abort_unfinished(options, 0)
    finally:
        await runner.cleanup()


def uploads(s3: S3Server) -> list[str]:
    """Keys of all unfinished multipart uploads in the bucket."""
    return re.findall(r"<Key>(.*?)</Key>", s3.ask("GET", f"/{BUCKET}?uploads")[1])


async def test_unfinished_uploads_below_the_prefix_are_aborted_and_nothing_else(
    s3: S3Server, prefix: str
) -> None:
    bucket = s3.bucket(prefix)
    await bucket.put_new("whole", b"x")
    stranger = f"other-{prefix}/of-somebody"
    for key in (f"{prefix}/recordings/a b+c", f"{prefix}/journal/b", stranger):
        assert s3.ask("POST", f"/{BUCKET}/{key.replace(' ', '%20').replace('+', '%2B')}?uploads")[0] == 200
    assert await abort_unfinished(s3.options(prefix), 0) == 0, "none began before 1970"
    now_ms = time.time_ns() // 1_000_000
    assert await abort_unfinished(s3.options(prefix), now_ms) == 2
    assert [key for key in uploads(s3) if prefix in key] == [stranger]
    assert await bucket.size("whole") == 1
    assert await abort_unfinished(s3.options(prefix), now_ms) == 0


def test_our_signature_is_the_one_that_amazons_own_client_makes() -> None:
    options = S3Options(BUCKET, "", "https://store.synthetic.test", "ap-northeast-2", "AKID", "s3cr3t/+")
    query = {"uploads": "", "prefix": "a b/ключ", "key-marker": "x/y+z~"}
    at = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    ours = signed_headers(options, "GET", "store.synthetic.test", f"/{BUCKET}/a b", query, at)
    request = AWSRequest("GET", f"https://store.synthetic.test/{BUCKET}/a%20b", params=query)
    signer = S3SigV4Auth(Credentials("AKID", "s3cr3t/+"), "s3", "ap-northeast-2")
    request.context["timestamp"] = ours["x-amz-date"]
    request.headers["X-Amz-Content-SHA256"] = ours["x-amz-content-sha256"]
    request.headers["X-Amz-Date"] = ours["x-amz-date"]
    canonical = signer.canonical_request(request)
    theirs = signer.signature(signer.string_to_sign(request, canonical), request)
    assert ours["authorization"].endswith(f"Signature={theirs}")


async def publish(root: str, port: str, prefix: str, source: str) -> None:
    """The child that is killed: publishes one generation through the slow line."""
    options = S3Options(BUCKET, prefix, f"http://127.0.0.1:{port}", "us-east-1", "x", "y", allow_http=True)
    await Objects(Path(root), remote=Bucket.s3(options)).publish(RECORDING, 1, Path(source), epochs=1)


async def test_a_server_killed_in_an_upload_sends_on_and_no_half_object_was_ever_there(
    s3: S3Server, prefix: str, tmp_path: Path
) -> None:
    objects = Objects(tmp_path / "objects", remote=s3.bucket(prefix))
    source = objects.scratch(RECORDING)
    contents = {"a.webm.sealed": os.urandom(100_000), "b.webm.sealed": os.urandom(SINGLE_PUT * 2)}
    contents |= {"index.json.sealed": b"index", "manifest.json": b"manifest"}
    for name, content in contents.items():
        (source / name).write_bytes(content)
    async with SlowLine(s3, 20e6) as line:
        args = (str(tmp_path / "objects"), str(line.port), prefix, str(source))
        code = f"import asyncio; from {__name__} import publish; asyncio.run(publish(*{args!r}))"
        child = await asyncio.to_thread(subprocess.Popen, [sys.executable, "-c", code])
        async with asyncio.timeout(30):
            while line.up < 10_000_000:
                assert child.poll() is None
                await asyncio.sleep(0.01)
        os.kill(child.pid, signal.SIGKILL)
        await asyncio.to_thread(child.wait)
    assert [key for key in uploads(s3) if prefix in key], "it was killed within a multipart upload"
    there = await asyncio.to_thread(objects.names, RECORDING, 1)
    assert there == [".claim", "a.webm.sealed"]
    (parcel,) = objects.waiting(RECORDING)
    assert await abort_unfinished(s3.options(prefix), time.time_ns() // 1_000_000) == 1
    await objects.resume(parcel)
    for name, content in contents.items():
        stored = await objects.open(RECORDING, 1, name)
        assert await stored.read(0, stored.size) == content, name
    await objects.settle(parcel)
    assert objects.waiting(RECORDING) == []
    assert not [key for key in uploads(s3) if prefix in key]


async def test_a_generation_that_another_began_is_not_touched(
    s3: S3Server, prefix: str, tmp_path: Path
) -> None:
    mine, other = (Objects(tmp_path / name, remote=s3.bucket(prefix)) for name in ("mine", "other"))
    for objects, content in ((other, b"other"), (mine, b"mine!")):
        source = objects.scratch(RECORDING)
        (source / "manifest.json").write_bytes(content)
        if objects is other:
            await objects.publish(RECORDING, 1, source)
        else:
            with pytest.raises(ObjectError, match="object_exists"):
                await objects.publish(RECORDING, 1, source)
    assert await (await mine.open(RECORDING, 1, "manifest.json")).read(0, 9) == b"other"


async def test_what_was_published_here_before_the_store_was_set_up_is_still_read(
    s3: S3Server, prefix: str, tmp_path: Path
) -> None:
    before = Objects(tmp_path)
    source = before.scratch(RECORDING)
    (source / "a").write_bytes(b"before")
    await before.publish(RECORDING, 1, source)
    after = Objects(tmp_path, remote=s3.bucket(prefix))
    assert after.generations(RECORDING) == [1]
    assert await (await after.open(RECORDING, 1, "a")).read(0, 6) == b"before"
    source = after.scratch(RECORDING)
    (source / "a").write_bytes(b"after")
    await after.publish(RECORDING, 2, source)
    assert after.generations(RECORDING) == [1, 2]
    assert not (tmp_path / "recordings" / RECORDING / "g2").exists()
    await after.remove_generation(RECORDING, 1)
    assert after.generations(RECORDING) == [2]
