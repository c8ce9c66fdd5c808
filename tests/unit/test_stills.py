"""Stills for a receiver that gets nothing else: whole, in turns, not too fast, in one unbroken stream."""

from __future__ import annotations

import struct
from itertools import pairwise

from media.codecs import RTX_PT, VP8_PT
from media.ports import Delivery, Uplink
from media.publication import Publication
from media.rtp import rtcp
from media.still_subscription import PictureSubscription
from media.stills import EVERY_NS, HEADERS, STILL_BPS, Key, Stills
from media.tracks import SourceStream
from tests.support.outbox import MS, Outbox, Stage, extensions, fields

CLOCK_HZ = 90_000


class Camera:
    """The low layer of `p`'s camera: a picture every 100 ms, a key frame when asked or told to."""

    def __init__(self, stage: Stage, outbox: Outbox, ssrc: int, parts: int = 3) -> None:
        self.stage, self.outbox, self.ssrc, self.parts = stage, outbox, ssrc, parts
        self.sequence = 1000
        self.key = True
        self.lose: set[int] = set()

    def picture(self) -> None:
        stamp = self.stage.time.now_ns * CLOCK_HZ // 1_000_000_000
        count = self.parts if self.key else 1
        for part in range(count):
            self.sequence += 1
            first = part == 0
            body = bytes([0x10 if first else 0, 0 if self.key else 1])
            head = extensions({4: b"1", 5: b"l"})
            mark = 0x80 if part == count - 1 else 0
            packet = struct.pack(
                "!BBHII", 0x90, 96 | mark, self.sequence & 0xFFFF, stamp & 0xFFFFFFFF, self.ssrc
            )
            data = packet + head + body + struct.pack("!H", self.sequence) + bytes(900)
            if self.sequence not in self.lose:
                assert self.outbox.sink is not None
                self.outbox.sink.on_rtp(data, self.stage.time.now_ns)
        self.key = False

    def hear(self) -> None:
        asked = [
            rtcp.parse_media_ssrc(part)
            for packet in self.outbox.rtcp
            for part in rtcp.split(packet)
            if (part.type, part.format) == (rtcp.PSFB, rtcp.PLI_FORMAT)
        ]
        self.outbox.rtcp.clear()
        self.key = self.key or self.ssrc in asked


class Scene:
    """Subscriber `s` gets stills of `p` (and of `q`)."""

    def __init__(self, *others: str) -> None:
        self.stage = Stage("s", layered=True)
        self.out = self.stage.subscribers[0]
        self.cameras = [Camera(self.stage, self.stage.publisher, 30)]
        for number, name in enumerate(others, 1):
            other = Outbox(name)
            other.uplink = {"camera": Uplink("camera", "1", True, {}, ("l", "h"))}
            other.attach(self.stage.relay.attach(other))
            assert other.sink is not None
            other.sink.on_negotiated()
            other.connect()
            self.cameras.append(Camera(self.stage, other, 30 + number))
            ssrc = 200 + 10 * number
            self.out.deliveries[name, "camera"] = Delivery(
                name, "camera", str(5 + number), ssrc, ssrc + 1, True
            )
        assert self.out.sink is not None
        self.out.sink.on_negotiated()
        self.stills = Stills(self.ask)
        for key, subscription in self.subscriptions().items():
            subscription.layer.highest = "stills"
            self.stage.relay.publications[key].decide(self.stage.time.now_ns)
        self.began_ns = self.stage.time.now_ns
        self.sent: list[tuple[int, bytes]] = []
        self.again: list[tuple[int, bytes]] = []

    def ask(self, publication: Publication, stream: SourceStream, now_ns: int) -> None:
        publication.ask_keyframe(stream, now_ns)

    def subscriptions(self) -> dict[Key, PictureSubscription]:
        endpoint = self.stage.relay.endpoints["s"]
        return {
            key: one for key, one in endpoint.subscriptions.items() if isinstance(one, PictureSubscription)
        }

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.stage.time.advance(100)
            for camera in self.cameras:
                camera.hear()
                camera.picture()
            now_ns = self.stage.time.now_ns
            self.stage.relay.tick(now_ns)
            before = len(self.out.rtp)
            self.stills.tick(self.subscriptions(), self.stage.relay.publications, now_ns)
            self.sent += [(now_ns, packet) for packet in self.out.rtp[before:] if fields(packet)[0] == VP8_PT]
            self.again += [
                (now_ns, packet) for packet in self.out.rtp[before:] if fields(packet)[0] == RTX_PT
            ]

    def pictures(self, ssrc: int = 200) -> list[tuple[int, list[bytes]]]:
        """(when its last packet went, its packets) of each still."""
        found: list[tuple[int, list[bytes]]] = []
        for at_ns, packet in self.sent:
            if fields(packet)[3] != ssrc:
                continue
            if not found or found[-1][1][-1][1] & 0x80:
                found.append((at_ns, []))
            found[-1] = at_ns, [*found[-1][1], packet]
        return found


def key_frames_only(scene: Scene, ssrc: int = 200) -> None:
    for _, packets in scene.pictures(ssrc):
        assert packets[0][-904:-902] == b"\x10\x00", "begins with a key frame"
        assert len({fields(packet)[2] for packet in packets}) == 1


def test_a_still_comes_every_five_seconds_at_most_and_nothing_else_does() -> None:
    scene = Scene()
    scene.run(40)
    whole = [at for at, packets in scene.pictures() if len(packets) == 3]
    assert len(whole) >= 8
    assert max(b - a for a, b in pairwise(whole)) <= 5_000 * MS
    assert whole[0] - scene.began_ns <= 5_000 * MS
    assert len(scene.sent) == 3 * len(scene.pictures())
    key_frames_only(scene)


def test_stills_are_one_unbroken_stream_whose_time_is_that_of_their_sending() -> None:
    scene = Scene()
    scene.run(30)
    got = [(at, *fields(packet)[1:3]) for at, packet in scene.sent]
    for (_, one, _), (_, other, _) in pairwise(got):
        assert (other - one) & 0xFFFF == 1
    stamps = [(at, fields(packets[-1])[2]) for at, packets in scene.pictures()]
    for (at, one), (next_at, other) in pairwise(stamps):
        due = (next_at - at) * CLOCK_HZ // 1_000_000_000
        assert abs(((other - one) & 0xFFFFFFFF) - due) <= CLOCK_HZ // 2


def test_stills_take_no_more_of_the_line_than_they_may() -> None:
    scene = Scene("q", "r")
    for camera in scene.cameras:
        camera.parts = 8
    scene.run(60)
    everything = sorted(scene.sent + scene.again, key=lambda one: one[0])
    bits = sum(len(packet) + HEADERS for _, packet in everything) * 8
    assert bits / 60 <= STILL_BPS * 1.1
    for at, _ in everything[10:]:
        second = [p for t, p in everything if at - 1_000 * MS < t <= at]
        assert sum(len(p) + HEADERS for p in second) * 8 <= STILL_BPS + 2 * 1300 * 8


def test_of_a_still_as_many_last_packets_are_sent_twice_as_its_turn_has_room_for() -> None:
    for others, parts, repeated in (((), 3, 3), ((), 5, 2), ((), 8, 1), ((), 12, 1), (("q",), 3, 1)):
        scene = Scene(*others)
        scene.cameras[0].parts = parts
        scene.run(30)
        numbers = [fields(packet)[1] for _, packet in scene.sent if fields(packet)[3] == 200]
        mine = [packet for _, packet in scene.again if fields(packet)[3] == 201]
        originals = [struct.unpack("!H", packet[-906:-904])[0] for packet in mine]
        assert set(originals) <= set(numbers)
        assert abs(len(originals) - repeated * len(scene.pictures())) <= repeated


def test_a_still_is_of_nothing_that_came_while_it_was_shut() -> None:
    scene = Scene()
    stage, camera = scene.stage, scene.cameras[0]
    camera.parts = 1
    scene.run(1)
    stage.relay.let_through({"s": ()})
    stage.time.advance(5_000)
    camera.key = True
    camera.picture()
    stage.relay.let_through(None)
    before = len(scene.out.rtp)
    scene.stills.tick(scene.subscriptions(), stage.relay.publications, stage.time.now_ns)
    assert len(scene.out.rtp) == before
    scene.run(10)
    assert scene.pictures(), "what comes afterwards is sent"


def test_several_sources_take_turns() -> None:
    scene = Scene("q", "r")
    scene.run(40)
    counts = [len(scene.pictures(ssrc)) for ssrc in (200, 210, 220)]
    assert min(counts) >= 6
    assert max(counts) - min(counts) <= 1
    for ssrc in (200, 210, 220):
        key_frames_only(scene, ssrc)


def test_a_source_that_sends_nothing_holds_nobody_up() -> None:
    scene = Scene("q")
    scene.run(8)
    mute = scene.cameras.pop()
    before = len(scene.pictures())
    scene.run(30)
    assert mute.ssrc == 31
    assert len(scene.pictures()) - before >= 6


def test_a_picture_with_a_hole_is_not_sent_and_the_next_one_is() -> None:
    scene = Scene()
    scene.run(1)
    scene.cameras[0].lose = set(range(1000, 1060, 2))
    scene.run(20)
    key_frames_only(scene)
    assert all(len(packets) == 3 for _, packets in scene.pictures())
    assert scene.pictures()


def test_what_the_receiver_misses_of_a_still_is_sent_again() -> None:
    scene = Scene()
    scene.run(6)
    (_, packets) = scene.pictures()[-1]
    missed = fields(packets[1])[1]
    before = len(scene.out.rtp)
    assert scene.out.sink is not None
    scene.out.sink.on_rtcp(rtcp.build_nack(9, 200, [missed]), scene.stage.time.now_ns)
    (again,) = scene.out.rtp[before:]
    assert fields(again)[3] == 201
    assert struct.pack("!H", missed) + packets[1][-904:] == again[-906:]


def test_back_from_stills_the_stream_goes_on_with_a_key_frame_one_number_later() -> None:
    scene = Scene()
    scene.run(10)
    last = fields(scene.sent[-1][1])[1]
    for key, subscription in scene.subscriptions().items():
        subscription.layer.highest = "low"
        scene.stage.relay.publications[key].decide(scene.stage.time.now_ns)
    before = len(scene.out.rtp)
    scene.stills = Stills(scene.ask)
    for _ in range(20):
        scene.stage.time.advance(100)
        scene.cameras[0].hear()
        scene.cameras[0].picture()
        scene.stage.relay.tick(scene.stage.time.now_ns)
    after = [packet for packet in scene.out.rtp[before:] if fields(packet)[3] == 200]
    assert (fields(after[0])[1] - last) & 0xFFFF == 1
    assert after[0][-904:-902] == b"\x10\x00"
    assert len(after) > 10
    assert EVERY_NS <= 4_000 * MS


def test_a_round_trip_is_counted_from_when_a_still_went_not_from_when_it_came() -> None:
    scene = Scene()
    for _ in range(6):
        scene.run(1)
        now_ns = scene.stage.time.now_ns
        stamp = now_ns * CLOCK_HZ // 1_000_000_000 & 0xFFFFFFFF
        info = rtcp.SenderInfo(30, (now_ns << 32) // 1_000_000_000, stamp, 1, 2)
        scene.stage.from_publisher(rtcp.build_sender_report(info))
    (subscription,) = scene.subscriptions().values()
    reports = [
        (part, info)
        for packet in scene.out.rtcp
        for part in rtcp.split(packet)
        if (info := rtcp.parse_sender_info(part)) is not None and info.ssrc == 200
    ]
    assert reports
    lsr = reports[-1][1].ntp >> 16 & 0xFFFFFFFF
    newest = fields(scene.sent[-1][1])[2]
    went_ns = min(at_ns for at_ns, packet in scene.sent if fields(packet)[2] == newest)
    took_ns = subscription.report(rtcp.ReportBlock(200, 0, 0, 1, 0, lsr, 0), went_ns + 150 * MS)
    assert took_ns == 150 * MS
