"""The wire over a real aiohttp server on loopback, with real socket.io clients."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest
import socketio
from aiohttp import web

from signaling import messages as ms
from signaling.asides import ASIDES, Answer, Asides, Sitting
from signaling.hub import Hub
from signaling.namespace import NAMESPACE, Sockets, allowed_origin, attach, cookies_of, room_event
from signaling.ports import RoomSeed
from signaling.store import MemoryRoomStore
from tests.support.rooms import (
    CONSULTING,
    INTERPRETER,
    REFERRING,
    ROOM,
    Books,
    Door,
    HandClock,
    MediaPlane,
    knock,
    settled,
)

ORIGIN = "http://127.0.0.1:1"
Connect = Callable[..., Awaitable["Page"]]
GOOD: dict[str, dict[str, object]] = {
    "join": {},
    "answer": {"connection": "j1.1.1", "offer_id": "o-1", "sdp": "v=0"},
    "media": {"mic": True, "camera": True},
    "restart": {"reason": "failed"},
    "ice_restart": {},
    "quality": {"rtt_ms": 120, "loss_up": 0.01, "loss_down": None, "level": "good"},
    "leave": {},
    "end": {},
    "admit": {"knock": "knock-1", "accept": True},
    "pause": {"reason": "other"},
    "resume": {},
    "view": {"shown": [{"participant": "s-2", "kind": "camera", "height": 360}]},
    "chat": {"id": "m-1", "text": "one line"},
    "conduct": {"steps": ["introduction"], "outcome": "done"},
    "term": {"term": "t-1"},
    "mode": {"mode": "simultaneous"},
    "direction": {"source": "ru", "target": "ko"},
    "hearing": {"choice": "both"},
    "floor": {"participant": None},
    "listen": {"participant": None},
    "signal": {"kind": "slower"},
    "handover": {"step": "request"},
    "mute_passive": {},
    "partner": {"on": True},
    "partner_text": {"text": "one line"},
    "step": {"participant": "seat-referring-1", "out": True},
}
ABILITY = {**ms.ABILITY, **{event: kind.ability for event, kind in ASIDES.items()}}


async def echo(sitting: Sitting, message: ms.Message) -> Answer:
    """An application that tells everybody what one page said beside the room."""
    return Answer(event="chat", payload={"by": sitting.seat, **message.wire()})


@dataclass
class Page:
    """One page's socket."""

    client: Any
    got: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def of(self, event: str) -> list[dict[str, Any]]:
        return [payload for name, payload in self.got if name == event]

    async def ask(self, event: str, data: object) -> dict[str, Any]:
        answer: dict[str, Any] = await self.client.call(event, data, namespace=NAMESPACE, timeout=5)
        return answer


@dataclass
class Site:
    """A running server and what is behind it."""

    url: str
    hub: Hub
    books: Books
    media: MediaPlane
    door: Door
    clock: HandClock
    connect: Connect
    refusals: list[Any]
    runner: web.AppRunner

    async def refused(self, cookie: str | None = None, auth: object = None) -> str:
        """The code with which a connection is refused."""
        self.refusals.clear()
        with pytest.raises(socketio.exceptions.ConnectionError):
            await self.connect(cookie=cookie, auth=auth)
        code: str = self.refusals[0]["data"]["code"]
        return code


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    books, media, door, clock = Books(), MediaPlane(), Door(), HandClock()
    store = MemoryRoomStore()
    hub = Hub(
        store=store,
        directory=books,
        media=media,
        gate=door,
        now_ms=clock,
        tick_s=0.05,
        recheck_s=0.1,
    )
    app = web.Application()
    runner = web.AppRunner(app)
    sock = web.TCPSite
    asides = Asides(store, dict.fromkeys(ASIDES, echo))
    attach(app, hub, door, ORIGIN, asides=asides)  # pages name this origin; the port they reach is another
    await runner.setup()
    tcp = sock(runner, "127.0.0.1", 0)
    await tcp.start()
    port = runner.addresses[0][1]
    url = f"http://127.0.0.1:{port}"
    await hub.start()
    pages: list[Page] = []
    refusals: list[Any] = []

    async def connect(
        seat: str = REFERRING,
        *,
        cookie: str | None = None,
        origin: str | None = ORIGIN,
        auth: object = None,
        transports: list[str] | None = None,
    ) -> Page:
        client = socketio.AsyncClient(reconnection=False)
        page = Page(client)
        pages.append(page)
        for event in ("snapshot", "offer", "recording", "closed", "chat"):
            client.on(event, lambda data, name=event: page.got.append((name, data)), namespace=NAMESPACE)
        client.on("connect_error", refusals.append, namespace=NAMESPACE)
        headers = {"Cookie": cookie if cookie is not None else f"seat-{seat}=credential-{seat}"}
        if origin is not None:
            headers["Origin"] = origin
        await client.connect(
            url,
            headers=headers,
            auth={"seat": seat} if auth is None else auth,
            namespaces=[NAMESPACE],
            transports=transports or ["websocket"],
            wait_timeout=30,
        )
        return page

    yield Site(url, hub, books, media, door, clock, connect, refusals, runner)
    for page in pages:
        await page.client.disconnect()
    await hub.aclose()
    await runner.cleanup()


async def test_a_page_joins_gets_its_offer_answers_and_leaves(site: Site) -> None:
    page = await site.connect()
    joined = await page.ask("join", {"mic": True, "camera": False, "resume": None})
    assert joined["ok"] is True
    assert joined["snapshot"]["you"]["participant"] == REFERRING
    await settled(lambda: site.media.connections)
    plan = site.media.plans[-1]
    site.hub.media_event(
        {
            "ev": "offer",
            "room": plan.room,
            "epoch": plan.epoch,
            "peer": REFERRING,
            "connection": plan.peers[REFERRING].connection,
            "offer_id": "o1",
            "sdp": "v=0",
            "ice_restart": False,
            "tracks": [],
        }
    )
    await settled(lambda: page.of("offer"))
    offer = page.of("offer")[0]
    assert offer["sdp"] == "v=0"
    answer = {"connection": offer["connection"], "offer_id": "o1", "sdp": "v=0 answer"}
    assert await page.ask("answer", answer) == {"ok": True}
    await settled(lambda: site.media.answers)
    await settled(lambda: page.of("recording"))
    assert await page.ask("leave", {}) == {"ok": True}
    await settled(lambda: not site.media.connections)


# --- who may connect ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", f"{ORIGIN}.evil.example", "https://127.0.0.1:1"]
)
@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_foreign_or_null_origin_is_refused(site: Site, origin: str, transport: str) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        await site.connect(origin=origin, transports=[transport])


async def test_the_polling_fallback_works_as_the_websocket_does(site: Site) -> None:
    page = await site.connect(transports=["polling"])
    assert (await page.ask("join", {}))["ok"] is True
    await settled(lambda: page.of("recording"))


@pytest.mark.parametrize(
    "bad", ["*", "null", "", "localhost:8080", "ftp://a", "http://", "http://*.example", "http://a@b"]
)
def test_a_public_url_that_is_not_one_origin_refuses_the_start(bad: str) -> None:
    with pytest.raises(ValueError, match="origin"):
        allowed_origin(bad)


def test_the_origin_is_the_public_url_without_its_path() -> None:
    assert allowed_origin("https://consult.example:8443/room/") == "https://consult.example:8443"


@pytest.mark.parametrize(
    ("cookie", "auth", "code"),
    [
        ("", None, "no_credential"),
        (f"seat-{REFERRING}=credential-of-another", None, "no_credential"),
        (f"seat-{CONSULTING}=credential-{CONSULTING}", None, "no_credential"),
        (None, {}, "bad_message"),
        (None, {"seat": "../etc"}, "bad_message"),
        (None, {"seat": REFERRING, "token": "t"}, "bad_message"),
        (None, "not a dict", "bad_message"),
    ],
)
async def test_a_socket_without_the_right_to_its_seat_is_refused_with_a_code(
    site: Site, cookie: str | None, auth: object, code: str
) -> None:
    assert await site.refused(cookie=cookie, auth=auth) == code


async def test_a_revoked_credential_and_a_broken_gate_refuse_the_connection(site: Site) -> None:
    site.door.dead.add(f"credential-{REFERRING}")
    assert await site.refused() == "revoked"
    site.door.broken = True
    assert await site.refused() == "internal"


def test_a_cookie_header_is_read_leniently_and_the_first_of_a_name_counts() -> None:
    header = 'a=1; broken; =x; seat-s="v"; a=2; j={"x": 1}'
    assert cookies_of(header) == {"a": "1", "seat-s": "v", "j": '{"x": 1}'}


# --- what a page may say --------------------------------------------------------------------------------


def without(seed: RoomSeed, seat_id: str, ability: str | None) -> RoomSeed:
    """The seed with one ability less at one seat."""
    seats = (
        replace(seat, abilities=seat.abilities - {ability}) if seat.id == seat_id else seat
        for seat in seed.seats
    )
    return replace(seed, seats=tuple(seats))


@pytest.mark.parametrize("event", sorted(event for event, ability in ABILITY.items() if ability is not None))
async def test_every_event_without_its_ability_is_refused(site: Site, event: str) -> None:
    page = await site.connect(CONSULTING)
    if event != "join":
        assert (await page.ask("join", {}))["ok"] is True
    site.books.seeds[ROOM] = without(site.books.seeds[ROOM], CONSULTING, ABILITY[event])
    other = await site.connect(REFERRING)
    await other.ask("join", {})  # a join reads the books again
    assert await page.ask(event, GOOD[event]) == {"ok": False, "code": "forbidden"}


@pytest.mark.parametrize("event", sorted(set(ABILITY) - {"join"}))
async def test_every_event_before_joining_is_refused(site: Site, event: str) -> None:
    page = await site.connect()
    assert await page.ask(event, GOOD[event]) == {"ok": False, "code": "not_joined"}


@pytest.mark.parametrize("event", sorted(ABILITY))
async def test_every_event_of_a_dead_credential_is_refused_and_the_socket_closed(
    site: Site, event: str
) -> None:
    page = await site.connect()
    await page.ask("join", {})
    site.door.dead.add(f"credential-{REFERRING}")
    await page.client.emit(event, GOOD[event], namespace=NAMESPACE)
    await settled(lambda: page.of("closed") == [{"code": "revoked"}])
    await settled(lambda: NAMESPACE not in page.client.namespaces)


@pytest.mark.parametrize("event", sorted(ABILITY))
async def test_every_event_with_a_field_too_much_is_refused(site: Site, event: str) -> None:
    page = await site.connect()
    answer = await page.ask(event, {**GOOD[event], "sudo": True})
    assert answer == {"ok": False, "code": "bad_message", "field": "sudo"}


async def test_what_one_page_says_beside_the_room_every_page_in_it_hears(site: Site) -> None:
    speaker, listener, outside = await site.connect(), await site.connect(CONSULTING), await site.connect()
    assert (await speaker.ask("join", {}))["ok"] is True
    assert (await listener.ask("join", {}))["ok"] is True
    assert await speaker.ask("chat", GOOD["chat"]) == {"ok": True}
    said = {"by": REFERRING, "id": "m-1", "text": "one line"}
    await settled(lambda: listener.of("chat") == [said])
    await settled(lambda: speaker.of("chat") == [said])
    assert outside.of("chat") == []


async def test_an_unknown_event_and_one_that_is_no_object_are_refused(site: Site) -> None:
    page = await site.connect()
    assert await page.ask("shutdown", {}) == {"ok": False, "code": "bad_message", "field": "event"}
    assert await page.ask("join", [1, 2]) == {"ok": False, "code": "bad_message", "field": ""}
    assert (await page.ask("join", None))["ok"] is True


@pytest.mark.parametrize("reserved", ["connect", "disconnect"])
async def test_a_page_cannot_pose_as_the_library(site: Site, reserved: str) -> None:
    page = await site.connect()
    await page.ask("join", {})
    await page.client.emit(reserved, {"HTTP_COOKIE": f"seat-{CONSULTING}=credential-{CONSULTING}"}, NAMESPACE)
    assert await page.ask("media", {"mic": True, "camera": True}) == {"ok": True}
    assert await site.hub.presence(ROOM) == {REFERRING}


async def test_binary_and_crowded_packets_are_dropped(site: Site) -> None:
    page = await site.connect()
    await page.client.emit("media", {"mic": b"\x00" * 100, "camera": True}, namespace=NAMESPACE)
    await page.client.emit("leave", ({}, {}, {}), namespace=NAMESPACE)
    assert (await page.ask("join", {}))["ok"] is True


async def test_more_than_twenty_events_at_once_are_too_fast_for_the_seat_not_the_socket(site: Site) -> None:
    first, second = await site.connect(), await site.connect()
    assert (await first.ask("join", {}))["ok"] is True
    codes = [
        (await page.ask("media", {"mic": True, "camera": True})).get("code")
        for page in [first] * 19 + [second]
    ]
    assert codes == [None] * 19 + ["too_fast"]
    site.clock.passes(1_000)
    assert (await first.ask("media", {"mic": True, "camera": True})) == {"ok": True}


async def test_a_message_over_64_kib_closes_the_connection(site: Site) -> None:
    page = await site.connect()
    await page.ask("join", {})
    await page.client.emit("restart", {"reason": "x" * 70_000}, namespace=NAMESPACE)
    await settled(lambda: not page.client.connected)
    assert await site.hub.presence(ROOM) == {REFERRING}, "away, not gone"


async def test_a_message_just_under_64_kib_is_only_refused(site: Site) -> None:
    page = await site.connect()
    answer = await page.ask("restart", {"reason": "x" * 60_000})
    assert answer == {"ok": False, "code": "bad_message", "field": "reason"}


async def test_raw_rubbish_on_the_websocket_closes_nobody_else(site: Site) -> None:
    page = await site.connect()
    await page.ask("join", {})
    async with aiohttp.ClientSession() as session:
        for rubbish in [
            "",
            "4",
            "42",
            "42/room,",
            '42/room,{"a":1}',
            "42/room,[]",
            "4{",
            "459-/room,[",
            "9",
            "\x00",
        ]:
            url = f"{site.url}/socket.io/?EIO=4&transport=websocket"
            async with session.ws_connect(url, headers={"Origin": ORIGIN}) as ws:
                await ws.receive_str(timeout=20)
                await ws.send_str('40/room,{"seat": "x"}')
                await ws.send_str(rubbish)
                await ws.send_bytes(b"\x00\xff")
    assert await page.ask("media", {"mic": True, "camera": True}) == {"ok": True}


# --- closing --------------------------------------------------------------------------------------------


async def test_revoking_disconnects_within_seconds_without_any_event(site: Site) -> None:
    page, waiting = await site.connect(REFERRING), await site.connect(CONSULTING)
    await page.ask("join", {})
    site.door.dead |= {f"credential-{REFERRING}", f"credential-{CONSULTING}"}
    await settled(lambda: page.of("closed") and waiting.of("closed"))
    assert page.of("closed") == [{"code": "revoked"}]
    await settled(lambda: not site.media.connections)


async def test_a_page_that_vanishes_is_away_and_comes_back_to_its_connection(site: Site) -> None:
    page, other = await site.connect(REFERRING), await site.connect(CONSULTING)
    await page.ask("join", {})
    await other.ask("join", {})
    await settled(lambda: len(site.media.connections) == 2)
    held = site.media.connections[REFERRING]
    await page.client.disconnect()
    await settled(lambda: any(p["away"] for s in other.of("snapshot")[-1:] for p in s["participants"]))
    back = await site.connect(REFERRING)
    joined = await back.ask("join", {"resume": held})
    assert joined["snapshot"]["you"]["connection"] == held
    assert [p["id"] for p in joined["snapshot"]["participants"] if p["away"]] == []


async def test_a_page_that_says_goodbye_has_left_and_one_that_is_torn_away_has_lost_its_line(
    site: Site,
) -> None:
    pages = {seat_id: await site.connect(seat_id) for seat_id in (REFERRING, INTERPRETER, CONSULTING)}
    for page in pages.values():
        await page.ask("join", {})
    await settled(lambda: len(site.media.connections) == 3)
    room = {"room": site.media.plans[-1].room, "epoch": site.media.plans[-1].epoch}
    for seat_id, connection in site.media.connections.items():
        site.hub.media_event(
            {"ev": "peer", "peer": seat_id, "connection": connection, "state": "connected"} | room
        )
    await pages[REFERRING].client.eio.send(f"1{NAMESPACE},")  # as a page says that is being closed
    pages[INTERPRETER].client.eio.ws._conn.transport.abort()  # no word, no closing handshake

    def away() -> set[object]:
        return {
            p["id"] for s in pages[CONSULTING].of("snapshot")[-1:] for p in s["participants"] if p["away"]
        }

    await settled(lambda: away() == {REFERRING, INTERPRETER})
    site.clock.passes(30_000)
    await settled(lambda: list(site.media.connections) == [CONSULTING])
    assert site.media.plans[-1].lost == (INTERPRETER,)


async def test_the_second_window_closes_the_first_with_replaced(site: Site) -> None:
    first = await site.connect()
    await first.ask("join", {})
    second = await site.connect()
    await second.ask("join", {})
    await settled(lambda: first.of("closed") == [{"code": "replaced"}])
    await settled(lambda: NAMESPACE not in first.client.namespaces)
    assert await second.ask("media", {"mic": False, "camera": False}) == {"ok": True}


async def test_the_chairs_end_closes_every_page_with_ended(site: Site) -> None:
    chair, other = await site.connect(CONSULTING), await site.connect(REFERRING)
    await chair.ask("join", {})
    await other.ask("join", {})
    await settled(lambda: len(site.media.connections) == 2)
    assert await other.ask("end", {}) == {"ok": False, "code": "forbidden"}
    assert await chair.ask("end", {}) == {"ok": True}
    assert other.of("snapshot")[-1]["state"] == "ended"
    plan = site.media.plans[-1]
    site.hub.media_event({"ev": "closed", "room": plan.room, "epoch": plan.epoch})
    await settled(lambda: other.of("closed") == chair.of("closed") == [{"code": "ended"}])


async def test_who_ends_a_room_without_media_is_answered_before_being_closed(site: Site) -> None:
    chair = await site.connect(CONSULTING)
    await chair.ask("join", {})
    assert await chair.ask("end", {}) == {"ok": True}
    if not chair.of("closed"):
        plan = site.media.plans[-1]
        site.hub.media_event({"ev": "closed", "room": plan.room, "epoch": plan.epoch})
    await settled(lambda: chair.of("closed") == [{"code": "ended"}] and not chair.client.connected)


async def test_an_exception_becomes_internal_and_its_text_reaches_neither_page_nor_log(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    page = await site.connect()

    async def breaks(room: str) -> RoomSeed:
        raise RuntimeError("MARK-OF-A-PATIENT")

    site.books.seed = breaks  # type: ignore[method-assign]
    assert await page.ask("join", {}) == {"ok": False, "code": "internal"}
    await page.ask("restart", {"reason": "MARK-OF-A-PATIENT"})
    ours = [record for record in caplog.records if record.name.startswith("hyeopjin")]
    assert any("RuntimeError" in record.getMessage() for record in ours)
    assert all("MARK" not in record.getMessage() and not record.exc_info for record in ours)


async def test_a_server_that_stops_hangs_up_at_once(site: Site) -> None:
    page, polling = await site.connect(REFERRING), await site.connect(CONSULTING, transports=["polling"])
    await page.ask("join", {})
    await polling.ask("join", {})
    async with asyncio.timeout(20):
        await site.runner.cleanup()
    await settled(lambda: not page.client.connected)
    assert page.of("closed") == [], "nothing was ended: the page returns by itself"


async def test_a_fifth_socket_of_a_seat_closes_the_oldest(site: Site) -> None:
    pages = [await site.connect() for _ in range(5)]
    await settled(lambda: pages[0].of("closed") == [{"code": "replaced"}])
    assert (await pages[4].ask("join", {}))["ok"] is True


async def test_a_knock_is_answered_over_the_wire(site: Site) -> None:
    page = await site.connect(CONSULTING)
    await page.ask("join", {})
    await site.hub.knock(ROOM, replace(knock(), since_ms=site.clock.now))
    await settled(lambda: page.of("snapshot") and page.of("snapshot")[-1]["knocks"])
    assert await page.ask("admit", {"knock": "knock-1", "accept": True}) == {"ok": True}
    assert await page.ask("admit", {"knock": "knock-1", "accept": True}) == {
        "ok": False,
        "code": "unknown_knock",
    }
    assert await page.ask("quality", GOOD["quality"]) == {"ok": True}
    await settled(lambda: site.books.knocks == [("knock-1", True, CONSULTING)])


async def test_a_socket_that_is_gone_is_told_nothing_and_may_say_nothing(site: Site) -> None:
    sockets = Sockets(None, site.hub, site.door)
    await sockets.close("gone", "ended")
    sockets.disconnect("gone")
    assert await sockets.event("leave", "gone") == {"ok": False, "code": "not_joined"}
    with pytest.raises(TypeError):
        room_event(ms.Join(), REFERRING, "s1")
