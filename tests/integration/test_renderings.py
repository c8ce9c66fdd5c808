"""What was rendered in a finished recording: found by levels or by listening, reviewed, flagged, answered."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest
import pytest_asyncio
from aiohttp import web
from sqlalchemy import delete, insert, update

from server.domain.errors import Refused
from server.domain.pairing import VERSION
from server.domain.renderings import AROUND_MS
from server.domain.talk import Settings
from server.playback.flags import Flags
from server.playback.interpretation import Interpretations, changes
from server.playback.playback import Playback
from server.runtime.bucket import Bucket
from server.runtime.keystore import KeyStore
from server.runtime.objects import Objects
from server.services.access import Asking
from server.services.follow_up import Withheld
from server.storage import audit as audit_chain
from server.storage import destructions as asked_for
from server.storage import pairings, renderings
from server.storage.destructions import BEGUN, DONE, REQUESTED, WHOLE, Destruction
from server.storage.recordings import RecordedSeat, Recordings
from server.storage.schema import destructions, seats, session_notes, sessions
from server.storage.schema_audit import audit
from server.web.recordings import PLAYBACK
from server.web.renderings import FLAGS, INTERPRETATIONS
from server.web.routes import CLIPS
from tests.integration.playback_rig import PlaybackRig, Profile
from tests.integration.test_live_rooms import JOIN, Page, inhabited
from tests.support.followed import patient_sits, says
from tests.support.journals import CASE, RECORDING, SEATS, STARTED_MS, Books, make_books, people
from tests.support.recorded import Person
from tests.support.talkers import TALK, Talker, Unlevelled

LP, KP, IN = SEATS
LANGUAGES = {LP: "ru", KP: "ko", IN: "ru/ko"}
SECONDS = 62.0
pytestmark = pytest.mark.asyncio(loop_scope="module")
API = f"/api/recordings/{RECORDING}"


class Rig(PlaybackRig):
    kind = Talker

    async def open(self, data: Path, seconds: float = SECONDS, remote: Bucket | None = None) -> Rig:
        await super().open(data, seconds, remote)
        return self

    def people(self) -> list[Person]:
        talks = zip(people(3, self.kind), TALK.values(), strict=True)
        return [replace(person, talks=spans) for person, spans in talks]

    async def add_more(self, app: web.Application) -> None:
        app[INTERPRETATIONS] = Interpretations(self.books.database, self.books.rows, app[PLAYBACK])
        app[FLAGS] = Flags(self.services.context, app[INTERPRETATIONS], app[PLAYBACK])
        async with self.books.database.write() as tx:
            for seat, spoken in LANGUAGES.items():
                await tx.execute(update(seats).where(seats.c.id == seat).values(language=spoken))
            for at_ms, what, seat in ((0, "mode:consecutive", None), (44_500, "signal:own_words", IN)):
                row = {"session_id": RECORDING, "at_ms": STARTED_MS + at_ms, "what": what, "seat_id": seat}
                await tx.execute(insert(session_notes).values(**row))

    async def seat_of(self, profile: Profile, seat: str) -> None:
        async with self.books.database.write() as tx:
            await tx.execute(update(seats).where(seats.c.id == seat).values(account_id=profile.account))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    made = await Rig().open(tmp_path_factory.mktemp("renderings"))
    yield made
    await made.close()


async def asked(rig: Rig, who: Profile | None, method: str, path: str, **more: Any) -> tuple[int, Any]:
    async with rig.browser(who) as browser, browser.request(method, path, **more) as response:
        told = await response.json() if "json" in response.headers["Content-Type"] else await response.read()
        return response.status, told


def begins(pair: dict[str, Any]) -> tuple[list[int], int]:
    return [round(each["from"] / 100) for each in pair["said"]], round(pair["rendered"]["from"] / 100)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reviewer(rig: Rig) -> Profile:
    return await rig.profile("acc-reviewer", ("reviewer",), "follows")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def interpreter(rig: Rig) -> Profile:
    made = await rig.profile("acc-interpreter", ("interpreter",))
    await rig.seat_of(made, IN)
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def found(rig: Rig, reviewer: Profile) -> dict[str, Any]:
    status, told = await asked(rig, reviewer, "GET", f"{API}/interpretation")
    assert status == 200
    return dict(told)


def new_flag(pair: dict[str, Any], comment: str = "The dose was 5, not 50?") -> dict[str, Any]:
    rendered = pair["rendered"]
    return {
        "participant": rendered["participant"],
        "from_ms": rendered["from"],
        "to_ms": rendered["to"],
        "comment": comment,
    }


async def test_pairs_come_from_levels_the_time_line_and_the_seats_languages(found: dict[str, Any]) -> None:
    told = [begins(pair) for pair in found["pairs"]]
    for (said, rendered), (a, b) in zip(told, [(20, 56), (200, 236), (300, 347)], strict=True):
        assert len(said) == 1
        assert abs(said[0] - a) <= 2
        assert abs(rendered - b) <= 2
    assert [(pair["source"], pair["target"]) for pair in found["pairs"]] == [
        ("ko", "ru"), ("ru", "ko"), ("ko", "ru"),
    ]  # fmt: skip
    assert [each["signalled"] for each in found["own"]] == [True]
    assert {each["participant"]: each["languages"] for each in found["people"]}[IN] == ["ru", "ko"]
    assert found["changes"] == [{"at": 0, "kind": "mode", "participant": None, "value": "consecutive"}]


async def test_what_was_found_is_kept_until_there_are_other_tracks_or_another_way(
    rig: Rig, found: dict[str, Any]
) -> None:
    async with rig.books.database.read() as tx:
        kept = await pairings.get(tx, RECORDING, 1, VERSION)
        assert kept
        assert kept["pairs"] == found["pairs"]
        assert await pairings.get(tx, RECORDING, 2, VERSION) is None
        assert await pairings.get(tx, RECORDING, 1, VERSION + 1) is None


async def test_a_rendering_is_flagged_answered_and_both_are_audited_without_their_words(
    rig: Rig, reviewer: Profile, interpreter: Profile, found: dict[str, Any]
) -> None:
    body = new_flag(found["pairs"][1])
    status, flag = await asked(rig, reviewer, "POST", f"{API}/flags", json=body)
    assert status == 201, flag
    _, own = await asked(rig, interpreter, "GET", "/api/flags")
    [mine] = [each for each in own["flags"] if each["id"] == flag["id"]]
    assert (mine["comment"], mine["made_by"], mine["answer"]) == (body["comment"], "Synthetic", None)
    assert mine["started_at_ms"] == STARTED_MS
    path = f"/api/flags/{flag['id']}"
    status, told = await asked(rig, interpreter, "POST", f"{path}/answer", json={"text": "Five. I erred."})
    assert (status, told["answer"]["text"]) == (200, "Five. I erred.")
    _, shown = await asked(rig, reviewer, "GET", f"{API}/interpretation")
    assert told in shown["flags"]
    async with rig.books.database.read() as tx:
        assert await audit_chain.first_broken(tx) is None
        rows = [row for row in await tx.execute(audit.select()) if row.action.startswith("rendering_")]
    assert {"rendering_flagged", "rendering_answered"} <= {row.action for row in rows}
    assert not any("dose" in str(row.detail) or "erred" in str(row.detail) for row in rows)


async def test_what_was_never_rendered_is_not_flagged_and_a_flag_says_why(
    rig: Rig, reviewer: Profile, found: dict[str, Any]
) -> None:
    right = new_flag(found["pairs"][0])
    for wrong, code in (
        ({"participant": KP}, "no_such_rendering"),
        ({"from_ms": right["from_ms"] - 1}, "no_such_rendering"),
        ({"to_ms": right["to_ms"] + 60_000}, "no_such_rendering"),
        ({"comment": " \u202e\n"}, "flag_empty"),
        ({"from_ms": -1}, "bad_request"),
        ({"more": 1}, "bad_request"),
    ):
        status, told = await asked(rig, reviewer, "POST", f"{API}/flags", json=right | wrong)
        assert (status >= 400, told["error"]["code"]) == (True, code), wrong


async def test_an_interpreter_hears_the_seconds_around_a_flag_of_their_own_and_nothing_else(
    rig: Rig, reviewer: Profile, interpreter: Profile, found: dict[str, Any]
) -> None:
    pair = found["pairs"][1]
    _, flag = await asked(rig, reviewer, "POST", f"{API}/flags", json=new_flag(pair))
    path = f"/api/flags/{flag['id']}"
    status, told = await asked(rig, interpreter, "GET", path)
    begin, end = told["window"]
    assert (begin, end) == (pair["rendered"]["from"] - AROUND_MS, pair["rendered"]["to"] + AROUND_MS)
    assert {each["participant"] for each in told["tracks"]} == set(SEATS)
    assert all(begin <= each["offset_ms"] < each["end_ms"] <= end for each in told["tracks"])
    status, clip = await asked(rig, interpreter, "GET", f"{path}/tracks/{KP}-audio")
    assert status == 200
    packets = packets_of(clip)
    assert abs(len(packets) * 20 - (end - begin)) <= 40
    whole = packets_of(await rig.plaintext(f"{KP}-audio"))
    assert b"".join(packets) in b"".join(whole)  # and so nothing that is outside
    status, part = await asked(
        rig, interpreter, "GET", f"{path}/tracks/{KP}-audio?from_ms={begin + 1000}&to_ms={begin + 2000}"
    )
    assert len(packets_of(part)) == 50
    for outside in ("from_ms=0", f"to_ms={end + 1}", f"from_ms={end}", f"from_ms={begin - 1}&to_ms={end}"):
        status, refused = await asked(rig, interpreter, "GET", f"{path}/tracks/{KP}-audio?{outside}")
        assert (status, refused["error"]["code"]) == (403, "outside_flag"), outside
    for none in ("from_ms=-1", "to_ms=NaN", "to_ms=1e9", "from_ms=", f"to_ms={10**10}", "from_ms=١"):
        status, refused = await asked(rig, interpreter, "GET", f"{path}/tracks/{KP}-audio?{none}")
        assert (status, refused["error"]["code"]) == (400, "bad_request"), none
    for other in (API, f"{API}/tracks/{IN}-audio", f"{API}/interpretation", f"{API}/exports"):
        status, refused = await asked(rig, interpreter, "GET", other)
        assert (status, refused["error"]["code"]) == (403, "forbidden"), other
    status, _ = await asked(rig, interpreter, "GET", f"{path}/tracks/{IN}-camera")
    assert status == 404
    too_far = {"Range": f"bytes={len(clip)}-"}
    status, _ = await asked(rig, interpreter, "GET", f"{path}/tracks/{KP}-audio", headers=too_far)
    assert status == 416
    some = {"Range": "bytes=0-99"}
    status, start = await asked(rig, interpreter, "GET", f"{path}/tracks/{KP}-audio", headers=some)
    assert (status, start) == (206, clip[:100])


async def used_up(rig: Rig, who: Profile) -> None:
    for _ in range(CLIPS):
        await rig.services.attempts.route("/api/flags/{flag}/tracks/{track}", who.account, CLIPS)


async def test_seconds_are_cut_out_as_often_as_players_ask_but_not_as_machines_do(
    rig: Rig, reviewer: Profile, interpreter: Profile, found: dict[str, Any]
) -> None:
    _, flag = await asked(rig, reviewer, "POST", f"{API}/flags", json=new_flag(found["pairs"][1]))
    path = f"/api/flags/{flag['id']}/tracks/{KP}-audio"
    for _ in range(20):
        assert (await asked(rig, interpreter, "GET", path))[0] == 200
    with pytest.raises(Refused, match="too_many_attempts"):
        await used_up(rig, interpreter)
    status, refused = await asked(rig, interpreter, "GET", path)
    assert (status, refused["error"]["code"]) == (429, "too_many_attempts")
    await rig.services.attempts._limiter.storage.reset()


async def test_a_flag_is_closed_to_another_interpreter_to_strangers_and_to_those_who_watch(
    rig: Rig, reviewer: Profile, found: dict[str, Any]
) -> None:
    _, flag = await asked(rig, reviewer, "POST", f"{API}/flags", json=new_flag(found["pairs"][0]))
    other = await rig.profile("acc-other-interpreter", ("interpreter",))
    path = f"/api/flags/{flag['id']}"
    for who in (other, None, reviewer):
        for place in (path, f"{path}/tracks/{IN}-audio"):
            status, told = await asked(rig, who, "GET", place)
            assert (status, told["error"]["code"]) == (403, "forbidden")
        status, _ = await asked(rig, who, "POST", f"{path}/answer", json={"text": "Mine."})
        assert status in (401, 403)
    assert (await asked(rig, other, "GET", "/api/flags"))[1] == {"flags": []}


async def test_a_voice_without_levels_is_listened_to(tmp_path: Path) -> None:
    old = Rig()
    old.kind = Unlevelled
    rig = await old.open(tmp_path, 40.0)
    try:
        reviewer = await rig.profile("acc-reviewer", ("reviewer",), "follows")
        status, told = await asked(rig, reviewer, "GET", f"{API}/interpretation")
        assert status == 200
        assert [begins(pair)[1] // 10 for pair in told["pairs"]] == [5, 23, 34]
    finally:
        await rig.close()


async def destruction_asked(books: Books, seat: str) -> None:
    row = Destruction(
        f"des-{seat}", RECORDING, seat, CASE, "withdrawn", "own_wish", KP, False, 1, REQUESTED, {}
    )
    async with books.database.write() as tx:
        await asked_for.add(tx, row)


async def not_asked(books: Books, seat: str) -> None:
    """As if that destruction had not been asked for."""
    async with books.database.write() as tx:
        await tx.execute(delete(destructions).where(destructions.c.seat_id == seat))


@pytest.mark.parametrize("state", [REQUESTED, BEGUN, DONE])
async def test_of_a_recording_that_is_to_be_destroyed_or_is_nothing_is_told(
    rig: Rig, reviewer: Profile, interpreter: Profile, found: dict[str, Any], state: str
) -> None:
    _, flag = await asked(rig, reviewer, "POST", f"{API}/flags", json=new_flag(found["pairs"][1]))
    await destruction_asked(rig.books, WHOLE)
    async with rig.books.database.write() as tx:
        await asked_for.change(tx, f"des-{WHOLE}", state=state)
    try:
        for who, method, path in (
            (reviewer, "GET", f"{API}/tracks/{IN}-audio"),
            (reviewer, "GET", f"{API}/interpretation"),
            (reviewer, "POST", f"{API}/flags"),
            (interpreter, "GET", f"/api/flags/{flag['id']}"),
            (interpreter, "POST", f"/api/flags/{flag['id']}/answer"),
        ):
            body = {"text": "Five."} if path.endswith("/answer") else new_flag(found["pairs"][1])
            more = {"json": body} if method == "POST" else {}
            status, refused = await asked(rig, who, method, path, **more)
            assert (status, refused["error"]["code"]) == (410, "destroyed"), path
        assert (await asked(rig, interpreter, "GET", "/api/flags"))[1] == {"flags": []}
    finally:
        await not_asked(rig.books, WHOLE)
    assert flag["id"] in str(await asked(rig, interpreter, "GET", "/api/flags"))


async def test_of_a_patient_who_refuses_follow_up_not_even_when_they_spoke_is_told_and_no_seconds_are_cut(
    rig: Rig, reviewer: Profile, interpreter: Profile, found: dict[str, Any]
) -> None:
    about_them = new_flag(next(pair for pair in found["pairs"] if pair["said"][0]["participant"] == LP))
    _, flag = await asked(rig, reviewer, "POST", f"{API}/flags", json=about_them)
    path = f"/api/flags/{flag['id']}"
    await patient_sits(rig.services, LP)
    await says(rig.services, "declined")
    try:
        _, told = await asked(rig, reviewer, "GET", f"{API}/interpretation")
        assert LP not in str([told["people"], told["pairs"], told["own"]])
        assert len(told["pairs"]) == len(found["pairs"]) - 1
        assert flag["id"] not in str(told["flags"])
        status, refused = await asked(rig, reviewer, "POST", f"{API}/flags", json=about_them)
        assert (status, refused["error"]["code"]) == (409, "no_such_rendering")
        _, around = await asked(rig, interpreter, "GET", path)
        assert {each["participant"] for each in around["tracks"]} == {KP, IN}
        status, refused = await asked(rig, interpreter, "GET", f"{path}/tracks/{LP}-audio")
        assert (status, refused["error"]["code"]) == (403, "follow_up_refused")
        assert (await asked(rig, interpreter, "GET", f"{path}/tracks/{KP}-audio"))[0] == 200
    finally:
        await says(rig.services, "granted")
    assert (await asked(rig, interpreter, "GET", f"{path}/tracks/{LP}-audio"))[0] == 200


class Destroying(Interpretations):
    """The destruction of the recording is asked for just when its pairs were told."""

    async def of(self, recording: str, kept_back: Withheld) -> dict[str, Any]:
        told = await super().of(recording, kept_back)
        await destruction_asked(Books(self._database, self._rows), WHOLE)
        return told


async def test_a_flag_that_comes_with_the_destruction_of_its_recording_leaves_no_words(
    rig: Rig, found: dict[str, Any]
) -> None:
    playback = Playback(rig.books.database, rig.books.rows, rig.keys, rig.objects)
    flags = Flags(rig.services.context, Destroying(rig.books.database, rig.books.rows, playback), playback)
    rendered = found["pairs"][1]["rendered"]
    span = (rendered["from"], rendered["to"])
    async with rig.books.database.read() as tx:
        before = await renderings.count(tx, RECORDING)
    try:
        with pytest.raises(Refused, match="destroyed"):
            await flags.add(RECORDING, IN, span, "Said late.", Asking("acc-reviewer", "", CASE), {})
    finally:
        await not_asked(rig.books, WHOLE)
    async with rig.books.database.read() as tx:
        assert await renderings.count(tx, RECORDING) == before


class Meanwhile(Recordings):
    """While what was rendered is found, the recording expires, or is sealed anew without somebody."""

    expires = False

    async def seats(self, recording: str) -> list[RecordedSeat]:
        if self.expires:
            await self.expire(recording, 2)
        else:
            await self.commit_generation(recording, 2, 1, 1000, {"tracks": []}, 2)
        return await super().seats(recording)


@pytest.mark.parametrize("expires", [True, False])
async def test_what_is_found_in_tracks_that_are_gone_by_then_is_not_kept(
    tmp_path: Path, expires: bool
) -> None:
    books = await make_books(tmp_path)
    try:
        await books.rows.commit_generation(RECORDING, 1, 1, 1000, {"tracks": []}, 1)
        playback = Playback(
            books.database, books.rows, KeyStore.open(tmp_path), Objects(tmp_path / "objects")
        )
        rows = Meanwhile(books.database)
        rows.expires = expires
        assert (await Interpretations(books.database, rows, playback).of(RECORDING, {}))["pairs"] == []
        async with books.database.read() as tx:
            for generation in (1, 2):
                assert await pairings.get(tx, RECORDING, generation, VERSION) is None
        if not expires:
            await Interpretations(books.database, books.rows, playback).of(RECORDING, {})
            async with books.database.read() as tx:
                assert await pairings.get(tx, RECORDING, 2, VERSION), "found again when somebody asks"
    finally:
        await books.database.close()


async def test_flags_on_renderings_of_an_interpreter_who_withdrew_are_told_to_nobody(
    rig: Rig, reviewer: Profile, interpreter: Profile, found: dict[str, Any]
) -> None:
    _, flag = await asked(rig, reviewer, "POST", f"{API}/flags", json=new_flag(found["pairs"][1]))
    await destruction_asked(rig.books, IN)
    try:
        _, told = await asked(rig, reviewer, "GET", f"{API}/interpretation")
        assert (told["pairs"], told["flags"]) == ([], [])
        status, refused = await asked(rig, interpreter, "GET", f"/api/flags/{flag['id']}")
        assert (status, refused["error"]["code"]) == (410, "withdrawn")
        assert (await asked(rig, interpreter, "GET", "/api/flags"))[1] == {"flags": []}
    finally:
        await not_asked(rig.books, IN)
    _, told = await asked(rig, reviewer, "GET", f"{API}/interpretation")
    assert flag in told["flags"]


async def test_of_whom_everything_was_destroyed_not_even_when_they_spoke_is_told(
    rig: Rig, reviewer: Profile, interpreter: Profile, found: dict[str, Any]
) -> None:
    _, flag = await asked(rig, reviewer, "POST", f"{API}/flags", json=new_flag(found["pairs"][0]))
    _, other = await asked(rig, reviewer, "POST", f"{API}/flags", json=new_flag(found["pairs"][1]))
    await destruction_asked(rig.books, KP)
    _, told = await asked(rig, reviewer, "GET", f"{API}/interpretation")
    assert KP not in str(told)
    assert [pair["source"] for pair in told["pairs"]] == ["ru"]
    assert other in told["flags"]
    assert flag not in told["flags"]
    assert {each["from"] for each in told["flags"]} == {other["from"]}  # not even when it was
    path = f"/api/flags/{flag['id']}"
    status, refused = await asked(rig, interpreter, "GET", f"{path}/tracks/{KP}-audio")
    assert (status, refused["error"]["code"]) == (410, "withdrawn")
    assert (await asked(rig, interpreter, "GET", f"{path}/tracks/{LP}-audio"))[0] == 200
    await destruction_asked(rig.books, IN)
    for place in (path, f"{path}/tracks/{LP}-audio"):  # with their own rendering goes what was flagged
        status, refused = await asked(rig, interpreter, "GET", place)
        assert (status, refused["error"]["code"]) == (410, "withdrawn"), place
    async with rig.books.database.read() as tx:
        assert await pairings.get(tx, RECORDING, 1, VERSION)
    await rig.books.rows.commit_generation(RECORDING, 2, 1, 1000, {"tracks": []}, 1)  # sealed without them
    async with rig.books.database.read() as tx:
        assert await pairings.get(tx, RECORDING, 1, VERSION) is None
    await rig.books.rows.expire(RECORDING, 1)
    assert (await asked(rig, interpreter, "GET", "/api/flags"))[1] == {"flags": []}
    async with rig.books.database.read() as tx:
        assert await pairings.get(tx, RECORDING, 1, VERSION) is None
        assert {flag.comment for flag in await renderings.of_recording(tx, RECORDING)} == {""}


def packets_of(file: bytes) -> list[bytes]:
    with av.open(io.BytesIO(file), "r") as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


async def test_what_the_room_writes_on_its_time_line_is_what_pairing_goes_by(tmp_path: Path) -> None:
    async with inhabited(tmp_path, session_grace_s=2) as house:
        pages: dict[str, Page] = {}
        for role in ("referring_physician", "consulting_physician", "interpreter"):
            pages[role] = await house.socket(await house.by_link(role), role)
            assert (await pages[role].ask("join", JOIN))["ok"]
        interpreter, (seat, _) = pages["interpreter"], house.seat("interpreter")
        for event, data in (
            ("mode", {"mode": "simultaneous"}),
            ("direction", {"source": "ko", "target": "ru"}),
            ("signal", {"kind": "own_words"}),
            ("mode", {"mode": "consecutive"}),
        ):
            assert (await interpreter.ask(event, data))["ok"], event
        assert (await pages["referring_physician"].ask("step", {"participant": seat, "out": True}))["ok"]
        told: list[tuple[int, str, str]] = []
        async with asyncio.timeout(10):
            while "step_out" not in [what for _, what, _ in told]:  # written soon after it was done
                await asyncio.sleep(0.05)
                async with house.server.services.context.database.read() as tx:
                    [session] = (await tx.execute(sessions.select())).all()
                    told = await pairings.time_line(tx, session.id)
        settings = Settings(changes(told, session.started_ms))
    at = {what: at_ms - session.started_ms for at_ms, what, _ in told}
    simultaneous, later = at["mode:simultaneous"], at["step_out"]
    assert settings.mode(simultaneous) in ("simultaneous", "consecutive")  # both may share a millisecond
    assert settings.mode(later) == "consecutive"
    assert settings.direction(seat, later) == ("ko", "ru")
    assert settings.signals(seat, "own_words") == [at["signal:own_words"]]
    assert settings.unheard(seat, later)
    assert not settings.unheard(seat, max(0, simultaneous - 1))
