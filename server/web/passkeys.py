"""Passkeys over HTTP: options out, the browser's answer in. What is in the answer only the service judges."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server.web.errors import parsed
from server.web.keys import ADDRESS, SERVICES, SIGNED_IN
from server.web.sign_in import entered, set_step, step_secret, whence


class Shown(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    credential: dict[str, Any]


class Made(Shown):
    name: str = Field(min_length=1, max_length=64)


async def sign_in_options(request: web.Request) -> web.Response:
    """POST /api/sign-in/passkey/options → what the browser is asked for, + a cookie for some minutes"""
    service = request.app[SERVICES].ways_in.passkeys
    options, secret = await service.options_to_sign_in(step_secret(request), request[ADDRESS])
    response = web.json_response(options)
    set_step(response, request, secret)
    return response


async def sign_in(request: web.Request) -> web.Response:
    """POST /api/sign-in/passkey {credential} → {account} + cookie"""
    body = await parsed(request, Shown)
    service = request.app[SERVICES].ways_in.passkeys
    return entered(request, await service.sign_in(step_secret(request), body.credential, whence(request)))


async def prove_options(request: web.Request) -> web.Response:
    """POST /api/account/prove/passkey/options → what the browser is asked for"""
    service = request.app[SERVICES].ways_in.passkeys
    return web.json_response(await service.options_to_prove(request[SIGNED_IN]))


async def prove(request: web.Request) -> web.Response:
    """POST /api/account/prove/passkey {credential} → 204"""
    body = await parsed(request, Shown)
    await request.app[SERVICES].ways_in.passkeys.prove(request[SIGNED_IN], body.credential, request[ADDRESS])
    return web.Response(status=204)


async def make_options(request: web.Request) -> web.Response:
    """POST /api/account/passkeys/options → what the browser is asked to make"""
    service = request.app[SERVICES].ways_in.passkeys
    return web.json_response(await service.options_to_make(request[SIGNED_IN]))


async def make(request: web.Request) -> web.Response:
    """POST /api/account/passkeys {credential, name} → 201 {codes}: recovery codes, when it is the first"""
    body = await parsed(request, Made)
    service = request.app[SERVICES].ways_in.passkeys
    codes = await service.make(request[SIGNED_IN], body.credential, body.name, request[ADDRESS])
    return web.json_response({"codes": codes}, status=201)


async def remove(request: web.Request) -> web.Response:
    """POST /api/account/passkeys/{passkey}/delete → 204"""
    service = request.app[SERVICES].ways_in.passkeys
    await service.remove(request[SIGNED_IN], request.match_info["passkey"], request[ADDRESS])
    return web.Response(status=204)
