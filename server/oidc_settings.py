"""`[oidc]`: an organisation's own sign-in. A part of the settings (`server/config.py`)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Oidc(BaseModel):
    """No issuer: off. The client's secret is a file: `secret_file`, else `secrets/oidc_client_secret` in the
    data directory; a public client has none.

    `accepted_amr`, `accepted_acr`: what the provider must say so that its sign-in counts as two steps.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(default="", max_length=255)
    client_id: str = Field(default="", max_length=255)
    label: str = Field(default="OpenID", min_length=1, max_length=40)
    secret_file: Path | None = None
    accepted_amr: tuple[str, ...] = ()
    accepted_acr: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _belongs_together(self) -> Oidc:
        if not self.issuer:
            return self
        parts = urlsplit(self.issuer)
        if not is_safe(self.issuer, near=True) or parts.query or parts.fragment or parts.username:
            raise ValueError(
                "issuer must look like https://login.example.org/realm (http on this machine only)"
            )
        if not self.client_id:
            raise ValueError("client_id must be what the provider calls this server")
        return self

    @property
    def is_near(self) -> bool:
        """The provider is on this machine."""
        return urlsplit(self.issuer).hostname in LOOPBACK


def is_safe(url: str, *, near: bool) -> bool:
    """https; http for a provider of this machine alone (`near`)."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if not parts.hostname:
        return False
    return parts.scheme == "https" or (near and parts.scheme == "http" and parts.hostname in LOOPBACK)
