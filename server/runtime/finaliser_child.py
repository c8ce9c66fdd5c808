"""One run of the finaliser: a niced child with a job on its stdin, progress and a result on its stdout.

It ends with the server, and the whole process group with it. It must not write the job, which holds keys,
anywhere but to the child's stdin.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
from pathlib import Path
from typing import Any

from server.runtime.machinery import child_environment
from server.runtime.pipes import pass_through
from server.runtime.tasks import TaskOwner

child_log = logging.getLogger("hyeopjin.media.finaliser")

SILENCE_S = 300.0
"""A child that says nothing for so long is taken for hung."""
_PACKAGES = Path(__file__).resolve().parents[2]


class FinaliseError(Exception):
    """One run failed. `code`: finaliser_killed, finaliser_failed, finaliser_silent, output_unreadable …"""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class FinaliserChild:
    """`run` once; `kill` from anywhere. `command` gets our process id as its last argument."""

    def __init__(self, owner: TaskOwner, command: tuple[str, ...]) -> None:
        self._owner = owner
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._killed = False

    @property
    def pid(self) -> int | None:
        """The child's process id, also after its end."""
        return None if self._process is None else self._process.pid

    @property
    def returncode(self) -> int | None:
        """As of `asyncio.subprocess.Process`; None while it runs or has not begun."""
        return None if self._process is None else self._process.returncode

    def kill(self) -> None:
        """SIGKILL, at once or as soon as it has started."""
        self._killed = True
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def run(self, job: bytes) -> dict[str, Any]:
        """The result line of a run that succeeded. Raises FinaliseError."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            str(os.getpid()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            cwd=_PACKAGES,
            env=child_environment(),
            limit=16 * 1024 * 1024,
        )
        self._process = process
        assert process.stderr is not None  # noqa: S101 - PIPE was asked for
        errors = self._owner.spawn(pass_through(process.stderr, child_log), "stderr")
        try:
            if self._killed:
                raise FinaliseError("cancelled")
            result = await self._converse(process, job)
            code = await process.wait()
        finally:
            if process.returncode is None:
                self.kill()
                await process.wait()
            await asyncio.wait([errors], timeout=0.5)
        if code != 0 or result is None:
            raise FinaliseError("finaliser_killed" if code < 0 else _code_of(result))
        return result

    async def _converse(self, process: asyncio.subprocess.Process, job: bytes) -> dict[str, Any] | None:
        """Hand over the job, follow the progress; the last JSON object with a result, or None."""
        assert process.stdin is not None  # noqa: S101 - PIPE was asked for
        assert process.stdout is not None  # noqa: S101
        with contextlib.suppress(ConnectionError):
            process.stdin.write(job)
            await process.stdin.drain()
            process.stdin.close()
        result: dict[str, Any] | None = None
        while True:
            try:
                line = await asyncio.wait_for(process.stdout.readline(), SILENCE_S)
            except TimeoutError:
                raise FinaliseError("finaliser_silent") from None
            except ValueError:
                raise FinaliseError("finaliser_failed") from None
            if not line:
                return result
            with contextlib.suppress(ValueError):
                told = json.loads(line)
                if isinstance(told, dict):
                    result = told


def _code_of(result: dict[str, Any] | None) -> str:
    code = (result or {}).get("code")
    return code if isinstance(code, str) and code.replace("_", "").isalnum() else "finaliser_failed"
