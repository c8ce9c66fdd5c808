"""One run of the finaliser, a niced child."""

from __future__ import annotations

from server.runtime.job_child import JobChild
from server.runtime.tasks import TaskOwner


class FinaliseError(Exception):
    """One run failed. `code`: finaliser_killed, finaliser_failed, finaliser_silent, output_unreadable …"""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class FinaliserChild(JobChild):
    """`run` raises FinaliseError."""

    def __init__(self, owner: TaskOwner, command: tuple[str, ...]) -> None:
        super().__init__("finaliser", command, owner, FinaliseError)
