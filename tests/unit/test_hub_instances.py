"""Two hubs that share one store: what each hears counts once, and what one misses the other makes good."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from signaling import events as ev
from signaling import messages as ms
from signaling.document import RoomDocument
from signaling.hub import Hub
from signaling.ports import Ticket
from signaling.store import MemoryRoomStore, StoreAwayError
from tests.support.rooms import (
    CONSULTING,
    REFERRING,
    ROOM,
    Books,
    Door,
    HandClock,
    MediaPlane,
    Post,
    settled,
)


class SwitchableStore(MemoryRoomStore):
    """A store that is away while the test says so."""

    gone = False

    @property
    def away(self) -> bool:  # type: ignore[override]
        return self.gone

    async def load(self, room: str) -> tuple[int, RoomDocument] | None:
        if self.gone:
            raise StoreAwayError
        return await super().load(room)

    async def back(self) -> None:
        await settled(lambda: not self.gone)


@dataclass
class Cluster:
    """Two instances with one store, one set of books and one media plane; `a` and `b` hold the sockets."""

    store: SwitchableStore = field(default_factory=SwitchableStore)
    books: Books = field(default_factory=Books)
    media: MediaPlane = field(default_factory=MediaPlane)
    clock: HandClock = field(default_factory=HandClock)
    post: Post = field(default_factory=Post)
    hubs: dict[str, Hub] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in "ab":
            hub = Hub(
                store=self.store, directory=self.books, media=self.media, gate=Door(),
                listener=self.books, now_ms=self.clock, instance=name,
            )  # fmt: skip
            hub.bind(self.post)
            self.hubs[name] = hub

    async def join(self, instance: str, seat: str, socket: str) -> ms.Snapshot:
        ticket = Ticket(seat, ROOM, f"credential-{seat}")
        hub = self.hubs[instance]
        await hub.connected(f"{instance}/{socket}", ticket)
        joined = await hub.join(ticket, f"{instance}/{socket}", ms.Join(mic=True, camera=True))
        assert isinstance(joined, ms.Snapshot), joined
        await self.quiet()
        return joined

    async def quiet(self) -> None:
        await settled(lambda: all(line.idle for hub in self.hubs.values() for line in hub._lines.values()))

    async def document(self) -> RoomDocument:
        stored = await self.store.load(ROOM)
        assert stored is not None
        return stored[1]

    def offer(self, seat: str, number: int) -> dict[str, object]:
        plan = self.media.plans[-1]
        return {
            "ev": "offer", "n": number, "room": plan.room, "epoch": plan.epoch, "peer": seat,
            "connection": self.media.connections[seat], "offer_id": f"o{number}", "sdp": "v=0",
            "ice_restart": False, "tracks": [],
        }  # fmt: skip


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    made = Cluster()
    await made.join("a", REFERRING, "s1")
    await made.join("b", CONSULTING, "s2")
    yield made
    for hub in made.hubs.values():
        await hub.aclose()


async def test_two_people_at_two_instances_are_in_one_room(cluster: Cluster) -> None:
    document = await cluster.document()
    assert {seat.socket for seat in document.present} == {"a/s1", "b/s2"}
    assert cluster.books.epochs == {"session-1": 1}
    latest = cluster.post.of("a/s1", "snapshot")[-1]
    assert len([p for p in latest["participants"] if p["present"]]) == 2  # type: ignore[attr-defined]


async def test_a_media_event_that_every_instance_hears_is_acted_on_once(cluster: Cluster) -> None:
    for hub in cluster.hubs.values():
        hub.media_event(cluster.offer(REFERRING, 7))
    await settled(lambda: cluster.post.of("a/s1", "offer"))
    await cluster.quiet()
    assert len(cluster.post.of("a/s1", "offer")) == 1
    for hub in reversed(cluster.hubs.values()):
        hub.media_event(cluster.offer(REFERRING, 5))
    await cluster.quiet()
    assert len(cluster.post.of("a/s1", "offer")) == 1, "what a slow instance still has to say is old"
    cluster.hubs["b"].media_event(cluster.offer(REFERRING, 8))
    await settled(lambda: len(cluster.post.of("a/s1", "offer")) == 2)


async def test_a_lost_worker_that_both_instances_notice_costs_one_epoch(cluster: Cluster) -> None:
    for hub in cluster.hubs.values():
        await hub.media_lost({"session-1": 1})
    await cluster.quiet()
    for hub in cluster.hubs.values():
        await hub.media_lost({"session-1": 1})
    await cluster.quiet()
    assert cluster.books.epochs == {"session-1": 2}
    assert (await cluster.document()).heard == 0, "the next epoch's media counts anew"


async def test_who_sat_at_an_instance_that_died_is_away_and_the_plan_is_sent_again(cluster: Cluster) -> None:
    plans, told = [], cluster.media.put_plan

    async def put_plan(plan: object) -> None:
        plans.append(plan)
        await told(plan)  # type: ignore[arg-type]

    cluster.media.put_plan = put_plan  # type: ignore[method-assign]
    cluster.hubs["b"].media_event(cluster.offer(CONSULTING, 1))
    await cluster.quiet()
    await cluster.hubs["b"].instance_lost("a")
    await cluster.quiet()
    document = await cluster.document()
    away = document.seat(REFERRING)
    assert away is not None
    assert away.present
    assert away.socket is None
    assert plans, "the dead one may have been about to send it"
    assert len(cluster.post.of("b/s2", "offer")) == 2, "and this"
    cluster.clock.passes(31_000)
    await cluster.hubs["b"].tick()
    await cluster.quiet()
    assert {seat.id for seat in (await cluster.document()).present} == {CONSULTING}, "no ghost"


async def test_a_page_that_may_have_missed_something_is_told_how_it_stands(cluster: Cluster) -> None:
    before = len(cluster.post.of("a/s1", "snapshot"))
    await cluster.hubs["a"].repair()
    assert len(cluster.post.of("a/s1", "snapshot")) == before + 1
    assert not cluster.post.hung_up
    await cluster.hubs["b"].instance_lost("a")  # it was stopped for long, and is back
    await cluster.quiet()
    await cluster.hubs["a"].repair()
    assert cluster.post.hung_up == ["a/s1"], "it comes back by itself and joins again"


async def test_what_is_done_while_the_store_is_away_is_executed_when_it_is_back(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.line.PATIENCE_S", 0.05)
    cluster.store.gone = True
    hub = cluster.hubs["a"]
    with pytest.raises(StoreAwayError):
        await hub.tell(ROOM, ev.MediaChanged(REFERRING, "a/s1", False, True))
    await hub.consent_changed(ROOM, REFERRING, "declined", None)
    cluster.hubs["b"].disconnected("b/s2")
    await hub.tick()
    cluster.store.gone = False
    await cluster.quiet()
    document = await cluster.document()
    seat, other = document.seat(REFERRING), document.seat(CONSULTING)
    assert seat is not None
    assert other is not None
    assert (seat.mic, seat.grant) == (False, None), "neither the mute nor the withdrawal is forgotten"
    assert other.socket is None, "nor is anybody a ghost"
    assert cluster.media.plans[-1].peers[REFERRING].grant is None
