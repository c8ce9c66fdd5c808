"""What `hyeopjin doctor` asks of an object store: one small object there and back, and gone again.

It must not touch anything but that object, nor say more of an error than what to do about it.
"""

from __future__ import annotations

import secrets

from server.config import ConfigError, Settings
from server.runtime.bucket import Bucket, ObjectError
from server.runtime.object_stores import s3_options
from server.runtime.s3_uploads import abort_unfinished

SENTENCES = {
    "ok": "The object store creates, refuses a second time, gives back and deletes.",
    "store_unreachable": "The object store does not answer as one: check endpoint, bucket, region, network.",
    "store_refused": "The object store refuses the credentials, or they may not write, read or list uploads.",
    "overwrites": "The object store overwrote an object: it must support If-None-Match (conditional PUT).",
    "gives_back_other": "The object store gave back other bytes than were put: do not use it.",
    "cannot_delete": "The object store still has what was deleted: give the credentials the right to delete.",
}
CONTENT = b"hyeopjin doctor"


async def check(settings: Settings) -> tuple[str, str]:
    """A stable code and its sentence for the operator."""
    try:
        options = s3_options(settings)
    except ConfigError as error:
        return "no_credentials", str(error)
    if options is None:
        return "not_configured", ""
    bucket, path = Bucket.s3(options), f"doctor/{secrets.token_hex(8)}"
    try:
        code = await _there_and_back(bucket, path)
        await abort_unfinished(options, 0)  # none began before 1970: this only asks for the list
    except ObjectError as error:
        code = error.code if error.code in SENTENCES else "store_unreachable"
    return code, SENTENCES[code]


async def _there_and_back(bucket: Bucket, path: str) -> str:
    await bucket.put_new(path, CONTENT)
    code = "overwrites"
    try:
        await bucket.put_new(path, CONTENT + b"!")
    except ObjectError as error:
        if error.code != "object_exists":
            raise
        code = "ok" if await bucket.read(path, 0, len(CONTENT)) == CONTENT else "gives_back_other"
    await bucket.delete(path)
    if await bucket.size(path) is not None:
        return "cannot_delete"
    return code
