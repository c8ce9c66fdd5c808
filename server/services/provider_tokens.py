"""Whose an id_token is: signature, issuer, audience, hours and nonce. Only this file speaks JOSE."""

from __future__ import annotations

import base64
import json
import re
import warnings
from dataclasses import dataclass, field
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import KeySet

from server.domain.errors import Refused
from server.domain.staff import EMAIL, MAX_EMAIL
from server.oidc_settings import Oidc

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
"""None with a shared secret, and not `none`."""
LONGEST: Final = 16 * 1024
SUBJECT: Final = re.compile(r"[ -~]{1,255}")
"""OpenID Connect Core, 2: at most 255 ASCII characters."""
LEEWAY_S, OLDEST_S = 60, 10 * 60


@dataclass(frozen=True, slots=True)
class Vouched:
    """What the provider says of somebody."""

    subject: str = field(repr=False)
    email: str = field(repr=False)  # "": none, or not verified
    two_steps: bool  # and that counts here


def key_id(token: str) -> str | None:
    """Which key a token says that it was signed by. Raises Refused `provider_refused`."""
    try:
        head = token[:LONGEST].split(".", 1)[0]
        kid = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))).get("kid")
    except (ValueError, AttributeError, RecursionError):
        raise Refused("provider_refused") from None
    return kid if isinstance(kid, str) else None


def vouched(token: str, keys: dict[str, Any], oidc: Oidc, nonce: str, now_s: int) -> Vouched:
    """Raises Refused `provider_refused`, whatever is wrong with it."""
    if len(token) > LONGEST:
        raise Refused("provider_refused")
    registry = jwt.JWTClaimsRegistry(
        now=now_s,
        leeway=LEEWAY_S,
        iss={"essential": True, "value": oidc.issuer},
        aud={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # the name EdDSA is old, what it means is not
            kid = key_id(token)
            named = [key for key in keys["keys"] if kid is None or key.get("kid") == kid]
            known = KeySet.import_key_set({"keys": named})
            claims = jwt.decode(token, known, algorithms=list(ALGORITHMS)).claims
        registry.validate(claims)
    except Exception:  # the library raises more than its own for what a stranger made up
        raise Refused("provider_refused") from None
    subject = claims["sub"]
    if (
        not isinstance(subject, str)
        or not SUBJECT.fullmatch(subject)
        or not _for_us(claims, oidc)
        or claims["iat"] < now_s - OLDEST_S
    ):
        raise Refused("provider_refused")
    email = claims.get("email")
    usable = isinstance(email, str) and len(email) <= MAX_EMAIL and EMAIL.fullmatch(email) is not None
    verified = claims.get("email_verified") is True and usable
    return Vouched(subject, str(email) if verified else "", _two_steps(claims, oidc))


def _for_us(claims: dict[str, Any], oidc: Oidc) -> bool:
    """Of several audiences we must be the one that asked."""
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    party = claims.get("azp", oidc.client_id if len(audience) == 1 else None)
    return oidc.client_id in audience and party == oidc.client_id


def _two_steps(claims: dict[str, Any], oidc: Oidc) -> bool:
    methods = claims.get("amr")
    shown = {each for each in methods if isinstance(each, str)} if isinstance(methods, list) else set()
    return not shown.isdisjoint(oidc.accepted_amr) or claims.get("acr") in oidc.accepted_acr
