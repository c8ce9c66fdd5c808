"""`[documents]`: how much may be brought, how long an unfinished upload lies, and who scans it.

A part of the settings (`server/config.py`).
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from server.domain.document_kinds import wrong_in
from server.domain.retention import classes

MB, GB = 1024**2, 1024**3
CLAMD = re.compile(r"(?:unix:/[^\x00]{1,100}|[A-Za-z0-9.-]{1,253}:[0-9]{1,5}|\[[0-9A-Fa-f:]+\]:[0-9]{1,5})?")


class DocumentSettings(BaseModel):
    """No scanner: documents are shown as "not scanned". What goes to one goes in plain: keep it near."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_file_mb: int = Field(default=4096, ge=1, le=65_536)
    max_case_gb: int = Field(default=40, ge=1)
    max_case_files: int = Field(default=500, ge=1, le=10_000)
    max_site_gb: int = Field(default=2000, ge=1)
    preview_mb: int = Field(default=512, ge=0, le=1_048_576)  # pictures of pages, sealed, made once; 0: none
    uploads_per_account: int = Field(default=20, ge=1, le=1000)  # unfinished ones
    upload_hours: int = Field(default=72, ge=1, le=24 * 60)  # after the last byte that came
    clamd: str = ""  # "unix:/run/clamav/clamd.ctl" or "host:3310"
    icap: str = ""  # "icap://host:1344/avscan"
    retention_class: str = "findings"  # how long after a case's last event its documents are kept
    scan_mb: int = Field(
        default=96, ge=1, le=2047
    )  # larger ones are not scanned; within the scanner's limits
    scan_required: bool = False  # what could not be scanned waits until it can
    required: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # kinds that a referral must have

    @field_validator("clamd")
    @classmethod
    def _clamd_is_an_address(cls, value: str) -> str:
        if not CLAMD.fullmatch(value):
            raise ValueError("must look like unix:/run/clamav/clamd.ctl or 127.0.0.1:3310")
        return value

    @field_validator("icap")
    @classmethod
    def _icap_is_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme != "icap" or not parts.hostname or not value.isascii()):
            raise ValueError("must look like icap://127.0.0.1:1344/avscan")
        if any(letter.isspace() for letter in value):
            raise ValueError("must not contain spaces")
        return value

    @field_validator("retention_class")
    @classmethod
    def _class_exists(cls, value: str) -> str:
        if value not in classes():
            raise ValueError(f"is no retention class ({', '.join(sorted(classes()))})")
        return value

    @field_validator("required")
    @classmethod
    def _requires_what_there_is(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        if said := wrong_in(value):
            raise ValueError(said)
        return value

    @property
    def file_bytes(self) -> int:
        return self.max_file_mb * MB

    @property
    def scan_bytes(self) -> int:
        return self.scan_mb * MB

    @property
    def preview_bytes(self) -> int:
        return self.preview_mb * MB

    @property
    def case_bytes(self) -> int:
        return self.max_case_gb * GB

    @property
    def site_bytes(self) -> int:
        return self.max_site_gb * GB
