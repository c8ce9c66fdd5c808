"""Objects are created once, named plainly, and a generation comes and goes as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.runtime.objects import ObjectError, Objects

RECORDING = "recording-0000001"


def fill(objects: Objects, **files: bytes) -> Path:
    scratch = objects.scratch(RECORDING)
    for name, content in files.items():
        (scratch / name).write_bytes(content)
    return scratch


async def test_what_is_published_can_be_read_in_parts_and_the_scratch_is_gone(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    scratch = fill(objects, a=b"0123456789", b=b"")
    assert await objects.publish(RECORDING, 1, scratch) == ["a", "b"]
    assert not scratch.exists()
    stored = await objects.open(RECORDING, 1, "a")
    assert stored.size == 10
    assert await stored.read(3, 4) == b"3456"
    assert stored.read_now(8, 100) == b"89"
    assert await stored.read(10, 5) == b""
    assert objects.generations(RECORDING) == [1]
    assert objects.names(RECORDING, 1) == ["a", "b"]


async def test_the_manifest_comes_last(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    scratch = objects.scratch(RECORDING)
    for name in ("manifest.json", "zzz", "aaa"):
        (scratch / name).write_bytes(b"x")
    assert await objects.publish(RECORDING, 1, scratch) == ["aaa", "zzz", "manifest.json"]


async def test_an_object_is_never_overwritten(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    await objects.publish(RECORDING, 1, fill(objects, a=b"first"))
    with pytest.raises(ObjectError, match="object_exists"):
        await objects.publish(RECORDING, 1, fill(objects, a=b"second"))
    assert await (await objects.open(RECORDING, 1, "a")).read(0, 10) == b"first"


async def test_a_link_is_not_published(tmp_path: Path) -> None:
    objects = Objects(tmp_path / "objects")
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    scratch = objects.scratch(RECORDING)
    (scratch / "a").symlink_to(secret)
    with pytest.raises(OSError, match="symbolic"):
        await objects.publish(RECORDING, 1, scratch)
    assert objects.names(RECORDING, 1) == []


async def test_removing_a_generation_leaves_the_others_and_tells_late_readers(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    for number in (1, 2):
        await objects.publish(RECORDING, number, fill(objects, a=b"x" * number))
    late = await objects.open(RECORDING, 1, "a")
    await objects.remove_generation(RECORDING, 1)
    assert objects.generations(RECORDING) == [2]
    with pytest.raises(ObjectError, match="object_missing"):
        await late.read(0, 1)
    with pytest.raises(ObjectError, match="object_missing"):
        await objects.open(RECORDING, 1, "a")
    await objects.remove_generation(RECORDING, 1)


@pytest.mark.parametrize("name", ["", ".", "..", "../a", "a/b", ".hidden", "a\0", "ä", "a" * 200])
async def test_names_that_are_paths_are_refused(tmp_path: Path, name: str) -> None:
    objects = Objects(tmp_path)
    with pytest.raises(ObjectError, match="object_name_invalid"):
        await objects.open(RECORDING, 1, name)
    with pytest.raises(ObjectError, match="object_name_invalid"):
        await objects.open(name, 1, "a")
    with pytest.raises(ObjectError, match="object_name_invalid"):
        objects.scratch(name)
    with pytest.raises(ObjectError, match="object_name_invalid"):
        await objects.open(RECORDING, 0, "a")


async def test_a_start_keeps_what_a_killed_finaliser_of_an_unfinished_recording_had_done(
    tmp_path: Path,
) -> None:
    objects = Objects(tmp_path)
    left = fill(objects, a=b"x")
    assert left.stat().st_mode & 0o077 == 0
    objects.sweep_scratch({RECORDING})
    assert objects.scratch(RECORDING) == left
    assert (left / "a").read_bytes() == b"x"
    other = objects.scratch(RECORDING, 2)
    assert not left.exists(), "of another generation"
    objects.sweep_scratch()
    assert not other.exists()
    assert objects.scratch(RECORDING).exists()
