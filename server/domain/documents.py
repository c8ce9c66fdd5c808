"""Documents of a case: their kinds and states, who sees which, what may still be done with one. Pure.

Who may ask at all is `permissions.py` (DOCUMENT_…); here is what each file's own setting narrows that to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from server.domain.permissions import Relation, Role, Row
from server.domain.referral import clean_text

KINDS: Final = (
    "report", "imaging", "pathology", "laboratory", "photo", "video", "operation", "prescription", "identity",
    "consent", "other",
)  # fmt: skip
DOWNLOAD_REASONS: Final = ("treatment", "second_opinion", "patient_copy", "insurer", "legal", "quality")
WITHDRAW_REASONS: Final = ("wrong_patient", "wrong_file", "patient_asked", "unreadable", "other")
MAX_NAME: Final = 200
MAX_WORDS: Final = 1_000


class State(StrEnum):
    UPLOADING = "uploading"
    CHECKING = "checking"  # whole: hashed, scanned, looked into
    CONFIRM = "confirm"  # names a patient: whoever brought it says whether it is this one
    READY = "ready"
    QUARANTINED = "quarantined"  # the scanner found something
    REFUSED = "refused"  # not what is taken; its bytes are gone
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"  # an upload that nobody went on with
    CANCELLED = "cancelled"


S = State
#: An upload that was given up: nobody but its own account needs to know.
GIVEN_UP: Final = frozenset({S.EXPIRED, S.CANCELLED})
#: What takes room, or will.
HELD: Final = frozenset({S.UPLOADING, S.CHECKING, S.CONFIRM, S.READY, S.QUARANTINED})
#: What others than its own account may see, if its visibility says so.
SHOWN: Final = frozenset({S.READY, S.WITHDRAWN})
WITHDRAWABLE: Final = frozenset({S.CHECKING, S.CONFIRM, S.READY, S.QUARANTINED})
#: What goes at once when one is withdrawn after it was part of a submitted referral, with the reason.
DESTROYED_BY_REASON: Final = frozenset({"wrong_patient"})

_LP, _LO, _KP = Role.REFERRING_PHYSICIAN, Role.SITE_OPERATOR, Role.CONSULTING_PHYSICIAN
_OWN_SITE: Final = frozenset({Relation.OWN_SITE})
_SITE: Final[Row] = {_LP: _OWN_SITE}
_PHYSICIANS: Final[Row] = {**_SITE, _KP: frozenset({Relation.INVITED})}
#: Visibility → who sees the file, beside the account that brought it.
VISIBILITY: Final[Mapping[str, Row]] = {
    "site": _SITE,
    "physicians": _PHYSICIANS,
    "case": {
        **_PHYSICIANS,
        Role.REVIEWER: frozenset({Relation.FOLLOWS}),
        Role.COORDINATOR: frozenset({Relation.ANY}),
    },
}
DEFAULT_VISIBILITY: Final = "case"


@dataclass(frozen=True, slots=True)
class Document:
    """`received` of `size` bytes are kept.

    `media_type`, `form`, `pages`, `details`, `patients` and `page_order` are what the decoder says
    (`server/decode/inspection.py`); `patients` are those that its DICOM files name.
    """

    id: str
    case_id: str
    request: str
    name: str = field(repr=False)
    kind: str
    visibility: str
    patient_copy: bool
    state: State
    size: int
    received: int
    wanted_sha256: str
    sha256: str
    made_by: str
    made_ms: int
    touched_ms: int
    complete_ms: int | None = None
    ready_ms: int | None = None
    media_type: str = ""
    form: str = ""
    pages: int = 0
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)
    patients: Sequence[Mapping[str, Any]] = field(default=(), repr=False)
    page_order: str = field(default="", repr=False)
    refused: str = ""
    scan: str = "not_scanned"
    scanned_ms: int | None = None
    withdrawn_by: str = ""
    withdrawn_ms: int | None = None
    withdrawn_reason: str = ""
    withdrawn_words: str = field(default="", repr=False)
    destroy: bool = False  # its key and bytes are to go, as soon as no hold stands
    destroyed_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a document as it is kept: `size` bytes from `start`, sealed in a file of its own."""

    number: int
    start: int
    size: int
    file: str


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: account, roles, and how they stand to the case."""

    account: str
    roles: tuple[str, ...]
    relations: frozenset[Relation]

    def among(self, row: Row) -> bool:
        held = {*self.relations, Relation.ANY}
        return any(role in self.roles and not held.isdisjoint(needed) for role, needed in row.items())

    @property
    def of_site(self) -> bool:
        """A referring physician of the case's site: they answer for what it sends."""
        return self.among(_SITE)


def sees(viewer: Viewer, document: Document) -> bool:
    """Whether somebody may know that the document is there."""
    own = document.made_by == viewer.account and viewer.among({_LP: _OWN_SITE, _LO: _OWN_SITE})
    if own:
        return True
    if document.state in GIVEN_UP:
        return False
    if viewer.of_site:
        return True
    glass = Relation.BREAK_GLASS in viewer.relations
    return document.state in SHOWN and (glass or viewer.among(VISIBILITY[document.visibility]))


def opens(viewer: Viewer, document: Document) -> bool:
    """Whether somebody who sees it may look into it and download it. Withdrawn: the site that answers."""
    if document.destroy:
        return False
    if document.state is S.CONFIRM:
        return changes(viewer, document)
    if document.state is S.WITHDRAWN:
        return viewer.of_site
    return document.state is S.READY


def changes(viewer: Viewer, document: Document) -> bool:
    """Whether somebody may confirm, change and withdraw it: who brought it, and their site's physicians."""
    own = document.made_by == viewer.account and viewer.among({_LO: _OWN_SITE})
    return own or viewer.of_site


def withdraws(viewer: Viewer, document: Document, *, submitted: bool) -> bool:
    """Once a referral was submitted with it, only a physician takes it back."""
    if document.state not in WITHDRAWABLE:
        return False
    return viewer.of_site if submitted else changes(viewer, document)


def destroyed_by(reason: str, *, submitted: bool) -> bool:
    """Whether a withdrawal shreds the bytes: what was part of a referral stays readable to its site, unless
    it is another patient's.
    """
    return not submitted or reason in DESTROYED_BY_REASON


def clean_file_name(text: str) -> str:
    """A name as it is shown; never a path, and nothing of it reaches a disk or a header."""
    last = text.replace("\\", "/").rsplit("/", 1)[-1]
    return " ".join(clean_text(last, MAX_NAME).split())[:MAX_NAME]
