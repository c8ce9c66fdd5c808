"""Taking somebody's lost second step away: why, and how it was made sure that it is they who ask. Pure.

Both are chosen from a list, so that the audit chain holds them as they are and nothing of anybody's words.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

Why = Literal["lost", "stolen", "replaced", "suspected"]
Checked = Literal["in_person", "video", "known_number"]
WHY: Final[tuple[Why, ...]] = get_args(Why)
CHECKED: Final[tuple[Checked, ...]] = get_args(Checked)
