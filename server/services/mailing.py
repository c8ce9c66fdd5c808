"""What people are told of agreed hours by mail: written into the outbox together with the change.

Words are made when a mail is sent, in the language of who gets it. It must not hold anything of a patient: no
name, no case, no specialty, no name of a site; and no right: the address in it opens for who signs in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from server.domain.appointment import Appointment
from server.domain.consultation import Consultation
from server.domain.icalendar import Event, Method, calendar
from server.domain.mail import CANCELLED, DECLINED, REMINDERS, SENT, Mail, reminder_due, retry_at
from server.domain.people import Account, Site
from server.domain.permissions import Action, Role, allowed
from server.i18n import LANGUAGES, text
from server.services import account_mails
from server.services.context import Context
from server.services.outgoing import Outgoing, when
from server.services.site_checks import should_test
from server.storage import accounts, appointments, consultations, mails
from server.storage.database import Transaction
from server.storage.ids import new_id

BATCH = 50
LOOK_AHEAD_MS = REMINDERS[0][1] + 60_000


async def announce(
    tx: Transaction,
    consultation: Consultation,
    appointment: Appointment,
    people: Mapping[str, str],
    now_ms: int,
) -> None:
    """Each account is told what its kind says (`server/domain/mail.py`)."""
    for account_id, kind in people.items():
        mail = Mail(
            id=new_id(),
            account_id=account_id,
            consultation_id=consultation.id,
            kind=kind,
            sequence=appointment.sequence,
            starts_at_ms=consultation.starts_at_ms,
            ends_at_ms=appointment.ends_at_ms,
            attempts=0,
            made_ms=now_ms,
        )
        await mails.add(tx, mail)


async def announce_to_all(
    tx: Transaction, consultation: Consultation, appointment: Appointment, kind: str, now_ms: int
) -> None:
    """Everybody with a seat and an account is told the same."""
    seats = await consultations.seats_of(tx, {consultation.id})
    people = {seat.account_id: kind for seat in seats if seat.account_id}
    await announce(tx, consultation, appointment, people, now_ms)


async def announce_declined(tx: Transaction, consultation: Consultation, now_ms: int) -> None:
    """Every coordinator is told that somebody cannot come, as long as the hour is one that was booked."""
    appointment = (await appointments.of(tx, [consultation.id])).get(consultation.id)
    if appointment is not None:
        everybody = await accounts.of_role(tx, Role.COORDINATOR)
        people = {account.id: DECLINED for account in everybody}
        await announce(tx, consultation, appointment, people, now_ms)


async def _to_remind_of(tx: Transaction, now_ms: int) -> list[tuple[Consultation, Appointment, str]]:
    """Hours whose reminder of this kind is due and not written yet."""
    near = await appointments.beginning_between(tx, now_ms + 1, now_ms + LOOK_AHEAD_MS)
    told = await mails.told_of(tx, [consultation.id for consultation, _ in near])
    return [
        (consultation, appointment, kind)
        for consultation, appointment in near
        if (kind := reminder_due(consultation.starts_at_ms, appointment.changed_ms, now_ms))
        and (consultation.id, kind, appointment.sequence) not in told
    ]


class Mailing:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def remind(self, now_ms: int) -> int:
        """Writes the reminders that are due, each once; how many hours were reminded of."""
        async with self._context.database.read() as tx:
            if not await _to_remind_of(tx, now_ms):
                return 0
        async with self._context.database.write() as tx:  # looked at again: it may be called off meanwhile
            due = await _to_remind_of(tx, now_ms)
            for consultation, appointment, kind in due:
                await announce_to_all(tx, consultation, appointment, kind, now_ms)
        return len(due)

    async def drop_overtaken(self, now_ms: int) -> None:
        """What is of no use any more goes from the queue, mail server or not."""
        async with self._context.database.read() as tx:
            if not await mails.any_overtaken(tx, now_ms):
                return
        async with self._context.database.write() as tx:
            await mails.overtake(tx, now_ms)

    async def due(self, now_ms: int) -> list[Outgoing]:
        """Mails to be sent now, with their words."""
        async with self._context.database.read() as tx:
            if not (await mails.due(tx, now_ms, 1) or await account_mails.waits(tx, now_ms)):
                return []
        async with self._context.database.write() as tx:
            sites = await accounts.all_sites(tx)
            made = [await self._worded(tx, mail, sites) for mail in await mails.due(tx, now_ms, BATCH)]
            made += await account_mails.worded(tx, self._context, now_ms, BATCH)
        return [one for one in made if one is not None]

    async def write_resets(self, now_ms: int) -> None:
        """The resets of passwords that were asked for since the last look."""
        await account_mails.write_resets(self._context, now_ms)

    async def sent(self, mail: Outgoing) -> None:
        async with self._context.database.write() as tx:
            await mails.done(tx, mail.id, SENT, self._context.now_ms())

    async def refused(self, mail: Outgoing, error: str) -> None:
        """The mail server will never take it for this address: told by `doctor` and on the schedule."""
        async with self._context.database.write() as tx:
            await mails.done(tx, mail.id, "refused", self._context.now_ms(), error)

    async def failed(self, mail: Outgoing, error: str) -> None:
        """It is tried again, later each time."""
        now_ms, attempts = self._context.now_ms(), mail.attempts + 1
        async with self._context.database.write() as tx:
            await mails.later(tx, mail.id, attempts, retry_at(attempts, now_ms), error)

    async def _worded(self, tx: Transaction, mail: Mail, sites: Mapping[str, Site]) -> Outgoing | None:
        """None, and out of the queue, for an account that may not sign in any more."""
        account = await accounts.by_id(tx, mail.account_id)
        if account is None or account.disabled:
            await mails.done(tx, mail.id, "stale", self._context.now_ms())
            return None
        seats = await consultations.seats_of(tx, {mail.consultation_id})
        own = next((seat for seat in seats if seat.account_id == account.id), None)
        zones = [account.time_zone, *(sites[seat.site_id].time_zone for seat in seats)]
        language = account.language if account.language in LANGUAGES else "en"
        home = self._context.settings.public_url
        if mail.kind == DECLINED:
            url = f"{home}/worklist"
        else:
            url = f"{home}/room/{own.id}" if own and mail.kind != CANCELLED else ""
        words = "reminder" if mail.kind.startswith("reminder") else mail.kind
        subject = text(
            language, f"mail-subject-{words}", when=when(mail.starts_at_ms, account.time_zone, language)
        )
        body = _body(mail, words, zones, language, url, await self._test_url(tx, mail, account))
        made = Outgoing(mail.id, mail.attempts, account.email, language, subject, body)
        if not mail.has_calendar:
            return made
        gone = mail.kind == CANCELLED
        event = event_of(
            self._context, mail.consultation_id, mail.sequence, (mail.starts_at_ms, mail.ends_at_ms),
            mail.made_ms, language, url, cancelled=gone,
        )  # fmt: skip
        sender = self._context.settings.mail.sender
        invited = replace(event, organizer=sender or None, attendee=account.email)
        method: Method = "CANCEL" if gone else "REQUEST"
        return replace(made, method=method, calendar=calendar(method, [invited]))

    async def _test_url(self, tx: Transaction, mail: Mail, account: Account) -> str:
        """Where to test one's devices and line, the day before; empty when the site has done so lately."""
        if mail.kind != "reminder_1d" or not allowed(Action.SELF_TEST, account.roles, ()):
            return ""
        asked = await should_test(tx, account.site_id, self._context.now_ms())
        return f"{self._context.settings.public_url}/self-test" if asked else ""


def event_of(
    context: Context,
    consultation_id: str,
    sequence: int,
    span: tuple[int, int],
    stamp_ms: int,
    language: str,
    url: str,
    *,
    cancelled: bool,
) -> Event:
    """One hour as calendars know it; the same UID in invitations and feeds."""
    return Event(
        uid=f"{consultation_id}@{urlsplit(context.settings.public_url).hostname}",
        sequence=sequence,
        starts_at_ms=span[0],
        ends_at_ms=span[1],
        stamp_ms=stamp_ms,
        summary=text(language, "mail-event"),
        description=text(language, "mail-seat"),
        url=url,
        cancelled=cancelled,
    )


def _body(mail: Mail, words: str, zones: list[str], language: str, url: str, test_url: str) -> str:
    clocks = [f"  {when(mail.starts_at_ms, zone, language)}" for zone in dict.fromkeys(zones)]
    parts = [text(language, f"mail-lead-{words}"), "\n".join(clocks)]
    declined = mail.kind == DECLINED
    if url:
        parts += [text(language, "mail-worklist" if declined else "mail-seat"), url]
    if test_url:
        parts += [text(language, "mail-self-test"), test_url]
    parts.append(text(language, "mail-nothing-declined" if declined else "mail-nothing"))
    return "\n\n".join(parts) + "\n"
