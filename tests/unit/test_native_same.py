"""The packet path does the same in Python and in C: one suite for both, and each compared with the other.

The suites of the hub and of hostile peers (`tests/integration/test_transport_hub.py`, …) run over both too.
"""

from __future__ import annotations

import random
import socket
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pylibsrtp import Policy

from media.aiortc_seam import SrtpKeys
from media.bench.keys import new_pair, session
from media.fan import Way, spread_over
from media.ice.hub import IceHub, UdpPath
from media.native.build import HERE
from media.native.drain import Drain
from media.native.library import TIMED
from media.rtp.packets import scan
from media.srtp import SrtpPath
from tests.support.native import WAYS, library
from tests.support.outbox import extensions
from tests.support.twoways import SSRCS, SUBSCRIBERS, Line, seen

FUZZER = Path(__file__).parents[1] / "support" / "native_fuzz.c"


def packet(
    stream: str, sequence: int, *, key: bool = False, head: bytes | None = None, marker: bool = False
) -> bytes:
    """As a browser sends it; the names of a layer go along unless a header extension is given."""
    audio = stream == "audio"
    if head is None:
        names = {} if audio else {4: b"1", 5: stream.encode()}
        head = extensions(
            {**({1: b"\x1e"} if audio else {}), 3: struct.pack("!H", sequence & 0xFFFF), **names}
        )
    fields = (0x90 if head else 0x80, (111 if audio else 96) | marker << 7, sequence & 0xFFFF)
    body = b"opus" if audio else bytes([0x10, 0 if key else 1]) + struct.pack("!H", sequence & 0xFFFF)
    return struct.pack("!BBHII", *fields, sequence * 960 & 0xFFFFFFFF, SSRCS[stream]) + head + body


BARE = extensions({3: b"\x01\x02"})
Steps = list[bytes | tuple[str, bytes]]


def plain_call() -> Steps:
    return [packet(s, n, key=n == 0, marker=n % 3 == 2) for n in range(20) for s in ("audio", "h", "l")]


def unnamed_later() -> Steps:
    first: Steps = [packet("h", n, key=n == 0) for n in range(3)]
    return first + [packet("h", n, head=BARE) for n in range(3, 20)]


def wrapping() -> Steps:
    return [packet(s, n, key=n == 65_530) for n in range(65_530, 65_550) for s in ("audio", "h")]


def reordered_and_again() -> Steps:
    order = [0, 1, 3, 2, 4, 7, 5, 6, 8, 9]
    return [("again", packet(s, n, key=n == 0)) for n in order for s in ("audio", "h")]


def layers_come_and_go() -> Steps:
    low: Steps = [packet("l", n, key=n in (0, 9)) for n in range(10)]
    return low + [packet(s, n, key=n in (10, 12)) for n in range(10, 20) for s in ("l", "h")]


def rubbish() -> Steps:
    chance = random.Random(5)
    steps: Steps = []
    for n in range(40):
        steps.append(packet("audio", n))
        head = chance.choice([b"", b"\x80\x6f", b"\x90\x60", b"\x16\xfe\xfd", b"\x05", b"\xff", b"\x80\xc9"])
        who = chance.choice(["raw", "other"])
        steps.append((who, head + chance.randbytes(chance.choice((0, 3, 11, 12, 40, 1400, 2046, 2300)))))
    return steps


def odd_extensions() -> Steps:
    heads = [
        b"",
        extensions({2: b"abc", 3: b"\x01\x02", 7: b"\x01"}),
        extensions({3: b"\x01\x02", 9: bytes(14)}),
        struct.pack("!HH", 0x1000, 1) + b"\x03\x02ab",
        struct.pack("!HH", 0xBEDE, 1) + b"\xf0abc",
        struct.pack("!HH", 0xBEDE, 1) + b"\x3fabc",
        struct.pack("!HH", 0x1234, 1) + b"abcd",
        struct.pack("!HH", 0xBEDE, 0),
    ]
    named: Steps = [packet("h", 0, key=True)]
    return named + [packet(s, n, head=head) for n, head in enumerate(heads, 1) for s in ("audio", "h")]


def too_many_streams() -> Steps:
    return [struct.pack("!BBHII", 0x80, 111, 1, 1, 1000 + n) + b"x" for n in range(80)]


def frames() -> Steps:
    """Pictures of several packets of one size, of the next, and of any, with sound between."""
    steps: Steps = [packet("h", 0, key=True)]
    chance = random.Random(7)
    for n in range(1, 60):
        size = (300, 300, 300, 90, 301)[n % 5] if n < 40 else chance.randrange(600)
        steps.append(packet("h", n, marker=n % 5 == 4) + bytes(size))
        if n % 3 == 0:
            steps.append(packet("audio", n // 3) + bytes(40))
    return steps


def reports() -> Steps:
    report = struct.pack("!BBHIQIII", 0x80, 200, 6, SSRCS["audio"], 1 << 63, 960, 1, 4)
    return [packet("audio", 0), report, packet("audio", 1), ("raw", b"\x80\xc8" + bytes(30))]


STORIES = [
    plain_call, unnamed_later, wrapping, reordered_and_again, layers_come_and_go, rubbish, odd_extensions,
    too_many_streams, frames, reports,
]  # fmt: skip


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
async def test_what_is_forwarded_recorded_and_refused_is_the_same(story: Callable[[], Steps]) -> None:
    timed = story is not layers_come_and_go  # how far a switched layer moves in time is by arrival
    python, native = await seen("python", story(), timed=timed), await seen("native", story(), timed=timed)
    assert python == native


@pytest.mark.parametrize("way", [*WAYS, "plain"])
async def test_each_way_forwards_the_best_layer_and_records_both_with_nothing_left_of_this_hop(
    way: str,
) -> None:
    found = await seen(way, plain_call())
    for name in SUBSCRIBERS:
        assert len(found["got"][name][100]) == len(found["got"][name][200]) == 20
        assert all(p[16:24] == b"\x10\x1e" + bytes(6) for p in found["got"][name][100])
        assert all(p[16:20] == b"\x22\0\0\0" and not any(p[20:24]) for p in found["got"][name][200])
        assert [p[1] >> 7 for p in found["got"][name][200][:3]] == [0, 0, 1]
    assert {track: len(packets) for track, packets in found["recorded"].items()} == {
        "audio": 20, "cameral": 20, "camerah": 20,
    }  # fmt: skip
    assert found["got"]["s"][200][5][12:] == found["recorded"]["camerah"][5][12:]


@pytest.mark.parametrize("way", [*WAYS, "plain"])
async def test_each_way_counts_what_it_refuses(way: str) -> None:
    found = await seen(
        way, [*too_many_streams(), ("other", b"\x80" * 50), ("raw", b"\xff" * 9), ("raw", b"")]
    )
    assert found["refused"] == 80 - 64
    assert found["hub"] == {"unknown_source": 1, "first_byte": 1, "size": 1}
    again = await seen(way, reordered_and_again())
    assert again["refused"] == 20
    assert len(again["got"]["s"][100]) == 10


class Taken:
    """A sink that keeps what the drain says of a packet."""

    def __init__(self) -> None:
        self.clean: list[tuple[Any, ...]] = []
        self.plain: list[bytes] = []

    def on_rtp(self, packet: bytes, at_ns: int) -> None:
        self.plain.append(packet)

    def on_rtcp(self, packet: bytes, at_ns: int) -> None:
        """None is sent."""

    def on_clean(self, *what: Any) -> None:
        self.clean.append(what)

    def on_negotiated(self) -> None:
        """Nothing is negotiated here."""

    def on_state(self, state: str) -> None:
        """Nothing is."""


def any_packet(chance: random.Random) -> bytes:
    """A packet that libsrtp protects, its header extension mostly of elements and sometimes of anything."""
    csrcs = chance.choice((0, 0, 0, 1, 15))
    body = b""
    for _ in range(chance.randrange(5)):
        element, size = (
            chance.choice((0, 1, 2, 3, 3, 3, 4, 5, 6, 7, 9, 14, 15)),
            chance.choice((1, 2, 2, 3, 16)),
        )
        body += bytes([element << 4 | size - 1]) + chance.randbytes(size - (chance.random() < 0.03))
        body += bytes(chance.choice((0, 0, 1, 3)))
    if chance.random() < 0.1:
        body = chance.randbytes(chance.randrange(40))
    body += bytes(-len(body) % 4)
    profile = chance.choice((0xBEDE, 0xBEDE, 0xBEDE, 0xBEDE, 0x1000, 0x1003, 0x7777))
    extended = chance.random() < 0.9
    head = struct.pack("!HH", profile, len(body) // 4) + body if extended else b""
    first = 0x80 | extended << 4 | csrcs
    pt = chance.choice((96, 97, 111, 63)) | chance.choice((0, 0x80))
    fixed = struct.pack("!BBHII", first, pt, chance.randrange(1 << 16), chance.randrange(1 << 32), 7)
    return fixed + chance.randbytes(4 * csrcs) + head + chance.randbytes(chance.choice((0, 1, 30, 900)))


async def test_any_header_extension_is_cleared_in_c_as_in_python_or_left_to_it() -> None:
    hub = await IceHub.open("127.0.0.1", drain=lambda hub: Drain(library(), hub))
    line, sink, chance = Line(hub, "p"), Taken(), random.Random(11)
    line.attach(sink)
    originals: dict[int, bytes] = {}
    for number in range(4000):
        packet = bytearray(any_packet(chance))
        struct.pack_into("!H", packet, 2, number)
        originals[number] = bytes(packet)
        line.write(line.protected(bytes(packet)))
        if number % 20 == 19:
            hub.drain.readable(hub._sockets[0])  # type: ignore[union-attr]
    for clean, at_ns, second, sequence, timestamp, ssrc, transport, payload in sink.clean:
        original = originals[sequence]
        assert (second, timestamp, ssrc) == (original[1], *struct.unpack_from("!II", original, 4))
        assert scan(original, at_ns if second & 0x7F in TIMED else 0) == (clean, transport, payload)
    assert len(sink.clean) > 1000
    assert {struct.unpack_from("!H", packet, 2)[0] for packet in sink.plain} | {
        what[3] for what in sink.clean
    } == set(originals)
    assert all(packet == originals[struct.unpack_from("!H", packet, 2)[0]] for packet in sink.plain)
    await line.transport.close()
    await hub.close()
    line.sock.close()


async def test_forwarding_writes_the_same_header_for_any_numbers_and_refuses_the_same_sizes() -> None:
    hub = await IceHub.open("127.0.0.1", drain=lambda hub: Drain(library(), hub))
    there, back = (bytes.fromhex(key) for key in new_pair())
    wire: list[bytes] = []

    def keys() -> SrtpKeys:
        return SrtpKeys(session(there, Policy.SSRC_ANY_INBOUND), session(back, Policy.SSRC_ANY_OUTBOUND), "x")

    python = SrtpPath(keys(), lambda data: bool(wire.append(bytes(data))) or True)
    assert hub.drain is not None
    inbound = hub.drain.inbound()
    native = hub.drain.path(inbound, keys(), lambda data: False, Taken())
    chance, numbers = random.Random(3), []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.bind(("127.0.0.1", 0))
        far.settimeout(1)
        native.lead(UdpPath(hub, hub._sockets[0], far.getsockname()), lambda data: False)
        for number in range(300):
            size = chance.choice((5, 11, 12, 13, 60, 1200, 1500, 1501))
            packet = (b"\x80" + chance.randbytes(1) + bytes(10) + chance.randbytes(1500))[:size]
            numbers = [
                chance.choice((96, 111, 223)),
                65_500 + number - 131_072,
                chance.randrange(-(1 << 33), 1 << 33),
            ]
            python.forward(packet, *numbers, 9)
            native.forward(packet, *numbers, 9)
            if 12 <= size <= 1500:
                assert far.recv(2048) == wire.pop()
        assert not wire
        assert (python.forwarded, python.unsent) == (native.forwarded, native.unsent)
        native.lead(None, lambda data: bool(wire.append(bytes(data))) or True)
        native.forward(b"\x80\x6f" + bytes(30), 111, 9, 9, 5)
        assert len(wire) == 1, "what does not go over UDP is Python's"
    hub.drain.forget(inbound)
    await hub.close()


async def test_many_receivers_are_served_by_one_call_and_those_without_udp_by_their_own_way() -> None:
    hub = await IceHub.open("127.0.0.1", drain=lambda hub: Drain(library(), hub))
    lines, sink, other = [Line(hub, name) for name in "abc"], Taken(), []
    for line in lines:
        line.attach(sink)
    ways = [Way(line.forward, number, 1 << 31, number + 7) for number, line in enumerate(lines, start=-1)]
    spread = spread_over(ways)
    lines[1].transport.srtp.lead(None, lambda data: bool(other.append(bytes(data))) or True)  # type: ignore[union-attr]
    for number in (1, 65_538, (1 << 40) + 3):
        spread(packet("h", 5, marker=True), number, number + 9)
    got = [[struct.unpack_from("!xBHII", data) for data in line.read()] for line in lines]
    assert got[1] == []
    got[1] = [struct.unpack_from("!xBHII", data) for data in other]
    for added, of_line in enumerate(got, start=-1):
        times = [(1 << 31) + 10, (1 << 31) + 65_547, (1 << 31) + 12]
        assert of_line == [(0xE0, n + 1 + added, time, added + 7) for n, time in enumerate(times)]
    stranger = SrtpPath(lines[0].keys, lambda data: False)
    assert lines[0].transport.srtp.together([*ways, Way(stranger.forward, 0, 0, 9)]) is None  # type: ignore[union-attr]
    for line in lines:
        await line.transport.close()
        line.sock.close()
    spread(packet("h", 6), 1, 1)  # reaches nobody, and nothing that is gone is touched
    await hub.close()


async def test_reports_leave_the_same_way_and_are_refused_by_the_same_sizes() -> None:
    hub = await IceHub.open("127.0.0.1", drain=lambda hub: Drain(library(), hub))
    line = Line(hub, "p")
    line.attach(Taken())
    path = line.transport.srtp
    assert path is not None
    python = SrtpPath(line.keys, lambda data: False)
    compounds = [struct.pack("!BBHI", 0x80, 201, 1, n) + bytes(n) for n in range(60)]
    for compound in (*compounds, b"\x80\xc9", bytes(7), bytes(1501)):
        path.send_rtcp(compound)
    assert line.read() == compounds
    for compound in (b"\x80\xc9", bytes(7), bytes(1501)):
        python.send_rtcp(compound)
    assert (path.unsent, path.forwarded) == (python.unsent, 0) == (3, 0)
    other: list[bytes] = []
    path.lead(None, lambda data: not other.append(bytes(data)))
    path.send_rtcp(compounds[9])
    assert line.read() == []
    assert len(other) == 1, "what does not go over UDP is Python's"
    await line.transport.close()
    await hub.close()
    line.sock.close()


async def test_what_waits_for_a_way_goes_there_before_it_leads_elsewhere() -> None:
    hub = await IceHub.open("127.0.0.1", drain=lambda hub: Drain(library(), hub))
    line, sink = Line(hub, "p"), Taken()
    line.attach(sink)

    def moved(*_: Any) -> None:
        line.forward(packet("audio", 1), 111, 1, 1, 1)
        assert line.read() == [], "while a batch is worked off, packets wait"
        line.transport.srtp.lead(None, lambda data: False)  # type: ignore[union-attr]

    hub.drain._slots[line.transport.inbound.cell.slot].on_clean = moved  # type: ignore[union-attr]
    line.write(line.protected(packet("audio", 0)))
    hub.drain.readable(hub._sockets[0])  # type: ignore[union-attr]
    assert [data[1] for data in line.read()] == [111]
    assert hub.counters["handler_failed"] == 0
    await line.transport.close()
    await hub.close()
    line.sock.close()


async def test_nothing_reaches_a_session_that_has_closed() -> None:
    hub = await IceHub.open("127.0.0.1", drain=lambda hub: Drain(library(), hub))
    line, sink = Line(hub, "p"), Taken()
    line.attach(sink)
    line.write(line.protected(packet("audio", 1)))
    hub.drain.readable(hub._sockets[0])  # type: ignore[union-attr]
    forward = line.forward
    await line.transport.close()
    line.write(line.protected(packet("audio", 2)))
    hub.drain.readable(hub._sockets[0])  # type: ignore[union-attr]
    forward(packet("audio", 3), 111, 3, 3, 3)
    assert len(sink.clean) == 1
    assert line.read() == []
    await hub.close()
    line.sock.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_the_compiled_path_stays_inside_its_memory_whatever_comes(seed: int, tmp_path: Path) -> None:
    """Random datagrams and addresses under the address and undefined-behaviour sanitizers, a small table."""
    fuzzer = tmp_path / "fuzz"
    flags = ["-D_GNU_SOURCE=1", "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    subprocess.run(["cc", *flags, f"-I{HERE}", "-o", str(fuzzer), str(FUZZER)], check=True, timeout=60)
    done = subprocess.run([str(fuzzer), str(seed), "60000"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "60000 rounds" in done.stdout
