"""`hyeopjin retention`, `recordings withdraw` and `receipts`, on a directory where no server runs."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from server.__main__ import build
from server.domain.people import Account
from server.storage import accounts, retentions
from tests.support.journals import CASE, RECORDING, SEATS, SITE
from tests.support.shredding import Shredding
from tests.support.tampering import tamper

GONE, STAYS = SEATS[:2]
OFFICER, PHYSICIAN, REVIEWER = "officer@demo.invalid", "physician@demo.invalid", "reviewer@demo.invalid"


async def _prepare(data: Path, *, late: bool) -> None:
    rig = await Shredding.ready(data)
    async with rig.database.write() as tx:
        for email, role in (
            (OFFICER, "privacy_officer"),
            (PHYSICIAN, "referring_physician"),
            (REVIEWER, "reviewer"),
        ):
            account = Account(
                f"account-{role}"[:32], email, "Synthetic", "en", SITE, (role,), True, False, "Asia/Almaty"
            )
            await accounts.add_account(tx, account, "x")
    if late:  # the period ends in the past, by the clock of the command
        await rig.services.retention.reckon()
        async with rig.database.write() as tx:
            await retentions.put(tx, RECORDING, "consultation", 0, 1_000)
    await rig.close()


def prepared(data: Path, *, late: bool = False) -> Path:
    asyncio.run(_prepare(data, late=late))
    return data


def run(data: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(build(), [*arguments, "--data", str(data)])
    return result.exit_code, result.stdout


def told(data: Path, *arguments: str) -> Any:
    code, out = run(data, *arguments, "--json")
    assert code == 0, out
    return json.loads(out)


def test_a_withdrawal_from_the_command_line_leaves_a_receipt_that_verifies(tmp_path: Path) -> None:
    data = prepared(tmp_path)
    assert told(data, "recordings", "withdraw", RECORDING, GONE, "--by", PHYSICIAN) == {
        "state": "done",
        "receipt": 1,
        "held": False,
    }
    (receipt,) = told(data, "receipts", "verify")
    assert (receipt["seat"], receipt["on_behalf"], receipt["faults"]) == (GONE, True, [])
    assert told(data, "recordings", "verify", RECORDING)["chain"] == "intact"
    code, _ = run(data, "recordings", "withdraw", RECORDING, GONE, "--by", PHYSICIAN)
    assert code == 2


def test_nobody_withdraws_who_may_not(tmp_path: Path) -> None:
    data = prepared(tmp_path)
    for email in (REVIEWER, OFFICER, "nobody@demo.invalid"):
        assert run(data, "recordings", "withdraw", RECORDING, GONE, "--by", email)[0] == 2
        assert run(data, "retention", "hold", CASE, "--reason", "dispute", "--by", PHYSICIAN)[0] == 2
    assert told(data, "receipts", "list") == []


def test_a_dry_run_says_what_would_go_and_a_hold_keeps_it(tmp_path: Path) -> None:
    data = prepared(tmp_path, late=True)
    expected = [{"recording": RECORDING, "seat": "", "cause": "expired", "state": "due"}]
    assert told(data, "retention", "run", "--dry-run") == expected
    code, hold = run(data, "retention", "hold", CASE, "--reason", "dispute", "--by", OFFICER)
    assert code == 0
    assert told(data, "retention", "run") == []
    assert told(data, "retention", "list")[0]["state"] == "held"
    assert run(data, "retention", "lift", hold.strip(), "--reason", "settled", "--by", OFFICER)[0] == 0
    assert told(data, "retention", "run") == [
        {"recording": RECORDING, "seat": "", "cause": "expired", "state": "done"}
    ]
    (receipt,) = told(data, "receipts", "verify")
    assert (receipt["cause"], receipt["reason"]) == ("expired", "period_consultation")
    assert told(data, "recordings", "verify", RECORDING)["chain"] == "destroyed"
    assert told(data, "recordings", "list")[0]["state"] == "expired"


def test_class_and_extension_move_the_day(tmp_path: Path) -> None:
    data = prepared(tmp_path)
    first = told(data, "retention", "list")[0]["kept_until_ms"]
    assert (
        run(data, "retention", "classify", RECORDING, "chart", "--reason", "content", "--by", OFFICER)[0] == 0
    )
    assert run(data, "retention", "extend", RECORDING, "3", "--by", OFFICER)[0] == 0
    assert run(data, "retention", "extend", RECORDING, "3", "--by", OFFICER)[0] == 2
    row = told(data, "retention", "list")[0]
    assert (row["class"], row["years"], row["extended_years"]) == ("chart", 10, 3)
    assert row["kept_until_ms"] > first


HARMS = {
    "flip": {"receipt_chain_broken", "receipt_unknown_to_audit"},
    "remove": {"receipt_missing"},
    "key back": {"key_left"},
    "audit": {"audit_chain_broken"},
}


def damage(data: Path, harm: str) -> None:
    first = data / "receipts" / "00000001.json"
    if harm == "flip":
        content = bytearray(first.read_bytes())
        content[len(content) // 2] ^= 1
        first.write_bytes(content)
    elif harm == "remove":
        first.unlink()
    elif harm == "key back":
        (data / "keys" / RECORDING / f"{GONE}.key").write_bytes(b"x")
    else:
        changed = "UPDATE audit SET at_ms = at_ms + 1 WHERE action = 'media_destroyed'"
        tamper(data / "hyeopjin.sqlite3", changed)


def test_whatever_is_done_to_a_receipt_is_found(tmp_path: Path) -> None:
    data = prepared(tmp_path / "whole")
    for seat in (GONE, STAYS):
        told(data, "recordings", "withdraw", RECORDING, seat, "--by", PHYSICIAN)
    told(data, "receipts", "verify")
    for harm, expected in HARMS.items():
        harmed = tmp_path / harm
        shutil.copytree(data, harmed)
        damage(harmed, harm)
        code, out = run(harmed, "receipts", "verify", "--json")
        faults = {fault for row in json.loads(out) for fault in row["faults"]}
        assert code == 1, harm
        assert expected <= faults, (harm, faults)


def test_the_doctor_tells_of_what_is_overdue_and_of_a_run_that_was(tmp_path: Path) -> None:
    data = prepared(tmp_path, late=True)
    tmp_path.chmod(0o700)

    def finding() -> str:
        out = CliRunner().invoke(build(), ["doctor", "--data", str(data), "--json"]).stdout
        return next(str(each["code"]) for each in json.loads(out) if each["check"] == "retention")

    assert finding() == "overdue"
    told(data, "retention", "run")
    assert finding() == "ok"
