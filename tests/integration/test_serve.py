"""`hyeopjin serve` on a directory of its own, as an operator starts it, and the commands beside it."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.demo import TOP, until
from tests.support.naps import naps
from tests.support.ports import free_port
from tests.support.tampering import tamper

PASSWORD = "correct horse battery"
MIGRATIONS = Path(__file__).parents[2] / "server" / "storage" / "migrations" / "versions"


@dataclass(slots=True)
class Serving:
    data: Path
    config: Path
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def run(self, *arguments: str, stdin: str = "", port: int | None = None) -> tuple[int, str]:
        """A command of the same installation: (exit code, everything it said)."""
        more = [] if port is None else ["--port", str(port)]
        done = subprocess.run(
            [sys.executable, "-m", "server", *arguments, "--config", str(self.config), *more],
            cwd=TOP, input=stdin.encode(), timeout=60, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return done.returncode, done.stdout.decode()

    def ask(self, path: str, body: object = None, cookie: str = "") -> tuple[int, str, str]:
        """(status, cookie as a browser would send it back, body)"""
        headers = {"Content-Type": "application/json", "Cookie": cookie}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://localhost:{self.port}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                given = str(answer.headers["Set-Cookie"] or "").split(";")[0]
                return answer.status, given, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, "", error.read().decode()
        except OSError:
            return 0, "", ""


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    port, config, log = free_port(), tmp_path / "hyeopjin.toml", tmp_path / "log"
    config.write_text(
        f'public_url = "http://localhost:{port}"\nport = {port}\ndata_dir = "{tmp_path / "data"}"\n'
        f'media_announce = ["127.0.0.1"]\nmedia_udp_port = {free_port()}\nmedia_workers = 1\n'
        'log_format = "json"\nlog_level = "debug"\n'
    )
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "server", "serve", "--config", str(config)],
            cwd=TOP, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            env=os.environ,
        )  # fmt: skip
    made = Serving(tmp_path / "data", config, port, process, log)
    try:
        until("it is ready", lambda: made.ask("/readyz")[0] == 200, 40)
        yield made
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_fresh_directory_serves_its_first_account_and_loses_it_again(serving: Serving) -> None:
    assert (serving.data / "SERVE").is_file()
    person = ("user", "add", "first@example.org", "--name", "First", "--role", "coordinator", "--site", "S")
    place = ("--time-zone", "Asia/Almaty", "--country", "KZ")
    code, said = serving.run(*person, *place, stdin=PASSWORD + "\n")
    assert code == 0, said
    known = {"email": "First@Example.org", "password": PASSWORD}
    status, cookie, _ = serving.ask("/api/sign-in", known)
    assert status == 200
    status, _, text = serving.ask("/api/worklist", cookie=cookie)
    assert (status, json.loads(text)["consultations"]) == (200, [])

    assert serving.run("user", "disable", "first@example.org") == (0, "")
    assert serving.ask("/api/me", cookie=cookie)[0] == 401
    assert serving.ask("/api/sign-in", known)[0] == 401
    assert serving.run("user", "enable", "first@example.org") == (0, "")
    assert serving.ask("/api/me", cookie=cookie)[0] == 401  # signed out for good
    assert serving.run("user", "password", "first@example.org", stdin="another horse battery\n") == (0, "")
    assert serving.ask("/api/sign-in", known)[0] == 401
    assert serving.ask("/api/sign-in", known | {"password": "another horse battery"})[0] == 200
    assert serving.run("user", "disable", "second@example.org")[0] == 2


def test_the_commands_that_look_may_run_beside_the_server(serving: Serving) -> None:
    assert serving.run("recordings", "list", "--json") == (0, "[]\n")
    assert serving.run("recordings", "verify", "--json") == (0, "[]\n")
    assert serving.run("recordings", "verify", "unknown", "--json")[0] == 2
    newest = max(path.name[:4] for path in MIGRATIONS.glob("[0-9]*.py"))
    assert serving.run("migrate") == (0, f"{newest}\n")
    code, said = serving.run("doctor", "--json")
    # How full this machine's disk is, is not our doing: tests/unit/test_disks.py looks at that.
    states = {finding["state"] for finding in json.loads(said) if finding["check"] != "disk"}
    assert (code, states) == (0, {"green", "grey"})


def test_doctor_finds_a_changed_row_of_the_audit_chain(serving: Serving) -> None:
    for number in ("1", "2"):
        person = ("user", "add", f"{number}@example.org", "--name", "A", "--role", "reviewer", "--site", "S")
        place = ("--time-zone", "Asia/Seoul", "--country", "KR")
        assert serving.run(*person, *place, stdin=PASSWORD + "\n")[0] == 0
    assert audit_of(serving) == (0, "green", "ok")
    tamper(serving.data / "hyeopjin.sqlite3", "UPDATE audit SET action = 'account_removed' WHERE id = 1")
    assert audit_of(serving) == (1, "red", "chain_broken")


def audit_of(serving: Serving) -> tuple[int, str, str]:
    code, said = serving.run("doctor", "--json")
    finding = next(each for each in json.loads(said) if each["check"] == "audit")
    return code, finding["state"], finding["code"]


def test_a_second_server_on_the_same_directory_is_refused_and_disturbs_nothing(serving: Serving) -> None:
    code, said = serving.run("serve", port=free_port())
    assert (code, "runs on the data directory" in said) == (2, True), said
    assert serving.ask("/readyz")[0] == 200
    assert '"media_path": "native"' in serving.ask("/healthz")[2], "the tests' set-up has a compiler"
    serving.process.send_signal(signal.SIGKILL)
    serving.process.wait()
    again = subprocess.Popen(
        [sys.executable, "-m", "server", "serve", "--config", str(serving.config)],
        cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until("a killed server's directory is free again", lambda: serving.ask("/readyz")[0] == 200, 40)
        again.send_signal(signal.SIGTERM)
        assert naps(again, 13) < 3
        assert again.returncode == 0
    finally:
        if again.poll() is None:
            again.kill()
        again.wait()


def test_a_public_demo_gives_links_and_cookies_that_work_over_https(tmp_path: Path) -> None:
    seats, data, port = tmp_path / "seats.json", tmp_path / "data", free_port()
    arguments = ["--tls", "--public", "--port", str(port), "--data", str(data), "--seats-file", str(seats)]
    demo = subprocess.Popen(
        [sys.executable, "-m", "server", "demo", *arguments],
        cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until("the links are written", seats.is_file, 40)
        info = json.loads(seats.read_text())
        page, token = info["seats"][0]["room_url"].split("#")
        assert page.startswith(info["base_url"] + "/room/")
        trust = ssl.create_default_context(cafile=str(data / "secrets" / "tls" / "certificate.pem"))

        def redeem(origin: str) -> tuple[int, str]:
            request = urllib.request.Request(  # noqa: S310
                page.replace("/room/", "/api/seats/") + "/redeem",
                json.dumps({"token": token}).encode(),
                {"Content-Type": "application/json", "Origin": origin},
            )
            try:
                with urllib.request.urlopen(request, timeout=10, context=trust) as answer:  # noqa: S310
                    return answer.status, str(answer.headers["Set-Cookie"])
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, ""

        assert redeem("https://elsewhere.example")[0] == 403
        status, cookie = redeem(info["base_url"])
        assert status == 200
        assert cookie.startswith(f"__Host-seat-{page.rsplit('/', 1)[1]}=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
        demo.send_signal(signal.SIGINT)
        assert demo.wait(10) == 0
    finally:
        if demo.poll() is None:
            demo.kill()
        demo.wait()
