"""Refusals as JSON: `{"error": {"code", "message_id", …numbers}}`. No text, no echo of what was sent."""

from __future__ import annotations

import logging
import re
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from server.domain.errors import STATUS_BY_CODE, FormRefused, Refused, message_id
from server.web.keys import Handler

log = logging.getLogger("hyeopjin.web")

Model = TypeVar("Model", bound=BaseModel)

#: A zero character as JSON writes it; a backslash before it would be a backslash and five letters.
_ZERO = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

CODE_BY_STATUS = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "json_only",
    416: "range_not_satisfiable",
}


def refusal(
    code: str, facts: dict[str, int] | None = None, fields: dict[str, str] | None = None
) -> web.Response:
    """The one way to say no. `fields`: what is wrong with which field of a form, as a code."""
    body: dict[str, dict[str, object]] = {
        "error": {"code": code, "message_id": message_id(code), **(facts or {})}
    }
    if fields:
        body["error"]["fields"] = fields
    response = web.json_response(body, status=STATUS_BY_CODE[code])
    if facts and "retry_after_s" in facts:
        response.headers["Retry-After"] = str(facts["retry_after_s"])
    return response


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns every exception into a refusal; one we did not expect is logged by type and place only."""
    try:
        response = await handler(request)
        if response.status >= 400 and request.path.startswith("/socket.io"):
            return refusal("bad_request")  # the library's texts quote what was sent
    except FormRefused as refused:
        return refusal(refused.code, fields=refused.fields)
    except Refused as refused:
        return refusal(refused.code, refused.facts)
    except web.RequestPayloadError:  # a body that is not the gzip or the chunks that its headers say
        return refusal("bad_request")
    except web.HTTPException as error:
        if error.status < 400:
            raise
        response = refusal(CODE_BY_STATUS.get(error.status, "bad_request"))
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except ConnectionError:
        raise  # the browser went away; nobody is left to be told
    except Exception:
        log.exception("a request failed")
        return refusal("internal")
    else:
        return response


async def parsed(request: web.Request, model: type[Model]) -> Model:
    """The request's JSON body as `model`.

    Raises Refused `bad_request`, never with the values sent, and `text_refused` for a zero character
    anywhere: PostgreSQL keeps none. Other control characters are each field's own matter: text copied out of
    a PDF has some, and they are taken out rather than refused; so are zeros in a referral's draft.
    """
    body = await request.read()
    if _ZERO.search(body):
        raise Refused("text_refused")
    try:
        return model.model_validate_json(body)
    except (ValidationError, UnicodeDecodeError):
        raise Refused("bad_request") from None


def whole_number(text: str, least: int, most: int) -> int:
    """Of what stands in an address. Raises Refused `bad_request`, also for more digits than `most` has."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most):
        raise Refused("bad_request")
    return int(text)
