"""What was found in a document: its type, its size, whose it says it is. Parsed here from a child's answer.

The child may have been taken over by what it decoded, so every field is bounded and of a known kind.
Names, dates of birth and numbers in it are a patient's: they belong in the sealed row, never in a log.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Kind: TypeAlias = Literal["pdf", "image", "dicom", "video"]
MediaType: TypeAlias = Literal[
    "application/pdf",
    "image/jpeg",
    "image/png",
    "image/heic",
    "application/dicom",
    "application/zip",
    "video/mp4",
    "video/quicktime",
    "video/webm",
]

SUFFIX: dict[str, str] = {
    "application/pdf": ".pdf",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/heic": ".heic",
    "application/dicom": ".dcm",
    "application/zip": ".zip",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
}
"""What a file of each type is called when it is downloaded."""

Refusal: TypeAlias = Literal[
    "document_empty",
    "document_kind",
    "document_damaged",
    "document_locked",
    "document_too_heavy",
    "document_too_many",
    "archive_stranger",
    "archive_nested",
    "archive_path",
    "archive_expands",
]
REFUSALS = frozenset(cast("tuple[str, ...]", Refusal.__args__))  # type: ignore[attr-defined]

Line = Annotated[str, StringConstraints(max_length=200)]
Word = Annotated[str, StringConstraints(max_length=64)]
Count = Annotated[int, Field(ge=0, le=10_000_000)]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DicomPatient(_Told):
    """Whom a picture says it is of. `names` as written (Latin, ideographic, phonetic); `""` where silent."""

    names: Annotated[list[Line], Field(max_length=3)] = []
    birth_date: Word = ""
    """ISO 8601, or as it was written where that is no date."""
    number: Line = ""
    """The patient id of the hospital that made it."""
    sex: Literal["", "M", "F", "O"] = ""


class DicomSeries(_Told):
    """One series of one study."""

    study: Count = 0
    """Index into `Dicom.studies`."""
    modality: Word = ""
    description: Line = ""
    images: Count = 0
    """Files of the series."""
    frames: Count = 0
    """Pictures in them."""


class DicomStudy(_Told):
    """One study; `patient` is an index into `Dicom.patients`."""

    patient: Count = 0
    date: Word = ""
    description: Line = ""
    institution: Line = ""


class Dicom(_Told):
    """What is shown before a person says "this is my patient". More than one patient: a warning."""

    patients: Annotated[list[DicomPatient], Field(max_length=20)] = []
    studies: Annotated[list[DicomStudy], Field(max_length=100)] = []
    series: Annotated[list[DicomSeries], Field(max_length=1000)] = []


class Inspection(_Told):
    """`refusal` set: nothing else counts, the document is not accepted. Else `media_type` and `kind` are set.

    `pages`: what `preview` has pictures of (pages, frames, 1 for a picture or a film), 0 if it has none.
    `order`: opaque; kept with the document and given to `preview`, so that a zipped series is in its order.
    """

    refusal: Refusal | None = None
    media_type: MediaType | None = None
    kind: Kind | None = None
    pages: Count = 0
    width: Count = 0
    height: Count = 0
    duration_ms: Annotated[int, Field(ge=0, le=7 * 24 * 3600 * 1000)] = 0
    dicom: Dicom | None = None
    order: Annotated[str, StringConstraints(max_length=200_000)] = ""

    @property
    def suffix(self) -> str:
        """What a download of it ends with."""
        return SUFFIX.get(self.media_type or "", ".bin")
