"""Settings: defaults < one TOML file < environment (`HYEOPJIN_…`) < command line.

A wrong value stops the start with a sentence (`ConfigError`). It must not open files other than the TOML
(and ask the kernel how many cores are ours), nor create directories: `app.py` and the commands do that.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from server.audit_settings import AuditSettings
from server.cores import cores
from server.document_settings import DocumentSettings
from server.domain.retention import checked_years
from server.domain.staff import EVERY_ROLE
from server.mail_settings import MailServer
from server.oidc_settings import Oidc

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
MB = 1024 * 1024
TURN_URL = re.compile(
    r"turns?:(?:\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]{1,253})(?::[0-9]{1,5})?(?:\?transport=(?:udp|tcp))?"
)


class ConfigError(Exception):
    """A setting is wrong; the text is a sentence for the operator."""


class ObjectStore(BaseModel):
    """`[objects]`: a bucket of an S3-compatible store. No bucket: objects lie in the data directory.

    Credentials are not here: `secrets/s3_access_key_id` and `secrets/s3_secret_access_key` in the data
    directory, else AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    bucket: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$")
    prefix: str = Field(default="", pattern=r"^([A-Za-z0-9_-][A-Za-z0-9_./-]{0,200})?$")
    endpoint: str = ""  # empty: AWS
    region: str = Field(default="us-east-1", pattern=r"^[a-z0-9-]{1,40}$")
    allow_http: bool = False  # plain http beyond this machine

    @model_validator(mode="after")
    def _endpoint_is_an_origin(self) -> ObjectStore:
        if not self.endpoint:
            return self
        parts = urlsplit(self.endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError("endpoint must look like https://host or http://localhost:9000")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError("endpoint must be an origin only: scheme, host and port")
        if not self.plain_allowed and parts.scheme == "http":
            raise ValueError("endpoint must be https unless the host is localhost or allow_http is set")
        return self

    @property
    def plain_allowed(self) -> bool:
        """Whether http may be spoken: everything sent is ciphertext, its names and sizes are not."""
        return self.allow_http or urlsplit(self.endpoint).hostname in LOOPBACK_NAMES


class Turn(BaseModel):
    """`[turn]`: a relay (coturn) for networks where only TLS gets out. No urls: none, and nothing changes.

    The secret it shares with us is a file: `secret_file`, else `secrets/turn_secret` in the data directory.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    urls: tuple[str, ...] = ()  # "turns:turn.example.org:443?transport=tcp"
    secret_file: Path | None = None
    credential_hours: int = Field(default=4, ge=1, le=24)  # outlives a consultation

    @field_validator("urls")
    @classmethod
    def _urls_name_relays(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            if url.startswith(("stun:", "stuns:")):
                raise ValueError("a STUN server is never needed here: the media port announces itself")
            if not TURN_URL.fullmatch(url):
                raise ValueError("each must look like turns:turn.example.org:443?transport=tcp")
        return value


class Settings(BaseSettings):
    """Everything an operator may set. Times are in the unit the name ends with."""

    model_config = SettingsConfigDict(
        env_prefix="HYEOPJIN_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    public_url: str = "http://localhost:8080"
    bind: tuple[str, ...] = ("127.0.0.1", "::1")
    port: int = Field(8080, ge=0, le=65535)
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: tuple[str, ...] = ()  # addresses whose X-Forwarded-For is believed

    data_dir: Path = Path("data")
    database_url: str = ""  # empty: SQLite in the data directory
    redis_url: str = Field("", repr=False)  # several instances share it; empty: this one is alone
    redis_allow_plain: bool = False  # redis:// or no password beyond this machine
    objects: ObjectStore = ObjectStore()
    journal_keep_days: int | None = Field(None, ge=0)  # after all was verified; None: journals are kept
    disk_floor_mb: int = Field(64, ge=0)  # with less free, the journal takes no more media
    disk_reserve_mb: int = Field(64, ge=0)  # held in a file, given back when the disk is full

    media_udp_host: str = "0.0.0.0"
    media_udp_port: int = Field(0, ge=0, le=65535)  # of the first worker, the next have the next; 0: any free
    media_workers: int | None = Field(None, ge=1, le=64)  # None: as many as cores are ours
    media_max_people: int = Field(120, ge=1, le=1000)  # on one worker; more are refused at the door
    media_announce: tuple[str, ...] = ()  # addresses told to browsers; empty: found out at start
    turn: Turn = Turn()
    mail: MailServer = MailServer()
    oidc: Oidc = Oidc()
    audit: AuditSettings = AuditSettings()
    documents: DocumentSettings = DocumentSettings()

    self_test_line_s: int = Field(15, ge=3, le=30)  # for so long a site's self-test is on the media relay

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"

    session_grace_s: int = Field(600, ge=1)  # a return within this continues the session
    restart_grace_s: float = Field(20.0, ge=0)  # at server start, before unfinished recordings are finalised
    signin_per_account: int = Field(5, ge=1)  # failed attempts per account + address and 5 minutes
    signin_per_address: int = Field(300, ge=1)  # attempts per address and minute
    account_session_hours: int = Field(12, ge=1)
    idle_lock_minutes: int = Field(15, ge=0, le=720)  # then a page is covered until it is unlocked; 0: never
    second_step_roles: tuple[str, ...] = ()  # who must show a second step when signing in
    export_days: int = Field(7, ge=1, le=365)  # how long an export may be fetched
    demo: bool = False

    retention_years: dict[str, int] = Field(default_factory=dict)  # longer periods than the classes' own
    retention_warn_days: int = Field(90, ge=1, le=3650)  # how long before its end a recording is announced
    key_backup_days: int = Field(30, ge=0, le=30)  # how long a backup of keys/ lives: receipts tell it

    @field_validator("public_url")
    @classmethod
    def _public_url_is_an_origin(cls, value: str) -> str:
        if "*" in value:
            raise ValueError("must name one origin; '*' would let every site talk to the rooms")
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must look like https://host or http://localhost:8080")
        if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
            raise ValueError("must be an origin only: scheme, host and port")
        usual = {"http": ":80", "https": ":443"}[parts.scheme]  # browsers leave it out of Origin
        return f"{parts.scheme}://{parts.netloc.removesuffix(usual)}"

    @field_validator("media_announce")
    @classmethod
    def _announces_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                ipaddress.ip_address(text)
            except ValueError:
                raise ValueError("must be addresses, like 203.0.113.10, not names") from None
        return value

    @field_validator("bind")
    @classmethod
    def _binds_somewhere(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("must name at least one address")
        return value

    @model_validator(mode="after")
    def _redis_is_for_us_alone(self) -> Settings:
        if not self.redis_url:
            return self
        parts = urlsplit(self.redis_url)
        if parts.scheme not in ("redis", "rediss", "unix"):
            raise ValueError("redis_url must begin with rediss://, redis:// or unix://")
        near = parts.scheme == "unix" or parts.hostname in LOOPBACK_NAMES
        if not near and not self.redis_allow_plain and (parts.scheme != "rediss" or not parts.password):
            raise ValueError(
                "redis_url must be rediss:// with a password unless Redis is on this machine or "
                "redis_allow_plain is set: names of people and the rooms' state are in it"
            )
        return self

    @field_validator("retention_years")
    @classmethod
    def _keeps_long_enough(cls, value: dict[str, int]) -> dict[str, int]:
        if wrong := checked_years(value):
            raise ValueError("; ".join(wrong))
        return value

    @field_validator("second_step_roles")
    @classmethod
    def _roles_exist(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(value) - EVERY_ROLE):
            raise ValueError(f"no such role: {', '.join(unknown)}")
        return value

    @model_validator(mode="after")
    def _ports_exist(self) -> Settings:
        if self.media_udp_port and self.media_ports[-1] > 65535:
            raise ValueError("media_udp_port is too high: each of the media_workers has a port of its own")
        return self

    @model_validator(mode="after")
    def _belongs_together(self) -> Settings:
        parts = urlsplit(self.public_url)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK_NAMES:
            raise ValueError(
                "public_url must be https unless the host is localhost: "
                "browsers give cameras to secure pages only"
            )
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key must be given together")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings)

    @property
    def secure_cookies(self) -> bool:
        """False only on plain-http localhost, where `__Host-` cookies cannot be set."""
        return self.public_url.startswith("https://")

    @property
    def idle_ms(self) -> int:
        return self.idle_lock_minutes * 60_000

    @property
    def database(self) -> str:
        """SQLAlchemy URL of the database."""
        return self.database_url or f"sqlite+aiosqlite:///{(self.data_dir / 'hyeopjin.sqlite3').absolute()}"

    @property
    def workers(self) -> int:
        """How many media workers there are."""
        return self.media_workers or cores()

    @property
    def media_ports(self) -> tuple[int, ...]:
        """The media port of each worker, UDP and TCP; 0 = any free one."""
        return tuple(self.media_udp_port + index * bool(self.media_udp_port) for index in range(self.workers))

    @property
    def disk_floor_bytes(self) -> int:
        return self.disk_floor_mb * MB

    @property
    def disk_reserve_bytes(self) -> int:
        return self.disk_reserve_mb * MB

    @property
    def secrets_dir(self) -> Path:
        return self.data_dir / "secrets"

    @property
    def keys_dir(self) -> Path:
        return self.data_dir / "keys"

    @property
    def journal_dir(self) -> Path:
        return self.data_dir / "journal"

    @property
    def objects_dir(self) -> Path:
        return self.data_dir / "objects"

    @property
    def exports_dir(self) -> Path:
        """Composed exports, apart from the recordings: nothing here is kept for long."""
        return self.data_dir / "exports"

    @property
    def documents_dir(self) -> Path:
        """Documents of cases, in sealed parts."""
        return self.data_dir / "documents"

    @property
    def receipts_dir(self) -> Path:
        """Of what was destroyed: apart from the rest, kept for ever."""
        return self.data_dir / "receipts"

    @property
    def audit_dir(self) -> Path:
        """Checkpoints of the audit chain, kept for ever."""
        return self.data_dir / "audit"

    @property
    def run_dir(self) -> Path:
        """Sockets of this server; each of several instances has a folder of its own."""
        return self.data_dir / "run" / (str(self.port) if self.redis_url else "")


def load_settings(config_file: Path | None = None, **overrides: Any) -> Settings:
    """Reads the settings; `overrides` whose value is None are ignored.

    Raises ConfigError with one sentence per wrong value.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        if config_file is None:
            return Settings(**given)
        if not config_file.is_file():
            raise ConfigError(f"The configuration file {config_file} does not exist.")
        return _with_file(config_file)(**given)
    except ValidationError as error:
        raise ConfigError(" ".join(_sentences(error))) from None
    except ValueError as error:  # a TOML syntax error, a malformed environment list
        raise ConfigError(f"The configuration cannot be read: {error}.") from None


def _with_file(config_file: Path) -> type[Settings]:
    class FromFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            toml = TomlConfigSettingsSource(settings_cls, toml_file=config_file)
            return (init_settings, env_settings, toml)

    return FromFile


def _sentences(error: ValidationError) -> list[str]:
    sentences = []
    for problem in error.errors(include_input=False, include_url=False):
        name = ".".join(str(part) for part in problem["loc"]) or "The configuration"
        sentences.append(f"{name}: {problem['msg'].removeprefix('Value error, ')}.")
    return sentences
