"""A key is on disk, name and content, before anybody is given it: nothing is ever sealed under a key that a
power cut takes. The worker gets keys only from who has called `seat_key`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from server.runtime.keystore import KeyStore


def test_a_key_is_synced_then_named_then_its_directories_are_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = KeyStore.open(tmp_path)
    steps: list[tuple[str, str]] = []
    fsync, link = os.fsync, os.link

    def watched_fsync(handle: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{handle}"))
        content = path.read_bytes() if path.is_file() else b"x"
        fsync(handle)
        steps.append(("fsync" if content else "fsync of nothing", path.name))

    def watched_link(source: Path, target: Path, *, follow_symlinks: bool) -> None:
        link(source, target, follow_symlinks=follow_symlinks)
        steps.append(("link", target.name))

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "link", watched_link)
    store.seat_key("rec_synthetic-0001", "seat_synthetic-aa")
    named = steps.index(("link", "seat_synthetic-aa.key"))
    aside = next(
        n
        for n, (what, name) in enumerate(steps)
        if what == "fsync" and name.startswith(".seat_synthetic-aa.key.")
    )
    directory = next(
        n for n, step in enumerate(steps) if step == ("fsync", "rec_synthetic-0001") and n > named
    )
    assert aside < named < directory
    assert steps.index(("fsync", "keys")) < named, "the recording's directory has its own entry on disk"
