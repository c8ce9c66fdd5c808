"""The relay as deployed (deploy/coturn/turnserver.conf, Debian's coturn): to the media port and nowhere else.

A real client asks from behind a real firewall; what coturn answers is the oracle.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from server.commands import turn_check
from server.config import Settings
from server.domain.turn import turn_credential
from server.runtime.turn_client import TCP, TurnClient, TurnError, Wire
from tests.support.borders import MEDIA, MEDIA6, TURN, TURN6, Borders, borders
from tests.support.coturn import SECRET, certificate, turnserver

PORT, REDIS = 47800, 6379
FORBIDDEN, WRONG_FAMILY, UNAUTHORISED, NO_TCP, NOT_OURS, QUOTA = 403, 443, 401, 442, 440, 486


@dataclass(frozen=True)
class Relay:
    net: Borders
    authority: Path

    def client(
        self, name: str = "seat", life_s: int = 100, password: str | None = None, version: int = 4
    ) -> TurnClient:
        made = turn_credential(SECRET.encode(), name, int(time.time()) + life_s)
        tls = ssl.create_default_context(cafile=str(self.authority))
        tls.check_hostname = version == 4
        where = self.net.place if version == 4 else self.net.relay
        wire = self.net.inside(where, lambda: Wire.open(TURN if version == 4 else TURN6, 443, "tls", tls))
        return TurnClient(wire, made.username, made.password if password is None else password)


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    folder = tmp_path_factory.mktemp("relay")
    authority, chain, key = certificate(folder, x509.IPAddress(ipaddress.ip_address(TURN)))
    more = {"listening_ip": f"{TURN}\nlistening-ip={TURN6}", "relay_ip": f"{TURN}\nrelay-ip={TURN6}"}
    more["allowed_peer_ip"] = f"{MEDIA}\nallowed-peer-ip={MEDIA6}"
    with borders() as net, turnserver(folder, chain, key, net, **more):
        net.only_tls()
        yield Relay(net, authority)


def refused(ask: object) -> int:
    with pytest.raises(TurnError) as error:
        ask()  # type: ignore[operator]
    return error.value.code


def test_what_a_seat_sends_reaches_the_media_port_and_comes_back(relay: Relay) -> None:
    def listen() -> socket.socket:
        sock = socket.socket(type=socket.SOCK_DGRAM)
        sock.bind((MEDIA, PORT))
        sock.settimeout(5)
        return sock

    with relay.net.inside(relay.net.centre, listen) as media, relay.client() as client:
        host, _ = client.allocate()
        client.permit(MEDIA)
        client.send(MEDIA, PORT, b"there")
        data, source = media.recvfrom(100)
        assert (data, source[0], host) == (b"there", TURN, TURN)
        media.sendto(b"and back", source)
        assert next(client.received()) == b"and back"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1.2.3", "0.0.0.0", "169.254.169.254", "10.0.0.1", "10.255.255.255", "172.16.0.1",
        "192.168.1.1", "100.64.0.1", "198.51.100.10", TURN, "224.0.0.1", "255.255.255.255", "8.8.8.8",
    ],
)  # fmt: skip
def test_no_way_is_given_to_anything_but_the_media_node(relay: Relay, host: str) -> None:
    with relay.client() as client:
        client.allocate()
        assert refused(lambda: client.permit(host)) == FORBIDDEN
        assert refused(lambda: client.bind_channel(host, PORT)) == FORBIDDEN


@pytest.mark.parametrize(
    "host",
    [
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "fe80::1",
        "fd00::1",
        "64:ff9b::7f00:1",
        "ff02::1",
        TURN6,
    ],
)
def test_no_way_is_given_to_anything_but_the_media_node_over_ipv6_either(relay: Relay, host: str) -> None:
    with relay.client(version=6) as client:
        client.allocate(version=6)
        client.permit(MEDIA6)
        assert refused(lambda: client.permit(host)) == FORBIDDEN
        assert refused(lambda: client.bind_channel(host, PORT)) == FORBIDDEN
    with relay.client() as client:  # nor through an allocation of the other family
        client.allocate()
        assert refused(lambda: client.permit(host)) in (WRONG_FAMILY, FORBIDDEN)


def test_the_redis_of_the_media_node_is_out_of_reach(relay: Relay) -> None:
    """It speaks TCP, and the relay opens no TCP connection to anybody, allowed address or not."""

    def listen() -> socket.socket:
        return socket.create_server((MEDIA, REDIS))

    with relay.net.inside(relay.net.centre, listen) as redis:
        redis.settimeout(0.3)
        with relay.client() as client:
            assert refused(lambda: client.allocate(transport=TCP)) == NO_TCP
        with relay.client() as client:
            client.allocate()
            client.permit(MEDIA)
            assert refused(lambda: client.connect(MEDIA, REDIS)) == FORBIDDEN
            client.send(MEDIA, REDIS, b"PING\r\n")
        with pytest.raises(TimeoutError):
            redis.accept()


def test_the_relay_is_reached_over_tls_alone(relay: Relay) -> None:
    for port, scheme in (
        (443, "udp"),
        (3478, "udp"),
        (5349, "udp"),
        (3478, "tcp"),
        (5349, "tcp"),
        (5766, "tcp"),
    ):
        with pytest.raises((OSError, TurnError)):
            relay.net.inside(relay.net.relay, lambda port=port, scheme=scheme: ask(port, scheme))  # type: ignore[misc]


def ask(port: int, scheme: str) -> None:
    wire = Wire.open(TURN, port, scheme)
    with TurnClient(wire, "x", "y") as client:
        client.allocate()


def test_a_wrong_and_an_ended_credential_open_nothing(relay: Relay) -> None:
    with relay.client(password="not-it") as client:
        assert refused(client.allocate) == UNAUTHORISED
    with relay.client(life_s=-1) as client:
        assert refused(client.allocate) == UNAUTHORISED
    with relay.client(name="") as client:
        client._username = (
            f"{int(time.time()) + 1000}:another"  # a longer life with the shorter one's password
        )
        assert refused(client.allocate) == UNAUTHORISED


def test_a_credential_that_ends_leaves_the_allocation_that_was_made_with_it(relay: Relay) -> None:
    """What coturn's REST cannot do: docs/network.md says so. It still leads to the media port alone."""
    with relay.client(name="brief", life_s=6) as client:
        client.allocate()
        while time.time() <= int(client._username.partition(":")[0]) + 1:
            time.sleep(0.2)
        client.refresh()
        assert refused(lambda: client.permit("10.0.0.1")) == FORBIDDEN
    with relay.client(life_s=-1) as client:
        assert refused(client.allocate) == UNAUTHORISED


def test_one_credential_has_a_dozen_allocations_at_most(relay: Relay) -> None:
    clients = [relay.client("greedy") for _ in range(13)]
    try:
        for client in clients[:12]:
            client.allocate()
        assert refused(clients[12].allocate) == QUOTA
    finally:
        for client in clients:
            client.__exit__(None, None, None)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "secrets").mkdir()
    secret = tmp_path / "secrets" / "turn_secret"
    secret.write_text(SECRET + "\n")
    secret.chmod(0o600)
    urls = (f"turns:{TURN}:443?transport=tcp",)
    return Settings.model_validate({"data_dir": tmp_path, "turn": {"urls": urls}, "media_announce": (MEDIA,)})


def doctor(relay: Relay, settings: Settings) -> tuple[str, str, str]:
    return relay.net.inside(relay.net.place, lambda: turn_check.check(settings))


def test_the_doctor_finds_the_relay_right_and_names_what_is_not(
    relay: Relay, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert doctor(relay, settings)[:2] == ("red", "certificate")  # nobody here knows its authority
    monkeypatch.setenv("SSL_CERT_FILE", str(relay.authority))
    assert doctor(relay, settings)[:2] == ("green", "ok")
    elsewhere = settings.model_copy(update={"media_announce": ("203.0.113.77",)})
    state, code, sentence = doctor(relay, elsewhere)
    assert (state, code) == ("red", "media_refused")
    assert "allowed-peer-ip=203.0.113.77" in sentence
    (settings.secrets_dir / "turn_secret").write_text("another-secret-that-is-long-enough\n")
    assert doctor(relay, settings)[:2] == ("red", "secret_differs")
    (settings.secrets_dir / "turn_secret").chmod(0o644)
    assert doctor(relay, settings)[:2] == ("red", "readable_by_others")


def test_the_doctor_finds_a_relay_that_leads_anywhere(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, chain, key = certificate(tmp_path, x509.IPAddress(ipaddress.ip_address(TURN)), days=3)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with borders() as net:
        with turnserver(tmp_path, chain, key, net, without="denied-peer-ip"):
            state, code, sentence = net.inside(net.place, lambda: turn_check.check(settings))
            assert (state, code, "169.254.169.254" in sentence) == ("red", "too_open", True)
        with turnserver(tmp_path, chain, key, net):
            assert net.inside(net.place, lambda: turn_check.check(settings))[:2] == (
                "yellow",
                "certificate_ends",
            )
        assert net.inside(net.place, lambda: turn_check.check(settings))[:2] == ("red", "not_reachable")
