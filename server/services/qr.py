"""A text as the squares of a QR code: a path that pages draw themselves; no picture is fetched."""

from __future__ import annotations

import segno


def squares(text: str) -> dict[str, str | int]:
    """`{size, path}`: an SVG path within `size` × `size`, four quiet squares on each side."""
    code = segno.make_qr(text, error="m")
    rows = list(code.matrix_iter(border=4))
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return {"size": len(rows), "path": path}
