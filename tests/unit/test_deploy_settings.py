"""The sample configuration is one the server accepts."""

from __future__ import annotations

from pathlib import Path

from server.config import load_settings


def test_the_sample_configuration_is_valid() -> None:
    settings = load_settings(Path(__file__).parents[2] / "deploy" / "hyeopjin.toml")
    assert settings.secure_cookies
