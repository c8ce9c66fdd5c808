"""`hyeopjin recordings export` for an operator: whole or not there, with a reason in the audit chain."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import av
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from server.__main__ import build
from server.storage.database import Database
from server.storage.schema_audit import audit
from tests.integration.export_rig import ExportRig
from tests.support.demo import TOP
from tests.support.journals import CASE, RECORDING, SEATS


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    async def make() -> Path:
        rig = await ExportRig().open(tmp_path_factory.mktemp("command"))
        await rig.close()
        return rig.data

    return asyncio.run(make())


def run(data: Path, *arguments: str, answer: str = "") -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "server", "recordings", *arguments, "--data", str(data)],
        cwd=TOP, capture_output=True, input=answer, text=True, timeout=120,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def run_here(data: Path, *arguments: str) -> tuple[int, str]:
    """The same command line without a new interpreter."""
    done = CliRunner().invoke(build(), ["recordings", *arguments, "--data", str(data)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_a_clip_a_bundle_and_a_film_are_written_whole_and_audited(data: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    given = ("export", RECORDING, "--out", str(clip), "--kind", "clip", "--from-ms", "500", "--to-ms", "1500")
    assert run(data, *given, answer="legal\n")[0] == 0, "the reason is asked for"
    with av.open(str(clip)) as box:
        assert sum(1 for _ in box.decode(video=0)) == 15
    assert clip.stat().st_mode & 0o777 == 0o600
    bundle = tmp_path / "bundle.zip"
    code, said = run_here(
        data, "export", RECORDING, "--out", str(bundle), "--kind", "bundle", "--reason", "quality"
    )
    assert code == 0, said
    code, key = run_here(data, "export-key")
    assert code == 0
    with zipfile.ZipFile(bundle) as box:
        assert hashlib.sha256(box.read("public.pem")).hexdigest() in key
    film = tmp_path / "film.mp4"
    order = ("--out", str(film), "--kind", "mp4", "--reason", "legal")
    assert run_here(data, "export", RECORDING, *order)[0] == 0
    with av.open(str(film)) as box:
        assert sum(1 for _ in box.decode(video=0)) > 45, "the whole, by its other word"
    rows = asyncio.run(audited(data))
    assert [(row.action, row.case_id, row.detail["reason"], row.detail["by"]) for row in rows] == [
        ("export_downloaded", CASE, "legal", "operator"),
        ("export_downloaded", CASE, "quality", "operator"),
        ("export_downloaded", CASE, "legal", "operator"),
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle.zip", "clip.mp4", "film.mp4"]
    assert not [path for path in (data / "exports").rglob("*") if path.is_file()]


async def audited(data: Path) -> list[object]:
    database = Database(f"sqlite+aiosqlite:///{data / 'hyeopjin.sqlite3'}")
    async with database.read() as tx:
        rows = (await tx.execute(select(audit).order_by(audit.c.id))).all()
    await database.close()
    return list(rows)


def test_what_cannot_be_made_leaves_no_file(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    reason = ("--reason", "legal")
    wrong = [
        ("export", "rec_nobody-knows-01", "--out", str(out), *reason),
        ("export", RECORDING, "--out", str(out), "--kind", "still", "--track", f"{SEATS[2]}-camera", *reason),
        ("export", RECORDING, "--out", str(out), "--kind", "clip", *reason),
        ("export", RECORDING, "--out", str(out), "--reason", "because"),
        ("export", RECORDING, "--out", str(tmp_path / "none" / "out"), *reason),
        ("export", RECORDING, "--out", str(out), "--zone", "Nowhere/Land", *reason),
    ]
    for arguments in wrong:
        code, said = run_here(data, *arguments)
        assert code in (1, 2), said
    out.write_text("mine")
    assert run_here(data, "export", RECORDING, "--out", str(out), *reason)[0] == 2
    assert out.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
