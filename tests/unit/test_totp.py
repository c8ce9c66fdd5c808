"""Codes by the clock, against the vectors of the RFCs."""

from __future__ import annotations

import pytest

from server.domain import totp

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("counter", "code"),
    [  # RFC 4226, appendix D
        (0, "755224"),
        (1, "287082"),
        (2, "359152"),
        (3, "969429"),
        (8, "399871"),
        (9, "520489"),
    ],
)
def test_codes_of_rfc_4226(counter: int, code: str) -> None:
    assert totp.code(SECRET, counter) == code


@pytest.mark.parametrize(
    ("second", "code"),
    [  # RFC 6238, appendix B, the last six of its eight digits
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_of_rfc_6238(second: int, code: str) -> None:
    assert totp.matching(SECRET, code, second * 1000, None) == second // 30


def test_a_code_is_taken_a_step_early_or_late_and_no_more() -> None:
    now_ms = 1_000 * totp.STEP_MS
    taken = [n for n in range(990, 1011) if totp.matching(SECRET, totp.code(SECRET, n), now_ms, None)]
    assert taken == [999, 1000, 1001]


def test_a_code_is_taken_once_and_so_is_none_before_it() -> None:
    now_ms = 1_000 * totp.STEP_MS
    for used, taken in ((998, [999, 1000, 1001]), (1000, [1001]), (1001, [])):
        codes = {n: totp.code(SECRET, n) for n in range(998, 1003)}
        assert [n for n, code in codes.items() if totp.matching(SECRET, code, now_ms, used)] == taken


@pytest.mark.parametrize("given", ["", "12345", "1234567", "abcdef", "٠١٢٣٤٥", "\x00" * 6])
def test_what_is_no_code_is_not_taken(given: str) -> None:
    assert totp.matching(SECRET, given, 1_000 * totp.STEP_MS, None) is None


def test_the_address_names_server_and_person_and_is_read_by_apps() -> None:
    assert totp.address(SECRET, "consult.example.org", "a b@example.org") == (
        "otpauth://totp/consult.example.org%3Aa%20b%40example.org"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=consult.example.org"
    )
