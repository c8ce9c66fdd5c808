"""JPEG, PNG and HEIC: how large, and a smaller one that is turned as it was held and carries nothing else.

No other decoder of the library may be reached: each file is opened as what its first bytes say it is.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any, BinaryIO

from PIL import Image, ImageCms, ImageOps, JpegImagePlugin, PngImagePlugin, TiffImagePlugin

from server.decode.limits import MOST_JPEG_PIXELS, MOST_PIXELS, Unfit, height_for

__all__ = [
    "JpegImagePlugin",
    "PngImagePlugin",
    "TiffImagePlugin",
    "as_jpeg",
    "as_png",
    "inspect",
    "preview",
    "ready",
]

Image.MAX_IMAGE_PIXELS = None  # judged here, by format
_TURN = 0x0112
_LYING = (5, 6, 7, 8)
_WHITE = (255, 255, 255)
_CHECKED = 512
"""A picture is decoded to this width to see that it is whole."""


def ready(media_type: str) -> None:
    """Import what else is needed."""
    if media_type == "image/heic":
        from pi_heif import as_plugin

        as_plugin.register_heif_opener(thumbnails=False, decode_threads=0)
    ImageCms.createProfile("sRGB")


def _open(file: BinaryIO, media_type: str) -> Image.Image:
    name = {"image/jpeg": "JPEG", "image/png": "PNG", "image/heic": "HEIF"}[media_type]
    image = Image.open(file, formats=[name])
    if image.width * image.height > (MOST_JPEG_PIXELS if name == "JPEG" else MOST_PIXELS):
        raise Unfit("document_too_heavy")
    return image


def _turned(image: Image.Image) -> bool:
    return image.getexif().get(_TURN) in _LYING


def inspect(file: BinaryIO, media_type: str) -> dict[str, Any]:
    """Its size as it is looked at; it is decoded once, so a damaged one is found here."""
    image = _open(file, media_type)
    width, height = image.size
    if _turned(image):
        width, height = height, width
    _small(image, _CHECKED)
    return {"kind": "image", "pages": 1, "width": width, "height": height}


def preview(file: BinaryIO, media_type: str, width: int) -> bytes:
    """A JPEG of a photograph, a PNG of a PNG."""
    small = _small(_open(file, media_type), width)
    return as_png(small) if media_type == "image/png" else as_jpeg(small)


def _small(image: Image.Image, width: int) -> Image.Image:
    box = (width, height_for(width))
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):
        image = image.point(lambda value: value / 256).convert("L")
    elif image.mode == "P" or "transparency" in image.info:
        image = image.convert("RGBA")
    turn = _turned(image)
    image.thumbnail(box[::-1] if turn else box)
    image = ImageOps.exif_transpose(image)
    if profile and image.mode in ("RGB", "CMYK", "L"):
        # A profile that cannot be used is no reason to show nothing.
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            image = _as_srgb(image, profile)
    return image


def _as_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    theirs = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    changed = ImageCms.profileToProfile(image, theirs, ImageCms.createProfile("sRGB"), outputMode="RGB")
    return changed or image


def _bare(image: Image.Image) -> Image.Image:
    """The pixels alone: a new image, so that nothing the library remembers of the old one is written."""
    if image.mode in ("RGBA", "LA", "PA"):
        bare = Image.new("RGB", image.size, _WHITE)
        image = image.convert("RGBA")
        bare.paste(image, mask=image.getchannel("A"))
        return bare
    kept = image if image.mode in ("L", "RGB") else image.convert("RGB")
    bare = Image.new(kept.mode, kept.size)
    bare.paste(kept)
    return bare


def as_png(image: Image.Image) -> bytes:
    """`image` without anything beside its pixels."""
    out = io.BytesIO()
    _bare(image).save(out, "PNG")
    return out.getvalue()


def as_jpeg(image: Image.Image) -> bytes:
    """`image` without anything beside its pixels."""
    out = io.BytesIO()
    _bare(image).save(out, "JPEG", quality=85)
    return out.getvalue()
