"""What a stranger may put where a passkey's answer belongs: refused with a reason, never a fault."""

from __future__ import annotations

from typing import Any

from tests.support.website import Website

DEEP: Any = {}
for _ in range(60):
    DEEP = {"x": DEEP}
HOSTILE: list[dict[str, Any]] = [
    {},
    {"id": None},
    {"id": ["a"], "rawId": {}, "type": 7, "response": []},
    {"id": "AA", "rawId": "AA", "type": "public-key", "response": {}},
    {"id": "é\u0001", "rawId": "%%%", "type": "public-key", "response": {"clientDataJSON": "e30"}},
    {
        "id": "AA", "rawId": "AA", "type": "public-key",
        "response": {"clientDataJSON": "e30", "attestationObject": "v////w", "authenticatorData": "A"},
    },
    {"id": "A" * 5000, "rawId": "A" * 5000, "type": "public-key", "response": DEEP},
]  # fmt: skip


async def test_an_answer_made_up_is_refused_and_uses_the_challenge_up(site: Website) -> None:
    member = await site.signed_in("interpreter")
    for credential in HOSTILE:
        stranger = site.browser()
        shown, made = {"credential": credential}, {"credential": credential, "name": "x"}
        assert (await stranger.post("/api/sign-in/passkey/options")).status == 200
        assert (await stranger.post("/api/sign-in/passkey", shown)).code == "passkey_refused", credential
        assert (await stranger.post("/api/sign-in/passkey", shown)).code == "step_over"
        assert (await member.post("/api/account/passkeys/options")).status == 200
        assert (await member.post("/api/account/passkeys", made)).code == "passkey_refused", credential
        assert (await member.post("/api/account/passkeys", made)).code == "step_over"
        assert (await member.post("/api/account/prove/passkey/options")).code == "passkey_missing"
        assert (await member.post("/api/account/prove/passkey", shown)).code == "step_over"


async def test_what_is_no_credential_at_all_is_a_bad_request(site: Website) -> None:
    browser = site.browser()
    for body in (
        {"credential": "x"},
        {"credential": []},
        {},
        [],
        {"credential": {}, "more": 1},
        {"credential": {"id": "\ud800"}},
    ):
        assert (await browser.post("/api/sign-in/passkey", body)).status == 400
