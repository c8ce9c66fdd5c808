"""One run of a child that does a job: the job on its stdin, progress and one result line on its stdout.

It ends with the server, and its whole process group with it. It must not write the job, which holds keys,
anywhere but to the child's stdin. What the child made counts only after a good result line.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
from collections.abc import Callable
from typing import Any

from server.runtime.machinery import start_child
from server.runtime.pipes import pass_through
from server.runtime.tasks import TaskOwner

SILENCE_S = 300.0
"""A child that says nothing for so long is taken for hung."""
LONGEST_LINE = 16 * 1024 * 1024

Told = dict[str, Any]


class JobChild:
    """`run` once; `kill` from anywhere. `command` gets our process id as its last argument.

    `refuse` makes the error that `run` raises of a code: cancelled (killed before it began), `<name>_killed`,
    `<name>_silent`, `<name>_failed`, or the child's own.
    """

    def __init__(
        self, name: str, command: tuple[str, ...], owner: TaskOwner, refuse: Callable[[str], Exception]
    ) -> None:
        self._name = name
        self._command = command
        self._owner = owner
        self._refuse = refuse
        self._log = logging.getLogger(f"hyeopjin.media.{name}")
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

    async def run(
        self,
        job: bytes,
        *,
        inherits: tuple[int, ...] = (),
        started: Callable[[], None] = lambda: None,
        said: Callable[[Told], None] = lambda _line: None,
    ) -> Told:
        """The result line of a run that succeeded. Raises what `refuse` makes.

        `inherits`: descriptors that the child gets; `started` is called when it has them. `said` is given
        each line of progress.
        """
        command = (*self._command, str(os.getpid()))
        process = await start_child(command, limit=LONGEST_LINE, pass_fds=inherits)
        self._process = process
        started()
        assert process.stderr is not None  # noqa: S101 - PIPE was asked for
        errors = self._owner.spawn(pass_through(process.stderr, self._log), "stderr")
        try:
            if self._killed:
                raise self._refuse("cancelled")
            result = await self._converse(process, job, said)
            code = await process.wait()
        finally:
            if process.returncode is None:
                self.kill()
                await process.wait()
            await asyncio.wait([errors], timeout=0.5)
        if code < 0:
            raise self._refuse(f"{self._name}_killed")
        if code != 0 or not result.get("ok"):
            raise self._refuse(self._code_of(result))
        return result

    async def _converse(
        self, process: asyncio.subprocess.Process, job: bytes, said: Callable[[Told], None]
    ) -> Told:
        """Hand over the job, follow what is said; the result line, or nothing."""
        assert process.stdin is not None  # noqa: S101 - PIPE was asked for
        assert process.stdout is not None  # noqa: S101
        with contextlib.suppress(ConnectionError):
            process.stdin.write(job)
            await process.stdin.drain()
            process.stdin.close()
        result: Told = {}
        while True:
            try:
                line = await asyncio.wait_for(process.stdout.readline(), SILENCE_S)
            except TimeoutError:
                raise self._refuse(f"{self._name}_silent") from None
            except ValueError:
                raise self._refuse(f"{self._name}_failed") from None
            if not line:
                return result
            with contextlib.suppress(ValueError):
                told = json.loads(line)
                if isinstance(told, dict):
                    if "ok" in told:
                        result = told
                    else:
                        said(told)

    def _code_of(self, result: Told) -> str:
        code = result.get("code")
        known = isinstance(code, str) and code.replace("_", "").isalnum()
        return str(code) if known else f"{self._name}_failed"
