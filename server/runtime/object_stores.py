"""From settings and secrets to where objects are: the data directory, or an S3-compatible store as well.

Credentials come from two files in `secrets/`, else from the environment, and go into the store's client only.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from media.recordstore.disk import DISK, Disk
from server.config import ConfigError, Settings
from server.runtime.bucket import Bucket, ObjectError, S3Options
from server.runtime.objects import Objects
from server.runtime.s3_uploads import abort_unfinished

log = logging.getLogger("hyeopjin.runtime.objects")

ID_FILE, SECRET_FILE = "s3_access_key_id", "s3_secret_access_key"


def s3_options(settings: Settings) -> S3Options | None:
    """How to reach the store, None when none is set up. Raises ConfigError without its credentials."""
    wanted = settings.objects
    if not wanted.bucket:
        return None
    key_id = _secret(settings.secrets_dir / ID_FILE)
    secret = _secret(settings.secrets_dir / SECRET_FILE)
    token = ""
    if not key_id and not secret:
        key_id = os.environ.get("AWS_ACCESS_KEY_ID", "")
        secret = os.environ.get("AWS_SECRET_ACCESS_KEY", "")
        token = os.environ.get("AWS_SESSION_TOKEN", "")
    if not key_id or not secret:
        raise ConfigError(
            f"The object store has no credentials: put them into {ID_FILE} and {SECRET_FILE} in the data "
            "directory's secrets/, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    return S3Options(
        bucket=wanted.bucket,
        prefix=wanted.prefix.strip("/"),
        endpoint=wanted.endpoint.rstrip("/"),
        region=wanted.region,
        access_key_id=key_id,
        secret_access_key=secret,
        session_token=token,
        allow_http=wanted.plain_allowed,
    )


def objects_of(settings: Settings, disk: Disk = DISK) -> Objects:
    """Where this installation's objects are; asks nothing yet. Raises ConfigError."""
    options = s3_options(settings)
    return Objects(settings.objects_dir, disk, None if options is None else Bucket.s3(options))


async def tidy(options: S3Options, started_ms: int) -> None:
    """Abort the uploads that a killed server left before `started_ms`; says so when it cannot, no more."""
    try:
        aborted = await abort_unfinished(options, started_ms)
    except ObjectError as error:
        log.warning("unfinished uploads could not be looked for: %s", error.code)
        return
    if aborted:
        log.info("%d unfinished uploads were aborted", aborted)


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"The secret {path.name} cannot be read.") from None
