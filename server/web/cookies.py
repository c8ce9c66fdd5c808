"""Cookie names and attributes: `__Host-`, Secure, HttpOnly; no prefix on plain-http localhost."""

from __future__ import annotations

from aiohttp import web

from server.config import Settings

SEAT_LIFE_S = 24 * 3600


def session_cookie_name(settings: Settings) -> str:
    return _named(settings, "session")


def step_cookie_name(settings: Settings) -> str:
    """Of a browser that is about to sign in."""
    return _named(settings, "sign-in")


def seat_cookie_name(settings: Settings, seat_id: str) -> str:
    return _named(settings, f"seat-{seat_id}")


def knock_cookie_name(settings: Settings, seat_id: str) -> str:
    return _named(settings, f"knock-{seat_id}")


def set_cookie(
    response: web.StreamResponse, settings: Settings, name: str, value: str, max_age_s: int, same_site: str
) -> None:
    """`same_site`: Strict for seats and knocks, Lax for the account (a mailed link finds one signed in)."""
    response.set_cookie(
        name,
        value,
        max_age=max_age_s,
        path="/",
        secure=settings.secure_cookies,
        httponly=True,
        samesite=same_site,
    )


def drop_cookie(response: web.StreamResponse, settings: Settings, name: str) -> None:
    response.del_cookie(name, path="/", secure=settings.secure_cookies, httponly=True, samesite="Lax")


def _named(settings: Settings, name: str) -> str:
    return f"__Host-{name}" if settings.secure_cookies else name
