"""The catalogues agree with each other, with the server's codes and with what the pages ask for."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from fluent.syntax import FluentParser, ast

from server.domain.account_mail import KINDS as ACCOUNT_MAILS
from server.domain.account_mail import LINK_LIFE_MS
from server.domain.appointment import REASONS as HOUR_REASONS
from server.domain.appointment import SIDES
from server.domain.audit_actions import ACTIONS
from server.domain.calendar import Cause
from server.domain.conduct import SKIP_REASONS, STEPS
from server.domain.consent_text import ITEMS, PURPOSES
from server.domain.errors import STATUS_BY_CODE, WRONG
from server.domain.glossary import LANGUAGES as TERM_LANGUAGES
from server.domain.glossary_file import REASONS as TERM_PROBLEMS
from server.domain.life import LIFE, State
from server.domain.matching import rules as matching
from server.domain.matching.completeness import Missing
from server.domain.matching.deciding import WHY
from server.domain.overlap import How
from server.domain.patient import CONTACTS, SCRIPTS
from server.domain.permissions import Role
from server.domain.person_consent import METHODS
from server.domain.referral import CANCEL_REASONS, REOPEN_REASONS, RETURN_REASONS
from server.domain.referral_form import SPECIALTIES
from server.domain.retention import HOLD_REASONS, LIFT_REASONS, Verdict, classes
from server.domain.second_step import CHECKED
from server.domain.second_step import WHY as LOST_WHY
from server.domain.self_test import RULES
from server.domain.self_test import STEPS as SELF_TEST_STEPS
from server.domain.site_policy import LEGAL_BASES, SEAT_RULES
from server.domain.task import WHYS as TASKS
from server.services.audit_report import COLUMNS, SECTIONS
from server.services.case_list import TURNS
from server.services.exports import REASONS
from server.services.referral_replies import PATIENT_QUESTIONS
from server.services.trail_export import REASONS as AUDIT_REASONS

STATIC = Path(__file__).resolve().parents[2] / "static"
LANGUAGES = ("en", "ko", "ru")  # those of the other three: test_languages.py
PAGE_FILES = sorted(path for path in (STATIC / "js").rglob("*.js") if "test" not in path.parts)
RANKING = (STATIC.parent / "server/domain/matching/ranking.py").read_text(encoding="utf-8")
DESK_KEYS = re.findall(r"command: '(\w+)'", (STATIC / "js/room/keys.js").read_text(encoding="utf-8"))
#: What the validator of a referral says, as its own text has it.
PROBLEM_CODES = sorted(
    set(
        re.findall(
            r'Problem\([\w.]+, "(\w+)"',
            (STATIC.parent / "server/domain/referral.py").read_text(encoding="utf-8"),
        )
    )
)


def self_test_codes() -> set[str]:
    """Everything a self-test may find, but what a device's own trouble says (`device-…`)."""
    text = (STATIC.parent / "server/domain/self_test.py").read_text(encoding="utf-8")
    limits = {limits["code"] for step in RULES.values() for rule in step.values() for limits in rule.values()}
    return limits | set(re.findall(r'Finding\("(\w+)"', text)) | {"line_unconnected", "line_unavailable"}


#: Messages the pages build from a value off the wire: prefix → values that must have a message of their own.
BUILT = {
    "light-": ["off", "waiting", "recording", "degraded", "paused", "sealed"],
    "state-": ["scheduled", "live", "ended", "cancelled", "no-show", "other"],
    "side-": [*(side.replace("_", "-") for side in SIDES), "other"],
    "hour-reason-": [*HOUR_REASONS, "other"],
    "cause-": [*(cause.value.replace("_", "-") for cause in Cause), "other"],
    "obstacle-": get_args(How),
    "schedule-": ["booked", "moved", "cancelled", "noted", "days-count", "minutes-count"]
    + [f"mails-{state}" for state in ("sent", "waiting", "refused")],
    "recording-state-": ["recording", "finalising", "ready", "failed", "expired", "other"],
    "kept-class-": [*classes(), "other"],
    "kept-state-": [*Verdict, "other"],
    "hold-reason-": [*HOLD_REASONS, "other"],
    "lift-reason-": [*LIFT_REASONS, "other"],
    "audit-view-": ["entries", "chain", "review", "glass", "logins", "own"],
    "audit-lead-": ["entries", "chain", "logins", "own"],
    "audit-filter-": ["account", "case", "action", "any", "from", "to"],
    "audit-column-": ["time", "who", "action", "whose", "reason", "address"],
    "act-": [*(action.replace("_", "-") for action in ACTIONS), "other"],
    "audit-why-": [*(reason.replace("_", "-") for reason in (*REASONS, *AUDIT_REASONS)), "other"],
    "audit-review-section-": SECTIONS,
    "audit-review-column-": [*(name.replace("_", "-") for name in COLUMNS)],
    "receipt-cause-": ["withdrawn", "expired", "other"],
    "recording-waits-": ["space", "store"],
    "banner-advice-": ["no-space", "read-only", "io-error", "store-slow"],
    "kind-": ["audio", "camera", "screen", "exam", "other"],
    "quality-": ["good", "fair", "poor"],
    "over-": ["left", "ended", "replaced", "revoked", "removed", "no-credential"],
    "language-": list(LANGUAGES),
    "export-kind-": ["film", "clip", "still", "bundle", "other"],
    "export-hint-": ["film", "clip", "still", "bundle"],
    "export-layout-": ["grid", "speaker"],
    "export-state-": ["queued", "running", "ready", "failed", "cancelled", "destroyed", "other"],
    "export-reason-": [*REASONS, "other"],
    "device-": [
        f"{what}-{problem}"
        for what in ("both", "audio", "camera")
        for problem in ("denied", "missing", "busy", "ended", "insecure", "other")
    ]
    + [f"{what}-{code}" for what in ("audio", "camera") for code in ("taken", "again")]
    + ["audio-silent"]
    + [f"{what}-{kind}" for what in ("plugged", "replaced") for kind in ("audio", "camera", "speaker")],
    "term-language-": list(TERM_LANGUAGES),
    "term-what-": ["added", "edited", "confirmed", "imported", "deleted", "other"],
    "glossary-problem-": [*(reason.replace("_", "-") for reason in TERM_PROBLEMS), "other"],
    "path-": ["checking", "udp", "tcp", "relay", "none", "unknown", "loopback", "fault-certificate"],
    "selftest-why-": [code.replace("_", "-") for code in self_test_codes()],
    "selftest-step-": list(SELF_TEST_STEPS),
    "selftest-doing-": list(SELF_TEST_STEPS),
    "selftest-verdict-": ["none", "green", "amber", "red"],
    "selftest-whole-": ["green", "amber", "red"],
    "selftest-way-": ["relay", "open", "shut", "none"],
    "selftest-figure-": ["browser", "camera", "microphone", "line"],
    "selftest-standing-": ["never", "elsewhere", "unfinished", "old", "stale", "green", "amber", "red"],
    "consent-purpose-": [*(purpose.replace("_", "-") for purpose in PURPOSES), "other"],
    "consent-item-": list(ITEMS),
    "consent-method-": [*(method.replace("_", "-") for method in METHODS), "other"],
    "consent-decision-": ["granted", "declined", "withdrawn", "undecided", "other"],
    "consent-state-": ["undecided", "granted", "declined", "withdrawn", "outdated", "unwitnessed", "other"],
    "seat-rule-": [*(rule.replace("_", "-") for rule in SEAT_RULES), "other"],
    "legal-basis-": [*(basis.replace("_", "-") for basis in LEGAL_BASES), "other"],
    "conduct-step-": STEPS,
    "conduct-reason-": [reason.replace("_", "-") for reason in SKIP_REASONS],
    "case-state-": [*State, "other"],
    "case-move-": [*{move.name for move in LIFE}, "other"],
    "turn-why-": [*{why.replace("_", "-") for _, _, _, why in TURNS}, "other"],
    "task-": [*(why.replace("_", "-") for why in TASKS), "other"],
    "return-reason-": [reason.replace("_", "-") for reason in RETURN_REASONS],
    "cancel-reason-": [reason.replace("_", "-") for reason in CANCEL_REASONS],
    "reopen-reason-": [reason.replace("_", "-") for reason in REOPEN_REASONS],
    "referral-act-": ["answer", "return", "cancel", "reopen", "back"],
    "referral-problem-": [
        *(code.replace("_", "-") for code in PROBLEM_CODES),
        "aside",
        "alike",
    ],
    "patient-field-": [one.removeprefix("patient.").replace("_", "-") for one in PATIENT_QUESTIONS],
    "patient-why-": [one.removeprefix("patient.").replace("_", "-") for one in PATIENT_QUESTIONS],
    "patient-name-": list(SCRIPTS),
    "patient-": [*CONTACTS, "guardian-name", "guardian-relation", "guardian-phone"],
    "specialty-": list(SPECIALTIES),
    "arrival-": ["coming", "late", "ready"],
    "rendered-mode-": ["consecutive", "simultaneous", "other"],
    "mode-": [
        "consecutive",
        "simultaneous",
        "consecutive-hint",
        "simultaneous-hint",
        "to-consecutive",
        "to-simultaneous",
    ],
    "hearing-": ["interpreted", "both", "original"],
    "signal-": [
        f"{shown}{kind}" for shown in ("", "shown-") for kind in ("repeat", "slower", "clarify", "own-words")
    ],
    "turn-": [f"{who}{when}" for who in ("speaker", "interpreter") for when in ("", "-now", "-next")],
    "desk-turn-": ["yours", "speaking", "listen", "wait", "passive"],
    "key-": [command.replace("_", "-") for command in DESK_KEYS],
    "match-place-": [re.sub("[/_]", "-", place) for place in matching.standard().places],
    "match-why-": [why.replace("_", "-") for why in WHY],
    "match-missing-": [missing.replace("_", "-") for missing in Missing],
    "match-red-": [cue[4:] for cue in matching.standard().cues if cue.startswith("red.")],
    "match-reason-": re.findall(r"match-reason-([a-z-]+)", RANKING),
    "mail-account-lead-": [kind.replace("_", "-") for kind in ACCOUNT_MAILS],
    "mail-account-unasked-": list(LINK_LIFE_MS),
    "mail-account-subject-": list(LINK_LIFE_MS),
    "field-": [*WRONG, "times", "order"],
    "second-way-": ["totp", "passkey", "recovery"],
    "second-why-": list(LOST_WHY),
    "second-checked-": [checked.replace("_", "-") for checked in CHECKED],
    "licence-state-": ["none", "unverified", "expired", "verified", "other"],
    "at-risk-": ["left", "licence"],
    "ending-": ["close", "remove", "close-what", "remove-what", "close-now", "remove-now"],
    "week-": ["from", "to"],
    "weekday-": [str(day) for day in range(7)],
    "demo-column-": ["role", "name", "language", "link", "email", "password"],
}
#: Codes of socket refusals and of the page itself; the HTTP ones come from the server's table.
OTHER_CODES = [
    "network",
    "timeout",
    "unexpected",
    "too_fast",
    "bad_message",
    "replaced",
    "revoked",
    "removed",
]


@cache
def catalogue(language: str) -> dict[str, ast.Message]:
    parsed = FluentParser().parse((STATIC / "i18n" / f"{language}.ftl").read_text(encoding="utf-8"))
    junk = [entry.content for entry in parsed.body if isinstance(entry, ast.Junk)]
    assert not junk, junk
    messages = [entry for entry in parsed.body if isinstance(entry, ast.Message)]
    names = [message.id.name for message in messages]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
    return {message.id.name: message for message in messages}


def variables(message: ast.Message) -> set[str]:
    found: set[str] = set()

    def walk(node: object) -> None:
        if isinstance(node, ast.VariableReference):
            found.add(node.id.name)
        if isinstance(node, ast.BaseNode):
            for value in vars(node).values():
                for one in value if isinstance(value, list) else [value]:
                    walk(one)

    walk(message)
    return found


@pytest.mark.parametrize("language", ["ko", "ru"])
def test_every_language_has_the_same_messages_with_the_same_variables(language: str) -> None:
    english, other = catalogue("en"), catalogue(language)
    assert english.keys() == other.keys()
    unequal = [name for name in english if variables(english[name]) != variables(other[name])]
    assert not unequal, unequal


@pytest.mark.parametrize(("language", "script"), [("ko", r"[가-힣]"), ("ru", r"[А-Яа-яё]")])
def test_every_message_is_translated_and_not_left_in_english(language: str, script: str) -> None:
    text = (STATIC / "i18n" / f"{language}.ftl").read_text(encoding="utf-8")
    exempt = {"product-name", "page-title", "banner-track", "tile-label", "review-gap", "language-en"}
    exempt |= {f"language-{code}" for code in TERM_LANGUAGES}
    plain = [
        name
        for name in catalogue(language)
        if name not in exempt and not re.search(rf"^{name} =(?:.*|(?:\n    .*)+){script}", text, re.MULTILINE)
    ]
    assert not plain, plain


def test_every_refusal_has_a_sentence() -> None:
    messages = catalogue("en")
    missing = [
        code for code in [*STATUS_BY_CODE, *OTHER_CODES] if f"error-{code.replace('_', '-')}" not in messages
    ]
    assert not missing, missing


def test_every_role_that_a_person_can_have_has_a_name() -> None:
    messages = catalogue("en")
    people = [role for role in Role if role not in (Role.ANYONE, Role.SIGNED_IN)]
    assert not [role for role in people if f"role-{role.value}" not in messages]


def test_every_cause_the_recording_can_name_has_words() -> None:
    messages = catalogue("en")
    causes = ["no_consent", "left", "muted", "paused", "no_media", "network_loss", "worker_lost", "empty"]
    causes += ["store_slow", "store_behind", "no_packets", "no_space", "io_error", "read_only", "damaged"]
    causes += ["node_lost", "stills", "layer_off"]
    assert not [cause for cause in causes if f"gap-{cause.replace('_', '-')}" not in messages]


def test_every_message_the_pages_ask_for_exists() -> None:
    messages = catalogue("en")
    wanted = {f"{prefix}{value}" for prefix, values in BUILT.items() for value in values}
    for path in PAGE_FILES:
        text = path.read_text(encoding="utf-8")
        wanted |= set(re.findall(r"\bt\(\s*'([a-z][A-Za-z0-9_-]*)'", text))
        wanted |= set(re.findall(r"message: '([a-z][a-z0-9-]*)'", text))
        wanted |= set(re.findall(r"[?:] '((?:mic|camera|connection|review)-[a-z0-9-]+)'", text))
    missing = sorted(wanted - messages.keys())
    assert not missing, missing


def templates(text: str) -> list[str]:
    """Lit templates of a module as markup, every `${…}` emptied; nested ones are found by themselves."""
    found = []
    for match in re.finditer(r"\b(?:html|svg)`", text):
        depth, out, at = 0, [], match.end()
        while at < len(text):
            if depth == 0 and text[at] == "`":
                break
            if text.startswith("${", at):
                depth, at = depth + 1, at + 2
                continue
            if depth:
                depth += {"{": 1, "}": -1}.get(text[at], 0)
            else:
                out.append(text[at])
            at += 1
        found.append("".join(out))
    return found


def test_pages_hold_no_sentence_of_their_own() -> None:
    wrong = []
    for path in PAGE_FILES:
        for markup in templates(path.read_text(encoding="utf-8")):
            literal = re.findall(
                r"\b(?:aria-label|aria-valuetext|title|placeholder|alt)=[\"'][^\"'$]*\w", markup
            )
            words = re.sub(r"<!--.*?-->|<[^>]*>|&\w+;", " ", markup, flags=re.DOTALL)
            if literal or re.search(r"[^\W\d_]", words):
                wrong.append(f"{path.relative_to(STATIC)}: {literal or words.split()}")
    assert not wrong, wrong


def test_the_html_files_hold_no_sentence_but_the_product_name() -> None:
    for path in sorted(STATIC.glob("*.html")):
        text = re.sub(r"<!doctype html>|<[^>]*>", " ", path.read_text(encoding="utf-8"))
        assert text.split() == ["Hyeopjin"], path.name


def test_the_consent_text_is_versioned_and_whole_in_every_language() -> None:
    for language in LANGUAGES:
        message = catalogue(language)["consent-recording-v1"]
        assert message.value is not None
        text = "".join(
            element.value for element in message.value.elements if isinstance(element, ast.TextElement)
        )
        assert len([line for line in text.split("\n") if line.strip()]) == 4, language
