"""All use cases in one place, so that handlers and the joints find them by name."""

from __future__ import annotations

from dataclasses import dataclass

from server.services.access import Access
from server.services.accounts import Accounts
from server.services.arrivals import Arrivals
from server.services.audit_chain import AuditChain
from server.services.audit_reviews import AuditReviews
from server.services.booking import Booking
from server.services.break_glass import BreakGlass
from server.services.calendars import Calendars
from server.services.case_list import CaseList
from server.services.chat import Chat
from server.services.conduct import Conduct
from server.services.consent import Consents
from server.services.context import Context
from server.services.declining import Declining
from server.services.departments import Departments
from server.services.feeds import Feeds
from server.services.finding import Finding
from server.services.glossary import Glossary
from server.services.glossary_files import GlossaryFiles
from server.services.glossary_history import GlossaryHistory
from server.services.hours import Hours
from server.services.invitations import Invitations
from server.services.knocks import Knocks
from server.services.leaving import Leaving
from server.services.limiting import Attempts
from server.services.looks import Looks
from server.services.mailing import Mailing
from server.services.matching import Matching
from server.services.passwords import Passwords
from server.services.patients import Patients
from server.services.patients_way import PatientsWay
from server.services.people import People
from server.services.person_consents import PersonConsents
from server.services.policies import Policies
from server.services.probing import Probing
from server.services.referral_replies import Replies
from server.services.referrals import Referrals
from server.services.retention import Retention
from server.services.rooms import Rooms
from server.services.seat_texts import SeatTexts
from server.services.seats import Seats
from server.services.self_tests import SelfTests
from server.services.site_checks import SiteChecks
from server.services.sites import Sites
from server.services.trail import Trail
from server.services.trail_export import TrailExports
from server.services.ways_in import WaysIn, ways_in_of
from server.services.withdrawal import Withdrawals
from server.services.worklist import Worklist
from server.storage.recordings import Recordings


@dataclass(frozen=True, slots=True)
class Services:
    context: Context
    passwords: Passwords
    attempts: Attempts
    access: Access
    accounts: Accounts
    ways_in: WaysIn
    invitations: Invitations
    seats: Seats
    knocks: Knocks
    consents: Consents
    rooms: Rooms
    worklist: Worklist
    recordings: Recordings
    retention: Retention
    withdrawals: Withdrawals
    person_consents: PersonConsents
    patients_way: PatientsWay
    seat_texts: SeatTexts
    policies: Policies
    probing: Probing
    self_tests: SelfTests
    site_checks: SiteChecks
    chat: Chat
    glossary: Glossary
    glossary_files: GlossaryFiles
    glossary_history: GlossaryHistory
    conduct: Conduct
    arrivals: Arrivals
    declining: Declining
    hours: Hours
    calendars: Calendars
    finding: Finding
    booking: Booking
    patients: Patients
    referrals: Referrals
    replies: Replies
    case_list: CaseList
    mailing: Mailing
    feeds: Feeds
    matching: Matching
    departments: Departments
    trail: Trail
    looks: Looks
    audit_chain: AuditChain
    audit_reviews: AuditReviews
    break_glass: BreakGlass
    trail_exports: TrailExports
    sites: Sites
    people: People
    leaving: Leaving


def build_services(context: Context, passwords: Passwords | None = None) -> Services:
    """`passwords`: another cost than the default's, for tests."""
    passwords = passwords or Passwords()
    attempts = Attempts(context.settings.signin_per_account, context.settings.signin_per_address)
    recordings = Recordings(context.database)
    looks, deciding, probing = Looks(context), Consents(context), Probing(context, attempts)
    withdrawals = Withdrawals(context, deciding)
    person_consents = PersonConsents(context, deciding, withdrawals)
    return Services(
        context=context,
        passwords=passwords,
        attempts=attempts,
        access=Access(context),
        accounts=Accounts(context, passwords, attempts),
        ways_in=ways_in_of(context, passwords, attempts),
        invitations=Invitations(context),
        seats=Seats(context, attempts),
        knocks=Knocks(context, attempts),
        consents=deciding,
        rooms=Rooms(context),
        worklist=Worklist(context, recordings, looks),
        recordings=recordings,
        retention=Retention(context),
        probing=probing,
        self_tests=SelfTests(context, attempts, probing),
        site_checks=SiteChecks(context),
        withdrawals=withdrawals,
        person_consents=person_consents,
        patients_way=PatientsWay(context, person_consents, attempts, looks),
        seat_texts=SeatTexts(context, attempts),
        policies=Policies(context, deciding),
        chat=Chat(context, attempts),
        glossary=Glossary(context, attempts),
        glossary_files=GlossaryFiles(context, attempts),
        glossary_history=GlossaryHistory(context),
        conduct=Conduct(context),
        arrivals=Arrivals(context),
        declining=Declining(context),
        hours=Hours(context),
        calendars=Calendars(context),
        finding=Finding(context),
        booking=Booking(context),
        patients=Patients(context, attempts, looks),
        referrals=Referrals(context, attempts, looks),
        replies=Replies(context),
        case_list=CaseList(context),
        mailing=Mailing(context),
        feeds=Feeds(context, attempts),
        matching=Matching(context, deciding),
        departments=Departments(context),
        trail=Trail(context),
        looks=looks,
        audit_chain=AuditChain(context),
        audit_reviews=AuditReviews(context),
        break_glass=BreakGlass(context),
        trail_exports=TrailExports(context),
        sites=Sites(context),
        people=People(context),
        leaving=Leaving(context),
    )
