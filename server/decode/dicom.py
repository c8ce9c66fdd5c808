"""DICOM: whom it says it is of, what it shows, and one picture of it in its own window.

Pixels are read for previews only, and never changed: the document stays as it came.
"""

from __future__ import annotations

import codecs
import io
import logging
import re
import warnings
from typing import Any, BinaryIO, Protocol, cast

import numpy as np
import pydicom
import pydicom.charset
from PIL import Image
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi
from pydicom.pixels.utils import pixel_array
from pydicom.tag import Tag
from pydicom.uid import UID

from server.decode import picture
from server.decode.limits import MOST_FRAMES, MOST_PIXELS, Unfit, height_for

FIRST_READ, LAST_READ = 64 * 1024, 32 * 1024 * 1024
"""How much of a file is looked through for its header, at first and at most."""
_DICOMDIR = "1.2.840.10008.1.3.10"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_FILMS = "1.2.840.10008.1.2.4.10"  # MPEG-2, MPEG-4, HEVC: …4.100 to …4.108
_TOLD = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "SpecificCharacterSet",
    "SOPClassUID",
    "StudyInstanceUID",
    "StudyDate",
    "StudyDescription",
    "InstitutionName",
    "SeriesInstanceUID",
    "SeriesNumber",
    "SeriesDescription",
    "Modality",
    "InstanceNumber",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "SamplesPerPixel",
)
_WINDOW = (
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "VOILUTSequence",
    "RescaleSlope",
    "RescaleIntercept",
    "ModalityLUTSequence",
    "PhotometricInterpretation",
    "PixelPaddingValue",
)
_GROUPS = [Tag("PerFrameFunctionalGroupsSequence"), Tag("SharedFunctionalGroupsSequence")]
_TAGS = [Tag(word) for word in (*_TOLD, *_WINDOW)]


def ready() -> None:
    """Silence the library, and import what it would import while it reads."""
    warnings.simplefilter("ignore")
    logging.disable()
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    for name in {n for n in pydicom.charset.python_encoding.values() if n}:
        codecs.lookup(name)
    np.percentile(np.zeros(2), (1, 2))


class Stream(Protocol):
    """All that a header is read from."""

    def read(self, length: int, /) -> bytes: ...


def header(file: Stream) -> pydicom.Dataset:
    """The head of one DICOM file, read from its beginning. Raises Unfit."""
    start = file.read(FIRST_READ)
    if start[128:132] != b"DICM":
        raise Unfit("document_kind")
    while True:
        whole = len(start) < FIRST_READ
        held = io.BytesIO(start)
        try:
            found = pydicom.dcmread(held, stop_before_pixels=True, specific_tags=_TAGS)
            if whole or held.tell() < len(start) - 12:
                break
        except (EOFError, OSError, pydicom.errors.BytesLengthException):
            if whole:
                raise
        more = file.read(min(15 * len(start), LAST_READ))
        if not more:
            break
        if len(start) >= LAST_READ:
            raise Unfit("document_too_heavy")
        start += more
    if found.file_meta.get("TransferSyntaxUID") == _DEFLATED or "SOPClassUID" not in found:
        raise Unfit("document_kind")
    if found.file_meta.get("MediaStorageSOPClassUID") == _DICOMDIR:
        raise Unfit("document_kind")
    return cast("pydicom.Dataset", found)


def directory(start: bytes) -> bool:
    """Whether a file is the table of contents of a disk, by its first bytes."""
    return start[128:132] == b"DICM" and _DICOMDIR.encode() in start[:1024]


def frames(ds: pydicom.Dataset) -> int:
    """How many pictures it has that can be shown: 0 for reports, films and unknown codings."""
    if not number(ds, "Rows") or not number(ds, "Columns"):
        return 0
    if (
        number(ds, "Rows") * number(ds, "Columns") * max(1, number(ds, "SamplesPerPixel")) > MOST_PIXELS
        or number(ds, "NumberOfFrames") > MOST_FRAMES
    ):
        raise Unfit("document_too_heavy")
    syntax = str(ds.file_meta.get("TransferSyntaxUID", ""))
    return max(1, number(ds, "NumberOfFrames")) if _shown(syntax) else 0


def _shown(syntax: str) -> bool:
    if syntax.startswith(_FILMS) or syntax == _DEFLATED:
        return False
    try:
        return bool(get_decoder(UID(syntax)).is_available)
    except NotImplementedError:
        return False


def number(ds: pydicom.Dataset, word: str) -> int:
    """A count that the file states; 0 where it states none."""
    try:
        return max(0, min(2**31, int(ds.get(word) or 0)))
    except (TypeError, ValueError):
        return 0


def line(value: object, most: int = 200) -> str:
    """One line of what somebody wrote, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(value or "")).split())[:most]


def _text(ds: pydicom.Dataset, word: str, most: int = 200) -> str:
    value = ds.get(word)
    if isinstance(value, pydicom.multival.MultiValue):
        value = ", ".join(str(v) for v in value)
    return line(value, most)


def _date(ds: pydicom.Dataset, word: str) -> str:
    raw = _text(ds, word, 64)
    return f"{raw[:4]}-{raw[4:6]}-{raw[6:]}" if re.fullmatch(r"\d{8}", raw) else raw


def patient(ds: pydicom.Dataset) -> dict[str, Any]:
    """As `inspection.DicomPatient`."""
    names = [line(n.replace("^", " ")) for n in str(ds.get("PatientName") or "").split("=")[:3]]
    sex = _text(ds, "PatientSex").upper()
    return {
        "names": names if any(names) else [],
        "birth_date": _date(ds, "PatientBirthDate"),
        "number": _text(ds, "PatientID"),
        "sex": sex if sex in ("M", "F", "O") else "",
    }


class Found:
    """Patients, studies and series of one file or many, each counted once."""

    def __init__(self) -> None:
        self._patients: list[dict[str, Any]] = []
        self._studies: dict[tuple[int, str], tuple[int, dict[str, Any]]] = {}
        self._series: dict[tuple[int, str], tuple[tuple[int, int, int], dict[str, Any]]] = {}

    def add(self, ds: pydicom.Dataset, pictures: int) -> tuple[int, int, int]:
        """One more file. Returns where its series stands: by study, by its own number, by when it was met."""
        who = patient(ds)
        if who not in self._patients:
            self._patients.append(who)
        key = (self._patients.index(who), str(ds.get("StudyInstanceUID")))
        place, _study = self._studies.setdefault(
            key,
            (
                len(self._studies),
                {
                    "patient": key[0],
                    "date": _date(ds, "StudyDate"),
                    "description": _text(ds, "StudyDescription"),
                    "institution": _text(ds, "InstitutionName"),
                },
            ),
        )
        key = (place, str(ds.get("SeriesInstanceUID")))
        if key not in self._series:
            turn = (place, number(ds, "SeriesNumber"), len(self._series))
            self._series[key] = (
                turn,
                {
                    "study": place,
                    "modality": _text(ds, "Modality", 64),
                    "description": _text(ds, "SeriesDescription"),
                    "images": 0,
                    "frames": 0,
                },
            )
        turn, series = self._series[key]
        series["images"] += 1
        series["frames"] += pictures
        if len(self._patients) > 20 or len(self._studies) > 100 or len(self._series) > 1000:
            raise Unfit("document_too_many")
        return turn

    def told(self) -> dict[str, Any]:
        """As `inspection.Dicom`."""
        return {
            "patients": self._patients,
            "studies": [study for _place, study in self._studies.values()],
            "series": [series for _turn, series in sorted(self._series.values(), key=lambda one: one[0])],
        }


def inspect(file: BinaryIO) -> dict[str, Any]:
    """One file."""
    ds = header(file)
    shown = frames(ds)
    found = Found()
    found.add(ds, shown)
    return {
        "kind": "dicom",
        "pages": shown,
        "width": number(ds, "Columns"),
        "height": number(ds, "Rows"),
        "dicom": found.told(),
    }


def preview(file: BinaryIO, page: int, width: int) -> bytes:
    """A PNG of one frame, grey values by the file's own window, or by what is in it where it says none."""
    shown = frames(header(file))
    if shown == 0:
        raise Unfit("no_preview")
    if page >= shown:
        raise Unfit("page_unknown")
    ds = pydicom.Dataset()
    file.seek(0)
    pixels = pixel_array(file, index=page, ds_out=ds, specific_tags=[*_TAGS, *_GROUPS])
    _of_frame(ds, page)
    image = Image.fromarray(_colour(pixels) if pixels.ndim == 3 else _grey(pixels, ds))
    image.thumbnail((width, height_for(width)))
    return picture.as_png(image)


def _of_frame(ds: pydicom.Dataset, page: int) -> None:
    """Bring up what an enhanced multi-frame says of this frame, or of all, about its grey values."""
    for group, place in zip(_GROUPS, (page, 0), strict=True):
        items = ds[group].value if group in ds else []
        for sequence in ("FrameVOILUTSequence", "PixelValueTransformationSequence"):
            inner = items[place].get(sequence) if place < len(items) else None
            said = inner[0] if inner else pydicom.Dataset()
            for word in _WINDOW:
                if word in said and word not in ds:
                    ds[word] = said[word]


def _colour(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if pixels.dtype.itemsize > 1:
        pixels = pixels >> (8 * (pixels.dtype.itemsize - 1))
    return pixels.astype(np.uint8)


def _grey(pixels: np.ndarray[Any, Any], ds: pydicom.Dataset) -> np.ndarray[Any, Any]:
    meaning = str(ds.get("PhotometricInterpretation", ""))
    if meaning == "PALETTE COLOR":
        return _colour(apply_color_lut(pixels, ds))
    values = np.asarray(apply_modality_lut(pixels, ds), dtype=np.float32)
    if (window := _window(ds)) is not None:
        low, high = window
    elif ds.get("VOILUTSequence"):
        values = np.asarray(apply_voi(values.astype(np.int32), ds), dtype=np.float32)
        low, high = float(values.min()), float(values.max())
    else:
        low, high = (float(edge) for edge in np.percentile(values, (0.5, 99.5)))
    grey = np.clip((values - low) * (255.0 / max(high - low, 1e-6)), 0, 255)
    return np.asarray(255 - grey if meaning == "MONOCHROME1" else grey, dtype=np.uint8)


def _window(ds: pydicom.Dataset) -> tuple[float, float] | None:
    """The grey values that are to be black and white by the file's first window (PS3.3 C.11.2.1.2)."""
    edges = []
    for word in ("WindowCenter", "WindowWidth"):
        value = ds.get(word)
        if isinstance(value, pydicom.multival.MultiValue):
            value = value[0] if value else None
        if value is None:
            return None
        edges.append(float(value))
    centre, width = edges
    return (centre - width / 2, centre + width / 2 - 1) if width > 1 else (centre - 1, centre)
