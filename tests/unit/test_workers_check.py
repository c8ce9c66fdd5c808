"""The doctor looks at the media ports before a server runs: free, taken, or more of them than cores."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.commands.workers_check import _free, check
from server.config import ConfigError, Settings, load_settings
from server.cores import cores


@pytest.fixture
def two_ports() -> Iterator[int]:
    """A number that is free together with those after it."""
    wanted = cores() + 1
    for _ in range(50):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port < 65000 and all(_free("127.0.0.1", port + index) for index in range(wanted)):
            yield port
            return


def settings(folder: Path, port: int, workers: int = 2) -> Settings:
    return load_settings(
        None, data_dir=folder, media_udp_host="127.0.0.1", media_udp_port=port, media_workers=workers
    )


def test_each_worker_has_a_port_of_its_own_after_the_first(tmp_path: Path) -> None:
    assert settings(tmp_path, 47800).media_ports == (47800, 47801)
    assert settings(tmp_path, 0).media_ports == (0, 0)
    assert settings(tmp_path, 65535, workers=1).media_ports == (65535,)
    with pytest.raises(ConfigError, match="media_udp_port is too high"):
        settings(tmp_path, 65535)
    assert load_settings(None, data_dir=tmp_path).workers == cores()


def test_a_port_that_another_program_has_is_red_and_named(tmp_path: Path, two_ports: int) -> None:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as other:
            other.bind(("127.0.0.1", two_ports + 1))
            if kind == socket.SOCK_STREAM:
                other.listen()
            state, code, detail = check(settings(tmp_path, two_ports))
            assert (state, code) == ("red", "port_taken")
            assert detail.endswith(str(two_ports + 1))


def test_free_ports_are_no_fault_and_more_workers_than_cores_are_told(tmp_path: Path, two_ports: int) -> None:
    assert check(settings(tmp_path, two_ports, workers=1))[:2] == ("grey", "not_running")
    assert check(settings(tmp_path, 0))[:2] == ("grey", "not_running")
    many = cores() + 1
    assert check(settings(tmp_path, two_ports, workers=many))[:2] == ("yellow", "more_than_cores")


def test_a_containers_quota_counts_and_not_the_machines_cores(tmp_path: Path) -> None:
    usable = len(os.sched_getaffinity(0))
    assert cores(tmp_path) == usable, "no quota there"
    for told, expected in (
        ("max 100000", usable),
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("9900000 100000", usable),
        ("rubbish", usable),
        ("1 0", usable),
    ):
        (tmp_path / "cpu.max").write_text(told + "\n")
        assert cores(tmp_path) == expected, told
