"""What calendars are told, read by a library that is not ours; and when mails are due."""

from __future__ import annotations

from datetime import UTC, datetime

import icalendar
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.calendar import DAY_MS, MINUTE_MS
from server.domain.icalendar import MAX_OCTETS, Event, calendar
from server.domain.mail import LAST_RETRY_MS, reminder_due, retry_at

AT = round(datetime(2026, 12, 3, 5, 30, tzinfo=UTC).timestamp() * 1000)
HOUR = 60 * MINUTE_MS


def event(**more: object) -> Event:
    given = {
        "uid": "abc@consult.example.org", "sequence": 2, "starts_at_ms": AT, "ends_at_ms": AT + HOUR,
        "stamp_ms": AT - DAY_MS, "summary": "원격 협진", "description": "Место; открыто, \\ с 10:20\nвойдите",
        "url": "https://consult.example.org/room/abc", "organizer": "consult@example.org",
        "attendee": "ru@example.org",
    }  # fmt: skip
    return Event(**(given | more))  # type: ignore[arg-type]


def read(text: str) -> icalendar.Event:
    parsed = icalendar.Calendar.from_ical(text)
    [found] = parsed.walk("VEVENT")
    return found


def test_an_invitation_says_when_in_utc_and_who() -> None:
    text = calendar("REQUEST", [event()])
    assert icalendar.Calendar.from_ical(text)["METHOD"] == "REQUEST"
    found = read(text)
    assert found["DTSTART"].dt == datetime(2026, 12, 3, 5, 30, tzinfo=UTC)
    assert found["DTEND"].dt == datetime(2026, 12, 3, 6, 30, tzinfo=UTC)
    assert (found["UID"], found["SEQUENCE"], found["STATUS"]) == ("abc@consult.example.org", 2, "CONFIRMED")
    assert found["ORGANIZER"] == "mailto:consult@example.org"
    assert found["ATTENDEE"] == "mailto:ru@example.org"
    assert str(found["DESCRIPTION"]) == "Место; открыто, \\ с 10:20\nвойдите"
    assert "VTIMEZONE" not in text


def test_a_cancellation_is_the_same_event_with_a_higher_sequence() -> None:
    found = read(calendar("CANCEL", [event(sequence=3, cancelled=True, url="")]))
    assert (found["UID"], found["SEQUENCE"], found["STATUS"]) == ("abc@consult.example.org", 3, "CANCELLED")
    assert "URL" not in found


@settings(deadline=None)  # a busy machine is no failure
@given(words=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200))
def test_any_words_come_back_and_no_line_is_too_long(words: str) -> None:
    text = calendar("PUBLISH", [event(summary=words, description=words + "\n" + words)])
    assert all(len(line.encode()) <= MAX_OCTETS for line in text.split("\r\n"))
    found = read(text)
    assert str(found["SUMMARY"]) == words
    assert str(found["DESCRIPTION"]) == words + "\n" + words


def test_no_line_can_be_smuggled_in() -> None:
    text = calendar("REQUEST", [event(summary="a\r\nATTENDEE:mailto:evil@example.org\x0b\x00")])
    assert "\r\nATTENDEE:mailto:evil" not in text
    assert len(icalendar.Calendar.from_ical(text).walk("VEVENT")) == 1


def test_reminders_come_three_days_one_day_and_an_hour_before() -> None:
    agreed = AT - 10 * DAY_MS
    seen = [reminder_due(AT, agreed, now) for now in range(agreed, AT + HOUR, 5 * MINUTE_MS)]
    changes = [kind for kind, before in zip(seen, [None, *seen], strict=False) if kind != before]
    assert changes == ["reminder_3d", "reminder_1d", "reminder_1h", None]
    assert reminder_due(AT, agreed, AT - 3 * DAY_MS - 1) is None
    assert reminder_due(AT, agreed, AT - 3 * DAY_MS) == "reminder_3d"
    assert reminder_due(AT, agreed, AT) is None


def test_an_hour_agreed_late_is_not_reminded_of_what_was_before() -> None:
    agreed = AT - 2 * DAY_MS
    assert reminder_due(AT, agreed, AT - 30 * HOUR) is None
    assert reminder_due(AT, agreed, AT - 20 * HOUR) == "reminder_1d"
    assert reminder_due(AT, AT - 30 * MINUTE_MS, AT - MINUTE_MS) is None


def test_it_is_tried_again_later_each_time_and_never_given_up() -> None:
    waits = [retry_at(n, 0) for n in range(1, 40)]
    assert waits[:4] == [MINUTE_MS, 2 * MINUTE_MS, 4 * MINUTE_MS, 8 * MINUTE_MS]
    assert waits == sorted(waits)
    assert waits[-1] == LAST_RETRY_MS
