"""What an operator copies is what the code understands."""

from __future__ import annotations

import configparser
import re
import tomllib
from pathlib import Path

import pytest

from server.audit_settings import AuditSettings
from server.config import ObjectStore, Settings, Turn, load_settings
from server.document_settings import DocumentSettings
from server.mail_settings import MailServer
from server.oidc_settings import Oidc

DEPLOY = Path(__file__).parents[2] / "deploy"
NOT_FOR_OPERATORS = {"demo"}


def test_the_sample_settings_load_and_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"HYEOPJIN_{name.upper()}", raising=False)
    settings = load_settings(DEPLOY / "hyeopjin.toml")
    assert settings.public_url == "https://consult.example.org"
    assert settings.secure_cookies
    assert settings.media_udp_port


def test_the_sample_names_every_setting_and_no_other() -> None:
    top, *tables = re.split(r"^\[([a-z]+)\]$", (DEPLOY / "hyeopjin.toml").read_text(), flags=re.MULTILINE)
    named = dict(zip(tables[::2], map(_names, tables[1::2]), strict=True))
    assert _names(top) | set(named) == set(Settings.model_fields) - NOT_FOR_OPERATORS
    assert named == {
        "objects": set(ObjectStore.model_fields),
        "turn": set(Turn.model_fields),
        "mail": set(MailServer.model_fields),
        "oidc": set(Oidc.model_fields),
        "audit": set(AuditSettings.model_fields),
        "documents": set(DocumentSettings.model_fields),
    }


def _names(text: str) -> set[str]:
    return set(re.findall(r"^(?:# )?([a-z_]+) = ", text, re.MULTILINE))


def test_commented_settings_are_valid_too() -> None:
    text = re.sub(r"^# ([a-z_]+ = )", r"\1", (DEPLOY / "hyeopjin.toml").read_text(), flags=re.MULTILINE)
    assert Settings(**tomllib.loads(text)).tls_key is not None


def test_the_unit_starts_the_server_and_ends_it_gently() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(DEPLOY / "systemd" / "hyeopjin.service")
    service = unit["Service"]
    assert service["ExecStart"].endswith("-m server serve --config /etc/hyeopjin/hyeopjin.toml")
    assert service["KillMode"] == "mixed", "the worker must hear of the stop from its server, not before it"
    assert service["LimitCORE"] == "0"
    assert service["NoNewPrivileges"] == "yes"
    assert service["CapabilityBoundingSet"] == ""
    assert "AF_NETLINK" in service["RestrictAddressFamilies"]


def test_the_relay_is_deployed_with_its_lists_and_without_a_secret() -> None:
    text = (DEPLOY / "coturn" / "turnserver.conf").read_text()
    lines = {line for line in text.splitlines() if line and not line.startswith("#")}
    for line in ("no-udp", "no-tcp", "no-dtls", "no-cli", "no-tcp-relay", "no-multicast-peers"):
        assert line in lines
    assert {line for line in lines if line.startswith("denied-peer-ip")} == {
        "denied-peer-ip=0.0.0.0-255.255.255.255",
        "denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    }
    assert "static-auth-secret=CHANGE-ME" in lines
    assert not any("#" in line for line in lines), "coturn takes the rest of a line as the value"


def test_the_relay_may_bind_443_and_nothing_else_of_root() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(DEPLOY / "coturn" / "coturn.service.conf")
    assert unit["Service"]["AmbientCapabilities"] == "CAP_NET_BIND_SERVICE"
    assert unit["Service"]["CapabilityBoundingSet"] == "CAP_NET_BIND_SERVICE"


def test_the_proxy_keeps_nothing_and_passes_sockets_on() -> None:
    proxy = (DEPLOY / "nginx" / "hyeopjin.conf").read_text()
    for line in (
        "proxy_buffering off;",
        "proxy_max_temp_file_size 0;",
        "location /socket.io/ {",
        "proxy_set_header Upgrade    $http_upgrade;",
        "proxy_set_header X-Forwarded-For   $remote_addr;",
    ):
        assert line in proxy
    assert proxy.count("{") == proxy.count("}")
    assert "$request " not in proxy, "a log line must not name a recording"
