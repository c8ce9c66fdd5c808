"""Audit entries as RFC 5424 has syslog messages."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from server.audit_settings import AuditSettings
from server.domain.syslog import framed, message

#: RFC 5424, 6: the grammar of header and structured data, with nothing after it.
GRAMMAR = re.compile(
    r"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([\x21-\x7e]{1,255}) ([\x21-\x7e]{1,48}) "
    r"([\x21-\x7e]{1,128}) ([\x21-\x7e]{1,32}) "
    r'\[([^\s=\]"]{1,32})((?: [^\s=\]"]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*)\]'
)


def test_an_entry_is_a_message_of_the_grammar_whatever_is_in_it() -> None:
    facts = {
        "id": 7,
        "case": None,
        "address": "",
        'odd ="] name': 'a "quoted" \\ ] value\nof two lines',
        "d.r": "가",
    }
    told = message(1_764_140_000_123, "case_read", facts, "consult.example.org", 32473)
    found = GRAMMAR.fullmatch(told.decode())
    assert found, told
    assert found.groups()[:7] == (
        "110", "2025-11-26T06:53:20.123Z", "consult.example.org", "hyeopjin", "-", "case_read", "audit@32473",
    )  # fmt: skip
    assert found[8] == r' id="7" oddname="a \"quoted\" \\ \] value of two lines" d.r="가"'
    assert framed(told) == str(len(told)).encode() + b" " + told
    assert GRAMMAR.fullmatch(message(0, "", {}, "", 1).decode())


def test_what_a_collector_should_look_at_first_is_more_severe() -> None:
    severities = [
        message(0, action, {}, "h", 1)[:5]
        for action in ("glass_broken", "sign_in_failed", "export_downloaded", "audit_exported", "case_read")
    ]
    assert severities == [b"<108>", b"<108>", b"<109>", b"<109>", b"<110>"]


@pytest.mark.parametrize(
    "url", ["siem.example.org", "http://h:1", "tls://h", "tls://h:0", "tls://h:99999", "tcp://siem.example.org:514",
            "udp://siem.example.org:514", "tls://h:1/path"],
)  # fmt: skip
def test_a_collector_is_named_by_scheme_host_and_port_and_plain_only_nearby(url: str) -> None:
    with pytest.raises(ValidationError):
        AuditSettings(syslog=url)


def test_plain_syslog_goes_to_this_machine_or_where_it_was_allowed() -> None:
    assert AuditSettings(syslog="udp://localhost:514").syslog
    assert AuditSettings(syslog="tcp://siem.example.org:514", syslog_allow_plain=True).syslog
