"""A still: one picture of one track at full resolution, as PNG."""

from __future__ import annotations

import io

from PIL.PngImagePlugin import PngInfo

from .output import Output
from .pictures import PictureTrack
from .turning import upright


class NothingThereError(Exception):
    """The track shows nothing at that time. `code`: nothing_at_that_time."""

    code = "nothing_at_that_time"


def make(track: PictureTrack, at_ms: int, note: str, output: Output) -> dict[str, object]:
    """The frame that is to be seen at `at_ms`, upright. `note` goes into the file and must name nobody."""
    seen = track.at(at_ms)
    if seen is None:
        raise NothingThereError
    frame_ms, frame = seen
    told = PngInfo()
    told.add_text("Software", "Hyeopjin")
    told.add_text("Source", note)
    png = io.BytesIO()
    image = upright(frame.to_image(), track.rotations.at(frame_ms))
    image.save(png, "PNG", pnginfo=told)
    with output.writer() as writer:
        writer.write(png.getvalue())
        writer.commit()
    return {"frames": 1, "at_ms": round(frame_ms), "width": image.width, "height": image.height}
