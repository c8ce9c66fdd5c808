"""The ICE-lite agent of one session: which address gets its media, decided without sockets or timers.

MESSAGE-INTEGRITY covers no source address, so a copied request must move nothing. A new address gets media
only after (1) a request with right MESSAGE-INTEGRITY and FINGERPRINT, (2) whose transaction id was unseen in
the life of its ufrag, and (3) its answer to a binding request of ours, signed with the peer's password. Until
then it gets at most three times the bytes it sent, and the old address keeps the media.

Must not know packets other than STUN, nor raise on anything a peer sends. Time comes in as `now_ns`.
RFC 8445 (lite, section 2.5 and 7.3), RFC 7675 (consent), RFC 8838 (restart).
"""

from __future__ import annotations

import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from media.ice import stun
from media.ice.endpoint import Path
from media.ice.limits import Bucket
from media.ice.seen import SeenIds
from media.round_trip import RoundTrip

SECOND_NS = 1_000_000_000
CONNECT_LIMIT_NS = 30 * SECOND_NS
DISCONNECTED_AFTER_NS = 5 * SECOND_NS
FAILED_AFTER_NS = 20 * SECOND_NS
AMPLIFICATION = 3
"""Bytes out per byte in, towards an address that has not answered us."""
MAX_ADDRESSES = 32
MAX_TRANSACTIONS = 200_000
"""Per ufrag; beyond it no new address is believed (12 hours of four checks a second are 173,000)."""
RECENT_TRANSACTIONS = 64
MAX_CHECKS = 16
CHECK_INTERVAL_NS = 50_000_000
CHECK_LIFE_NS = 5 * SECOND_NS
RETIRE_AFTER_NS = 30 * SECOND_NS
"""How long the ufrag before a restart still works once the new one has an address."""
STUN_PER_SECOND = 100
STUN_BURST = 200


@dataclass
class Credentials:
    """One generation of our ufrag and password, with everything seen under it."""

    ufrag: str
    password: str
    remote_ufrag: str | None = None
    remote_password: str | None = None
    seen: SeenIds = field(default_factory=SeenIds)
    recent: OrderedDict[bytes, Path] = field(default_factory=OrderedDict)
    """Who sent the last few transactions, to tell a retransmission from a copy."""
    retire_at_ns: int | None = None

    def note(self, transaction: bytes, path: Path) -> None:
        """Remember a transaction for ever and its sender for a while."""
        self.seen.add(transaction)
        self.recent[transaction] = path
        if len(self.recent) > RECENT_TRANSACTIONS:
            self.recent.popitem(last=False)

    @staticmethod
    def new() -> Credentials:
        """48 bits of ufrag, 144 of password (RFC 8839 section 5.4 wants 24 and 128)."""
        return Credentials(secrets.token_urlsafe(6).replace("-", "+").replace("_", "/"), _password())


def _password() -> str:
    return secrets.token_urlsafe(18).replace("-", "+").replace("_", "/")


@dataclass
class Remote:
    """What is known of one remote address."""

    path: Path
    credentials: Credentials
    last_ns: int
    received: int = 0
    sent: int = 0
    validated: bool = False
    nominated: bool = False
    last_check_ns: int = -CHECK_INTERVAL_NS
    checks: dict[bytes, int] = field(default_factory=dict)

    def may_send(self, size: int) -> bool:
        return self.validated or self.sent + size <= AMPLIFICATION * self.received


class AgentEvents(Protocol):
    """Where the agent reports; called inside its methods."""

    def on_known(self, path: Path) -> None:
        """The address sent a request we believe: read its datagrams, send it no media."""

    def on_validated(self, path: Path) -> None:
        """The address answered us."""

    def on_selected(self, path: Path) -> None:
        """Media goes to this address from now on."""

    def on_forgotten(self, path: Path) -> None:
        """The address means nothing to this session any more."""

    def on_retired(self, ufrag: str) -> None:
        """This ufrag of ours is dead."""

    def on_ice_state(self, state: str) -> None:
        """connecting, connected, disconnected or failed."""


class IceLiteAgent:
    """See the module. `counters` says why messages were dropped."""

    def __init__(self, events: AgentEvents, now_ns: int) -> None:
        self._events = events
        self._generations = [Credentials.new()]
        self._remotes: dict[Path, Remote] = {}
        self._limit = Bucket(STUN_PER_SECOND, STUN_BURST, now_ns)
        self._limit_valid = Bucket(STUN_PER_SECOND, STUN_BURST, now_ns)
        self._tie_breaker = secrets.randbits(64)
        self._started_ns = now_ns
        self._alive_ns = now_ns
        self.selected: Path | None = None
        self.round_trip = RoundTrip()
        self._probes: dict[bytes, Callable[[int, int], None]] = {}
        self.state = "connecting"
        self.counters: Counter[str] = Counter()

    # -- credentials

    @property
    def local(self) -> Credentials:
        """The newest generation: what the next offer says."""
        return self._generations[-1]

    @property
    def ufrags(self) -> list[str]:
        return [generation.ufrag for generation in self._generations]

    def restart(self, now_ns: int) -> Credentials:
        """A new ufrag and password; the newest one that has a peer keeps working until the new one has."""
        kept = [generation for generation in self._generations if generation.remote_password is not None]
        for generation in self._generations:
            if generation not in kept[-1:]:
                self._retire(generation)
        self._generations = [*kept[-1:], Credentials.new()]
        if self.state == "failed":
            self._started_ns = self._alive_ns = now_ns
            self._set_state("connecting")
        return self.local

    def set_remote(self, ufrag: str, password: str, now_ns: int) -> None:
        """The peer's answer to our newest credentials: check the addresses that wrote before it came."""
        generation = self.local
        generation.remote_ufrag, generation.remote_password = ufrag, password
        for remote in list(self._remotes.values()):
            if remote.credentials is generation and not remote.validated:
                self._check(remote, now_ns)

    # -- what arrives

    def on_datagram(self, data: bytes, path: Path, now_ns: int) -> None:
        """Take one STUN datagram from `path`; the limit comes before any computing. Never raises."""
        remote = self._remotes.get(path)
        limit = self._limit_valid if remote is not None and remote.validated else self._limit
        if not limit.take(now_ns):
            self.counters["stun_rate"] += 1
            return
        try:
            message = stun.parse(data)
        except stun.StunRefused as refused:
            self.counters["stun_" + refused.reason] += 1
            return
        if message.is_request:
            self._on_request(message, path, now_ns)
        elif remote is None:
            self.counters["answer_unasked"] += 1
        else:
            self._on_answer(message, remote, now_ns)

    def _on_request(self, message: stun.Binding, path: Path, now_ns: int) -> None:
        ours, theirs = message.ufrags
        generation = next((g for g in self._generations if g.ufrag == ours), None)
        if generation is None:
            self.counters["ufrag"] += 1
            return
        if generation.remote_ufrag is not None and generation.remote_ufrag != theirs:
            self.counters["remote_ufrag"] += 1
            return
        if not message.signed_with(generation.password):
            self.counters["integrity"] += 1
            return
        fresh = message.transaction not in generation.seen
        known = self._remotes.get(path)
        if not fresh and generation.recent.get(message.transaction) != path:
            # A copy. To an address that proved itself we still answer (its original may have been overtaken
            # by the copy), but nothing moves.
            self.counters["replayed"] += 1
            if known is not None and known.validated:
                self._answer(message, known, generation)
            return
        remote = self._admit(path, generation, now_ns)
        if remote is None:
            self.counters["addresses"] += 1
            return
        remote.received += message.size
        if fresh:
            if len(generation.seen) >= MAX_TRANSACTIONS:
                self.counters["transactions"] += 1
                if not remote.validated:
                    return
            else:
                generation.note(message.transaction, path)
        self._accept(message, remote, generation, now_ns, fresh=fresh)

    def _accept(
        self, message: stun.Binding, remote: Remote, generation: Credentials, now_ns: int, *, fresh: bool
    ) -> None:
        remote.last_ns = now_ns
        if message.peer_is_controlled:
            self.counters["role_conflict"] += 1
            self._send(remote, stun.role_conflict(message, generation.password))
            return
        if fresh:
            remote.credentials = generation
        if not remote.validated:
            self._check(remote, now_ns)  # before our answer, so that the peer's proof overtakes its DTLS
        self._answer(message, remote, generation)
        if not remote.validated:
            remote.nominated = remote.nominated or message.use_candidate
            return
        self._alive(now_ns)
        if fresh and message.use_candidate:
            self._select(remote, now_ns)

    def _on_answer(self, message: stun.Binding, remote: Remote, now_ns: int) -> None:
        sent_ns = remote.checks.get(message.transaction)
        generation = remote.credentials
        if sent_ns is None or now_ns - sent_ns > CHECK_LIFE_NS:
            self.counters["answer_unasked"] += 1
            return
        if generation.remote_password is None or not message.signed_with(generation.remote_password):
            self.counters["answer_integrity"] += 1
            return
        del remote.checks[message.transaction]
        if not message.is_success:
            self.counters["answer_error"] += 1
            return
        remote.last_ns = now_ns
        heard = self._probes.pop(message.transaction, None)
        if heard is None:
            self.round_trip.heard(now_ns - sent_ns)
        else:
            heard(sent_ns, now_ns)
        self._alive(now_ns)
        if not remote.validated:
            remote.validated = True
            self._events.on_validated(remote.path)
        if remote.nominated:
            self._select(remote, now_ns)

    def heard(self, now_ns: int) -> None:
        """An authenticated packet (SRTP) came: the peer lives (cheap, called per packet)."""
        self._alive_ns = now_ns

    def forget(self, path: Path) -> None:
        """The path is gone (its TCP connection closed, or another session proved the address)."""
        remote = self._remotes.pop(path, None)
        if remote is None:
            return
        self._events.on_forgotten(path)
        if self.selected == path:
            self.selected = None
            others = [r for r in self._remotes.values() if r.validated]
            if others:
                self._select(max(others, key=lambda r: r.last_ns), self._alive_ns)

    # -- what goes out

    def _answer(self, message: stun.Binding, remote: Remote, generation: Credentials) -> None:
        self._send(remote, stun.success(message, remote.path.address, generation.password))

    def _check(self, remote: Remote, now_ns: int) -> None:
        if now_ns - remote.last_check_ns >= CHECK_INTERVAL_NS and self._request(remote, now_ns):
            remote.last_check_ns = now_ns

    def probe(self, fill: int, now_ns: int, heard: Callable[[int, int], None]) -> bool:
        """One request to where media goes, `fill` bytes longer than it need be; `heard` gets when it was sent
        and answered."""
        remote = None if self.selected is None else self._remotes.get(self.selected)
        transaction = None if remote is None else self._request(remote, now_ns, fill)
        if transaction is None:
            return False
        self._probes[transaction] = heard
        while len(self._probes) > MAX_CHECKS:
            del self._probes[next(iter(self._probes))]
        return True

    def _request(self, remote: Remote, now_ns: int, fill: int = 0) -> bytes | None:
        ours, generation = secrets.token_bytes(stun.TRANSACTION_BYTES), remote.credentials
        ufrag, password = generation.remote_ufrag, generation.remote_password
        if ufrag is None or password is None:
            return None
        data = stun.request(ours, generation.ufrag, ufrag, password, self._tie_breaker, fill=fill)
        if not self._send(remote, data):
            return None
        remote.checks[ours] = now_ns
        while len(remote.checks) > MAX_CHECKS:
            del remote.checks[next(iter(remote.checks))]
        return ours

    def _send(self, remote: Remote, data: bytes) -> bool:
        if not remote.may_send(len(data)):
            self.counters["amplification"] += 1
            return False
        remote.sent += len(data)
        return remote.path.send(data)

    # -- addresses

    def _admit(self, path: Path, generation: Credentials, now_ns: int) -> Remote | None:
        remote = self._remotes.get(path)
        if remote is not None:
            return remote
        if len(self._remotes) >= MAX_ADDRESSES:
            spare = [r for r in self._remotes.values() if r.path != self.selected and not r.validated]
            if not spare:
                return None
            self.forget(min(spare, key=lambda r: r.last_ns).path)
        remote = self._remotes[path] = Remote(path, generation, now_ns)
        self._events.on_known(path)
        return remote

    def _select(self, remote: Remote, now_ns: int) -> None:
        for generation in self._generations[:-1]:
            if remote.credentials is self.local and generation.retire_at_ns is None:
                generation.retire_at_ns = now_ns + RETIRE_AFTER_NS
        if self.selected != remote.path:
            self.selected = remote.path
            self._events.on_selected(remote.path)
        self._alive(now_ns)

    def _retire(self, generation: Credentials) -> None:
        self._events.on_retired(generation.ufrag)

    # -- life

    def _alive(self, now_ns: int) -> None:
        self._alive_ns = now_ns
        if self.selected is not None and self.state != "failed":
            self._set_state("connected")

    def tick(self, now_ns: int) -> None:
        """Call about twice a second: liveness, retirement, unproved addresses."""
        for generation in [g for g in self._generations if g.retire_at_ns and g.retire_at_ns <= now_ns]:
            self._generations.remove(generation)
            self._retire(generation)
        silent_ns = now_ns - self._alive_ns
        if self.state == "connecting":
            if now_ns - self._started_ns > CONNECT_LIMIT_NS:
                self._set_state("failed")
        elif self.state != "failed":
            if silent_ns > FAILED_AFTER_NS:
                self._set_state("failed")
            elif silent_ns > DISCONNECTED_AFTER_NS:
                self._set_state("disconnected")
            elif self.selected is not None:
                self._set_state("connected")
        for remote in list(self._remotes.values()):
            if now_ns - remote.last_ns > FAILED_AFTER_NS and remote.path != self.selected:
                self.forget(remote.path)

    def slept(self, gap_ns: int) -> None:
        """The machine or the loop stood still for `gap_ns`: nobody could have been heard."""
        self._alive_ns += gap_ns
        self._started_ns += gap_ns

    def _set_state(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self._events.on_ice_state(state)

    def close(self) -> None:
        """Forget every address and ufrag. Idempotent."""
        for path in list(self._remotes):
            self._remotes.pop(path)
            self._events.on_forgotten(path)
        for generation in self._generations:
            self._retire(generation)
        self._generations = self._generations[-1:]
        self.selected = None
