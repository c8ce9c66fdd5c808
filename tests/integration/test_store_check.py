"""`hyeopjin doctor` tells an operator what is wrong with an object store, in a sentence."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path

import pytest
from aiohttp import web
from typer.testing import CliRunner

from server.__main__ import build
from server.commands import store_check
from server.config import ObjectStore, Settings
from tests.support.s3 import BUCKET, S3Server


def doctor(config: Path, env: dict[str, str]) -> tuple[int, dict[str, str], str]:
    result = CliRunner().invoke(build(), ["doctor", "--config", str(config), "--json"], env=env)
    (found,) = [each for each in json.loads(result.stdout) if each["check"] == "objects"]
    return result.exit_code, found, result.output


def test_each_state_of_a_store_has_its_sentence(s3: S3Server, tmp_path: Path, unused_tcp_port: int) -> None:
    config = tmp_path / "hyeopjin.toml"
    data = tmp_path / "data"
    prefix = f"run/{secrets.token_hex(4)}"
    head = f'data_dir = "{data}"\n'
    table = head + f'[objects]\nbucket = "{BUCKET}"\nprefix = "{prefix}"\nendpoint = "{{}}"\n'
    none = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    given = {"AWS_ACCESS_KEY_ID": "AKSYNTHETIC", "AWS_SECRET_ACCESS_KEY": "very-secret-synthetic"}
    config.write_text(head)
    assert doctor(config, none)[1]["state"] == "grey"
    config.write_text(table.format(s3.endpoint))
    _, found, _ = doctor(config, none)
    assert (found["state"], found["code"]) == ("red", "no_credentials")
    assert "s3_secret_access_key" in found["detail"]
    _, found, output = doctor(config, given)
    assert (found["state"], found["code"]) == ("green", "ok")
    assert "very-secret-synthetic" not in output
    assert "<Key>" not in s3.ask("GET", f"/{BUCKET}?list-type=2&prefix={prefix}/")[1], "nothing is left there"
    (data / "secrets").mkdir(parents=True)
    for name in ("s3_access_key_id", "s3_secret_access_key"):
        (data / "secrets" / name).write_text("synthetic\n")
    assert doctor(config, none)[1]["code"] == "ok"
    config.write_text(table.format(f"http://127.0.0.1:{unused_tcp_port}"))
    _, found, _ = doctor(config, given)
    assert (found["state"], found["code"]) == ("red", "store_unreachable")
    assert "check endpoint" in found["detail"]


@pytest.mark.parametrize(("fault", "code"), [("overwrite", "overwrites"), ("keep", "cannot_delete")])
async def test_a_store_that_does_not_keep_its_word_is_found(tmp_path: Path, fault: str, code: str) -> None:
    kept: dict[str, bytes] = {}

    async def answer(request: web.Request) -> web.Response:
        path = request.path
        if request.method == "PUT":
            if fault != "overwrite" and path in kept and "If-None-Match" in request.headers:
                return web.Response(status=412)
            kept[path] = await request.read()
            return web.Response(headers={"ETag": '"x"'})
        if request.method == "POST" and "delete" in request.query:
            keys = re.findall(rb"<Key>(.*?)</Key>", await request.read())
            for key in keys if fault != "keep" else []:
                kept.pop(f"/{BUCKET}/{key.decode()}", None)
            gone = "".join(f"<Deleted><Key>{key.decode()}</Key></Deleted>" for key in keys)
            return web.Response(text=f"<DeleteResult>{gone}</DeleteResult>")
        if "uploads" in request.query:
            return web.Response(text="<ListMultipartUploadsResult></ListMultipartUploadsResult>")
        if path not in kept:
            return web.Response(status=404)
        head = {"ETag": '"x"', "Last-Modified": "Wed, 25 Nov 2026 00:00:00 GMT"}
        if request.method == "GET":
            head["Content-Range"] = f"bytes 0-{len(kept[path]) - 1}/{len(kept[path])}"
            return web.Response(status=206, body=kept[path], headers=head)
        return web.Response(body=kept[path], headers=head)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    (tmp_path / "secrets").mkdir()
    for name in ("s3_access_key_id", "s3_secret_access_key"):
        (tmp_path / "secrets" / name).write_text("synthetic")
    store = ObjectStore(bucket=BUCKET, endpoint=f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        found, sentence = await store_check.check(Settings(data_dir=tmp_path, objects=store))
    finally:
        await runner.cleanup()
    assert found == code
    assert sentence.startswith("The object store ")
