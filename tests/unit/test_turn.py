"""A relay's credentials: as coturn computes them, per seat, with an end, and in no document."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import pytest

from server.config import ConfigError, Settings
from server.domain.turn import turn_credential
from server.turn import ice_servers_of, read_turn_secret
from signaling.ports import no_relays

SECRET = "0123456789abcdef0123456789abcdef"
URL = "turns:turn.example.org:443?transport=tcp"
NOW_MS = 1_790_000_000_000


def settings(tmp_path: Path, secret: str | None = SECRET, **turn: object) -> Settings:
    if secret is not None:
        (tmp_path / "secrets").mkdir()
        (tmp_path / "secrets" / "turn_secret").write_text(secret + "\n")
    return Settings.model_validate({"data_dir": tmp_path, "turn": {"urls": (URL,), **turn}})


def test_a_credential_is_the_one_that_coturn_computes() -> None:
    made = turn_credential(SECRET.encode(), "seat", 1_790_000_000)
    assert made.username == "1790000000:seat"
    digest = hmac.new(SECRET.encode(), b"1790000000:seat", hashlib.sha1).digest()
    assert made.password == base64.b64encode(digest).decode()
    assert made.password not in repr(made)


def test_a_name_cannot_be_read_as_another_time() -> None:
    with pytest.raises(ValueError, match="colon"):
        turn_credential(SECRET.encode(), "1:seat", 1)


def test_without_a_relay_no_server_is_named(tmp_path: Path) -> None:
    assert ice_servers_of(Settings(data_dir=tmp_path), lambda: NOW_MS) is no_relays
    assert no_relays("seat") == []


def test_each_seat_has_a_credential_of_its_own_that_outlives_a_consultation(tmp_path: Path) -> None:
    relays = ice_servers_of(settings(tmp_path, credential_hours=6), lambda: NOW_MS)
    (one,), (other,) = relays("seat-one"), relays("seat-two")
    assert one.urls == [URL]
    assert one.username.startswith(f"{NOW_MS // 1000 + 6 * 3600}:")
    assert one.username != other.username
    assert one.credential != other.credential
    assert "seat-one" not in one.username, "the relay's log must not name what our addresses name"


def test_a_relay_without_its_secret_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="static-auth-secret"):
        ice_servers_of(settings(tmp_path, secret=None), lambda: NOW_MS)


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="openssl rand"):
        read_turn_secret(settings(tmp_path, secret="too-short"))
