"""Where recordings are kept: the objects, the object store if there is one, copies of journals, their return.

A corner of the composition root: it builds these parts in order and starts them. It must not hold rules.
"""

from __future__ import annotations

import contextlib

from media.recordstore.disk import Disk
from server.config import Settings
from server.runtime.journal_restore import JournalRestore
from server.runtime.object_stores import objects_of, s3_options, tidy
from server.runtime.segment_copier import SegmentCopier
from server.runtime.tasks import TaskOwner
from server.services.bundle import Services
from server.storage.journals import Journals
from server.web.health import Health

ROLL_AFTER_S = 10.0  # with an object store: a segment that has ended can be copied there


class SafeKeeping:
    """`start` before the media plane, so that its end comes after the worker's. Raises ConfigError."""

    def __init__(self, settings: Settings, services: Services, disk: Disk) -> None:
        self._settings = settings
        self._now_ms = services.context.now_ms
        self.objects = objects_of(settings, disk)
        self.journals = Journals(services.context.database)
        remote, root = self.objects.remote, settings.journal_dir
        self.restore = JournalRestore(services.recordings, self.journals, remote, root, disk).restore
        self._copier = None if remote is None else SegmentCopier(self.journals, remote, root)

    async def start(self, health: Health, stack: contextlib.AsyncExitStack) -> None:
        """Begin to copy, and clear up what a killed server left in the store."""
        options = s3_options(self._settings)
        if self._copier is None or options is None:
            return
        health.sources += [self._numbers, self._copier.numbers]
        stack.push_async_callback(self._copier.stop)
        await self._copier.start()
        owner = TaskOwner("safekeeping")
        stack.push_async_callback(owner.close)
        owner.spawn(tidy(options, self._now_ms()), "unfinished uploads")

    async def _numbers(self) -> dict[str, float]:
        """Whether the object store answered the last request."""
        remote = self.objects.remote
        return {} if remote is None else {"hyeopjin_object_store_up": float(remote.answers)}
