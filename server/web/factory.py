"""The aiohttp application: middlewares in their order, headers, routes. It builds no part of the server."""

from __future__ import annotations

import asyncio

from aiohttp import web

from server.config import Settings
from server.services.bundle import Services
from server.web.errors import errors_as_json
from server.web.health import HEALTH, Health, counted
from server.web.keys import SERVICES, SETTINGS
from server.web.protection import client_address, install_headers, json_only, own_origin_only
from server.web.routes import add_routes
from server.web.static_files import prepare

MAX_BODY_BYTES = 64 * 1024


def build_web(settings: Settings, services: Services, health: Health) -> web.Application:
    app = web.Application(
        client_max_size=MAX_BODY_BYTES,
        middlewares=[counted, errors_as_json, client_address, own_origin_only, json_only],
    )
    app[SETTINGS] = settings
    app[SERVICES] = services
    app[HEALTH] = health
    install_headers(app, settings)
    add_routes(app)
    app.on_startup.append(_prepare_files)
    return app


async def _prepare_files(_app: web.Application) -> None:
    await asyncio.to_thread(prepare)
