"""What every message of the wire is made of: their base, shared types, a refusal. Must not: name one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
ConnectionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]
TrackKind = Literal["audio", "camera", "screen", "exam"]
PictureKind = Literal["camera", "screen", "exam"]
QualityLevel = Literal["good", "fair", "poor"]
LineMode = Literal["full", "thin", "survival"]
PausedWhy = Literal["thin", "lossy"]
ConsentState = Literal["granted", "declined", "undecided"]
RoomState = Literal["waiting", "live", "ended"]
LightState = Literal["off", "waiting", "recording", "degraded", "paused", "sealed"]
WaitsFor = Literal["consent", "store", "company"]
PauseReason = Literal["private_talk", "examination", "patient_asked", "other"]
ClosedCode = Literal["ended", "replaced", "revoked", "removed"]
Ack = dict[str, object]


def refused(code: str) -> Ack:
    """The ack of a refused event."""
    return {"ok": False, "code": code}


class BadMessage(Exception):  # noqa: N818 - named as on the wire
    """A page sent something outside the protocol. `field` is a dotted path, or "" for the whole message."""

    code = "bad_message"

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class Message(BaseModel):
    """Base of everything on the wire: frozen, strict, no unknown fields."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    def wire(self) -> dict[str, object]:
        """As JSON-ready dict."""
        return self.model_dump(mode="json")
