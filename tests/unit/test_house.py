"""The house keeps its own rules: who imports whom, how large a room may be, what must not appear."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.domain.audit_actions import ACTIONS

TOP = Path(__file__).parents[2]
PACKAGES = ("server", "signaling", "media")
MAX_LINES, MAX_TEST_LINES, MAX_FUNCTION = 400, 600, 60


def files(*folders: str, suffix: str = ".py") -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders],
        cwd=TOP, capture_output=True, text=True, check=True,
    ).stdout.split("\n")  # fmt: skip
    return sorted(path for name in set(listed) if name.endswith(suffix) and (path := TOP / name).is_file())


def module_name(path: Path) -> str:
    parts = path.relative_to(TOP).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, *, at_import_time: bool = False) -> Iterator[str]:
    """Every module named by an import statement; relative ones made absolute."""
    tree = ast.parse(path.read_text())
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    lazy = set()
    if at_import_time:
        for node in ast.walk(tree):
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            guarded = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
            if inside or guarded:
                lazy |= {id(child) for child in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in lazy:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *((node.module or "").split(".") if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def importers(library: str) -> set[str]:
    return {
        str(path.relative_to(TOP))
        for path in files(*PACKAGES)
        if any(name.split(".")[0] == library for name in imports(path))
    }


FORBIDDEN = {
    "signaling": {"server", "media", "aiohttp", "aiortc", "aioice", "sqlalchemy", "av", "aiosqlite"},
    "media": {"server", "signaling", "aiohttp", "socketio", "sqlalchemy"},
    "server/domain": {"server.services", "server.storage", "server.web", "media", "signaling", "aiohttp"},
}


@pytest.mark.parametrize("folder", sorted(FORBIDDEN))
def test_a_package_imports_nothing_it_must_not_know(folder: str) -> None:
    wrong = [
        f"{path.relative_to(TOP)} imports {name}"
        for path in files(folder)
        for name in imports(path)
        if any(name == bad or name.startswith(bad + ".") for bad in FORBIDDEN[folder])
    ]
    assert not wrong, wrong


def test_the_domain_uses_the_standard_library_only() -> None:
    import sys

    known = sys.stdlib_module_names | {"server"}
    wrong = {
        n for path in files("server/domain") for n in imports(path) if n and n.split(".")[0] not in known
    }
    assert not wrong


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("socketio", {"signaling/namespace.py"}),
        ("sqlalchemy", "server/storage/"),
        ("alembic", "server/storage/"),
        ("OpenSSL", {"media/aiortc_seam.py", "media/bench/dtls.py"}),
        ("webauthn", {"server/services/passkeys.py"}),
        ("joserfc", {"server/services/provider_tokens.py"}),
        ("segno", {"server/services/qr.py"}),
        ("holidays", {"server/services/public_holidays.py"}),
        ("aiosmtplib", {"server/runtime/mailer.py", "server/commands/mail_check.py"}),
        ("obstore", {"server/runtime/bucket.py"}),
        ("pypdfium2", {"server/decode/pdf.py"}),
        ("pi_heif", {"server/decode/picture.py"}),
        ("pydicom", {"server/decode/dicom.py"}),
        ("redis", {"signaling/redis_store.py", "server/runtime/leases.py"}),
    ],
)
def test_a_library_is_met_in_its_own_room_only(library: str, allowed: set[str] | str) -> None:
    found = importers(library)
    strangers = {
        f for f in found if not (f.startswith(allowed) if isinstance(allowed, str) else f in allowed)
    }
    assert not strangers


def test_only_the_seam_touches_private_names_of_aiortc() -> None:
    # The bench plays the other side of the wire in a process of its own, with aiortc's own DTLS client.
    users = {name for name in importers("aiortc") if not name.startswith("media/bench/")}
    assert users <= {"media/aiortc_seam.py", "media/sdp.py", "media/session.py", "media/worker.py"}
    for name in users - {"media/aiortc_seam.py"}:
        assert not re.search(r"\b(dtls|transport|certificate)\._[a-z]", (TOP / name).read_text()), name


def test_no_import_cycle() -> None:
    modules = {module_name(path): path for path in files(*PACKAGES)}
    graph = {
        name: {n for n in imports(path, at_import_time=True) if n in modules and n != name}
        for name, path in modules.items()
    }
    # A package's __init__ only counts when it imports something itself.
    done: set[str] = set()

    def visit(name: str, trail: list[str]) -> None:
        assert name not in trail, " -> ".join([*trail[trail.index(name) :], name])
        if name in done:
            return
        for other in sorted(graph[name]):
            visit(other, [*trail, name])
        done.add(name)

    for name in sorted(graph):
        visit(name, [])


def test_no_file_outgrows_its_room() -> None:
    own = [p for s in (".py", ".js", ".mjs", ".css") for p in files(*PACKAGES, "static", suffix=s)]
    tests = files("tests")
    long = [f"{p.relative_to(TOP)}: {n}" for p in own if (n := len(p.read_text().splitlines())) > MAX_LINES]
    long += [
        f"{p.relative_to(TOP)}: {n}" for p in tests if (n := len(p.read_text().splitlines())) > MAX_TEST_LINES
    ]
    assert not long, long


def test_no_function_is_longer_than_a_screen() -> None:
    long = []
    for path in files(*PACKAGES, "tests"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                if node.end_lineno - node.lineno + 1 > MAX_FUNCTION:
                    long.append(f"{path.relative_to(TOP)}:{node.lineno} {node.name}")
    assert not long, long


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(p.relative_to(TOP))
        for p in files(*PACKAGES)
        if p.read_text().strip() and not ast.get_docstring(ast.parse(p.read_text()))
    ]
    assert not silent, silent


def test_tasks_have_an_owner() -> None:
    """A bare task may be collected half-way and its exception lost; an owner keeps and awaits it."""
    stray = []
    for path in files(*PACKAGES):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(r"asyncio\.(create_task|ensure_future)\(", line) and "self." not in line:
                stray.append(f"{path.relative_to(TOP)}:{number}: {line.strip()}")
    assert not stray, stray


def test_nothing_committed_names_a_registry_or_this_machine() -> None:
    # Spelled in pieces so that this file does not find itself.
    bad = re.compile(
        "|".join(
            [
                "pypi" + r"\.org",
                "registry\\.npm" + "js",
                "files\\.python" + "hosted",
                "/wo" + "rk/",
                "/ro" + "ot/",
            ]
        )
    )
    wrong = []
    for suffix in ("",):
        for path in files(suffix=suffix):
            if path.suffix in {".png", ".woff2", ".webm", ".ico", ".jpg"}:
                continue
            text = path.read_text(errors="ignore")
            wrong += [f"{path.relative_to(TOP)}: {m.group()}" for m in bad.finditer(text)]
    assert not wrong, wrong


def test_pages_carry_no_inline_script_or_style() -> None:
    wrong = []
    for path in files("static", suffix=".html"):
        text = path.read_text()
        if re.search(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=", text):
            wrong.append(path.name)
    for path in files("static", suffix=".js"):
        if "vendor" not in path.parts and re.search(r"\.(inner|outer)HTML\s*=", path.read_text()):
            wrong.append(str(path.relative_to(TOP)))
    assert not wrong, wrong


def texts_of(node: ast.expr | None) -> list[str]:
    """What an argument can be, as far as it is written there: a text, or one of two."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return texts_of(node.body) + texts_of(node.orelse)
    return []


def audited() -> set[str]:
    """Actions of the audit that stand in a call of `Entry`, or of a helper that notes one."""
    found: set[str] = set()
    for path in files("server"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "action":
                found |= {one for one in texts_of(node.value) if "." not in one}
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name == "Entry" and "bucket" not in path.name:
                given = node.args[:1] or [one.value for one in node.keywords if one.arg == "action"]
                found |= {one for each in given for one in texts_of(each)}
            elif name in ("_note", "note", "_noted", "noted", "entry", "_entry", "acted"):
                found |= {
                    one
                    for each in node.args
                    for one in texts_of(each)
                    if re.fullmatch(r"[a-z]+(_[a-z]+)+", one)
                }
    return found


def test_every_action_of_the_audit_is_in_its_list() -> None:
    """`server/domain/audit_actions.py`: the chain takes no other, and each has words in every language."""
    others = {"break_glass", "audit_review", "glass_id"}  # what is acted on, not what is done
    assert audited() - others <= ACTIONS, sorted(audited() - others - ACTIONS)
    assert len(audited()) > 90, "they are found"
