"""The doctor reads the server's own certificate as a browser would."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from cryptography import x509

from server.commands import tls_check
from server.commands.certificate import self_signed
from server.config import Settings
from tests.support.coturn import NAME, certificate


def settings(chain: Path, key: Path, host: str) -> Settings:
    return Settings(tls_certificate=chain, tls_key=key, public_url=f"https://{host}")


@pytest.mark.parametrize(
    ("host", "days", "state", "code"),
    [
        (NAME, 90, "green", "ok"),
        ("192.0.2.7", 90, "green", "ok"),
        ("seoul.clinic.example.org", 90, "green", "ok"),
        ("a.seoul.clinic.example.org", 90, "red", "wrong_name"),
        ("elsewhere.example.org", 90, "red", "wrong_name"),
        ("192.0.2.8", 90, "red", "wrong_name"),
        (NAME, 5, "yellow", "ends_soon"),
        (NAME, -1, "red", "ended"),
    ],
)
def test_what_a_browser_would_refuse_is_red(
    tmp_path: Path, host: str, days: int, state: str, code: str
) -> None:
    names = x509.IPAddress(ipaddress.ip_address("192.0.2.7")), x509.DNSName("*.clinic.example.org")
    _, chain, key = certificate(tmp_path, *names, days=days)
    key.chmod(0o600)
    assert tls_check.check(settings(chain, key, host))[:2] == (state, code)


def test_a_key_for_everybody_no_certificate_and_a_demo_one_are_told_apart(tmp_path: Path) -> None:
    assert tls_check.check(Settings())[:2] == ("grey", "not_configured")
    _, chain, key = certificate(tmp_path)
    key.chmod(0o644)
    assert tls_check.check(settings(chain, key, NAME))[1] == "readable_by_others"
    key.chmod(0o640)
    assert tls_check.check(settings(key, key, NAME))[1] == "not_readable"
    assert tls_check.check(settings(tmp_path / "none", key, NAME))[1] == "file_missing"
    demo = self_signed(tmp_path / "secrets" / "tls", "localhost")
    assert tls_check.check(settings(*demo, "localhost"))[:2] == ("yellow", "self_signed")
