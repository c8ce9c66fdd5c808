"""Wrong settings stop the start with a sentence; log lines keep what people are to themselves."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from server.config import ConfigError, load_settings
from server.log import configure_logging


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"public_url": "*"}, "origin"),
        ({"public_url": "https://*.example.org"}, "origin"),
        ({"public_url": "null"}, "https"),
        ({"public_url": "http://tele.example.org"}, "https"),
        ({"public_url": "https://tele.example.org/path"}, "origin"),
        ({"public_url": "https://user@tele.example.org"}, "origin"),
        ({"port": 70_000}, "port"),
        ({"bind": ()}, "address"),
        ({"tls_certificate": "a.pem"}, "together"),
        ({"unheard_of": 1}, "unheard_of"),
        ({"turn": {"urls": ("stun:stun.example.org:3478",)}}, "never needed"),
        ({"turn": {"urls": ("https://turn.example.org",)}}, "turns:"),
        ({"turn": {"urls": ("turns:turn.example.org:443?transport=tcp#x",)}}, "turns:"),
    ],
)
def test_a_wrong_value_stops_the_start_with_a_sentence(wrong: dict[str, object], word: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_settings(None, **wrong)
    assert word in str(refused.value)
    assert str(refused.value).endswith(".")


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "hyeopjin.toml"
    file.write_text('public_url = "https://tele.example.org"\nport = 1111\nlog_level = "warning"\n')
    monkeypatch.setenv("HYEOPJIN_PORT", "2222")
    settings = load_settings(file, log_level="error")
    assert (settings.public_url, settings.port, settings.log_level) == (
        "https://tele.example.org",
        2222,
        "error",
    )
    assert settings.secure_cookies


def test_the_origin_is_written_as_browsers_write_it() -> None:
    assert (
        load_settings(None, public_url="https://tele.example.org:443/").public_url
        == "https://tele.example.org"
    )
    assert load_settings(None, public_url="https://tele.example.org:8443").public_url.endswith(":8443")
    assert load_settings(None, public_url="http://localhost:80").public_url == "http://localhost"


def test_a_file_that_is_no_toml_or_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "hyeopjin.toml"
    with pytest.raises(ConfigError, match="does not exist"):
        load_settings(file)
    file.write_text("port = = 1")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(file)


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_an_exceptions_text_and_locals_never_reach_the_log(
    log_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.StringIO()
    monkeypatch.setattr("sys.stderr", out)
    root, house = logging.getLogger(), logging.getLogger("hyeopjin")
    handlers, level, ours = root.handlers[:], root.level, house.level
    try:
        configure_logging("debug", log_format)

        def fails() -> None:
            marked_local = "MARKED-LOCAL"
            raise ValueError(f"MARKED-TEXT {marked_local}")

        try:
            try:
                fails()
            except ValueError as error:
                raise KeyError("MARKED-CAUSED") from error
        except KeyError:
            logging.getLogger("hyeopjin.test").exception("it failed")
            structlog.stdlib.get_logger("hyeopjin.test").error("again", exc_info=True)
        logging.getLogger("hyeopjin.test").debug("a debug line of ours")
        logging.getLogger("some.library").info("MARKED-LIBRARY")
        logging.getLogger("sqlalchemy.engine").info("INSERT MARKED-SQL")
        logging.getLogger("aiosqlite").debug("MARKED-SQL")
        logging.getLogger("engineio.server").info("MARKED-PACKET")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        house.setLevel(ours)
        structlog.reset_defaults()
    lines = out.getvalue()
    assert "MARKED" not in lines
    assert lines.count("a debug line of ours") == 1
    assert lines.count("KeyError < ValueError") == 2
    assert "test_config_and_log.py" in lines


def test_the_media_processes_log_ours_at_debug_and_no_exceptions_text() -> None:
    script = (
        "import logging; from media.log import set_up_logging; set_up_logging('debug');"
        "logging.getLogger('hyeopjin.media.x').debug('ours');"
        "logging.getLogger('aioice').info('MARKED-LIBRARY');\n"
        "try:\n raise ValueError('MARKED-CAUGHT')\n"
        "except ValueError: logging.getLogger('hyeopjin.media.x').exception('caught')\n"
        "raise KeyError('MARKED-UNCAUGHT')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, timeout=30)
    lines = [json.loads(line) for line in done.stderr.decode().splitlines()]
    assert done.returncode == 1
    assert "MARKED" not in done.stderr.decode()
    assert [(line["event"], line["level"], line.get("error")) for line in lines] == [
        ("ours", "debug", None),
        ("caught", "error", "ValueError"),
        ("ended by an exception", "critical", "KeyError"),
    ]
