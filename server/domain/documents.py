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
    ENDED = "ended"  # its case's period is over, or the consent to send it: `document_period.py`
    EXPIRED = "expired"  # an upload that nobody went on with
    CANCELLED = "cancelled"


S = State
#: An upload that was given up: nobody but its own account needs to know.
GIVEN_UP: Final = frozenset({S.EXPIRED, S.CANCELLED})
#: What takes room, or will.
HELD: Final = frozenset({S.UPLOADING, S.CHECKING, S.CONFIRM, S.READY, S.QUARANTINED})
#: What others than its own account may see, if its visibility says so.
SHOWN: Final = frozenset({S.READY, S.WITHDRAWN, S.ENDED})
WITHDRAWABLE: Final = frozenset({S.CHECKING, S.CONFIRM, S.READY, S.QUARANTINED})
#: What goes at once when one is withdrawn after it was part of a submitted referral, with the reason.
DESTROYED_BY_REASON: Final = frozenset({"wrong_patient"})


class Side(StrEnum):
    """Whose file it is: what one side brings, the other sees if its visibility says so."""

    REFERRING = "referring"
    CONSULTING = "consulting"


_LP, _LO, _KP = Role.REFERRING_PHYSICIAN, Role.SITE_OPERATOR, Role.CONSULTING_PHYSICIAN
_OWN_SITE: Final = frozenset({Relation.OWN_SITE})
_ASKED: Final[Row] = {_KP: frozenset({Relation.INVITED})}
#: Who brings files for a side; the route asks the same of both together (DOCUMENT_ADD).
BRINGS: Final[Mapping[Side, Row]] = {
    Side.REFERRING: {_LP: _OWN_SITE, _LO: _OWN_SITE},
    Side.CONSULTING: {**_ASKED, Role.COORDINATOR: frozenset({Relation.ANY})},
}
#: The physicians who answer for what their site brought; of the consulting sites, each for its own.
_ANSWERS: Final[Mapping[Side, Row]] = {Side.REFERRING: {_LP: _OWN_SITE}, Side.CONSULTING: _ASKED}
_PHYSICIANS: Final[Row] = {_LP: _OWN_SITE, **_ASKED}
#: Visibility → who sees the file, beside the account that brought it and the physicians of its site.
VISIBILITY: Final[Mapping[str, Row]] = {
    "site": {},
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
    side: Side = Side.REFERRING
    site_id: str = ""  # whose account brought it
    shared_ms: int | None = None  # of the consulting side: since when the other one may have seen it


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
    site: str = ""

    def among(self, row: Row) -> bool:
        held = {*self.relations, Relation.ANY}
        return any(role in self.roles and not held.isdisjoint(needed) for role, needed in row.items())

    @property
    def side(self) -> Side:
        """For whom they bring something, if they may."""
        return Side.REFERRING if self.among(BRINGS[Side.REFERRING]) else Side.CONSULTING

    def brought(self, document: Document) -> bool:
        """It is their own, and they still stand to the case as somebody who may bring it."""
        return document.made_by == self.account and self.among(BRINGS[document.side])

    def answers_for(self, document: Document) -> bool:
        """A physician of the site that brought it."""
        at_home = document.side is Side.REFERRING or document.site_id == self.site
        return at_home and self.among(_ANSWERS[document.side])


def sees(viewer: Viewer, document: Document) -> bool:
    """Whether somebody may know that the document is there."""
    if viewer.brought(document):
        return True
    if document.state in GIVEN_UP:
        return False
    if viewer.answers_for(document):
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
        own = document.side is Side.CONSULTING and viewer.brought(document)
        return own or viewer.answers_for(document)
    return document.state is S.READY


def changes(viewer: Viewer, document: Document) -> bool:
    """Whether somebody may confirm, change and withdraw it: who brought it, and their site's physicians."""
    return viewer.brought(document) or viewer.answers_for(document)


def withdraws(viewer: Viewer, document: Document, *, sent: bool) -> bool:
    """Once a referral was submitted with it, only a physician takes it back."""
    if document.state not in WITHDRAWABLE:
        return False
    submitted = sent and document.side is Side.REFERRING
    return viewer.answers_for(document) if submitted else changes(viewer, document)


def destroyed_by(reason: str, *, sent: bool) -> bool:
    """Whether a withdrawal shreds the bytes. What was `sent`, with a referral or to the referring site, stays
    readable to its site, because others may have acted on it, unless it is another patient's.
    """
    return not sent or reason in DESTROYED_BY_REASON


def clean_file_name(text: str) -> str:
    """A name as it is shown; never a path, and nothing of it reaches a disk or a header."""
    last = text.replace("\\", "/").rsplit("/", 1)[-1]
    return " ".join(clean_text(last, MAX_NAME).split())[:MAX_NAME]
