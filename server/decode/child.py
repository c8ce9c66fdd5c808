"""One document, one child: `python -m server.decode.child PARENT`, the socket to the parent as its stdin.

It looks at the first bytes, imports what that kind needs, closes itself in, and only then reads on.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from server.decode import kinds, ranges, wire
from server.decode.limits import Unfit
from server.decode.sandbox import quiet, shut
from server.runtime.child import bind_to

Answer = dict[str, Any] | bytes
Job = dict[str, Any]
Work = Callable[[BinaryIO], Answer]


_WITH_THREADS = ("image/heic",)
"""Whose library starts one in any case."""


def main() -> None:
    """Answers one job and ends. Exit codes as in `wire`."""
    bind_to(sys.argv[1])
    quiet()
    job = ranges.job()
    head = _head(job["size"])
    media_type = kinds.media_type(head)
    work = _work(media_type, job) if media_type else None
    try:
        shut(job["cpu_s"], threads=media_type in _WITH_THREADS)
    except OSError:
        os._exit(wire.CANNOT_SHUT)
    answer = _answer(work, job) if work else {"refusal": "document_kind" if job["size"] else "document_empty"}
    if isinstance(answer, bytes):
        ranges.tell(wire.PICTURE, answer)
    else:
        if "refusal" not in answer:
            answer["media_type"] = media_type
        ranges.tell(wire.TOLD, json.dumps(answer).encode())
    os._exit(0)  # no destructors of libraries that have seen hostile bytes


def _head(size: int) -> bytes:
    return ranges.span(0, min(size, kinds.HEAD))


def _answer(work: Work, job: Job) -> Answer:
    """Whatever goes wrong in a library is the document's fault, except that something was not imported."""
    try:
        return work(ranges.document(job["size"]))
    except Unfit as unfit:
        return {"refusal": unfit.code}
    except (MemoryError, RecursionError):
        return {"refusal": "document_too_heavy"}
    except ImportError:
        os._exit(wire.LACKING)
    except Exception as error:  # libraries raise of every kind
        if type(error) is LookupError:  # an encoding
            os._exit(wire.LACKING)
        return {"refusal": "document_damaged"}


def _work(media_type: str, job: Job) -> Work:
    """What is to be done, with everything it needs imported."""
    page, width, shown = job.get("page", 0), job.get("width", 0), job["job"] == "preview"
    kind = media_type.split("/")[0]
    if media_type == "application/pdf":
        from server.decode import pdf

        return lambda file: pdf.preview(file, page, width) if shown else pdf.inspect(file)
    if media_type in ("application/dicom", "application/zip"):
        return _dicom(media_type, job)
    if kind == "image":
        from server.decode import picture

        picture.ready(media_type)
        return lambda file: (
            picture.preview(file, media_type, width) if shown else picture.inspect(file, media_type)
        )
    from server.decode import film

    film.ready()
    return lambda file: film.preview(file, media_type, width) if shown else film.inspect(file, media_type)


def _dicom(media_type: str, job: Job) -> Work:
    from server.decode import dicom, series

    dicom.ready()
    page, width, shown = job.get("page", 0), job.get("width", 0), job["job"] == "preview"
    if media_type == "application/dicom":
        return lambda file: dicom.preview(file, page, width) if shown else dicom.inspect(file)
    size, order = job["size"], job.get("order", "")
    return lambda file: (
        series.preview(file, size, page, width, order) if shown else series.inspect(file, size)
    )


if __name__ == "__main__":
    main()
