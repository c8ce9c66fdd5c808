"""Moves the packets of one room: from each publisher to its subscribers and to the recorder.

Sees no SDP, address, key, name or role. Publications come and go with what the peers' answers say;
subscriptions
with what they have accepted. Repairs are driven by one timer that runs only while something is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from media.endpoint import Endpoint
from media.metrics import Counters
from media.ports import Delivery, SessionPort
from media.publication import PLI_INTERVAL_NS, STILLS_PLI_INTERVAL_NS, Publication
from media.rtp import rtcp
from media.rtp.nack import NEVER
from media.sound_subscription import SoundSubscription
from media.still_subscription import PictureSubscription
from media.subscription import Subscription
from media.tracks import SourceStream
from media.truth import Track

NO_PACKETS_NS = 3_000_000_000
"""A track that should send and has sent nothing for this long is an alarm."""
NEVER_CONNECTED_NS = 10_000_000_000
PATIENT_NS = 12_000_000_000
"""The same for pictures over a line on which they come as stills."""
REPORT_NS = 1_000_000_000
TICK_S = 0.1
"""How often the worker calls `tick`."""


class RecorderPort(Protocol):
    """What the relay needs of the recorder (`media.recorder.RoomRecorder`)."""

    def rtp(
        self, peer: str, kind: str, rid: str, packet: bytes, at_ns: int, key: bool | None = None
    ) -> None: ...
    def sender_report(
        self, peer: str, kind: str, ssrc: int, ntp: int, rtp_timestamp: int, at_ns: int
    ) -> None: ...


class Timer(Protocol):
    def cancel(self) -> None: ...


CallLater = Callable[[float, Callable[[], None]], Timer]


@dataclass(slots=True)
class Expected:
    """What a peer is meant to send, and since when (ns); the basis of the no_packets alarm."""

    mic: bool
    camera: bool
    mic_ns: int
    camera_ns: int
    connected_ns: int | None = None
    stills: bool = False
    """Its pictures come one at a time, some seconds apart."""

    def muted(self, kind: str) -> bool:
        """Whether the page has said that it switched this kind off."""
        return not {"audio": self.mic, "camera": self.camera}.get(kind, True)


class Relay:
    """One per room. `now` is CLOCK_BOOTTIME in ns; `call_later` the event loop's."""

    def __init__(
        self,
        now: Callable[[], int],
        call_later: CallLater,
        on_state: Callable[[str, str, str], None],
        counters: Counters,
    ) -> None:
        self.counters = counters
        self.recorder: RecorderPort | None = None
        self.endpoints: dict[str, Endpoint] = {}
        self.publications: dict[tuple[str, str], Publication] = {}
        self.wake_ns = NEVER
        self._expected: dict[str, Expected] = {}
        self._now = now
        self._call_later = call_later
        self._on_state = on_state
        self._timer: Timer | None = None
        self._reported_ns = 0
        self._closed = False
        self._routes: dict[str, frozenset[tuple[str, str]]] | None = None

    # -- the room's side
    # --------------------------------------------------------------------------------------

    def attach(self, session: SessionPort) -> Endpoint:
        """A new connection of a peer; an older one of the same peer is detached first."""
        self.detach(session.peer)
        expected = self._expected.get(session.peer)
        if expected is not None:
            expected.mic_ns = expected.camera_ns = self._now()
        endpoint = self.endpoints[session.peer] = Endpoint(self, session)
        return endpoint

    def detach(self, peer: str) -> None:
        """The peer's connection is going: nothing reaches it or comes from it any more."""
        endpoint = self.endpoints.pop(peer, None)
        if endpoint is None:
            return
        expected = self._expected.get(peer)
        if expected is not None:
            expected.connected_ns = None
        endpoint.detach()
        self.relink()

    def let_through(self, routes: Mapping[str, tuple[tuple[str, str], ...]] | None) -> None:
        """From now on these (source, kind) pairs reach each receiver and nothing else; None: everything."""
        wanted = None if routes is None else {peer: frozenset(pairs) for peer, pairs in routes.items()}
        if wanted != self._routes:
            self._routes = wanted
            self.relink()

    def lets(self, receiver: str, track: tuple[str, str]) -> bool:
        """Whether this track may reach this receiver."""
        return self._routes is None or track in self._routes.get(receiver, ())

    def expect(self, peer: str, mic: bool, camera: bool) -> bool:
        """Whether the peer means to send sound and picture. Returns True when that is news."""
        now_ns = self._now()
        known = self._expected.get(peer)
        if known is None:
            self._expected[peer] = Expected(mic, camera, now_ns, now_ns)
            return True
        changed = (known.mic, known.camera) != (mic, camera)
        if mic != known.mic:
            known.mic, known.mic_ns = mic, now_ns
        if camera != known.camera:
            known.camera, known.camera_ns = camera, now_ns
        return changed

    def be_patient(self, peer: str, patient: bool) -> None:
        """Whether the peer's pictures come as stills, so that a silence of some seconds is none, and
        neither is a key frame that takes as long."""
        endpoint = self.endpoints.get(peer)
        for publication in () if endpoint is None else endpoint.publications.values():
            publication.pli_interval_ns = STILLS_PLI_INTERVAL_NS if patient else PLI_INTERVAL_NS
        expected = self._expected.get(peer)
        if expected is not None and expected.stills != patient:
            expected.stills, expected.camera_ns = patient, self._now()

    def forget(self, peer: str) -> None:
        """The peer has left the room."""
        self.detach(peer)
        self._expected.pop(peer, None)

    def set_recorded(self, peer: str, recorded: bool) -> None:
        """Whether the peer's packets reach the recorder at all."""
        endpoint = self.endpoints.get(peer)
        if endpoint is not None:
            endpoint.record(recorded and self.recorder is not None)

    def ask_keyframe(self, peer: str, kind: str, rid: str) -> None:
        """Asks the source for a key frame of a layer: coalesced to one request per 500 ms, scheduled, never
        dropped."""
        publication = self.publications.get((peer, kind))
        if publication is not None:
            publication.ask_keyframes(rid, self._now())

    def tick(self, now_ns: int) -> None:
        """Every 100 ms: what no packet has triggered. Every second: receiver reports."""
        for publication in self.publications.values():
            if len(publication.streams) > 1:
                publication.decide(now_ns)
        self._poll(now_ns)
        reports = now_ns - self._reported_ns >= REPORT_NS
        if reports:
            self._reported_ns = now_ns
        for publication in self.publications.values() if reports else ():
            publication.each_second(now_ns)
        for endpoint in self.endpoints.values():
            if endpoint.twcc.due_ns <= now_ns and endpoint.connected:
                endpoint.send_feedback(now_ns)
            if reports:
                endpoint.send_reports(now_ns)
                for subscription in endpoint.subscriptions.values():
                    subscription.refresh_report(now_ns)

    def silent(self, now_ns: int, peers: Mapping[str, bool]) -> list[tuple[str, str]]:
        """(peer, kind) that should have sent for 3 s and have not, among `peers` that are True."""
        found: list[tuple[str, str]] = []
        for peer, expected in self._expected.items():
            if not peers.get(peer):
                continue
            for kind, wanted, since_ns in (
                ("audio", expected.mic, expected.mic_ns),
                ("camera", expected.camera, expected.camera_ns),
            ):
                if wanted and self._is_silent(peer, kind, expected, since_ns, now_ns):
                    found.append((peer, kind))
        return found

    def lowest_estimate(self) -> int:
        """The least REMB (bit/s) of any subscriber, 0 for none. Publishers are steered by TWCC alone."""
        told = [e.remb_bps for e in self.endpoints.values() if e.remb_bps > 0 and e.connected]
        return min(told, default=0)

    def round_trips(self) -> dict[str, tuple[str, int]]:
        """Of each connected peer: its connection, and that one's least round trip so far in ns, if known."""
        return {
            peer: (endpoint.session.connection, endpoint.round_trip_ns)
            for peer, endpoint in self.endpoints.items()
            if endpoint.connected and endpoint.round_trip_ns
        }

    def arrived(self, since_ns: Mapping[str, int]) -> dict[Track, int]:
        """When the newest packet of each track came, of these peers and later than that (else 0).

        Every layer of every track that is not muted, whether or not it ever reached the recorder.
        """
        newest: dict[Track, int] = {}
        for (peer, kind), publication in self.publications.items():
            expected = self._expected.get(peer)
            if peer not in since_ns or (expected is not None and expected.muted(kind)):
                continue
            for stream in publication.streams.values():
                track = (peer, kind, stream.rid)
                at_ns = stream.last_ns if stream.last_ns > since_ns[peer] else 0
                newest[track] = max(newest.get(track, 0), at_ns)
        return newest

    def close(self) -> None:
        """Detaches everybody."""
        self._closed = True
        for peer in list(self.endpoints):
            self.forget(peer)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- the endpoints' side
    # ----------------------------------------------------------------------------------

    def publish(self, endpoint: Endpoint, kind: str) -> Publication:
        """A new source track of an endpoint."""
        send = endpoint.session.send_rtcp
        return Publication(endpoint.peer, kind, endpoint.local_ssrc, send, self.wake_at, self.counters)

    def subscribe(self, session: SessionPort, delivery: Delivery) -> Subscription:
        """A new delivery to a session."""

        def ask(stream: SourceStream) -> None:
            publication = self.publications.get((delivery.source, delivery.kind))
            if publication is not None:
                publication.ask_keyframe(stream, self._now())

        if delivery.kind == "audio":
            return SoundSubscription(session, delivery, ask=ask)
        return PictureSubscription(session, delivery, ask=ask)

    def relink(self) -> None:
        """Joins publications and subscriptions anew after any change of either."""
        self.publications = {
            (peer, kind): publication
            for peer, endpoint in self.endpoints.items()
            for kind, publication in endpoint.publications.items()
        }
        wanted: dict[tuple[str, str], list[Subscription]] = {key: [] for key in self.publications}
        for endpoint in self.endpoints.values():
            endpoint.update_subscriptions()
            for key, subscription in endpoint.subscriptions.items():
                if key in wanted:
                    wanted[key].append(subscription)
        now_ns = self._now()
        for key, publication in self.publications.items():
            publication.serve(tuple(wanted[key]), now_ns)

    def state_changed(self, endpoint: Endpoint, state: str) -> None:
        """A connection's state; told on to the room."""
        expected = self._expected.get(endpoint.peer)
        if expected is not None and state == "connected" and expected.connected_ns is None:
            expected.connected_ns = self._now()
        self.relink()
        self._on_state(endpoint.peer, endpoint.session.connection, state)

    def record(self, peer: str, kind: str, rid: str, packet: bytes, at_ns: int, key: bool) -> None:
        """One accepted packet of an admitted peer, recovered ones included."""
        if self.recorder is not None:
            self.counters.packets_recorded += 1
            self.recorder.rtp(peer, kind, rid, packet, at_ns, key)

    def record_report(self, peer: str, kind: str, info: rtcp.SenderInfo, at_ns: int) -> None:
        """A sender report of an admitted peer."""
        if self.recorder is not None:
            self.recorder.sender_report(peer, kind, info.ssrc, info.ntp, info.rtp_timestamp, at_ns)

    def wake_at(self, due_ns: int) -> None:
        """Makes sure that repairs are looked at by then."""
        if due_ns >= self.wake_ns or self._closed:
            return
        if self._timer is not None:
            self._timer.cancel()
        self.wake_ns = due_ns
        self._timer = self._call_later(max(0, due_ns - self._now()) / 1e9, self._wake)

    def later(self, wait_ns: int, call: Callable[[int], None]) -> None:
        """`call` with the time, in so many ns; whether that still makes sense then is its own affair."""
        self._call_later(wait_ns / 1e9, lambda: call(self._now()))

    def _wake(self) -> None:
        self._timer = None
        self.wake_ns = NEVER
        self._poll(self._now())

    def _poll(self, now_ns: int) -> None:
        due = min((p.poll(now_ns) for p in self.publications.values()), default=NEVER)
        if due < NEVER:
            self.wake_at(due)

    def _is_silent(self, peer: str, kind: str, expected: Expected, since_ns: int, now_ns: int) -> bool:
        publication = self.publications.get((peer, kind))
        last_ns = 0 if publication is None else publication.last_packet_ns
        if expected.connected_ns is None:
            return now_ns - max(last_ns, since_ns) >= NEVER_CONNECTED_NS
        limit_ns = PATIENT_NS if expected.stills and kind == "camera" else NO_PACKETS_NS
        return now_ns - max(last_ns, since_ns, expected.connected_ns) >= limit_ns
