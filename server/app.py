"""The composition root: builds every part in order, joins them, and closes them in reverse.

It must not hold rules. A reader's entry: settings → books → media plane → rooms → web.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from media.native.build import is_built
from media.recordstore.disk import Disk
from server.asides import asides_of
from server.clustering import cluster_of, one_at_a_time
from server.config import ConfigError, Settings
from server.directory import Books
from server.documents import CHECKS, keep_documents
from server.export.exporting import IDLE_S, Exporting
from server.gate import SeatGate
from server.live import Emptied, LiveRooms
from server.playback.flags import Flags
from server.playback.interpretation import Interpretations
from server.playback.playback import Playback
from server.runtime.audit_keeper import AuditKeeper, places
from server.runtime.disks import Disks, disks_of
from server.runtime.finalising import Finalising, FinalisingOptions
from server.runtime.fleet import Fleet
from server.runtime.fleet_metrics import by_worker, living, totals
from server.runtime.keystore import KeyStore
from server.runtime.load import Limits
from server.runtime.machinery import MACHINERY, Machinery
from server.runtime.mailer import Mailer
from server.runtime.measuring import MeasuringRooms
from server.runtime.objects import Objects
from server.runtime.operating import Operating
from server.runtime.operator_socket import OperatorSocket
from server.runtime.reconciling import reconcile
from server.runtime.relay_watch import RelayWatch
from server.runtime.retention_parts import RetentionParts, retention_parts
from server.runtime.supervisor import WorkerOptions
from server.runtime.tasks import TaskOwner
from server.runtime.workers import LocalWorkers
from server.safekeeping import ROLL_AFTER_S, SafeKeeping
from server.services.bundle import Services, build_services
from server.services.context import Context
from server.services.exports import build_exports
from server.services.probing import CREDENTIAL_S
from server.storage.database import Database
from server.storage.migrate import is_current, migrate
from server.storage.rates import recorded_rate
from server.turn import ice_servers_of, relay_address
from server.web.exports import EXPORTS
from server.web.factory import build_web
from server.web.front import FrontRunner
from server.web.health import HEALTH, Health
from server.web.keys import SERVICES
from server.web.protection import security_headers
from server.web.recordings import PLAYBACK
from server.web.renderings import FLAGS, INTERPRETATIONS
from signaling.hub import Hub
from signaling.store import RoomStore

log = logging.getLogger("hyeopjin.app")

SHUTDOWN_S = 0.3  # how long a running answer may take once we stop
ABANDONED_EVERY_S = 30.0
OVER_EVERY_S = 2.0
ASKED_ELSEWHERE_S = 5.0


@dataclass(frozen=True, slots=True)
class Running:
    """A started server. `port` is the one really bound."""

    settings: Settings
    services: Services
    health: Health
    hub: Hub
    finalising: Finalising
    port: int
    closing: contextlib.AsyncExitStack  # what is pushed here closes first


@contextlib.asynccontextmanager
async def running(settings: Settings, machinery: Machinery = MACHINERY) -> AsyncIterator[Running]:
    """Everything is up inside the block and down after it, within 3 s; the parts close in reverse."""
    async with contextlib.AsyncExitStack() as stack:
        disks = await _disks(settings, machinery)
        cluster = cluster_of(settings)
        await cluster.start(stack)
        services = await _books(settings, stack)
        context = services.context
        health = _health(context.database)
        keys = await asyncio.to_thread(KeyStore.open, settings.data_dir)
        workers = LocalWorkers(_worker_options(settings, machinery), settings.media_ports, cluster.prefix)
        limits, placed = Limits.of(settings.media_max_people), cluster.placements
        media = Fleet(cluster.roster(workers), keys, services.recordings, placements=placed, limits=limits)
        keeping = SafeKeeping(settings, services, machinery.disk)
        finalising = Finalising(
            services.recordings,
            keys,
            keeping.objects,
            _finalising_options(settings, machinery),
            occupied=lambda room: context.live.presence(room),
            wait_closed=media.wait_closed,
            restore=keeping.restore,
        )
        media.on_live = finalising.returned

        gate, asides = SeatGate(services), asides_of(services, cluster.store)
        hub = Hub(
            store=cluster.store, directory=Books(services), media=media, gate=gate,
            listener=Emptied(services, finalising), instance=cluster.instance,
            session_ends_after_ms=settings.session_grace_s * 1000,
            ice_servers=ice_servers_of(settings, context.now_ms),
        )  # fmt: skip
        media.attach(hub)
        context.live = LiveRooms(hub, gate, asides)

        app = build_web(settings, services, health)
        _probing(settings, services, media, stack)
        retention = await _keeping(app, keys, keeping.objects, finalising, machinery.disk)
        cluster.join(app, hub, gate, settings.public_url, media, health, asides)
        _watch(health, media, workers, finalising, cluster.store, hub)
        health.sources.append(disks.metrics)

        async def work(within: contextlib.AsyncExitStack) -> None:
            if cluster.instance:
                await keeping.start(health, within)
            await _behind_the_rooms(app, keys, finalising, retention, within)
            _housekeeping(services, disks, finalising, within, bool(cluster.instance))

        # Each is told to stop even if its start was interrupted half-way.
        if not cluster.instance:
            await keeping.start(health, stack)  # its end comes after the worker's
        stack.push_async_callback(media.stop)
        await media.start()
        await _operating(settings, media, workers, stack)
        stack.push_async_callback(hub.aclose)
        await hub.start()
        await cluster.keep(work, stack)
        port = await _listen(app, settings, stack)
        yield Running(settings, services, health, hub, finalising, port, stack)
        log.info("stopping")


def _health(database: Database) -> Health:
    health = Health()
    health.facts["media_path"] = "native" if is_built() else "python"
    health.checks["database"] = database.ping
    health.checks["schema"] = lambda: is_current(database)
    return health


async def _behind_the_rooms(
    app: web.Application,
    keys: KeyStore,
    finalising: Finalising,
    retention: RetentionParts,
    stack: contextlib.AsyncExitStack,
) -> None:
    """The finaliser, the queue of exports, the runner that destroys what is over or withdrawn, and mail."""
    stack.push_async_callback(app[INTERPRETATIONS].close)
    stack.push_async_callback(finalising.stop)
    await finalising.start()
    context = app[SERVICES].context
    # Another instance may have been asked for it: then nobody nudges this one.
    idle_s = ASKED_ELSEWHERE_S if context.settings.redis_url else IDLE_S
    exporting = Exporting(context, app[EXPORTS], keys, lambda: context.live.busy(), idle_s=idle_s)
    stack.push_async_callback(exporting.stop)
    await exporting.start()
    stack.push_async_callback(retention.runner.stop)
    await retention.runner.start()
    stack.push_async_callback(app[CHECKS].stop)
    await app[CHECKS].start()
    mailer = Mailer(context, app[SERVICES].mailing)
    stack.push_async_callback(mailer.stop)
    await mailer.start()
    keeper = AuditKeeper(context, keys.signing_key)
    chain = app[SERVICES].audit_chain
    chain.verify_key, chain.places = keys.verify_key, places(context.settings)
    app[HEALTH].sources.append(keeper.metrics)
    stack.push_async_callback(keeper.stop)
    await keeper.start()


async def _disks(settings: Settings, machinery: Machinery) -> Disks:
    """The file systems in use; a full one gets its reserve back before the database is opened."""
    await asyncio.to_thread(_make_directories, settings)
    disks = disks_of(settings, machinery.disk)
    await asyncio.to_thread(disks.look)
    return disks


async def _books(settings: Settings, stack: contextlib.AsyncExitStack) -> Services:
    """The database at its newest schema, and the use cases over it."""
    database = Database(settings.database)
    stack.push_async_callback(database.close)
    async with one_at_a_time(settings):
        await migrate(database)
    services = build_services(Context(settings, database))
    stack.callback(services.passwords.close)
    return services


def _make_directories(settings: Settings) -> None:
    for path in (
        settings.data_dir,
        settings.journal_dir,
        settings.objects_dir,
        settings.exports_dir,
        settings.run_dir,
    ):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)


def _worker_options(settings: Settings, machinery: Machinery) -> WorkerOptions:
    return WorkerOptions(
        journal_root=settings.journal_dir,
        run_dir=settings.run_dir,
        udp_host=settings.media_udp_host,
        announce=settings.media_announce,
        log_level=settings.log_level.upper(),
        command=machinery.worker,
        roll_after_s=ROLL_AFTER_S if settings.objects.bucket else 0.0,
        floor_bytes=settings.disk_floor_bytes,
    )


def _finalising_options(settings: Settings, machinery: Machinery) -> FinalisingOptions:
    return FinalisingOptions(
        settings.journal_dir,
        settings.restart_grace_s,
        machinery.finaliser,
        floor_bytes=settings.disk_floor_bytes,
    )


async def _keeping(
    app: web.Application, keys: KeyStore, objects: Objects, finalising: Finalising, disk: Disk
) -> RetentionParts:
    """What opens, exports and destroys; what was destroyed is learned here, before anybody may open it."""
    services = app[SERVICES]
    context = services.context
    store = keep_documents(app, keys, objects.remote, disk)
    app[PLAYBACK] = Playback(context.database, services.recordings, keys, objects)
    app[EXPORTS] = build_exports(context, services.recordings, keys, objects)
    app[INTERPRETATIONS] = Interpretations(context.database, services.recordings, app[PLAYBACK])
    app[FLAGS] = Flags(context, app[INTERPRETATIONS], app[PLAYBACK])
    finalising.on_ready = app[INTERPRETATIONS].ready
    parts = retention_parts(
        context, services.retention, keys, objects, app[EXPORTS].destroy_of, store, finalising.quiet
    )
    async with one_at_a_time(context.settings):
        await reconcile(parts.store, context.now_ms())
    app[HEALTH].sources.append(services.retention.counts)
    return parts


async def _operating(
    settings: Settings, media: Fleet, workers: LocalWorkers, stack: contextlib.AsyncExitStack
) -> None:
    """What the operator's command line asks of a running server."""
    operator = OperatorSocket(settings.run_dir, Operating(media, workers).answer)
    stack.push_async_callback(operator.close)
    await operator.start()


def _probing(settings: Settings, services: Services, media: Fleet, stack: contextlib.AsyncExitStack) -> None:
    """What a page's check of its way asks, and a site's self-test."""
    services.self_tests.lines = measuring = MeasuringRooms(media)
    stack.push_async_callback(measuring.stop)
    services.probing.offers = media.probes
    services.probing.relays = ice_servers_of(settings, services.context.now_ms, CREDENTIAL_S)
    services.probing.relay_fault = RelayWatch([relay_address(url) for url in settings.turn.urls]).fault


def _watch(
    health: Health,
    media: Fleet,
    workers: LocalWorkers,
    finalising: Finalising,
    store: RoomStore,
    hub: Hub,
) -> None:
    """What /readyz asks and /metrics tells."""

    async def one_answers() -> bool:
        return media.ready

    async def all_answer() -> bool:
        return len(living(media, workers)) == workers.wanted

    async def numbers() -> dict[str, float]:
        return {
            "hyeopjin_rooms": float(len(await store.rooms())),
            "hyeopjin_room_events_refused": float(hub.counts["events_refused"]),
            "hyeopjin_recordings_to_finalise": float(finalising.waiting),
            "hyeopjin_tracks_out_of_step": float(finalising.out_of_step),
        }

    health.checks["worker"] = one_answers
    health.wishes["workers"] = all_answer
    health.sources += [numbers, lambda: totals(media, workers)]
    health.labelled.append(lambda: by_worker(media, workers))


def _housekeeping(
    services: Services, disks: Disks, finalising: Finalising, stack: contextlib.AsyncExitStack, shared: bool
) -> None:
    """What runs by the clock: the watch over the disks, and the books' own."""
    owner = TaskOwner("server")
    stack.push_async_callback(owner.close)
    owner.spawn(disks.watch(lambda: recorded_rate(services.context.database)), "disks")
    owner.spawn(_every(ABANDONED_EVERY_S, services, services.rooms.end_abandoned), "abandoned")
    owner.spawn(_every(OVER_EVERY_S, services, services.rooms.close_over), "over")
    if shared:  # rooms empty at other instances too
        owner.spawn(_every(OVER_EVERY_S, services, finalising.look), "emptied")


async def _every(seconds: float, services: Services, work: Callable[[int], Awaitable[object]]) -> None:
    """The books' own housekeeping: sessions nobody came back to, rooms that another process closed."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await work(services.context.now_ms())
        except Exception:
            log.exception("housekeeping failed")


async def _listen(app: web.Application, settings: Settings, stack: contextlib.AsyncExitStack) -> int:
    """Binds every address; one that this machine lacks (::1 in many containers) is left out."""
    headers = security_headers(settings)
    runner = FrontRunner(app, headers, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    tls = _tls(settings)
    port, bound = settings.port, 0
    for host in settings.bind:
        site = web.TCPSite(runner, host, port, ssl_context=tls, reuse_address=True)
        try:
            await site.start()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise ConfigError(f"Another program listens on port {port} already.") from None
            if bound == 0 and host == settings.bind[-1]:
                raise ConfigError(f"None of the addresses {', '.join(settings.bind)} is here.") from None
            log.warning("an address could not be bound: errno %s", error.errno)
            continue
        bound += 1
        if port == 0:
            port = int(runner.addresses[0][1])
    return port


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return context
