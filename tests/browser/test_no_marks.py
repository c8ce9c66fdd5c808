"""Nothing of a patient, a person or a secret in logs or URLs; nothing readable on disk after a SIGKILL.

Every name in the database is replaced by a marked one first. Then each layer is made to fail by what it is
given: pages, requests, sockets, SDP, datagrams, a damaged row, a damaged file.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import threading
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright

from tests.support import decode, marks
from tests.support.browsers import Crowd
from tests.support.demo import Demo, alive, children, until
from tests.support.fakes import GREEN, RED
from tests.support.story import Guest, end, join, sign_in, wait_ready, wait_stored

pytestmark = pytest.mark.browser

PATIENT, PERSON, BESIDE, KNOCKER = "Zyqpatient Үлгі", "Zyqperson", "Zyqbeside 김", "Zyqknocker"
QUESTION, MAIL, SPOKEN = "Zyqquestion of the case", "zyqmail@clinic.invalid", "Zyqspoken"
NAMES = (PATIENT, PERSON, BESIDE, KNOCKER, QUESTION, MAIL, SPOKEN)
MARKS = (*NAMES, "Zyq", "zyq")  # three letters occur in ciphertext by chance: for texts only

JSON = "application/json"
FETCH = """
async ([method, path, body, type]) => {
  const answer = await fetch(path, { method, body, headers: type ? { 'Content-Type': type } : {} });
  return [answer.status, (await answer.text()).slice(0, 2000)];
}
"""
BAD_EVENTS = [
    ["answer", {"connection": SPOKEN, "offer_id": SPOKEN, "sdp": SPOKEN}],
    ["media", {"mic": SPOKEN, "camera": {"a": [SPOKEN]}}],
    ["quality", {"rtt_ms": SPOKEN, "level": SPOKEN}],
    ["admit", {"knock": SPOKEN, "accept": SPOKEN}],
    [SPOKEN, SPOKEN],
    ["join", [SPOKEN]],
]
SOCKET = """
async ([seat, events, sdp]) => {
  const { io } = await import('/static/vendor/socket.io.js');
  const link = io('/room', { path: '/socket.io', transports: ['websocket'], auth: { seat }, forceNew: true });
  const found = [];
  await new Promise((done, fail) => { link.on('connect', done); link.on('connect_error', fail); });
  const send = (name, body) => new Promise((done) => {
    link.timeout(1500).emit(name, body, (lost, ack) => done(lost ? 'no answer' : ack));
  });
  for (const [name, body] of events) found.push(await send(name, body));
  const offered = new Promise((done) => { link.on('offer', done); setTimeout(done, 30_000); });
  await send('join', { mic: false, camera: false, resume: null });
  const offer = await offered;
  if (!offer) throw new Error('no offer came');
  found.push(await send('answer', { connection: offer.connection, offer_id: offer.offer_id, sdp }));
  await send('leave', {});
  link.close();
  return found;
}
"""


def mark_database(data: Path) -> None:
    """Puts marked names where the demo has its synthetic ones."""
    with contextlib.closing(sqlite3.connect(data / marks.DATABASE)) as db, db:
        db.execute("UPDATE accounts SET name = ? || ' ' || id", (PERSON,))
        db.execute("UPDATE seats SET name = ? || ' ' || role", (PERSON,))
        patient = {"name": PATIENT, "birth_date": "1968-04-12", "sex": "female", "synthetic": True}
        db.execute("UPDATE cases SET patient = ?, question = ?", (json.dumps(patient), QUESTION))


class Killer(threading.Thread):
    """Kills the server's finaliser once it is at work, and looks at the data directory at that moment."""

    def __init__(self, demo: Demo) -> None:
        super().__init__(daemon=True)
        self._demo = demo
        self.killed = 0
        self.seen: list[str] = []
        self.plain: list[str] = []
        self.marked: list[str] = []

    def run(self) -> None:
        deadline = time.monotonic() + 150
        while not self.killed and time.monotonic() < deadline:
            found = [pid for pid, line in children(self._demo.pid).items() if "media.finaliser" in line]
            if found:
                with contextlib.suppress(ProcessLookupError):
                    self._stalk(found[0])
            time.sleep(0.003)

    def _stalk(self, finaliser: int) -> None:
        """Lets it run in slices, so that its work is seen however busy the machine is."""
        while alive(finaliser):
            os.kill(finaliser, signal.SIGSTOP)
            self.seen = [str(p) for p in (self._demo.data / "objects").rglob("*.tmp")]
            if self.seen:
                self._kill(finaliser)
                return
            os.kill(finaliser, signal.SIGCONT)
            time.sleep(0.01)

    def _kill(self, finaliser: int) -> None:
        """The server is held meanwhile: it would sweep the scratch up while we look."""
        os.kill(self._demo.pid, signal.SIGSTOP)
        try:
            os.kill(finaliser, signal.SIGKILL)
            until("it is gone", lambda: not alive(finaliser), 20, 0.01)
            self.plain = marks.plain_media(self._demo.folder)
            self.marked = marks.marks_on_disk(self._demo.data, NAMES)
            self.killed = finaliser
        finally:
            os.kill(self._demo.pid, signal.SIGCONT)


class Story:
    """The consultation of this module, told once: what was said, where, and what was killed."""

    def __init__(self, demo: Demo, crowd: Crowd) -> None:
        self.demo = demo
        self.crowd = crowd
        self.answers: list[Any] = []
        self.referring: Guest = join(crowd.person(RED), demo, "referring_physician")
        self.consulting: Guest = join(crowd.person(GREEN), demo, "consulting_physician")
        self.killer = Killer(demo)
        self.shown = ""
        self.titles: list[str] = []

    def ask(self, page: Page, method: str, path: str, body: str | None, kind: str = JSON) -> int:
        answer = page.evaluate(FETCH, [method, path, body, kind if body is not None else ""])
        self.answers.append((method, path, *answer))
        status: int = answer[0]
        return status

    def tell_names(self) -> None:
        seat = self.referring.seat
        version = self.referring.page.evaluate(FETCH, ["GET", f"/api/seats/{seat}", None, ""])
        consent = {
            "decision": "granted",
            "persons": [PERSON, BESIDE],
            "language": "en",
            "version": json.loads(version[1])["consent_version"],
        }
        assert self.ask(self.referring.page, "POST", f"/api/seats/{seat}/consent", json.dumps(consent)) == 200

    def bad_requests(self) -> None:
        page, seat = self.referring.page, self.referring.seat
        token = self.demo.seat("interpreter")["room_url"].split("#")[1]
        junk = json.dumps({"email": MAIL, "password": SPOKEN})
        assert self.ask(page, "POST", "/api/sign-in", junk) == 401
        wrong = json.dumps({"email": [MAIL], "password": {"a": SPOKEN}})
        for body in ("{" + SPOKEN, "[]", wrong, SPOKEN * 9000):
            assert 400 <= self.ask(page, "POST", "/api/sign-in", body) < 500
        assert self.ask(page, "POST", "/api/sign-in", junk, "text/plain") in (400, 415)
        path = f"/api/seats/{seat}/consent"
        for decision in (SPOKEN, None, 7):
            body = json.dumps({"decision": decision, "persons": [BESIDE] * 99, "language": SPOKEN})
            assert 400 <= self.ask(page, "POST", path, body) < 500
        knock = json.dumps({"token": token[::-1], "name": KNOCKER})
        assert 400 <= self.ask(page, "POST", f"/api/seats/{self.consulting.seat}/knock", knock) < 500

    def bad_events(self) -> None:
        """The interpreter's seat says nothing but rubbish, and answers the worker's true offer with it."""
        page = self.crowd.people[0].context.new_page()
        page.goto(self.demo.base_url + "/signin")
        seat, token = self.demo.seat("interpreter")["room_url"].rsplit("/", 1)[1].split("#")
        assert self.ask(page, "POST", f"/api/seats/{seat}/redeem", json.dumps({"token": token})) == 200
        acks = page.evaluate(SOCKET, [seat, BAD_EVENTS, f"v=0\r\ns={SPOKEN}\r\nm=audio {SPOKEN}"])
        said, _ = acks[:-1], acks[-1]  # the last was for the worker, which says no later
        assert not [ack for ack in said if isinstance(ack, dict) and ack.get("ok")], acks
        page.close()

    def bad_datagrams(self) -> None:
        """What anybody may send to the media port."""
        rubbish = (b"", b"\x80", SPOKEN.encode() * 20, b"\x16\xfe\xfd" + SPOKEN.encode(), b"\0" * 20)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rude:
            for port in media_ports(self.demo.worker()):
                for packet in rubbish:
                    rude.sendto(packet, ("127.0.0.1", port))

    def finish(self) -> str:
        wait_stored(self.referring, 6)
        self.shown = self.consulting.page.content()
        self.titles = [page.title() for one in self.crowd.people for page in one.context.pages]
        self.killer.start()
        end(self.consulting)
        recording = decode.recordings(self.demo.data)[0]
        page = sign_in(self.crowd.people[0], self.demo, "reviewer")
        self.killer.join(160)
        wait_ready(self.demo, page, recording, 180)
        self.damage(page, recording)
        return recording

    def damage(self, page: Page, recording: str) -> None:
        """A track cut in the middle and a row that is no JSON: failures below every check of input."""
        tracks = page.request.get(f"{self.demo.base_url}/api/recordings/{recording}").json()["tracks"]
        for path in decode.generation_folder(self.demo.data, recording).glob("*.webm.sealed"):
            path.chmod(0o600)
            os.truncate(path, path.stat().st_size // 2)
        for track in tracks:
            with contextlib.suppress(Exception):  # a response may break off: that is what we want to see
                page.request.get(f"{self.demo.base_url}/api/recordings/{recording}/tracks/{track['id']}")
        worklist = page.request.get(f"{self.demo.base_url}/api/worklist").json()
        case_id = worklist["consultations"][0]["case_id"]
        with contextlib.closing(sqlite3.connect(self.demo.data / marks.DATABASE, timeout=5)) as db, db:
            db.execute("UPDATE cases SET patient = ?", ('{"name": "' + PATIENT,))
        assert self.ask(page, "GET", f"/api/cases/{case_id}", None) == 500
        assert SPOKEN not in self.answers[-1][3]


def media_ports(worker: int) -> set[int]:
    """UDP ports the worker listens on."""
    inodes = set()
    for link in Path(f"/proc/{worker}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.add(os.readlink(link).removeprefix("socket:[").removesuffix("]"))
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    return {int(f[1].split(":")[1], 16) for f in (line.split() for line in lines) if f[9] in inodes}


@pytest.fixture(scope="module")
def story(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("marked")
    scratch = folder / "scratch"
    scratch.mkdir()
    demo = Demo(folder, env={"TMPDIR": str(scratch)}).start()
    demo.stop(30)
    mark_database(demo.data)
    demo.start()
    try:
        with Crowd(playwright, tmp_path_factory.mktemp("marked-fakes")) as crowd:
            told = Story(demo, crowd)
            told.tell_names()
            told.bad_requests()
            told.bad_events()
            told.bad_datagrams()
            told.finish()
            yield told
    finally:
        if demo.process is not None and demo.process.poll() is None:
            demo.kill()


def secrets_of(demo: Demo) -> list[str]:
    """Link tokens and passwords, which the demo prints but never logs."""
    tokens = [seat["room_url"].split("#")[1] for seat in demo.info["seats"]]
    return tokens + [account["password"] for account in demo.info["accounts"]]


def test_the_names_are_really_shown_to_those_who_may_see_them(story: Story) -> None:
    assert PERSON in story.shown
    assert marks.marks_in_text([("control", f"x {PATIENT} y")], MARKS)


def test_no_mark_and_no_secret_is_in_any_log(story: Story) -> None:
    log = story.demo.log.read_text(errors="replace")
    wanted = (*MARKS, *secrets_of(story.demo))
    assert not marks.marks_in_text([(f"log {n}", line) for n, line in enumerate(log.splitlines(), 1)], wanted)
    assert "error" in log, "the forced exceptions left no trace at all"
    for layer in ("hyeopjin.web.", "hyeopjin.signaling.", "hyeopjin.media."):
        assert any("[debug" in line and layer in line for line in log.splitlines()), layer


def test_no_refusal_repeats_what_was_said(story: Story) -> None:
    assert not [answer for answer in story.answers if answer[2] >= 400 and "yq" in answer[3].lower()]


def test_no_mark_and_no_secret_is_in_any_url_and_no_mark_in_a_title(story: Story) -> None:
    urls = [urllib.parse.urldefrag(url).url for person in story.crowd.people for url in person.urls]
    assert len(urls) > 50
    texts = [("url", urllib.parse.unquote(url)) for url in urls]
    assert not marks.marks_in_text(texts, (*MARKS, *secrets_of(story.demo)))
    assert not marks.marks_in_text([("title", title) for title in story.titles], MARKS)


def test_a_killed_finaliser_leaves_nothing_readable(story: Story) -> None:
    assert story.killer.killed, f"no finaliser was caught at work: {story.killer.seen}"
    assert story.killer.seen
    assert not story.killer.plain
    assert not story.killer.marked


def test_the_finished_data_directory_holds_no_plain_media_and_no_mark(story: Story) -> None:
    assert not marks.plain_media(story.demo.folder)
    assert not marks.marks_on_disk(story.demo.data, NAMES)
