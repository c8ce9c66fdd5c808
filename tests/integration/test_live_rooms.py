"""The whole server in one process (with its real media worker): sockets, books and web front together."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import socketio

from server.app import Running, running
from server.config import load_settings
from server.domain.consent import CONSENT_VERSION
from server.domain.trail import ROOM_ENTERED
from server.services.demo import Demo, DemoTable
from server.services.demo_referral import PATIENT_ID
from server.storage import audit_trail, consultations
from server.storage.audit import first_broken
from server.storage.audit_trail import Filter
from server.storage.sessions import unended
from signaling.namespace import NAMESPACE
from tests.support.demo import TOP
from tests.support.ports import free_port
from tests.support.website import Browser


@dataclass
class Page:
    """One room page's socket."""

    client: Any
    got: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def ask(self, event: str, data: object = None) -> dict[str, Any]:
        answer: dict[str, Any] = await self.client.call(event, data or {}, namespace=NAMESPACE, timeout=10)
        return answer

    async def told(self, event: str, within: float = 5.0, **wanted: object) -> dict[str, Any]:
        """The newest such event that has these values; waits for it."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            for name, payload in reversed(self.got):
                if name == event and all(payload.get(key) == value for key, value in wanted.items()):
                    return payload
            await asyncio.sleep(0.05)
        raise AssertionError(f"no {event} {wanted} within {within} s; got {[name for name, _ in self.got]}")


@dataclass
class House:
    server: Running
    table: DemoTable
    stack: AsyncExitStack

    def browser(self) -> Browser:
        made = Browser(self.server.settings.public_url, None)
        self.stack.push_async_callback(made.close)
        return made

    async def signed_in(self, role: str) -> Browser:
        browser = self.browser()
        account = next(account for account in self.table.accounts if account.role == role)
        body = {"email": account.email, "password": account.password}
        assert (await browser.post("/api/sign-in", body)).status == 200
        return browser

    def seat(self, role: str) -> tuple[str, str]:
        url = next(seat.room_url for seat in self.table.seats if seat.role == role)
        page, token = url.split("#")
        return page.rsplit("/", 1)[1], token

    async def by_link(self, role: str) -> Browser:
        browser, (seat, token) = self.browser(), self.seat(role)
        assert (await browser.post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200
        return browser

    async def socket(self, browser: Browser, role: str, origin: str | None = None) -> Page:
        seat, _ = self.seat(role)
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies().items())
        client = socketio.AsyncClient(reconnection=False)
        page = Page(client)
        client.on("*", lambda event, data=None: page.got.append((event, data)), namespace=NAMESPACE)
        self.stack.push_async_callback(client.disconnect)
        await client.connect(
            self.server.settings.public_url,
            headers={"Cookie": cookies, "Origin": origin or self.server.settings.public_url},
            auth={"seat": seat},
            namespaces=[NAMESPACE],
            transports=["websocket"],
            wait_timeout=30,  # a machine of two cores with four tests may take its time
        )
        return page


@asynccontextmanager
async def inhabited(folder: Path, *, patient: bool = False, **overrides: Any) -> AsyncIterator[House]:
    """A whole server on this directory, with one media worker unless told otherwise."""
    port = free_port()
    chosen = {"media_announce": ("127.0.0.1",), "media_workers": 1, **overrides}
    settings = load_settings(
        None,
        demo=True,
        data_dir=folder / "data",
        port=port,
        bind=("127.0.0.1",),
        public_url=f"http://localhost:{port}",
        **chosen,
    )
    async with running(settings) as server, AsyncExitStack() as stack:
        world = Demo(server.services, settings.secrets_dir / "demo.json", patient=patient)
        table = await world.prepare()
        yield House(server, table, stack)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with inhabited(tmp_path, session_grace_s=2) as made:
        yield made


JOIN = {"mic": True, "camera": True, "resume": None}


async def test_people_meet_and_the_books_follow(house: House) -> None:
    assert all((await house.server.health.ready()).values())
    physician = await house.signed_in("consulting_physician")
    seat, _ = house.seat("consulting_physician")
    await physician.post(f"/api/seats/{seat}/take")
    guest = await house.by_link("interpreter")
    first, second = (
        await house.socket(physician, "consulting_physician"),
        await house.socket(guest, "interpreter"),
    )
    joined = await first.ask("join", JOIN)
    assert joined["ok"], joined
    assert (await second.ask("join", JOIN))["ok"]
    await house.socket(physician, "consulting_physician")  # the same person's second window
    assert await entered(house) == [
        (role, "127.0.0.1") for role in ("consulting_physician", "interpreter")
    ], "who is in the room sees the patient: once for each, with where they came from"
    snapshot = await first.told("snapshot", state="live")
    assert snapshot["chair"] == seat
    me = next(each for each in snapshot["participants"] if each["id"] == seat)
    assert (me["verified"], me["consent"]) == (True, "undecided")
    rows = (await physician.get("/api/worklist")).json["consultations"]
    assert rows[0]["state"] == "live"
    assert await house.server.services.context.live.busy()
    assert await house.server.hub.presence(house.table.consultation_id) == {
        seat,
        house.seat("interpreter")[0],
    }

    consent = {"decision": "granted", "persons": ["A"], "language": "ko", "version": CONSENT_VERSION}
    assert (await physician.post(f"/api/seats/{seat}/consent", consent)).status == 200
    await until_participant(first, seat, consent="granted")

    assert (await second.ask("end"))["ok"] is False  # an interpreter does not end it
    assert (await first.ask("end"))["ok"]
    assert (await second.told("closed"))["code"] == "ended"
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:  # the books follow the room
        rows = (await physician.get("/api/worklist")).json["consultations"]
        if rows[0]["state"] != "live":
            break
        await asyncio.sleep(0.05)
    assert (rows[0]["state"], rows[0]["joinable"]) == ("ended", False)
    late_seat, token = house.seat("referring_physician")
    late = await house.browser().post(f"/api/seats/{late_seat}/redeem", {"token": token})
    assert late.code == "link_dead"


async def entered(house: House) -> list[tuple[str, str]]:
    """(role of the seat, address) of each entry of somebody coming in, all about the patient."""
    found = []
    async with house.server.services.context.database.read() as tx:
        for row in await audit_trail.newest_first(tx, Filter(action=ROOM_ENTERED), None, 10):
            seat = await consultations.seat_by_id(tx, row.entry.seat_id or "")
            assert seat
            assert row.entry.patient_id == PATIENT_ID
            found.append((seat.role, row.entry.address.replace("::1", "127.0.0.1")))
    return found[::-1]


async def until_participant(page: Page, seat: str, **wanted: object) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        snapshots = [payload for name, payload in page.got if name == "snapshot"]
        for each in snapshots[-1]["participants"] if snapshots else []:
            if each["id"] == seat and all(each[key] == value for key, value in wanted.items()):
                return
        await asyncio.sleep(0.05)
    raise AssertionError(f"no snapshot shows {wanted}")


async def test_the_chair_alone_pauses_and_the_books_keep_it(house: House) -> None:
    """Who may, for each role, over a real socket; and the room of a later server begins paused."""
    roles = ("consulting_physician", "referring_physician", "interpreter")
    pages = {role: await house.socket(await house.by_link(role), role) for role in roles}
    chair = pages["consulting_physician"]
    for page in pages.values():
        assert (await page.ask("join", JOIN))["ok"]
    await chair.told("snapshot", state="live")
    for role in roles[1:]:
        for event, data in (("pause", {"reason": "other"}), ("resume", {})):
            assert await pages[role].ask(event, data) == {"ok": False, "code": "forbidden"}
    assert (await chair.ask("pause", {"reason": "lunch"}))["code"] == "bad_message"
    assert (await chair.ask("pause", {"reason": "examination"}))["ok"]
    for page in pages.values():
        light = await page.told("recording", state="paused")
        assert light["paused"]["by"] == house.seat("consulting_physician")[0]
        assert (light["paused"]["reason"], light["degraded"]) == ("examination", [])

    context = house.server.services.context
    room = house.table.consultation_id
    await until_kept(house, "examination")
    late = await house.server.services.rooms.open_session(room, context.now_ms())
    assert late.pause is not None
    assert (late.pause.seat_id, late.pause.reason) == (house.seat(roles[0])[0], "examination")

    assert (await chair.ask("leave"))["ok"]
    assert (await pages["interpreter"].ask("resume"))["code"] == "forbidden"
    assert (await pages["referring_physician"].ask("resume"))["ok"]
    await pages["interpreter"].told("recording", state="waiting", waits_for="consent")
    await until_kept(house, None)
    async with context.database.read() as tx:
        assert await first_broken(tx) is None
        kept = (
            await tx.exec_driver_sql("SELECT action, seat_id FROM audit WHERE action LIKE 'recording_%'")
        ).all()
    assert [tuple(row) for row in kept] == [
        ("recording_paused", house.seat(roles[0])[0]),
        ("recording_resumed", house.seat(roles[1])[0]),
    ]


async def until_kept(house: House, reason: str | None) -> None:
    """Waits until the books have the pause."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        async with house.server.services.context.database.read() as tx:
            (session,) = await unended(tx)
        if (session.pause.reason if session.pause else None) == reason:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the books were not told")


async def test_revoking_a_session_disconnects_its_socket_within_five_seconds(house: House) -> None:
    browser = await house.signed_in("interpreter")
    seat, _ = house.seat("interpreter")
    await browser.post(f"/api/seats/{seat}/take")
    page = await house.socket(browser, "interpreter")
    assert (await page.ask("join", JOIN))["ok"]
    elsewhere = await house.signed_in("interpreter")
    sessions = (await elsewhere.get("/api/account/sessions")).json["sessions"]
    other = next(session["id"] for session in sessions if not session["current"])
    await elsewhere.post(f"/api/account/sessions/{other}/revoke")
    assert (await page.told("closed"))["code"] == "revoked"


async def test_who_leaves_loses_their_seat_in_the_running_call_by_link_or_by_account(house: House) -> None:
    admin = await house.signed_in("programme_admin")
    doctor, interpreter = await house.signed_in("consulting_physician"), await house.by_link("interpreter")
    await doctor.post(f"/api/seats/{house.seat('consulting_physician')[0]}/take")
    chair = await house.socket(doctor, "consulting_physician")
    beside = await house.socket(interpreter, "interpreter")
    assert (await chair.ask("join", JOIN))["ok"]
    assert (await beside.ask("join", JOIN))["ok"]
    people = (await admin.get("/api/people")).json["people"]
    for page, role in ((beside, "interpreter"), (chair, "consulting_physician")):
        person = next(one["id"] for one in people if one["roles"] == [role])
        assert (await admin.post(f"/api/people/{person}/leave")).status == 200
        assert (await page.told("closed"))["code"] == "revoked"


async def test_a_revocation_in_the_database_alone_disconnects_within_five_seconds(house: House) -> None:
    """As a command in another process would do it."""
    browser = await house.signed_in("interpreter")
    seat, _ = house.seat("interpreter")
    await browser.post(f"/api/seats/{seat}/take")
    page = await house.socket(browser, "interpreter")
    assert (await page.ask("join", JOIN))["ok"]
    async with house.server.services.context.database.write() as tx:
        await tx.exec_driver_sql("UPDATE accounts SET disabled = 1 WHERE email = 'interpreter@demo.invalid'")
    assert (await page.told("closed"))["code"] == "revoked"


async def test_a_knock_is_shown_and_admitting_it_ends_the_first_credential(house: House) -> None:
    physician = await house.signed_in("consulting_physician")
    await physician.post(f"/api/seats/{house.seat('consulting_physician')[0]}/take")
    chair = await house.socket(physician, "consulting_physician")
    assert (await chair.ask("join", JOIN))["ok"]
    first = await house.by_link("referring_physician")
    seated = await house.socket(first, "referring_physician")
    assert (await seated.ask("join", JOIN))["ok"]

    seat, token = house.seat("referring_physician")
    second = house.browser()
    knocked = await second.post(f"/api/seats/{seat}/knock", {"token": token, "name": "Somebody"})
    deadline = time.monotonic() + 5
    while not (shown := [p["knocks"] for n, p in chair.got if n == "snapshot" and p["knocks"]]):
        assert time.monotonic() < deadline, "the knock was not shown"
        await asyncio.sleep(0.05)
    assert (shown[-1][0]["id"], shown[-1][0]["name"]) == (knocked.json["knock"], "Somebody")
    assert not any(p["knocks"] for n, p in seated.got if n == "snapshot")  # came by link: may not admit
    refused = await seated.ask("admit", {"knock": knocked.json["knock"], "accept": True})
    assert refused["ok"] is False
    assert (await chair.ask("admit", {"knock": knocked.json["knock"], "accept": True}))["ok"]
    assert (await seated.told("closed"))["code"] == "revoked"
    assert (await second.get(f"/api/seats/{seat}/knock")).json == {"state": "admitted"}
    newcomer = await house.socket(second, "referring_physician")
    assert (await newcomer.ask("join", JOIN))["ok"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_a_foreign_origin_gets_no_socket(house: House, origin: str) -> None:
    browser = await house.by_link("interpreter")
    with pytest.raises(socketio.exceptions.ConnectionError):
        await house.socket(browser, "interpreter", origin)


async def test_a_room_run_dry_ends_its_session_and_opens_again(house: House) -> None:
    browser = await house.by_link("interpreter")
    page = await house.socket(browser, "interpreter")
    assert (await page.ask("join", JOIN))["ok"]
    first = (await page.told("snapshot", state="live"))["session"]
    assert (await page.ask("leave"))["ok"]
    seat, _ = house.seat("interpreter")
    deadline = time.monotonic() + 20
    while (await browser.get(f"/api/seats/{seat}")).json["consultation"]["state"] != "scheduled":
        assert time.monotonic() < deadline, "the session did not end"
        await asyncio.sleep(0.2)
    again = await house.socket(browser, "interpreter")
    assert (await again.ask("join", JOIN))["ok"]
    second = (await again.told("snapshot", state="live"))["session"]
    assert first
    assert second
    assert first != second
    reviewer = await house.signed_in("reviewer")
    recordings = (await reviewer.get("/api/worklist")).json["consultations"][0]["recordings"]
    assert {recording["id"] for recording in recordings} == {first, second}


async def test_a_consultation_cancelled_from_the_command_line_closes_its_room(house: House) -> None:
    data, room = str(house.server.settings.data_dir), house.table.consultation_id

    async def hyeopjin(*arguments: str) -> tuple[int | None, str]:
        started = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server", "consultation", *arguments, "--data", data,
            cwd=TOP, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await started.communicate()
        return started.returncode, said.decode()

    browser = await house.by_link("referring_physician")
    inside = await house.socket(browser, "referring_physician")
    waiting = await house.socket(await house.by_link("interpreter"), "interpreter")
    assert (await inside.ask("join", JOIN))["ok"]
    await inside.told("snapshot", state="live")
    code, said = await hyeopjin("list", "--json")
    assert (code, [(row["id"], row["state"]) for row in json.loads(said)]) == (0, [(room, "live")])

    assert await hyeopjin("cancel", room) == (0, "")
    await inside.told("closed", within=6, code="removed")
    assert (await waiting.ask("join", JOIN))["ok"] is False
    seat, token = house.seat("consulting_physician")
    dead = await house.browser().post(f"/api/seats/{seat}/redeem", {"token": token})
    assert (dead.status, dead.code) == (410, "link_dead")
    worklist = (await (await house.signed_in("coordinator")).get("/api/worklist")).json
    assert [row["state"] for row in worklist["consultations"]] == ["cancelled"]
    async with house.server.services.context.database.read() as tx:
        assert await unended(tx) == []
        assert await first_broken(tx) is None
    for again in ((room,), ("unknown",)):
        code, said = await hyeopjin("cancel", *again)
        assert (code, "Traceback" in said) == (2, False)
