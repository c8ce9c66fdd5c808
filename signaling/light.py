"""The recording light: what the store has acknowledged. Pure.

Must not: be computed from intent. Every state but `off` follows from `stored` reports of the media plane,
or from their absence; consent, plans and sessions cannot switch it to `recording`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from signaling.wire import LightState

SILENCE_LIMIT_MS = 5_000  # older than this, an acknowledgement proves nothing


@dataclass(frozen=True, slots=True)
class Light:
    """What the store has said so far in this session."""

    reported_ms: int | None = None  # when the last report came (our clock)
    stored_until_ms: int | None = None  # up to where everything is on disk (the store's word)
    advanced_ms: int | None = None  # when `stored_until_ms` last grew (our clock)
    recording: bool = False  # the last report named at least one seat
    resumed_ms: int | None = None  # when a report first named one again (our clock)
    degraded: tuple[tuple[str, str, str], ...] = ()  # participant, kind, cause
    expected_since_ms: int | None = None  # a seat that may be recorded is connected since
    paused: bool = False  # media writes nobody, because it was told to pause
    sealed: bool = False  # media closed the journal after the end

    def report(
        self,
        now_ms: int,
        stored_until_ms: int | None,
        seats: int,
        degraded: tuple[tuple[str, str, str], ...],
        paused: bool = False,
    ) -> Light:
        """With one report of the store. An acknowledgement never goes back."""
        grown = stored_until_ms is not None and stored_until_ms > (self.stored_until_ms or 0)
        return replace(
            self,
            reported_ms=now_ms,
            stored_until_ms=stored_until_ms if grown else self.stored_until_ms,
            advanced_ms=now_ms if grown else self.advanced_ms,
            recording=seats > 0,
            resumed_ms=now_ms if seats > 0 and not self.recording else self.resumed_ms,
            degraded=degraded,
            paused=paused and seats == 0,
        )

    def expect(self, expected: bool, now_ms: int) -> Light:
        """With or without somebody whose media ought to be reported as stored."""
        if not expected:
            return self if self.expected_since_ms is None else replace(self, expected_since_ms=None)
        return self if self.expected_since_ms is not None else replace(self, expected_since_ms=now_ms)

    def state(self, now_ms: int, in_session: bool) -> LightState:
        """The word the pages show."""
        if self.sealed:
            return "off" if self.advanced_ms is None else "sealed"
        if not in_session:
            return "off"
        if self.degraded:
            return "degraded"
        if self.paused:
            return "degraded" if self._overdue(self.reported_ms, now_ms) else "paused"
        if self.advanced_ms is None:
            return "degraded" if self._overdue(self.expected_since_ms, now_ms) else "waiting"
        if self._overdue(self.reported_ms, now_ms):
            return "degraded"
        if not self.recording:
            return "degraded" if self._overdue(self.expected_since_ms, now_ms) else "waiting"
        if (self.resumed_ms or 0) > self.advanced_ms:
            return "degraded" if self._overdue(self.resumed_ms, now_ms) else "waiting"
        return "degraded" if self._overdue(self.advanced_ms, now_ms) else "recording"

    @staticmethod
    def _overdue(since_ms: int | None, now_ms: int) -> bool:
        return since_ms is not None and now_ms - since_ms > SILENCE_LIMIT_MS
