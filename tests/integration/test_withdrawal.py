"""Consent withdrawn afterwards: that seat's key is gone for good, the others play on, a receipt proves it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from media.recordstore import manifest as manifests
from server.domain.errors import Refused
from server.domain.retention import DAY_MS
from server.runtime.generation import MANIFEST, Generation
from server.runtime.keystore import KeyStore, fingerprint_of
from server.runtime.receipts import FIRST, opened
from server.services.retention import Retention
from server.storage import audit, destructions
from tests.support.journals import CASE, RECORDING, SEATS
from tests.support.shredding import ADDRESS, Shredding, places_of

GONE, STAYS, OTHER = SEATS
OFFICER = "officer-account-0001"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Shredding]:
    made = await Shredding.ready(tmp_path)
    yield made
    await made.close()


def retention(rig: Shredding) -> Retention:
    return rig.services.retention


async def test_the_withdrawn_seat_is_gone_and_the_others_play_from_a_generation_without_it(
    rig: Shredding,
) -> None:
    plain = rig.keys.seat_key(RECORDING, GONE)
    wrapped = (rig.data / "keys" / RECORDING / f"{GONE}.key").read_bytes()
    before = {track: await rig.plays(track) for track in (f"{GONE}-audio", f"{STAYS}-camera")}
    assert all(before.values()), "the positive control"
    await rig.withdraw(GONE)
    assert len(await rig.destroyer.run_waiting()) == 1
    row = await rig.row()
    assert row.generation == 2
    generation = await Generation.open(rig.objects, rig.keys, RECORDING, 2)
    await generation.verify()
    assert {track.seat for track in generation.tracks.values()} == {STAYS, OTHER}
    stored = await rig.objects.open(RECORDING, 2, MANIFEST)
    signed = manifests.verify(await stored.read(0, stored.size), rig.keys.verify_key)
    for account in (generation.index, signed):
        lanes = {(gap["peer"], gap["kind"], gap["cause"]) for gap in account["withdrawn"]}  # type: ignore[attr-defined]
        assert lanes == {(GONE, "audio", "withdrawn"), (GONE, "camera", "withdrawn")}
    assert rig.objects.generations(RECORDING) == [2]
    for seat in (STAYS, OTHER):
        assert await rig.plays(f"{seat}-audio")
        assert await rig.plays(f"{seat}-camera")
    with pytest.raises(Refused, match="withdrawn"):
        await rig.playback.track(RECORDING, f"{GONE}-audio")
    await rig.close()
    assert places_of(rig.data, plain, wrapped, wrapped[20:52]) == []


async def test_the_receipt_says_what_went_and_from_when_no_backup_opens_it(rig: Shredding) -> None:
    print_before = fingerprint_of(RECORDING, GONE, rig.keys.seat_key(RECORDING, GONE))
    await rig.withdraw(GONE)
    rig.now_ms += 5_000
    await rig.destroyer.run_waiting()
    (receipt,) = rig.receipts.all()
    told, wrong = opened(receipt.envelope, rig.keys.verify_key)
    assert (wrong, receipt.faults) == (None, ())
    assert (told["recording"], told["seat"], told["cause"]) == (RECORDING, GONE, "withdrawn")
    assert told["keys"] == [{"seat": GONE, "fingerprint": print_before}]
    assert told["objects"] == [f"g1/{GONE}-audio.webm.sealed", f"g1/{GONE}-camera.webm.sealed"]
    assert (told["requested_by"], told["on_behalf"]) == ("account-synthetic-1", True)
    assert told["destroyed_at_ms"] == rig.now_ms
    assert told["no_backup_opens_from_ms"] == rig.now_ms + 30 * DAY_MS
    assert (told["number"], told["previous"], told["held"]) == (1, FIRST, [])
    assert told["journal"]["segments"] == 1
    assert told["journal"]["removed"] is False
    assert (await rig.destruction(GONE)).receipt_hash == receipt.hash
    async with rig.database.read() as tx:
        assert receipt.hash in await audit.hashes_told(tx)
        assert await audit.first_broken(tx) is None


async def test_from_the_moment_it_is_asked_for_nothing_plays_but_nobody_is_told_destroyed(
    rig: Shredding,
) -> None:
    await rig.withdraw(GONE)
    with pytest.raises(Refused, match="withdrawn"):
        await rig.playback.track(RECORDING, f"{GONE}-camera")
    with pytest.raises(Refused, match="withdrawn_already"):
        await rig.withdraw(GONE)
    assert (await rig.destruction(GONE)).state == destructions.REQUESTED
    assert rig.receipts.all() == []
    assert rig.keys.existing_key(RECORDING, GONE) is not None


async def test_under_a_hold_it_waits_unplayable_and_the_receipt_names_the_hold(rig: Shredding) -> None:
    hold = await retention(rig).hold(CASE, "dispute", OFFICER, ADDRESS)
    await rig.withdraw(GONE)
    rig.now_ms += 10 * DAY_MS
    assert await rig.destroyer.run_waiting() == []
    assert rig.keys.existing_key(RECORDING, GONE) is not None, "nothing under hold goes"
    with pytest.raises(Refused, match="withdrawn"):
        await rig.playback.track(RECORDING, f"{GONE}-camera")
    await retention(rig).lift(hold.id, "settled", OFFICER, ADDRESS)
    assert len(await rig.destroyer.run_waiting()) == 1
    assert rig.keys.is_gone(RECORDING, GONE)
    (receipt,) = rig.receipts.all()
    (held,) = receipt.payload["held"]
    assert held["hold"] == hold.id
    assert held["until_ms"] - held["from_ms"] == 10 * DAY_MS


async def test_exports_with_the_seat_go_too_and_others_stay(rig: Shredding) -> None:
    await rig.compose("export-with-everybody", GONE, STAYS)
    await rig.compose("export-of-the-others", STAYS, OTHER)
    await rig.withdraw(GONE)
    await rig.destroyer.run_waiting()
    assert await rig.composed() == {"export-with-everybody": "destroyed", "export-of-the-others": "ready"}
    assert rig.keys.is_gone("export-with-everybody", "room")
    assert not list((rig.data / "exports").rglob("export-with-everybody/*/*"))
    assert len(list((rig.data / "exports").rglob("export-of-the-others/*/*"))) == 1
    (receipt,) = rig.receipts.all()
    assert receipt.payload["exports"] == ["export-with-everybody"]
    await rig.expire()
    assert set((await rig.composed()).values()) == {"destroyed"}
    assert rig.receipts.all()[1].payload["exports"] == ["export-of-the-others"]


async def test_under_a_hold_an_export_with_the_seat_is_not_handed_out(rig: Shredding) -> None:
    await rig.compose("export-with-everybody", GONE, STAYS)
    await rig.exports.still_there(RECORDING, "export-with-everybody", {})
    await retention(rig).hold(CASE, "dispute", OFFICER, ADDRESS)
    await rig.withdraw(GONE)
    with pytest.raises(Refused, match="export_gone"):
        await rig.exports.still_there(RECORDING, "export-with-everybody", {})
    material = await rig.exports.making.material(RECORDING)
    assert material is not None
    assert {track["peer"] for track in material.tracks()} == {STAYS, OTHER}


async def test_two_seats_withdraw_one_after_the_other_and_the_receipts_are_a_chain(rig: Shredding) -> None:
    for seat in (GONE, STAYS):
        await rig.withdraw(seat)
        await rig.destroyer.run_waiting()
    first, second = rig.receipts.all()
    assert second.payload["previous"] == first.hash
    generation = await Generation.open(rig.objects, rig.keys, RECORDING, (await rig.row()).generation)
    assert {track.seat for track in generation.tracks.values()} == {OTHER}
    assert {gap["peer"] for gap in generation.index["withdrawn"]} == {GONE, STAYS}


async def test_what_was_not_finalised_yet_is_finalised_without_the_seat(tmp_path: Path) -> None:
    rig = await Shredding.record(tmp_path, finalised=False)
    await rig.withdraw(GONE)
    await rig.destroyer.run_waiting()
    await rig.finalise()
    row = await rig.row()
    assert (row.state, row.generation, (row.index or {}).get("chain")) == ("ready", 1, "intact")
    assert await rig.plays(f"{STAYS}-audio")
    assert not [name for name in rig.objects.names(RECORDING, 1) if name.startswith(GONE)]
    await rig.close()


async def test_a_finaliser_at_work_is_stopped_and_makes_none_with_the_seat(tmp_path: Path) -> None:
    rig = await Shredding.record(tmp_path, finalised=False)
    await rig.withdraw(GONE)
    await rig.finalising.start()
    async with asyncio.timeout(20):
        while (await rig.row()).state != "finalising":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await rig.destroyer.run_waiting()
    async with asyncio.timeout(60):
        await rig.finalising.idle()
    generation = await Generation.open(rig.objects, rig.keys, RECORDING, (await rig.row()).generation)
    assert {track.seat for track in generation.tracks.values()} == {STAYS, OTHER}
    await rig.close()


async def test_only_a_seat_of_the_recording_can_be_withdrawn(rig: Shredding) -> None:
    with pytest.raises(Refused, match="not_found"):
        await rig.withdraw("seat_synthetic-zz")
    withdraw = rig.services.withdrawals.withdraw
    with pytest.raises(Refused, match="not_found"):
        await withdraw("rec_synthetic-9999", GONE, "consent_withdrawn", GONE, ADDRESS)
    with pytest.raises(Refused, match="bad_request"):
        await withdraw(RECORDING, GONE, "because", GONE, ADDRESS)


async def test_a_destroyed_key_is_never_made_again_for_its_seat(rig: Shredding) -> None:
    await rig.withdraw(GONE)
    await rig.destroyer.run_waiting()
    for store in (rig.keys, KeyStore.open(rig.data)):
        assert store.destroyed(RECORDING, GONE)
        assert GONE not in store.keys(RECORDING)
