"""PDF: how many pages, and what one looks like. Scripts are not run, nothing embedded is opened."""

from __future__ import annotations

from typing import Any, BinaryIO

import pypdfium2

from server.decode import picture
from server.decode.limits import MOST_PAGES, Unfit, height_for

_LIBRARY: Any = pypdfium2
"""Which says nothing of its types."""
_WANTS_PASSWORD = 4
"""FPDF_ERR_PASSWORD."""
_THINNEST = 1e-3
"""Points."""


def _open(file: BinaryIO) -> Any:
    try:
        pdf = _LIBRARY.PdfDocument(file)
    except _LIBRARY.PdfiumError as error:
        raise Unfit("document_locked" if error.err_code == _WANTS_PASSWORD else "document_damaged") from None
    if not len(pdf):
        raise Unfit("document_damaged")
    if len(pdf) > MOST_PAGES:
        raise Unfit("document_too_many")
    return pdf


def inspect(file: BinaryIO) -> dict[str, Any]:
    """Pages, and the first one's size in points."""
    pdf = _open(file)
    width, height = pdf[0].get_size()
    return {"kind": "pdf", "pages": len(pdf), "width": round(width), "height": round(height)}


def preview(file: BinaryIO, page: int, width: int) -> bytes:
    """A PNG of a page on white, with what was typed into its form."""
    pdf = _open(file)
    if page >= len(pdf):
        raise Unfit("page_unknown")
    pdf.init_forms()
    shown = pdf[page]
    across, up = shown.get_size()
    if min(across, up) < _THINNEST:
        raise Unfit("document_damaged")
    scale = min(width / across, height_for(width) / up)
    bitmap = shown.render(scale=scale, rev_byteorder=True, no_smoothtext=False)
    return picture.as_png(bitmap.to_pil().convert("RGB"))
