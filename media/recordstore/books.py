"""What somebody outside the journal knows of a session: which epochs were begun, how long people were there.

Only a witness: it makes no statement about what is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Books:
    """Times in Unix ms. `begun`: since when each epoch was to record somebody; `present_until_ms`: the last
    moment at which somebody who consented is known to have been there, 0 if nobody knows; `growing`: an epoch
    is being written to now, so that its end says nothing yet.
    """

    begun: Mapping[int, int] = field(default_factory=dict)
    present_until_ms: int = 0
    growing: bool = False

    def told(self) -> dict[str, Any]:
        """As a finaliser's job has it."""
        return {
            "epochs": [[epoch, at_ms] for epoch, at_ms in sorted(self.begun.items())],
            "present_until_ms": self.present_until_ms,
        }


def read_books(session: Mapping[str, Any]) -> Books:
    """Inverse of `told`; what is lacking is not known. Raises ValueError or TypeError."""
    begun = {int(epoch): int(at_ms) for epoch, at_ms in session.get("epochs", [])}
    return Books(begun, int(session.get("present_until_ms", 0)))
