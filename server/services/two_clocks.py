"""An instant as pages are told it: what the clock on the wall shows at each place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from server.domain.people import Site
from server.domain.two_clocks import shown


def clocks(at_ms: int, places: Iterable[Site]) -> list[dict[str, Any]]:
    """`{site, time_zone, local, weekday}` each, in the order given."""
    return [{"site": site.name, **shown(at_ms, site.time_zone).as_json()} for site in places]
