"""New ids: opaque, and usable wherever people type them."""

from __future__ import annotations

import re

from server.storage.ids import new_id


def test_an_id_is_22_url_safe_characters_and_never_looks_like_an_option() -> None:
    made = [new_id() for _ in range(2_000)]
    assert len(set(made)) == len(made)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}", each) for each in made)
