"""The hub with a real store and small real ports: in order, executed, repeated after failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from signaling import events as ev
from signaling import interpreting_events as ie
from signaling import messages as ms
from signaling.document import RoomDocument
from signaling.hub import Hub, Silent
from signaling.ports import RoomSeed, Ticket
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
    Post,
    knock,
    seat,
    settled,
)

SECOND = "seat-interpreter-2"


@dataclass
class House:
    """A hub and everything around it."""

    hub: Hub
    store: MemoryRoomStore
    books: Books
    media: MediaPlane
    door: Door
    post: Post
    clock: HandClock

    async def join(self, seat: str, socket: str, resume: str | None = None) -> ms.Snapshot:
        ticket = Ticket(seat, ROOM, f"credential-{seat}")
        await self.hub.connected(socket, ticket)
        joined = await self.hub.join(ticket, socket, ms.Join(mic=True, camera=True, resume=resume))
        assert isinstance(joined, ms.Snapshot), joined
        return joined

    async def tries_to_join(self, seat: str, socket: str) -> ms.Snapshot | str:
        """A join with whatever comes of it."""
        ticket = Ticket(seat, ROOM, f"credential-{seat}")
        await self.hub.connected(socket, ticket)
        return await self.hub.join(ticket, socket, ms.Join())

    async def seconds(self, count: int) -> None:
        for _ in range(count):
            self.clock.passes(1_000)
            await self.hub.tick()
            await self.quiet()

    async def quiet(self) -> None:
        await settled(lambda: all(line.idle for line in self.hub._lines.values()))

    async def two_interpreters(self) -> None:
        """At the desk, beside a referring physician who may step people out; media has them all."""
        seats = [seat(who, "interpreter", {"join", "interpret"}) for who in (INTERPRETER, SECOND)]
        seats.append(seat(REFERRING, "referring_physician", {"join", "step_out"}, rank=1))
        self.books.seeds[ROOM] = RoomSeed(tuple(seats))
        for number, who in enumerate((INTERPRETER, SECOND, REFERRING), 1):
            await self.join(who, f"s{number}")
        await settled(lambda: len(self.media.connections) == 3)
        await self.quiet()

    def offer(self, seat: str, offer_id: str = "o1") -> dict[str, object]:
        return {
            "ev": "offer",
            "room": self.media.plans[-1].room,
            "epoch": self.media.plans[-1].epoch,
            "peer": seat,
            "connection": self.media.connections[seat],
            "offer_id": offer_id,
            "sdp": "v=0",
            "ice_restart": False,
            "tracks": [{"mid": "4", "participant": CONSULTING, "kind": "camera"}],
        }


@pytest.fixture
async def house() -> AsyncIterator[House]:
    clock, store, books, media, door, post = (
        HandClock(),
        MemoryRoomStore(),
        Books(),
        MediaPlane(),
        Door(),
        Post(),
    )
    hub = Hub(store=store, directory=books, media=media, gate=door, listener=books, now_ms=clock)
    hub.bind(post)
    yield House(hub, store, books, media, door, post, clock)
    await hub.aclose()


async def test_the_first_join_opens_a_session_and_media_gets_a_plan(house: House) -> None:
    snapshot = await house.join(REFERRING, "s1")
    assert snapshot.you.participant == REFERRING
    await settled(lambda: house.media.connections)
    assert list(house.media.connections) == [REFERRING]
    await house.quiet()
    assert house.books.notes == [("joined", REFERRING)]
    latest = house.post.of("s1", "snapshot")[-1]
    assert (latest["state"], latest["session"]) == ("live", "session-1")


async def test_an_offer_reaches_the_page_and_its_answer_reaches_media(house: House) -> None:
    await house.join(REFERRING, "s1")
    await settled(lambda: house.media.connections)
    house.hub.media_event(house.offer(REFERRING))
    await settled(lambda: house.post.of("s1", "offer"))
    offer = house.post.of("s1", "offer")[0]
    assert offer["connection"] == house.media.connections[REFERRING]
    code = await house.hub.tell(ROOM, ev.Answered(REFERRING, "s1", str(offer["connection"]), "o1", "v=0"))
    assert code is None
    await settled(lambda: house.media.answers)
    assert house.media.answers == [(REFERRING, offer["connection"], "o1")]


async def test_a_page_that_reloads_returns_to_its_seat_without_a_ghost(house: House) -> None:
    await house.join(REFERRING, "s1")
    await settled(lambda: house.media.connections)
    first = house.media.connections[REFERRING]
    house.hub.disconnected("s1")
    snapshot = await house.join(REFERRING, "s2")
    assert [p.id for p in snapshot.participants if p.present] == [REFERRING]
    await settled(lambda: house.media.connections.get(REFERRING) not in (None, first))
    assert await house.hub.presence(ROOM) == {REFERRING}
    await house.quiet()
    assert ("back", REFERRING) in house.books.notes


async def test_the_second_window_of_a_seat_closes_the_first(house: House) -> None:
    await house.join(REFERRING, "s1")
    await house.join(REFERRING, "s2")
    assert ("s1", "replaced") in house.post.closed
    house.hub.disconnected("s1")
    await house.quiet()
    assert await house.hub.presence(ROOM) == {REFERRING}


async def test_a_join_left_unread_by_a_reload_does_not_throw_out_the_page_that_came_after(
    house: House,
) -> None:
    ticket = Ticket(REFERRING, ROOM, f"credential-{REFERRING}")
    await house.join(REFERRING, "s1")
    snapshot = await house.join(REFERRING, "s2")
    assert await house.hub.join(ticket, "s1", ms.Join()) == "replaced"
    assert house.post.closed == [("s1", "replaced")]
    assert await house.hub.tell(ROOM, ev.MediaChanged(REFERRING, "s2", False, False)) is None
    assert snapshot.you.participant == REFERRING


async def test_a_join_of_a_socket_that_is_gone_leaves_no_ghost(house: House) -> None:
    await house.join(CONSULTING, "s1")
    ticket = Ticket(REFERRING, ROOM, "credential")
    await house.hub.connected("s2", ticket)
    house.hub.disconnected("s2")
    assert await house.hub.join(ticket, "s2", ms.Join()) == "not_joined"
    assert await house.hub.presence(ROOM) == {CONSULTING}


async def test_the_fifth_socket_of_a_seat_closes_the_oldest(house: House) -> None:
    for number in range(5):
        await house.hub.connected(f"s{number}", Ticket(REFERRING, ROOM, "credential"))
    assert house.post.closed == [("s0", "replaced")]


async def test_a_refused_join_says_why(house: House) -> None:
    house.books.seeds[ROOM] = replace(house.books.seeds[ROOM], ended=True)
    ticket = Ticket(REFERRING, ROOM, "credential")
    await house.hub.connected("s1", ticket)
    assert await house.hub.join(ticket, "s1", ms.Join()) == "ended"
    assert await house.hub.tell(ROOM, ev.Left(REFERRING, "s1")) == "not_joined"
    assert await house.store.rooms() == []


async def test_a_join_fails_loudly_when_the_books_cannot_be_read_and_the_line_goes_on(house: House) -> None:
    seed = house.books.seeds.pop(ROOM)
    ticket = Ticket(REFERRING, ROOM, "credential")
    await house.hub.connected("s1", ticket)
    with pytest.raises(KeyError):
        await house.hub.join(ticket, "s1", ms.Join())
    house.books.seeds[ROOM] = seed
    assert await house.join(REFERRING, "s2")


async def test_a_session_that_could_not_be_opened_is_asked_for_again(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.books.failures = 1
    await house.join(REFERRING, "s1")
    await house.quiet()
    assert house.media.plans == []
    assert "OpenSession" in caplog.text
    await house.seconds(6)
    await settled(lambda: house.media.connections)


async def test_a_plan_is_sent_again_until_the_worker_takes_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.line.MEDIA_TRY_AGAIN_S", 0.01)
    house.media.failures = 5
    await house.join(REFERRING, "s1")
    await settled(lambda: house.media.connections)


async def test_an_outdated_plan_is_not_sent(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.line.MEDIA_TRY_AGAIN_S", 0.01)
    house.media.failures = 10_000
    await house.join(REFERRING, "s1")
    await settled(lambda: house.media.failures < 10_000)
    await house.hub.media_lost({"session-1": 1})
    await settled(lambda: house.books.epochs == {"session-1": 2})
    house.media.failures = 0
    await settled(lambda: house.media.connections)
    assert [plan.epoch for plan in house.media.plans] == [2]


async def test_a_plan_that_only_closes_is_given_up_when_media_stays_dead(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.line.MEDIA_TRY_AGAIN_S", 0.0)
    await house.join(CONSULTING, "s1")
    await settled(lambda: house.media.connections)
    house.media.failures = 10_000
    assert await house.hub.tell(ROOM, ev.EndAsked(CONSULTING, "s1")) is None
    await settled(lambda: house.books.emptied == ["session-1"])
    await house.seconds(3)
    assert ("s1", "ended") in house.post.closed


async def test_an_answer_media_does_not_take_is_not_sent_twice(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.join(REFERRING, "s1")
    await settled(lambda: house.media.connections)
    connection = house.media.connections[REFERRING]

    async def refuses(*_: str) -> None:
        raise ConnectionError("MARK-OF-A-PATIENT")

    house.media.answer = refuses  # type: ignore[method-assign]
    assert await house.hub.tell(ROOM, ev.Answered(REFERRING, "s1", connection, "o1", "v=0")) is None
    await house.quiet()
    assert "media was not told answer" in caplog.text
    assert "MARK" not in caplog.text
    assert await house.hub.tell(ROOM, ev.IceRestartAsked(REFERRING, "s1")) is None
    await settled(lambda: house.media.ice_restarts)
    await house.seconds(2)
    assert house.media.connections[REFERRING] != connection, "the page gets a connection that can be answered"


async def test_a_worker_that_died_gives_everybody_new_connections(house: House) -> None:
    await house.join(REFERRING, "s1")
    await house.join(CONSULTING, "s2")
    await settled(lambda: len(house.media.connections) == 2)
    before = house.media.connections
    await house.hub.media_lost({"session-1": 1})
    await settled(lambda: house.media.plans[-1].epoch == 2)
    assert all(house.media.connections[seat] != before[seat] for seat in before)


async def test_the_end_closes_media_then_the_pages_and_leaves_nothing_behind(house: House) -> None:
    await house.join(CONSULTING, "s1")
    await settled(lambda: house.media.connections)
    assert await house.hub.tell(ROOM, ev.EndAsked(CONSULTING, "s1")) is None
    await settled(lambda: house.books.emptied == ["session-1"])
    assert house.media.plans[-1].closed
    assert house.books.ended == [("session-1", "ended")]
    house.hub.media_event({"ev": "closed", "room": "session-1", "epoch": 1})
    await settled(lambda: ("s1", "ended") in house.post.closed)
    assert house.post.of("s1", "recording")[-1]["state"] == "off", "nothing was stored"
    await house.seconds(2)
    assert await house.store.rooms() == []
    assert house.hub._lines == {}


async def test_an_emptied_room_tells_the_listener_after_five_seconds_and_ends_after_ten_minutes(
    house: House,
) -> None:
    await house.join(REFERRING, "s1")
    await settled(lambda: house.media.connections)
    assert await house.hub.tell(ROOM, ev.Left(REFERRING, "s1")) is None
    await house.seconds(5)
    assert house.books.emptied == ["session-1"]
    house.clock.passes(595_000)
    await house.seconds(1)
    assert house.books.ended == [("session-1", "emptied")]
    await house.seconds(2)
    assert await house.store.rooms() == []


async def test_the_light_reaches_every_page_each_second(house: House) -> None:
    await house.join(REFERRING, "s1")
    await settled(lambda: house.media.connections)
    until = house.clock.now
    report = {"ev": "stored", "room": "session-1", "epoch": 1, "stored_until_ms": until}
    house.hub.media_event({**report, "seats": {REFERRING: {"until_ms": until}}, "degraded": []})
    await house.seconds(2)
    assert house.post.of("s1", "recording")[-1] == {
        "state": "recording",
        "stored_until_ms": until,
        "degraded": [],
        "waits_for": None,
        "paused": None,
    }
    lost = [{"peer": REFERRING, "kind": "audio", "cause": "store_slow"}]
    house.hub.media_event({**report, "seats": {}, "degraded": lost})
    await house.seconds(1)
    assert house.post.of("s1", "recording")[-1]["state"] == "degraded"


async def test_media_events_of_nobody_are_dropped(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.hub.media_event({"ev": "closed", "room": "unknown", "epoch": 1})
    house.hub.media_event({"ev": "heads", "room": "unknown", "epoch": 1})
    house.hub.media_event({"ev": "offer", "sdp": "MARK-OF-A-PATIENT"})
    assert "malformed" in caplog.text
    assert "MARK" not in caplog.text


async def test_consent_acts_on_a_live_room_and_on_no_room_is_nothing(house: House) -> None:
    await house.hub.consent_changed(ROOM, INTERPRETER, "granted", "g1")
    await house.join(INTERPRETER, "s1")
    await settled(lambda: house.media.peers)
    assert house.media.peers[INTERPRETER].grant is None
    await house.hub.consent_changed(ROOM, INTERPRETER, "granted", "g1")
    await settled(lambda: house.media.peers[INTERPRETER].grant == "g1")
    await house.hub.consent_changed(ROOM, INTERPRETER, "declined", None)
    await settled(lambda: house.media.peers[INTERPRETER].grant is None)


async def test_a_knock_is_shown_and_its_answer_reaches_the_books(house: House) -> None:
    await house.join(CONSULTING, "s1")
    await house.hub.knock(ROOM, knock())
    assert house.post.of("s1", "snapshot")[-1]["knocks"] != []
    code = await house.hub.tell(ROOM, ev.KnockAnswered(CONSULTING, "s1", "knock-1", True))
    assert code is None
    await settled(lambda: house.books.knocks == [("knock-1", True, CONSULTING)])


async def test_a_revoked_credential_closes_sockets_that_joined_and_those_that_did_not(house: House) -> None:
    await house.join(REFERRING, "s1")
    await house.hub.connected("s2", Ticket(REFERRING, ROOM, f"credential-{REFERRING}"))
    await house.hub.credential_revoked(f"credential-{REFERRING}")
    assert {socket for socket, code in house.post.closed if code == "revoked"} == {"s1", "s2"}
    assert await house.hub.presence(ROOM) == set()


async def test_a_credential_that_died_without_a_word_is_found_by_the_recheck(house: House) -> None:
    await house.join(REFERRING, "s1")
    house.door.dead.add(f"credential-{REFERRING}")
    await house.hub.recheck()
    assert ("s1", "revoked") in house.post.closed


async def test_a_cancelled_consultation_closes_also_the_sockets_that_only_wait(house: House) -> None:
    await house.hub.connected("s1", Ticket(REFERRING, ROOM, "credential"))
    await house.hub.room_closed(ROOM, "cancelled")
    assert house.post.closed == [("s1", "removed")]
    house.post.closed.clear()
    await house.join(CONSULTING, "s2")
    await settled(lambda: house.media.connections)
    await house.hub.room_closed(ROOM, "ended")
    await house.seconds(3)
    assert ("s2", "ended") in house.post.closed


async def test_two_hubs_on_one_store_lose_no_event(house: House) -> None:
    other = Hub(
        store=house.store, directory=house.books, media=house.media, gate=house.door, now_ms=house.clock
    )
    other.bind(house.post)
    try:
        tickets = [Ticket(s, ROOM, f"credential-{s}") for s in (REFERRING, CONSULTING, INTERPRETER)]
        hubs = (house.hub, other, house.hub)
        for hub, ticket in zip(hubs, tickets, strict=True):
            await hub.connected(f"s-{ticket.seat}", ticket)
        await asyncio.gather(
            *(hub.join(t, f"s-{t.seat}", ms.Join()) for hub, t in zip(hubs, tickets, strict=True))
        )
        assert await house.hub.presence(ROOM) == {REFERRING, CONSULTING, INTERPRETER}
    finally:
        await other.aclose()


async def test_a_store_that_always_conflicts_is_an_error_not_a_silent_loss(house: House) -> None:
    async def conflicts(room: str, version: int, document: RoomDocument) -> bool:
        return False

    house.store.compare_and_set = conflicts  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await house.tries_to_join(REFERRING, "s1")


async def test_a_page_that_cannot_be_reached_does_not_stop_the_others(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.join(REFERRING, "s1")

    async def breaks(socket: str, event: str, payload: dict[str, object]) -> None:
        raise OSError("MARK-OF-A-PATIENT")

    house.post.send = breaks  # type: ignore[method-assign]
    await house.join(CONSULTING, "s2")
    await settled(lambda: len(house.media.connections) == 2)
    assert "command Send failed" in caplog.text
    assert "MARK" not in caplog.text


async def test_the_clock_ticks_by_itself_and_survives_a_failing_gate(
    caplog: pytest.LogCaptureFixture,
) -> None:
    books, media, post, door = Books(), MediaPlane(), Post(), Door()
    hub = Hub(store=MemoryRoomStore(), directory=books, media=media, gate=door, tick_s=0.01, recheck_s=0.01)
    hub.bind(post)
    await hub.start()
    try:
        ticket = Ticket(REFERRING, ROOM, "credential")
        await hub.connected("s1", ticket)
        assert isinstance(await hub.join(ticket, "s1", ms.Join()), ms.Snapshot)

        async def breaks(ticket: Ticket) -> bool:
            raise OSError("MARK-OF-A-PATIENT")

        door.still_valid = breaks  # type: ignore[method-assign]
        await settled(lambda: "recheck failed" in caplog.text and post.of("s1", "recording"))
        assert "MARK" not in caplog.text
    finally:
        await hub.aclose()


async def test_before_there_is_an_outbox_nobody_hears_anything() -> None:
    silent = Silent()
    await silent.send("s1", "snapshot", {})
    await silent.close("s1", "ended")


async def test_a_closed_hub_keeps_nobody_waiting(house: House) -> None:
    await house.join(REFERRING, "s1")
    await settled(lambda: house.media.connections)

    async def hangs(room: str) -> RoomSeed:
        await asyncio.sleep(60)
        raise AssertionError

    house.books.seed = hangs  # type: ignore[method-assign]
    waiting = [asyncio.ensure_future(house.tries_to_join(CONSULTING, f"s{n}")) for n in range(2, 5)]
    await asyncio.sleep(0.01)
    await house.hub.aclose()
    done, pending = await asyncio.wait(waiting, timeout=20)
    assert not pending
    assert all(task.cancelled() for task in done)
    house.hub.disconnected("s1")
    house.hub.media_event({"ev": "closed", "room": "session-1", "epoch": 1})
    with pytest.raises(RuntimeError):
        await house.hub.tell(ROOM, ev.Left(REFERRING, "s1"))


async def test_books_that_do_not_answer_a_join_within_the_limit_fail_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.line.EVENT_TIMEOUT_S", 0.01)
    seed, read = house.books.seeds[ROOM], house.books.seed

    async def hangs(room: str) -> RoomSeed:
        await asyncio.sleep(60)
        return seed

    house.books.seed = hangs  # type: ignore[method-assign]
    with pytest.raises(TimeoutError):
        await house.tries_to_join(REFERRING, "s1")
    house.books.seed = read  # type: ignore[method-assign]
    assert await house.join(REFERRING, "s1")


async def test_a_connection_that_media_reports_as_failed_is_made_anew(house: House) -> None:
    await house.join(REFERRING, "s1")
    await settled(lambda: house.media.connections)
    first = house.media.connections[REFERRING]
    event = {"ev": "peer", "room": "session-1", "epoch": 1, "peer": REFERRING, "connection": first}
    house.hub.media_event({**event, "state": "failed"})
    await settled(lambda: house.media.connections[REFERRING] != first)


async def test_an_ended_room_waits_for_its_books_before_it_is_forgotten(house: House) -> None:
    await house.join(CONSULTING, "s1")
    await settled(lambda: house.media.connections)
    release = asyncio.Event()
    end = house.books.end_session

    async def slow(room: str, session: str, reason: str, now_ms: int) -> None:
        await release.wait()
        await end(room, session, reason, now_ms)

    house.books.end_session = slow  # type: ignore[method-assign]
    await house.hub.tell(ROOM, ev.EndAsked(CONSULTING, "s1"))
    house.hub.media_event({"ev": "closed", "room": "session-1", "epoch": 1})
    await settled(lambda: ("s1", "ended") in house.post.closed)
    assert await house.tries_to_join(REFERRING, "s2") == "ended"
    release.set()
    await house.seconds(2)
    assert await house.store.rooms() == []


async def test_a_full_server_says_so_and_keeps_no_trace_of_who_came(house: House) -> None:
    house.media.full = True
    assert await house.tries_to_join(REFERRING, "s1") == "no_capacity"
    assert await house.store.rooms() == []
    assert house.books.epochs == {}
    house.media.full = False
    assert isinstance(await house.tries_to_join(REFERRING, "s1"), ms.Snapshot)


async def test_a_room_with_too_much_waiting_tells_pages_so_and_counts_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.join(REFERRING, "s1")
    await house.quiet()
    monkeypatch.setattr("signaling.line.MAX_WAITING", 3)
    asked = [house.hub.tell(ROOM, ev.QualityReported(REFERRING, "s1", "good")) for _ in range(10)]
    codes = await asyncio.gather(*asked)
    assert codes.count("too_fast") == house.hub.counts["events_refused"] >= 6
    assert codes.count(None) >= 3
    assert await house.hub.tell(ROOM, ev.QualityReported(REFERRING, "s1", "good")) is None


async def test_the_partner_line_and_a_step_out_are_acknowledged_when_media_has_them(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.line.MEDIA_TRY_AGAIN_S", 0.01)
    await house.two_interpreters()
    house.media.failures = 5
    assert await house.hub.tell(ROOM, ie.PartnerLine(INTERPRETER, "s1", True)) is None
    assert house.media.peers[INTERPRETER].private, "the colleague alone hears it before the page is told so"
    house.media.failures = 5
    assert await house.hub.tell(ROOM, ie.Stepped(REFERRING, "s3", SECOND, True)) is None
    assert house.media.peers[SECOND].aside
    house.media.failures = 5
    assert await house.hub.tell(ROOM, ie.HearingChosen(REFERRING, "s3", "both")) is None
    assert house.media.failures == 5, "nobody waits for media where nothing is to be silent"


async def test_while_media_does_not_take_the_plan_the_partner_line_is_refused_and_opens_later_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.line.MEDIA_TRY_AGAIN_S", 0.01)
    monkeypatch.setattr("signaling.line.HEED_S", 0.05)
    await house.two_interpreters()
    house.media.failures = 10_000
    on, off = (ie.PartnerLine(INTERPRETER, "s1", wanted) for wanted in (True, False))
    assert await house.hub.tell(ROOM, on) == "media_away"
    assert await house.hub.tell(ROOM, on) == "media_away", "asked again it is not true either"
    assert await house.hub.tell(ROOM, ie.Stepped(REFERRING, "s3", SECOND, True)) == "media_away"
    assert await house.hub.tell(ROOM, ie.PartnerLine(REFERRING, "s3", True)) == "forbidden"
    assert not any(peer.aside for peer in house.media.peers.values())
    house.media.failures = 0
    await settled(lambda: house.media.peers[INTERPRETER].private and house.media.peers[SECOND].aside)
    monkeypatch.setattr("signaling.line.HEED_S", 30.0)
    assert await house.hub.tell(ROOM, off) is None
    assert not house.media.peers[INTERPRETER].private


async def test_a_new_epoch_and_a_dead_worker_answer_who_waits_for_media(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.line.MEDIA_TRY_AGAIN_S", 0.01)
    await house.two_interpreters()
    house.media.failures = 10_000
    waiting = asyncio.ensure_future(house.hub.tell(ROOM, ie.PartnerLine(INTERPRETER, "s1", True)))
    await settled(lambda: house.media.failures < 10_000)
    await house.hub.media_lost({"session-1": 1})
    assert await waiting is None, "a dead worker lets nobody hear anything"
    house.media.failures = 0
    await settled(lambda: house.media.plans[-1].epoch == 2)
    assert house.media.peers[INTERPRETER].private, "and the next one knows from its first plan"
