"""A hospital's firewall, really dropping: all open, no UDP, nothing but port 443, and nothing at all.

One person sits behind it, the other beside the server. Before joining the page says which way sound and
picture will take; after joining they take it, both ways, and are recorded.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from playwright.sync_api import Page, Playwright

from tests.support import networks, probes, pulse
from tests.support.borders import MEDIA, PLACE, TURN, Borders, borders
from tests.support.browsers import CHROMIUM, Crowd, Person
from tests.support.coturn import SECRET, certificate, turnserver
from tests.support.demo import Demo, until
from tests.support.fakes import GREEN, RED
from tests.support.selftest import open_test, steps_of, take_test
from tests.support.story import Guest, answer_and_join, join, sign_in, wait_recording, wait_stored

pytestmark = pytest.mark.browser

PORT = 47800
RELAY = f"turns:{TURN}:443?transport=tcp"
PAIR = """
async () => {
  const stats = await window.__pulse.pc.getStats();
  for (const s of stats.values()) {
    if (s.type !== 'transport' || !s.selectedCandidatePairId) continue;
    const pair = stats.get(s.selectedCandidatePairId);
    const local = stats.get(pair.localCandidateId), remote = stats.get(pair.remoteCandidateId);
    return { type: local.candidateType, protocol: local.protocol, relay: local.relayProtocol ?? null,
      remote: `${remote.address}:${remote.port}` };
  }
  return null;
}
"""

AHEAD = """
(() => {
  const Right = Date;
  window.Date = class extends Right {
    constructor(...all) { all.length ? super(...all) : super(Right.now() + %d); }
    static now() { return new window.Date().getTime(); }
  };
})();
"""


@dataclass
class Scene:
    """`far` is behind the firewall, `near` beside the server."""

    net: Borders
    demo: Demo
    far: Person
    near: Guest
    seat_url: str

    def arrive(self) -> Page:
        """The door, once its check of the way is done."""
        page = self.far.page()
        page.goto(self.seat_url)
        page.locator("[data-testid=path-check][data-done=true]").wait_for(timeout=30_000)
        return page


def trusting(chain: Path) -> str:
    """Chromium takes the relay's certificate, whose authority nobody else knows."""
    leaf = x509.load_pem_x509_certificates(chain.read_bytes())[0]
    spki = leaf.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    pin = base64.b64encode(hashlib.sha256(spki).digest()).decode()
    return f"--ignore-certificate-errors-spki-list={pin}"


def environment(folder: Path) -> dict[str, str]:
    secret = folder / "turn_secret"
    secret.write_text(SECRET)
    return {
        "HYEOPJIN_MEDIA_UDP_PORT": str(PORT),
        "HYEOPJIN_SELF_TEST_LINE_S": "10",
        "HYEOPJIN_TURN__URLS": json.dumps([RELAY]),
        "HYEOPJIN_TURN__SECRET_FILE": str(secret),
    }


@pytest.fixture(scope="module")
def scene(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("firewalls")
    authority, chain, key = certificate(folder, x509.IPAddress(ipaddress.ip_address(TURN)))
    env = {**environment(folder), "SSL_CERT_FILE": str(authority)}
    with borders() as net, turnserver(folder, chain, key, net), Crowd(playwright, folder) as crowd:
        public = ("--tls", "--public")
        demo = Demo(folder / "demo", env, net.prefix(net.centre), announce=MEDIA, more=public)
        demo.port = 443
        demo.start()
        try:
            far = crowd.person(
                RED,
                "ru",
                flags=(trusting(chain),),
                init=pulse.SCRIPT,
                executable=within(folder, net, net.place),
            )
            near = crowd.person(
                GREEN, flags=(), init=pulse.SCRIPT, executable=within(folder, net, net.centre)
            )
            consulting = join(near, demo, "consulting_physician")
            yield Scene(net, demo, far, consulting, demo.seat("referring_physician")["room_url"])
        finally:
            demo.kill()


def within(folder: Path, net: Borders, namespace: str) -> str:
    place = folder / namespace
    place.mkdir()
    return networks.wrapper(place, net.prefix(namespace), CHROMIUM)


@pytest.fixture(autouse=True)
def everything_open(scene: Scene) -> Iterator[None]:
    yield
    scene.net.open_all()


def consult(scene: Scene, page: Page, **wanted: str | None) -> None:
    """From the door into the room and out again: seen, heard and recorded; by the `wanted` pair in the
    end: a browser begins with the first that answers and moves to the best."""
    enter(page)
    far = Guest(scene.far, page, "referring_physician", scene.demo.seat_id("referring_physician"))
    for here, there in ((far, scene.near), (scene.near, far)):
        probes.wait_for_colour(here.page, there.seat, there.voice, 30)
        probes.wait_for_tone(here.page, there.seat, there.voice, 20)
    wait_recording(far)
    wait_stored(scene.near, 2)
    pair: dict[str, Any] = {}

    def chosen() -> bool:
        pair.update(page.evaluate(PAIR) or {})
        return all(pair.get(name) == value for name, value in wanted.items())

    until(f"the pair {wanted}", chosen, 10)
    page.get_by_test_id("leave").click()
    page.get_by_test_id("over").wait_for()
    page.close()


def enter(page: Page) -> None:
    """The question is asked once."""
    if page.get_by_test_id("consent-accept").count():
        answer_and_join(page)
    else:
        page.get_by_test_id("join").click()


def path_of(page: Page) -> str | None:
    return page.get_by_test_id("path-check").get_attribute("data-path")


def test_with_everything_open_media_goes_straight_over_udp(scene: Scene) -> None:
    page = scene.arrive()
    assert path_of(page) == "udp"
    assert page.get_by_test_id("path-clock").count() == 0
    consult(scene, page, protocol="udp", relay=None, remote=f"{MEDIA}:{PORT}")


@pytest.mark.long
def test_without_udp_media_goes_over_tcp_to_the_same_port(scene: Scene) -> None:
    # The relay is shut, too: a browser that has found it first may stay with it.
    for port in (443, PORT):
        scene.net.let_through("ipproto", "tcp", "dport", str(port), "to", MEDIA)
    scene.net.block()
    page = scene.arrive()
    assert path_of(page) == "tcp"
    assert f"UDP к {MEDIA}:{PORT}" in (page.get_by_test_id("path-ask").text_content() or "")
    consult(scene, page, protocol="tcp", relay=None, remote=f"{MEDIA}:{PORT}")


def test_with_port_443_alone_media_goes_through_the_relay_over_tls(scene: Scene) -> None:
    scene.net.only_tls()
    page = scene.arrive()
    assert path_of(page) == "relay"
    consult(scene, page, type="relay", relay="tls", remote=f"{MEDIA}:{PORT}")


def test_with_the_page_alone_it_says_what_to_ask_for(scene: Scene) -> None:
    """The page's own address and port are open, and nothing else."""
    scene.net.let_through("ipproto", "tcp", "dport", "443", "to", MEDIA)
    scene.net.block()
    page = scene.arrive()
    assert path_of(page) == "none"
    words = page.get_by_test_id("path-ask").text_content() or ""
    for line in (f"UDP к {MEDIA}:{PORT}", f"TCP к {MEDIA}:{PORT}", f"TCP к {TURN}:443"):
        assert line in words, "in the language of the seat, to be copied"
    assert PLACE not in words
    assert page.get_by_test_id("path-fault").count() == 0, "the relay itself is in order"
    scene.net.open_all()
    page.get_by_test_id("path-again").click()
    page.locator("[data-testid=path-check][data-path=udp][data-done=true]").wait_for(timeout=30_000)
    page.close()


@pytest.mark.long
def test_a_firewall_that_shuts_in_the_middle_is_explained_and_media_returns(scene: Scene) -> None:
    page = scene.arrive()
    enter(page)
    until("media flows", lambda: page.evaluate(PAIR), 20)
    scene.net.let_through("ipproto", "tcp", "dport", "443", "to", MEDIA)
    scene.net.block()
    trouble = page.get_by_test_id("line-trouble")
    trouble.locator("[data-testid=path-check][data-path=none][data-done=true]").wait_for(timeout=90_000)
    assert f"UDP к {MEDIA}:{PORT}" in (trouble.text_content() or "")
    scene.net.open_all()
    trouble.wait_for(state="detached", timeout=30_000)
    far = Guest(scene.far, page, "referring_physician", scene.demo.seat_id("referring_physician"))
    probes.wait_for_colour(far.page, scene.near.seat, scene.near.voice, 30)
    page.get_by_test_id("leave").click()
    page.get_by_test_id("over").wait_for()
    page.close()


@pytest.mark.long
def test_a_server_that_announces_loopback_and_a_relay_with_a_bad_certificate_are_named(
    scene: Scene, tmp_path: Path
) -> None:
    """A server as it should not be: it does not know the relay's authority either, as no browser would."""
    env = {**environment(tmp_path), "HYEOPJIN_MEDIA_UDP_PORT": str(PORT + 100)}
    prefix = scene.net.prefix(scene.net.centre)
    demo = Demo(tmp_path / "demo", env, prefix, announce="127.0.0.1", more=("--tls", "--public"))
    demo.port = 8443
    demo.start()
    try:
        page = scene.far.profile().new_page()
        page.goto(demo.seat("interpreter")["room_url"])
        done = page.locator("[data-testid=path-check][data-path=none][data-done=true]")
        done.wait_for(timeout=30_000)
        assert "media_announce" in (done.text_content() or "")
        assert page.get_by_test_id("path-fault").get_attribute("data-fault") == "certificate"
        assert page.get_by_test_id("path-ask").count() == 0, "no IT department can help here"
        page.context.close()
    finally:
        demo.kill()


@pytest.mark.long
def test_a_sites_self_test_says_that_udp_is_blocked_and_measures_over_tcp(scene: Scene) -> None:
    for port in (443, PORT):
        scene.net.let_through("ipproto", "tcp", "dport", str(port), "to", MEDIA)
    scene.net.block()
    page = sign_in(scene.far, scene.demo, "site_operator")
    open_test(page, scene.demo, "Room 3")
    take_test(page)
    found = steps_of(page)
    assert [one["code"] for one in found["path"]["findings"]] == ["path_udp", "path_relay"]
    assert found["path"]["verdict"] == "red"
    assert found["line"]["findings"] == [], found["line"]
    assert f"UDP к {MEDIA}:{PORT}" in page.get_by_test_id("path-ask").inner_text()
    scene.net.open_all()
    scene.net.let_through("ipproto", "tcp", "dport", "443", "to", MEDIA)
    scene.net.block()
    page.reload()
    open_test(page, scene.demo, "Room 3")
    take_test(page, heard=False)
    found = steps_of(page)
    assert [one["code"] for one in found["path"]["findings"]] == ["path_none"]
    assert [one["code"] for one in found["line"]["findings"]] == ["line_unconnected"]
    assert found["loop"]["figures"]["via"] == "here"
    page.close()


def test_a_clock_that_is_minutes_off_is_said(scene: Scene) -> None:
    context = scene.far.profile("ko")
    context.add_init_script(AHEAD % 600_000)
    page = context.new_page()
    page.goto(scene.demo.seat("interpreter")["room_url"])
    page.get_by_test_id("path-clock").wait_for()
    assert "10분" in (page.get_by_test_id("path-clock").text_content() or "")
    context.close()


@pytest.mark.parametrize(
    ("language", "word", "lack"),
    [
        ("en", "16.4", "delete Array.prototype.toSorted"),
        ("ko", "브라우저", "delete window.RTCPeerConnection"),
        ("ru", "браузер", "delete RTCRtpSender.prototype.replaceTrack"),
    ],
)
def test_a_browser_without_what_the_pages_need_is_told_before_anything_runs(
    scene: Scene, language: str, word: str, lack: str
) -> None:
    context = scene.far.profile(language)
    context.add_init_script(lack)
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(scene.demo.seat("interpreter")["room_url"])
    page.get_by_test_id("too-old").wait_for()
    assert word in (page.get_by_test_id("too-old").text_content() or "")
    assert not [url for url in asked if "/api/" in url]
    context.close()
