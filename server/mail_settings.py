"""`[mail]`: the mail server that takes what this one sends. A part of the settings (`server/config.py`)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
ADDRESS = re.compile(r"[^@\s<>\"\x00-\x1f]+@[^@\s<>\"\x00-\x1f]+")


class MailServer(BaseModel):
    """No host: nothing is sent, and what waits is dropped when its hour has come.

    The password of `username` is a file: `password_file`, else `secrets/smtp_password` in the data directory.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(default="", pattern=r"^[A-Za-z0-9.:-]{0,253}$")
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "plain"] = "starttls"
    allow_plain: bool = False  # plain beyond this machine: addresses and hours can be read on the way
    sender: str = ""
    username: str = Field(default="", max_length=320)
    password_file: Path | None = None

    @model_validator(mode="after")
    def _belongs_together(self) -> MailServer:
        if not self.host:
            return self
        if not ADDRESS.fullmatch(self.sender):
            raise ValueError("sender must be an address, like consult@example.org")
        if self.security == "plain" and self.host not in LOOPBACK and not self.allow_plain:
            raise ValueError(
                "security must be starttls or tls unless host is localhost or allow_plain is set"
            )
        return self
