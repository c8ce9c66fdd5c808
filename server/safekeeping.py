"""Where recordings are kept: the objects, the object store if there is one, copies of journals, their return.

A corner of the composition root: it builds these parts in order and starts them. It must not hold rules.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from media.recordstore.disk import Disk
from server.config import Settings
from server.runtime.journal_cleaner import JournalCleaner
from server.runtime.journal_restore import JournalRestore
from server.runtime.object_stores import objects_of, s3_options, tidy
from server.runtime.objects import Objects
from server.runtime.segment_copier import SegmentCopier
from server.runtime.tasks import TaskOwner
from server.runtime.verifying import Verifier
from server.services.bundle import Services
from server.storage.journals import Journals
from server.storage.recordings import Recordings
from server.web.health import Health

CLEAN_EVERY_S = 3600.0
ROLL_AFTER_S = 10.0  # with an object store: a segment that has ended can be copied there


def cleaner_of(
    settings: Settings, rows: Recordings, journals: Journals, objects: Objects, now_ms: Callable[[], int]
) -> JournalCleaner:
    """The cleaner of one installation, for the server and the command line."""
    report = Verifier(settings, rows).report
    keep_days = settings.journal_keep_days
    return JournalCleaner(rows, journals, objects.remote, settings.journal_dir, report, keep_days, now_ms)


class SafeKeeping:
    """`start` before the media plane, so that its end comes after the worker's. Raises ConfigError."""

    def __init__(self, settings: Settings, services: Services, disk: Disk) -> None:
        self._settings = settings
        self._now_ms = services.context.now_ms
        self.objects = objects_of(settings, disk)
        self.journals = Journals(services.context.database)
        remote, root = self.objects.remote, settings.journal_dir
        self.restore = JournalRestore(services.recordings, self.journals, remote, root, disk).restore
        self._cleaner = cleaner_of(settings, services.recordings, self.journals, self.objects, self._now_ms)
        self._copier = None if remote is None else SegmentCopier(self.journals, remote, root)

    async def start(self, health: Health, stack: contextlib.AsyncExitStack) -> None:
        """Begin to copy, and clear up what a killed server left in the store."""
        owner = TaskOwner("safekeeping")
        stack.push_async_callback(owner.close)
        owner.spawn(self._clean(), "cleaner")
        options = s3_options(self._settings)
        if self._copier is None or options is None:
            return
        health.sources += [self._numbers, self._copier.numbers]
        stack.push_async_callback(self._copier.stop)
        await self._copier.start()
        owner.spawn(tidy(options, self._now_ms()), "unfinished uploads")

    async def _clean(self) -> None:
        """Journals that the policy lets go, once an hour, not before the server has long been up."""
        while True:
            await asyncio.sleep(CLEAN_EVERY_S)
            await self._cleaner.run()

    async def _numbers(self) -> dict[str, float]:
        """Whether the object store answered the last request."""
        remote = self.objects.remote
        return {} if remote is None else {"hyeopjin_object_store_up": float(remote.answers)}
