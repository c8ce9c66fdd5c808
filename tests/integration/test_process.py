"""The server as a process: the demo's interfaces, markers, starting twice, stopping, the small commands."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from server.storage.migrate import _head
from tests.support.demo import TOP, Demo, alive, children, running, until
from tests.support.naps import naps
from tests.support.ports import free_port

ROLES = [
    "referring_physician",
    "site_operator",
    "consulting_physician",
    "interpreter",
    "coordinator",
    "reviewer",
    "site_admin",
    "programme_admin",
    "privacy_officer",
]


def hyeopjin(*arguments: str, env: dict[str, str] | None = None, stdin: str = "") -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        cwd=TOP, env={**os.environ, **(env or {})}, input=stdin.encode(), timeout=60, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, done.stdout.decode()


def test_the_demo_keeps_its_promises_over_two_starts(tmp_path: Path) -> None:
    with running(tmp_path) as demo:
        first = demo.info
        assert list(first) == ["base_url", "consultation_id", "seats", "accounts"]
        assert [list(seat) for seat in first["seats"]] == [["role", "name", "language", "room_url"]] * 3
        assert [(seat["role"], seat["language"]) for seat in first["seats"]] == [
            ("referring_physician", "ru"),
            ("consulting_physician", "ko"),
            ("interpreter", "ru"),
        ]
        assert [account["role"] for account in first["accounts"]] == ROLES
        assert stat.S_IMODE(demo.seats_file.stat().st_mode) == 0o600
        for seat in first["seats"]:
            assert seat["room_url"] in demo.printed.read_text()  # in one piece
        used = seat_of(first, "interpreter")
        status, cookie = redeem(demo, used)
        assert status == 200
        demo.stop()
        with running_again(demo):
            second = demo.info
            assert second["consultation_id"] == first["consultation_id"]
            assert second["accounts"] == first["accounts"]
            assert seat_of(second, "referring_physician") == seat_of(first, "referring_physician")
            successor, page = seat_of(second, "interpreter"), f"/api/seats/{demo.seat_id('interpreter')}"
            assert successor.split("#")[0] == used.split("#")[0]
            assert successor != used
            assert demo.get(page, {"Cookie": cookie})[0] == 200  # who sat there sits there still
            assert redeem(demo, used)[0] == 404
            assert redeem(demo, successor)[0] == 200
            assert demo.get(page, {"Cookie": cookie})[0] == 401


def seat_of(info: dict[str, object], role: str) -> str:
    seats = info["seats"]
    assert isinstance(seats, list)
    return next(str(seat["room_url"]) for seat in seats if seat["role"] == role)


def redeem(demo: Demo, link: str) -> tuple[int, str]:
    """(status, the cookie as a browser would send it back)"""
    page, token = link.split("#")
    request = urllib.request.Request(  # noqa: S310
        f"{demo.base_url}/api/seats/{page.rsplit('/', 1)[1]}/redeem",
        data=json.dumps({"token": token}).encode(),
        headers={"Content-Type": "application/json", "Origin": demo.base_url},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, str(answer.headers["Set-Cookie"]).split(";")[0]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""


class running_again:  # noqa: N801 - reads as a sentence
    def __init__(self, demo: Demo) -> None:
        self._demo = demo

    def __enter__(self) -> Demo:
        began = time.monotonic()
        self._demo.start()
        assert time.monotonic() - began < 30
        return self._demo

    def __exit__(self, *_: object) -> None:
        if self._demo.process is not None and self._demo.process.poll() is None:
            self._demo.kill()


def test_no_process_dumps_core_and_no_file_of_the_data_directory_is_for_others(tmp_path: Path) -> None:
    with running(tmp_path) as demo:
        for pid in (demo.pid, *children(demo.pid)):
            limits = Path(f"/proc/{pid}/limits").read_text()
            (core,) = [line.split() for line in limits.splitlines() if line.startswith("Max core file size")]
            assert core[4:6] == ["0", "0"], pid
        found = [path for path in demo.data.rglob("*") if path.name != "DEMO"]
        assert found
        assert [path for path in found if stat.S_IMODE(path.lstat().st_mode) & 0o077] == []


def test_a_second_ctrl_c_changes_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as demo:
        assert demo.process is not None
        below = list(children(demo.pid))
        for _ in range(4):
            os.killpg(demo.pid, signal.SIGINT)
            time.sleep(0.05)
        assert naps(demo.process, 13) < 3
        assert demo.process.returncode == 0, demo.tail()
        assert "Traceback" not in demo.log.read_text()
        until("the children are gone", lambda: not any(alive(pid) for pid in below), 20)


def test_sigterm_stops_as_well(tmp_path: Path) -> None:
    with running(tmp_path) as demo:
        assert demo.process is not None
        os.kill(demo.pid, signal.SIGTERM)
        assert naps(demo.process, 13) < 3
        assert demo.process.returncode == 0


def test_demo_and_serve_refuse_each_others_directories(tmp_path: Path) -> None:
    made_by_demo, made_by_serve, foreign = (tmp_path / name for name in ("demo", "serve", "foreign"))
    for path, marker in ((made_by_demo, "DEMO"), (made_by_serve, "SERVE"), (foreign, "notes.txt")):
        path.mkdir()
        (path / marker).write_text("x")
    code, said = hyeopjin("serve", "--data", str(made_by_demo), "--port", str(free_port()))
    assert (code, "made by `demo`" in said) == (2, True), said
    for path in (made_by_serve, foreign):
        code, said = hyeopjin("demo", "--data", str(path), "--port", str(free_port()))
        assert code == 2, said
        assert "Traceback" not in said
        assert not (path / "hyeopjin.sqlite3").exists()


@pytest.mark.parametrize("origin", ["*", "https://*.example.org", "http://tele.example.org"])
def test_a_wildcard_or_insecure_origin_refuses_the_start(tmp_path: Path, origin: str) -> None:
    code, said = hyeopjin("serve", "--data", str(tmp_path / "d"), env={"HYEOPJIN_PUBLIC_URL": origin})
    assert (code, "public_url" in said, "Traceback" in said) == (2, True, False)


def test_a_taken_port_is_said_in_a_sentence(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = hyeopjin("demo", "--data", str(tmp_path / "d"), "--port", str(port))
    assert code == 2
    assert str(port) in said
    assert "Traceback" not in said


def test_a_public_demo_without_tls_is_refused(tmp_path: Path) -> None:
    code, said = hyeopjin("demo", "--data", str(tmp_path / "d"), "--public")
    assert (code, "--tls" in said, (tmp_path / "d").exists()) == (2, True, False), said


def test_doctor_on_a_fresh_machine_is_grey_and_content(tmp_path: Path) -> None:
    code, said = hyeopjin("doctor", "--data", str(tmp_path / "none"), "--json")
    findings = {finding["check"]: finding["state"] for finding in json.loads(said)}
    assert code == 0, said
    assert findings["turn"] == findings["redis"] == findings["database"] == "grey"


def test_migrate_and_user_add_make_an_account_that_can_sign_in(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "data"))
    assert hyeopjin("migrate", *data) == (0, f"{_head()}\n")
    person = ("user", "add", "a@example.org", "--name", "A", "--role", "coordinator", "--site", "S")
    assert hyeopjin(*person, *data, stdin="correct horse battery\n")[0] == 2  # a new site needs its zone
    place = ("--time-zone", "Asia/Almaty", "--country", "kz")
    code, said = hyeopjin(*person, *place, *data, stdin="correct horse battery\n")
    assert code == 0, said
    assert hyeopjin(*person, *data, stdin="correct horse battery\n")[0] == 2  # taken
    assert hyeopjin(*person[:7], "wizard", *person[8:], *place, *data, stdin="x" * 20)[0] == 2
    assert hyeopjin(*person, *data, stdin="short\n")[0] == 2


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (("nobody", "--name", "A", "--site", "S"), "e-mail"),
        ((f"{'a' * 250}@b.example", "--name", "A", "--site", "S"), "e-mail"),
        (("a@example.org", "--name", " \u202e ", "--site", "S"), "--name"),
        (("a@example.org", "--name", "A", "--site", ""), "--site"),
        (("a@example.org", "--name", "A", "--site", "S", "--language", "xx"), "--language"),
        (("a@example.org", "--name", "A", "--site", "S", "--time-zone", "Mars/Base"), "--time-zone"),
        (("a@example.org", "--name", "A", "--site", "S", "--country", "1!"), "--country"),
    ],
)
def test_user_add_refuses_what_could_not_be_used_later(
    tmp_path: Path, wrong: tuple[str, ...], word: str
) -> None:
    given = {"--time-zone": "Asia/Almaty", "--country": "KZ", "--role": "coordinator"}
    rest = [part for item in given.items() if item[0] not in wrong for part in item]
    data = ("--data", str(tmp_path / "data"))
    code, said = hyeopjin("user", "add", *wrong, *rest, *data, stdin="correct horse battery\n")
    assert (code, word in said, "Traceback" in said) == (2, True, False), said


@pytest.mark.parametrize("stdin", [b"short\n", b"", b"x" * 257, b"\xff\xfe" * 20])
def test_a_password_that_nobody_could_type_is_refused_in_a_sentence(tmp_path: Path, stdin: bytes) -> None:
    person = ["user", "add", "a@example.org", "--name", "A", "--role", "coordinator", "--site", "S"]
    place = ["--time-zone", "Asia/Almaty", "--country", "KZ", "--data", str(tmp_path / "data")]
    done = subprocess.run(
        [sys.executable, "-m", "server", *person, *place],
        cwd=TOP, input=stdin, timeout=60, check=False, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert b"password" in done.stderr
    assert b"Traceback" not in done.stderr


def test_tls_makes_a_private_key_nobody_else_can_read(tmp_path: Path) -> None:
    from server.commands.certificate import self_signed

    certificate, key = self_signed(tmp_path / "secrets" / "tls", "192.0.2.7")
    made = certificate.read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert self_signed(tmp_path / "secrets" / "tls", "192.0.2.7")[0].read_bytes() == made  # kept
    self_signed(tmp_path / "secrets" / "tls", "192.0.2.8")
    assert certificate.read_bytes() != made  # another name needs another certificate


async def test_stopping_with_people_in_a_room_takes_no_longer(tmp_path: Path) -> None:
    import asyncio

    import socketio

    with running(tmp_path) as demo:
        link = seat_of(demo.info, "interpreter")
        status, cookie = await asyncio.to_thread(redeem, demo, link)
        assert status == 200
        client = socketio.AsyncClient(reconnection=False)
        await client.connect(
            demo.base_url,
            headers={"Cookie": cookie, "Origin": demo.base_url},
            auth={"seat": demo.seat_id("interpreter")},
            namespaces=["/room"],
            transports=["websocket"],
            wait_timeout=30,  # a machine of two cores with four tests may take its time
        )
        joined = await client.call("join", {"mic": True, "camera": True, "resume": None}, namespace="/room")
        assert joined["ok"]
        await asyncio.sleep(1)
        await asyncio.to_thread(demo.stop)
        await client.disconnect()
        # At debug every layer says what it did, the worker's lines in the same form as the server's.
        log = demo.log.read_text()
        for said in (
            "POST /api/seats/{seat}/redeem: 200",
            "socket admitted to seat",
            "page event join: ok",
            "control request: PlanRequest",
        ):
            assert any(said in line and "[debug" in line for line in log.splitlines()), said
        assert link.split("#")[1] not in log
        assert cookie.split("=")[1] not in log


@pytest.mark.parametrize("after", [0.8, 1.5, 2.5])
def test_a_start_that_is_no_longer_wanted_is_given_up(tmp_path: Path, after: float) -> None:
    arguments = ["demo", "--port", str(free_port()), "--data", str(tmp_path / "d")]
    with (tmp_path / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "server", *arguments],
            cwd=TOP, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        time.sleep(after)
        process.send_signal(signal.SIGTERM)
        assert naps(process, 13) < 3
        assert "Traceback" not in (tmp_path / "log").read_text()
    finally:
        process.kill()
        process.wait()
