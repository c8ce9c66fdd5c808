"""Where handlers find what they need, and what the middlewares found out about a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from server.config import Settings
from server.domain.permissions import Relation
from server.services.accounts import SignedIn
from server.services.bundle import Services
from server.storage.seats import Credential

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SETTINGS: web.AppKey[Settings] = web.AppKey("settings", Settings)
SERVICES: web.AppKey[Services] = web.AppKey("services", Services)

SIGNED_IN: web.RequestKey[SignedIn] = web.RequestKey("signed_in", SignedIn)
SEAT_CREDENTIAL: web.RequestKey[Credential] = web.RequestKey("seat_credential", Credential)
ADDRESS: web.RequestKey[str] = web.RequestKey("address", str)
CASE_ID: web.RequestKey[str] = web.RequestKey("case_id", str)  # whose data, once access was granted
RELATIONS: web.RequestKey[frozenset[Relation]] = web.RequestKey("relations", frozenset)  # to that case
