"""Signing in: a password and, where there is one, a second step. The cookie between the two opens nothing."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server.domain.password import LONGEST
from server.domain.people import Account
from server.services.accounts import SignedIn
from server.services.signing_in import STEP_LIFE_MS, From, HalfWay
from server.web.cookies import drop_cookie, session_cookie_name, set_cookie, step_cookie_name
from server.web.errors import parsed
from server.web.keys import ADDRESS, SERVICES, SETTINGS


class SignIn(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    email: str = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=LONGEST)


class Code(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    code: str = Field(min_length=6, max_length=40)


async def sign_in(request: web.Request) -> web.Response:
    """POST /api/sign-in {email, password} → {account} + cookie, or {ways} + the cookie of a half-way one"""
    body = await parsed(request, SignIn)
    outcome = await request.app[SERVICES].ways_in.signing_in.by_password(
        body.email, body.password, whence(request)
    )
    return entered(request, outcome)


async def code(request: web.Request) -> web.Response:
    """POST /api/sign-in/code {code} (of the app, or a recovery code) → {account} + cookie"""
    body = await parsed(request, Code)
    outcome = await request.app[SERVICES].ways_in.signing_in.by_code(
        step_secret(request), body.code, whence(request)
    )
    return entered(request, outcome)


def whence(request: web.Request) -> From:
    return From(request[ADDRESS], request.headers.get("User-Agent", ""))


def step_secret(request: web.Request) -> str | None:
    return request.cookies.get(step_cookie_name(request.app[SETTINGS]))


def set_step(response: web.StreamResponse, request: web.Request, secret: str) -> None:
    settings = request.app[SETTINGS]
    set_cookie(response, settings, step_cookie_name(settings), secret, STEP_LIFE_MS // 1000, "Lax")


def entered(request: web.Request, outcome: SignedIn | HalfWay) -> web.Response:
    if isinstance(outcome, HalfWay):
        response = web.json_response({"ways": outcome.ways})
        set_step(response, request, outcome.secret)
        return response
    response = web.json_response({"account": account_json(outcome.account)})
    set_session(response, request, outcome)
    return response


def set_session(response: web.StreamResponse, request: web.Request, outcome: SignedIn) -> None:
    settings = request.app[SETTINGS]
    life_s = settings.account_session_hours * 3600
    set_cookie(response, settings, session_cookie_name(settings), outcome.secret, life_s, "Lax")
    if step_secret(request):
        drop_cookie(response, settings, step_cookie_name(settings))


def account_json(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "roles": list(account.roles),
        "language": account.language,
        "time_zone": account.time_zone,
        "site_id": account.site_id,
    }
