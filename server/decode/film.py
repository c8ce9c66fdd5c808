"""MP4, WebM and QuickTime: how long and how large, and one picture of it. The sound is not decoded."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, BinaryIO

import av
import av.logging

from server.decode import picture
from server.decode.limits import LONGEST_FILM_S, MOST_PIXELS, Unfit, height_for

_DEMUXER = {"video/mp4": "mov", "video/quicktime": "mov", "video/webm": "matroska"}
_CODECS = ("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mjpeg", "h263")
_DECODERS = ",".join([*_CODECS, "libvpx", "libvpx-vp9", "libdav1d"])
_POSTER_S = 1
_PATIENCE = 300
"""Frames that are decoded in search of one that can be shown."""


def ready() -> None:
    """Import all of the library, which loads its parts when it meets them; and hold its tongue."""
    for part in pkgutil.walk_packages(av.__path__, "av."):
        if not part.name.endswith("__main__"):
            importlib.import_module(part.name)
    av.logging.set_level(None)


def _open(file: BinaryIO, media_type: str) -> tuple[Any, Any]:
    film = av.open(
        file, format=_DEMUXER[media_type], options={"codec_whitelist": _DECODERS}, metadata_errors="ignore"
    )
    moving = next(
        (s for s in film.streams.video if s.codec_context and s.codec_context.name in _DECODERS), None
    )
    if moving is None:
        raise Unfit("document_kind")
    if not 0 < moving.width * moving.height <= MOST_PIXELS:
        raise Unfit("document_too_heavy")
    moving.codec_context.thread_count = 1
    return film, moving


def _seconds(film: Any) -> float:
    return max(0.0, (film.duration or 0) / 1_000_000)


def inspect(file: BinaryIO, media_type: str) -> dict[str, Any]:
    """Size, and duration as far as the file says it."""
    film, moving = _open(file, media_type)
    seconds = _seconds(film)
    if seconds > LONGEST_FILM_S:
        raise Unfit("document_too_heavy")
    frame = _frame(film, moving)
    width, height = moving.width, moving.height
    if frame.rotation % 180:
        width, height = height, width
    return {
        "kind": "video",
        "pages": 1,
        "width": width,
        "height": height,
        "duration_ms": round(seconds * 1000),
    }


def _frame(film: Any, moving: Any) -> Any:
    for number, frame in enumerate(film.decode(moving)):
        if frame.width * frame.height > MOST_PIXELS:  # it grew after its header
            raise Unfit("document_too_heavy")
        if not frame.is_corrupt or number > _PATIENCE:
            return frame
    raise Unfit("document_damaged")


def preview(file: BinaryIO, media_type: str, width: int) -> bytes:
    """A JPEG of the film a second in, or of its beginning, turned as it was held."""
    film, moving = _open(file, media_type)
    if _seconds(film) > 2 * _POSTER_S:
        film.seek(_POSTER_S * 1_000_000)
    frame = _frame(film, moving)
    turned = frame.rotation % 180 != 0
    across, up = (frame.height, frame.width) if turned else (frame.width, frame.height)
    scale = min(1, width / across, height_for(width) / up)
    size = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
    image = frame.reformat(width=size[0], height=size[1], format="rgb24", threads=1).to_image()
    return picture.as_jpeg(image.rotate(frame.rotation, expand=True) if frame.rotation else image)
