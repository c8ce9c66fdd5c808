"""`[audit]`: where the audit is told again, and who may break the glass. A part of `server/config.py`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from server.mail_settings import LOOPBACK

EXAMPLE_ENTERPRISE = 32473
"""RFC 5612: the number for documentation. An institution has its own."""


class AuditSettings(BaseModel):
    """`second_place`: a directory on another machine or disk where checkpoints are written too.

    `syslog`: udp://, tcp:// or tls://host:port of a collector that every entry is sent to.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    checkpoint_s: int = Field(default=60, ge=1, le=3600)
    second_place: Path | None = None
    syslog: str = ""
    syslog_ca: Path | None = None  # PEM; none: the system's own
    syslog_allow_plain: bool = False  # udp or tcp beyond this machine: ids and addresses can be read
    syslog_enterprise: int = Field(default=EXAMPLE_ENTERPRISE, ge=1, le=2**31 - 1)  # IANA's, in SD-ID

    break_glass_minutes: int = Field(default=60, ge=5, le=480)
    break_glass_words: int = Field(default=5, ge=1, le=50)  # of the reason, at least
    break_glass_physicians: bool = False  # referring and consulting ones too, not the privacy officer alone

    @model_validator(mode="after")
    def _syslog_is_a_collector(self) -> AuditSettings:
        if not self.syslog:
            return self
        parts = urlsplit(self.syslog)
        try:
            port = parts.port
        except ValueError:
            port = None
        if parts.scheme not in ("udp", "tcp", "tls") or not parts.hostname or not port or parts.path:
            raise ValueError("syslog must look like tls://siem.example.org:6514, udp:// or tcp://")
        if parts.scheme != "tls" and parts.hostname not in LOOPBACK and not self.syslog_allow_plain:
            raise ValueError(
                "syslog must be tls:// unless the collector is on this machine or syslog_allow_plain is set: "
                "who saw which patient is in it"
            )
        return self
