"""What an operator may ask of a running server's workers: what there is, and to empty one for an upgrade."""

from __future__ import annotations

from typing import Any

from server.runtime.fleet import Fleet
from server.runtime.load import Load
from server.runtime.workers import LocalWorkers, Place


class Operating:
    """Answers requests of `operator_socket`. Codes: bad_request, unknown_worker, away, draining_already."""

    def __init__(self, fleet: Fleet, workers: LocalWorkers) -> None:
        self._fleet = fleet
        self._workers = workers

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        match request:
            case {"op": "workers"}:
                return {"ok": True, "workers": [self._told(place) for place in self._workers.places()]}
            case {"op": "drain", "worker": str(name)}:
                return await self._drain(name)
        return {"ok": False, "code": "bad_request"}

    async def _drain(self, name: str) -> dict[str, Any]:
        place = next((place for place in self._workers.places() if place.name == name), None)
        if place is None:
            return {"ok": False, "code": "unknown_worker"}
        link = None if place.worker is None else self._fleet.links.get(place.worker)
        if link is None:
            return {"ok": False, "code": "away"}
        if link.draining:
            return {"ok": False, "code": "draining_already"}
        others = [one for one in self._fleet.links.values() if one is not link and not one.draining]
        await self._fleet.drain(link)
        return {"ok": True, "rooms": link.rooms, "starts": place.starts, "alone": not others}

    def _told(self, place: Place) -> dict[str, Any]:
        link = None if place.worker is None else self._fleet.links.get(place.worker)
        load = Load() if link is None else self._fleet.loads.get(link.at.id, Load())
        state = "away" if link is None else "draining" if link.draining else "serving"
        return {
            "name": place.name,
            "state": state,
            "pid": place.pid,
            "port": place.port,
            "starts": place.starts,
            "rooms": 0 if link is None else link.rooms,
            "people": 0 if link is None else link.people,
            "load": round(load.share(self._fleet.limits), 3),
            "cpu": round(load.cpu, 3),
            "lag_p99_ms": load.lag_p99_ms,
        }
