"""Every URL on one page, each with its row of the permissions table (`server/domain/permissions.py`).

The sockets' path `/socket.io/` is added by `signaling/namespace.py`; its events are checked by abilities.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from server.domain.permissions import Action
from server.services.access import Subject
from server.web import (
    accounts,
    arrivals,
    audit,
    audit_reviews,
    break_glass,
    calendars,
    chat,
    conduct,
    consents,
    documents,
    exports,
    feeds,
    glossary,
    health,
    hours,
    matching,
    pages,
    passkeys,
    passwords,
    patients,
    people,
    policies,
    probing,
    recordings,
    referrals,
    renderings,
    retention,
    schedule,
    seats,
    security,
    self_tests,
    sign_in,
    single_sign_on,
    worklist,
)
from server.web.guard import Route, guarded
from server.web.keys import Handler

_A, _S = Action, Subject
READS, TYPED, CLIPS, EXPORTS, GLASSES, CHANGES = 120, 300, 300, 10, 10, 20
"""A minute: of what a page reads when it opens or comes back, of what is asked while somebody types or
leafs, for a few seconds of sound (a player asks some times for each voice), of what is made
into a file, of labels tried, of changes to one's ways in."""
INVITATIONS = 10
PIECES = 1200  # of uploads
_CASE = "/api/cases/{case}"
_DOCUMENT = f"{_CASE}/documents/{{document}}"
_CALENDAR = "/api/calendars/{calendar}"
_SITE = "/api/sites/{site}"
_PERSON = "/api/people/{person}"
_DEPARTMENT = "/api/departments/{department}"
_PHYSICIAN = f"{_DEPARTMENT}/physicians/{{physician}}"
_REVIEW = "/api/audit/reviews/{review}"
_FLAG = "/api/flags/{flag}"
_SELF_TEST = "/api/self-tests/{test}"


def _glossary(base: str, read: Action, write: Action, confirm: Action, subject: Subject) -> tuple[Route, ...]:
    """The same for an account on a case and for a seat in its room."""
    return (
        Route("GET", f"{base}/glossary", glossary.listed, read, subject, per_minute=READS),
        Route("POST", f"{base}/glossary", glossary.add, write, subject),
        Route("POST", f"{base}/glossary/search", glossary.search, read, subject, per_minute=TYPED),
        Route("GET", f"{base}/glossary/file", glossary.take, write, subject),
        Route("GET", f"{base}/glossary/history", glossary.history, read, subject, per_minute=READS),
        Route("GET", f"{base}/glossary/{{term}}/history", glossary.history, read, subject, per_minute=TYPED),
        Route("POST", f"{base}/glossary/file", glossary.bring, write, subject),
        Route("POST", f"{base}/glossary/{{term}}", glossary.edit, write, subject),
        Route("POST", f"{base}/glossary/{{term}}/confirm", glossary.confirm, confirm, subject),
        Route("POST", f"{base}/glossary/{{term}}/delete", glossary.delete, write, subject),
    )


def _recording(method: str, path: str, handler: Handler, action: Action) -> Route:
    """A copied address says 403, signed in or not."""
    return Route(method, f"/api/recordings/{{recording}}{path}", handler, action, _S.RECORDING, "forbidden")


ROUTES: Final[tuple[Route, ...]] = (
    # pages
    Route("GET", "/", pages.front, _A.PAGE),
    Route("GET", "/signin", pages.signin, _A.PAGE),
    Route("GET", "/forgot-password", pages.forgot_password, _A.PAGE),
    Route("GET", "/set-password", pages.set_password, _A.PAGE),
    Route("GET", "/security", pages.security, _A.PAGE),
    Route("GET", "/worklist", pages.worklist, _A.PAGE),
    Route("GET", "/cases/{case}", pages.case, _A.PAGE),
    Route("GET", "/cases/{case}/schedule", pages.schedule, _A.PAGE),
    Route("GET", "/cases/{case}/glossary", pages.glossary, _A.PAGE),
    Route("GET", "/cases/{case}/referral", pages.referral, _A.PAGE),
    Route("GET", "/referrals/new", pages.new_referral, _A.PAGE),
    Route("GET", "/cases/{case}/consents", pages.consents, _A.PAGE),
    Route("GET", "/my", pages.my, _A.PAGE),
    Route("GET", "/policies", pages.policies, _A.PAGE),
    Route("GET", "/room/{seat}", pages.room, _A.PAGE),
    Route("GET", "/review/{recording}", pages.review, _A.PAGE),
    Route("GET", "/renderings", pages.renderings, _A.PAGE),
    Route("GET", "/audit", pages.audit, _A.PAGE),
    Route("GET", "/sites", pages.sites, _A.PAGE),
    Route("GET", "/sites/{site}", pages.site, _A.PAGE),
    Route("GET", "/people/{person}", pages.person, _A.PAGE),
    Route("GET", "/retention", pages.retention, _A.PAGE),
    Route("GET", "/self-test", pages.self_test, _A.PAGE),
    Route("GET", "/site-checks", pages.site_checks, _A.PAGE),
    Route("GET", "/favicon.ico", pages.favicon, _A.PAGE),
    Route("GET", "/static/{path:.+}", pages.static, _A.PAGE),
    # machines
    Route("GET", "/healthz", health.healthz, _A.HEALTH),
    Route("GET", "/readyz", health.readyz, _A.HEALTH),
    Route("GET", "/metrics", health.metrics, _A.HEALTH),
    # accounts
    Route("POST", "/api/sign-in", sign_in.sign_in, _A.SIGN_IN),
    Route("POST", "/api/sign-in/code", sign_in.code, _A.SIGN_IN),
    Route("POST", "/api/sign-in/passkey/options", passkeys.sign_in_options, _A.SIGN_IN),
    Route("POST", "/api/sign-in/passkey", passkeys.sign_in, _A.SIGN_IN),
    Route("GET", "/api/sign-in/ways", single_sign_on.ways, _A.SIGN_IN),
    Route("POST", "/api/sign-in/provider", single_sign_on.begin, _A.SIGN_IN),
    Route("GET", "/sign-in/provider", single_sign_on.back, _A.SIGN_IN),
    Route("POST", "/api/password/forgot", passwords.forgot, _A.PASSWORD_RESET),
    Route("POST", "/api/password/link", passwords.link, _A.PASSWORD_RESET),
    Route("POST", "/api/password/set", passwords.set_password, _A.PASSWORD_RESET),
    Route("POST", "/api/sign-out", accounts.sign_out, _A.SIGN_OUT),
    Route("GET", "/api/me", accounts.me, _A.ACCOUNT_ME),
    Route("POST", "/api/account/prove", security.prove, _A.ACCOUNT_PROVE),
    Route(
        "POST",
        "/api/account/prove/passkey/options",
        passkeys.prove_options,
        _A.ACCOUNT_PROVE,
        per_minute=READS,
    ),
    Route("POST", "/api/account/prove/passkey", passkeys.prove, _A.ACCOUNT_PROVE, per_minute=READS),
    Route("POST", "/api/account/active", security.active, _A.ACCOUNT_ACTIVE, per_minute=READS),
    Route("GET", "/api/account/local-key", accounts.local_key, _A.ACCOUNT_READ),
    Route("GET", "/api/account/sessions", accounts.sessions, _A.ACCOUNT_READ),
    Route("POST", "/api/account/sessions/{session}/revoke", accounts.revoke_session, _A.ACCOUNT_REVOKE),
    # reading without a relation, with a reason
    Route("GET", "/api/break-glass", break_glass.newest, _A.BREAK_GLASS_LIST, per_minute=READS),
    Route("POST", "/api/break-glass", break_glass.begin, _A.BREAK_GLASS, per_minute=GLASSES),
    Route("POST", "/api/break-glass/{glass}/end", break_glass.end, _A.BREAK_GLASS),
    Route("POST", "/api/account/sessions/revoke-others", security.revoke_others, _A.ACCOUNT_REVOKE),
    # the audit
    Route("GET", "/api/account/audit", audit.own, _A.AUDIT_OWN, per_minute=READS),
    Route("GET", "/api/audit/logins", audit.logins, _A.AUDIT_LOGINS, per_minute=READS),
    Route("POST", "/api/audit/export", audit.export, _A.AUDIT_EXPORT, per_minute=EXPORTS),
    Route("GET", "/api/audit/chain", audit.chain, _A.AUDIT_READ, per_minute=READS),
    Route("POST", "/api/audit/chain/verify", audit.verify, _A.AUDIT_READ, per_minute=EXPORTS),
    Route("POST", "/api/audit/gaps", audit.acknowledge, _A.AUDIT_ACKNOWLEDGE, per_minute=EXPORTS),
    Route("GET", "/api/audit/reviews", audit_reviews.listed, _A.AUDIT_REVIEW, per_minute=READS),
    Route("POST", "/api/audit/reviews", audit_reviews.make, _A.AUDIT_REVIEW, per_minute=EXPORTS),
    Route("GET", _REVIEW, audit_reviews.look, _A.AUDIT_REVIEW, per_minute=READS),
    Route("GET", f"{_REVIEW}/file", audit_reviews.file, _A.AUDIT_REVIEW, per_minute=EXPORTS),
    Route("POST", f"{_REVIEW}/sign", audit_reviews.sign, _A.AUDIT_REVIEW),
    Route("POST", "/api/audit/search", audit.search, _A.AUDIT_READ, per_minute=READS),
    # one's own ways of signing in
    Route("GET", "/api/account/security", security.state, _A.ACCOUNT_READ),
    Route("POST", "/api/account/password", security.change_password, _A.ACCOUNT_SECURITY, per_minute=CHANGES),
    Route("POST", "/api/account/totp", security.begin_totp, _A.ACCOUNT_SECURITY, per_minute=CHANGES),
    Route("POST", "/api/account/totp/confirm", security.confirm_totp, _A.ACCOUNT_SECURITY),
    Route("POST", "/api/account/totp/remove", security.remove_totp, _A.ACCOUNT_SECURITY, per_minute=CHANGES),
    Route(
        "POST",
        "/api/account/recovery-codes",
        security.renew_recovery,
        _A.ACCOUNT_SECURITY,
        per_minute=CHANGES,
    ),
    Route(
        "POST",
        "/api/account/passkeys/options",
        passkeys.make_options,
        _A.ACCOUNT_SECURITY,
        per_minute=CHANGES,
    ),
    Route("POST", "/api/account/passkeys", passkeys.make, _A.ACCOUNT_SECURITY, per_minute=CHANGES),
    Route("POST", "/api/account/passkeys/{passkey}/delete", passkeys.remove, _A.ACCOUNT_SECURITY),
    # one's own hours in a calendar program
    Route("GET", "/api/account/feed", feeds.state, _A.FEED_OWN),
    Route("POST", "/api/account/feed", feeds.renew, _A.FEED_OWN),
    Route("POST", "/api/account/feed/revoke", feeds.revoke, _A.FEED_OWN),
    Route("GET", "/calendar/{token}.ics", feeds.read, _A.FEED_READ),
    # consultations
    Route("GET", "/api/worklist", worklist.worklist, _A.WORKLIST),
    Route("GET", _CASE, worklist.case, _A.CASE_READ, _S.CASE),
    # the schedule
    Route("GET", f"{_CASE}/schedule", schedule.of_case, _A.SCHEDULE_READ, _S.CASE),
    Route("POST", f"{_CASE}/slots", schedule.slots, _A.SCHEDULE_WRITE),
    Route("POST", f"{_CASE}/consultations", schedule.book, _A.SCHEDULE_WRITE),
    Route("POST", "/api/consultations/{consultation}/move", schedule.move, _A.SCHEDULE_WRITE),
    Route("POST", "/api/consultations/{consultation}/cancel", schedule.cancel, _A.SCHEDULE_WRITE),
    Route("POST", "/api/consultations/{consultation}/no-show", schedule.no_show, _A.SCHEDULE_WRITE),
    # calendars: a person's, a site's or a room's
    Route("GET", _CALENDAR, calendars.look, _A.CALENDAR_READ, _S.CALENDAR),
    Route("POST", f"{_CALENDAR}/hours", calendars.set_hours, _A.CALENDAR_WRITE, _S.CALENDAR),
    Route("POST", f"{_CALENDAR}/absences", calendars.add_absence, _A.CALENDAR_WRITE, _S.CALENDAR),
    Route(
        "POST",
        f"{_CALENDAR}/absences/{{absence}}/delete",
        calendars.remove_absence,
        _A.CALENDAR_WRITE,
        _S.CALENDAR,
    ),
    Route("POST", f"{_CALENDAR}/rooms", calendars.put_room, _A.CALENDAR_WRITE, _S.CALENDAR),
    Route("GET", "/api/interpreters", calendars.interpreters, _A.INTERPRETERS),
    Route("POST", "/api/interpreters/{interpreter}", calendars.interprets, _A.INTERPRETERS),
    # sites and people
    Route("GET", "/api/sites", people.sites, _A.SITE_LIST),
    Route("POST", "/api/sites", people.add_site, _A.SITE_ADD),
    Route("GET", _SITE, people.site, _A.SITE_READ, _S.SITE),
    Route("POST", _SITE, people.edit_site, _A.SITE_WRITE, _S.SITE),
    Route("POST", f"{_SITE}/people", people.add_person, _A.PERSON_ADD, _S.SITE),
    Route("GET", "/api/people", people.people, _A.PERSON_LIST),
    Route("GET", _PERSON, people.person, _A.PERSON_READ, _S.PERSON),
    Route("POST", _PERSON, people.edit_person, _A.PERSON_WRITE, _S.PERSON),
    Route("POST", f"{_PERSON}/invite", people.invite, _A.PERSON_WRITE, _S.PERSON, per_minute=INVITATIONS),
    Route("POST", f"{_PERSON}/address", people.readdress, _A.PERSON_WRITE, _S.PERSON, per_minute=INVITATIONS),
    Route("POST", f"{_PERSON}/licence", people.enter_licence, _A.LICENCE_WRITE, _S.PERSON),
    Route("POST", f"{_PERSON}/licence/verify", people.verify_licence, _A.LICENCE_VERIFY, _S.PERSON),
    Route("POST", f"{_PERSON}/leave", people.leave, _A.PERSON_LEAVE, _S.PERSON),
    Route("POST", f"{_PERSON}/return", people.come_back, _A.PERSON_LEAVE, _S.PERSON),
    Route(
        "POST",
        f"{_PERSON}/second-step/reset",
        people.reset_second_step,
        _A.SECOND_STEP_RESET,
        _S.PERSON,
        per_minute=CHANGES,
    ),
    Route("GET", "/api/hours-at-risk", people.hours_at_risk, _A.HOURS_AT_RISK),
    # a site's self-test
    Route("POST", "/api/self-tests", self_tests.begin, _A.SELF_TEST),
    Route("POST", f"{_SELF_TEST}/probe", self_tests.probe, _A.SELF_TEST),
    Route("POST", f"{_SELF_TEST}/line", self_tests.line, _A.SELF_TEST),
    Route("POST", f"{_SELF_TEST}/line/answer", self_tests.answer, _A.SELF_TEST),
    Route("POST", f"{_SELF_TEST}/steps/{{step}}", self_tests.step, _A.SELF_TEST),
    Route(
        "GET",
        "/api/sites/{site}/self-tests",
        self_tests.of_site,
        _A.SELF_TEST_READ,
        _S.SITE,
        per_minute=READS,
    ),
    Route("GET", "/api/site-checks", self_tests.board, _A.SITE_CHECKS, per_minute=READS),
    # patients and referrals
    Route("POST", "/api/patients", patients.register, _A.PATIENT_REGISTER),
    Route("POST", "/api/patients/search", patients.search, _A.PATIENT_REGISTER),
    Route("GET", "/api/patients/{patient}", patients.look, _A.DEMOGRAPHICS_READ, _S.PATIENT),
    Route("POST", "/api/patients/{patient}", patients.change, _A.DEMOGRAPHICS_WRITE, _S.PATIENT),
    Route("GET", "/api/referral-forms", referrals.forms, _A.REFERRAL_FORM),
    Route("GET", "/api/referral-forms/{specialty}", referrals.form, _A.REFERRAL_FORM),
    Route("GET", "/api/cases", referrals.waiting, _A.CASE_LIST),
    Route("POST", "/api/cases", referrals.begin, _A.CASE_OPEN),
    Route("POST", f"{_CASE}/patient", referrals.choose_patient, _A.REFERRAL_DRAFT, _S.CASE),
    Route("GET", f"{_CASE}/draft", referrals.draft, _A.REFERRAL_DRAFT, _S.CASE),
    Route("POST", f"{_CASE}/draft", referrals.save, _A.REFERRAL_DRAFT, _S.CASE),
    Route("POST", f"{_CASE}/submit", referrals.submit, _A.REFERRAL_SUBMIT, _S.CASE),
    Route("GET", f"{_CASE}/referral", referrals.read, _A.REFERRAL_READ, _S.CASE),
    Route("POST", f"{_CASE}/return", referrals.give_back, _A.REFERRAL_RETURN, _S.CASE),
    Route("POST", f"{_CASE}/answer", referrals.answer, _A.REFERRAL_ANSWER, _S.CASE),
    Route("POST", f"{_CASE}/cancel", referrals.cancel, _A.CASE_CANCEL, _S.CASE),
    Route("POST", f"{_CASE}/end", referrals.end, _A.CASE_END, _S.CASE),
    Route("POST", f"{_CASE}/reopen", referrals.reopen, _A.CASE_REOPEN, _S.CASE),
    # what the patient agreed to, their own way to it, and what holds between two sites
    Route("GET", f"{_CASE}/consents", consents.look, _A.CONSENT_READ, _S.CASE, per_minute=READS),
    Route("POST", f"{_CASE}/consents", consents.give, _A.CONSENT_GIVE, _S.CASE),
    Route("GET", f"{_CASE}/consents/texts/{{language}}", consents.texts, _A.CONSENT_READ, _S.CASE),
    Route("GET", f"{_CASE}/consents/{{consent}}/text", consents.text, _A.CONSENT_READ, _S.CASE),
    Route("POST", f"{_CASE}/consents/witness", consents.witness, _A.CONSENT_GIVE, _S.CASE),
    Route("POST", f"{_CASE}/consents/withdraw", consents.withdraw, _A.CONSENT_GIVE, _S.CASE),
    Route("POST", f"{_CASE}/consents/code", consents.code, _A.CONSENT_GIVE, _S.CASE),
    Route("POST", "/api/my/consents", consents.own, _A.CONSENT_OWN),
    Route("POST", "/api/my/consents/text", consents.own_text, _A.CONSENT_OWN),
    Route("POST", "/api/my/consents/withdraw", consents.own_withdraw, _A.CONSENT_OWN),
    Route("GET", "/api/policies", policies.overview, _A.POLICY_READ),
    Route("POST", "/api/policies", policies.decide, _A.POLICY_WRITE),
    # documents of a case
    Route("GET", f"{_CASE}/documents", documents.listed, _A.DOCUMENT_READ, _S.CASE, per_minute=READS),
    Route("POST", f"{_CASE}/documents", documents.begin, _A.DOCUMENT_ADD, _S.CASE, per_minute=READS),
    Route("GET", f"{_DOCUMENT}/upload", documents.offset, _A.DOCUMENT_ADD, _S.CASE, per_minute=TYPED),
    Route("PATCH", f"{_DOCUMENT}/upload", documents.receive, _A.DOCUMENT_ADD, _S.CASE, per_minute=PIECES),
    Route("POST", f"{_DOCUMENT}/upload/cancel", documents.cancel, _A.DOCUMENT_ADD, _S.CASE),
    Route("GET", _DOCUMENT, documents.look, _A.DOCUMENT_READ, _S.CASE, per_minute=TYPED),
    Route("GET", f"{_DOCUMENT}/pages/{{page}}", documents.page, _A.DOCUMENT_READ, _S.CASE, per_minute=TYPED),
    Route("GET", f"{_DOCUMENT}/content", documents.content, _A.DOCUMENT_READ, _S.CASE, per_minute=READS),
    Route("POST", f"{_DOCUMENT}/confirm", documents.confirm, _A.DOCUMENT_ADD, _S.CASE),
    Route("POST", f"{_DOCUMENT}/change", documents.change, _A.DOCUMENT_ADD, _S.CASE),
    Route("POST", f"{_DOCUMENT}/withdraw", documents.withdraw, _A.DOCUMENT_ADD, _S.CASE),
    # which hospital, and who is there
    Route("GET", f"{_CASE}/match", matching.look, _A.MATCH, _S.CASE),
    Route("POST", f"{_CASE}/match", matching.propose, _A.MATCH, _S.CASE),
    Route("POST", f"{_CASE}/match/{{proposal}}", matching.decide, _A.MATCH, _S.CASE),
    Route("GET", "/api/departments", matching.departments, _A.DEPARTMENT_READ),
    Route("POST", "/api/departments", matching.add_department, _A.DEPARTMENT_WRITE),
    Route("POST", _DEPARTMENT, matching.edit_department, _A.DEPARTMENT_WRITE),
    Route("GET", f"{_DEPARTMENT}/ahead", matching.ahead, _A.DEPARTMENT_WRITE),
    Route("POST", f"{_DEPARTMENT}/closed", matching.close_department, _A.DEPARTMENT_WRITE),
    Route("POST", f"{_DEPARTMENT}/physicians", matching.add_physician, _A.DEPARTMENT_WRITE),
    Route("POST", _PHYSICIAN, matching.edit_physician, _A.DEPARTMENT_WRITE),
    Route("GET", f"{_PHYSICIAN}/ahead", matching.ahead, _A.DEPARTMENT_WRITE),
    Route("POST", f"{_PHYSICIAN}/remove", matching.remove_physician, _A.DEPARTMENT_WRITE),
    Route("GET", "/api/matching/rules/{specialty}", matching.rules, _A.MATCHING_RULES),
    # how long recordings are kept, and what was destroyed
    Route("GET", "/api/retention", retention.overview, _A.RETENTION_READ),
    Route("POST", f"{_CASE}/hold", retention.hold, _A.RETENTION_HOLD),
    Route("POST", "/api/holds/{hold}/lift", retention.lift, _A.RETENTION_HOLD),
    Route("POST", "/api/recordings/{recording}/class", retention.classify, _A.RETENTION_HOLD),
    Route("POST", "/api/recordings/{recording}/extend", retention.extend, _A.RETENTION_HOLD),
    Route("GET", f"{_CASE}/periods", retention.periods, _A.RETENTION_READ),
    Route("GET", f"{_CASE}/retention", retention.keeping, _A.RECEIPT_READ, _S.CASE),
    Route("GET", f"{_CASE}/receipts/{{receipt}}", retention.receipt, _A.RECEIPT_READ, _S.CASE),
    Route(
        "POST",
        "/api/recordings/{recording}/seats/{seat}/withdraw",
        retention.withdraw,
        _A.SEAT_WITHDRAW,
        _S.SEAT,
    ),
    Route("GET", "/api/interpreter-hours", hours.export, _A.HOURS_EXPORT),
    # seats
    Route("POST", "/api/seats/{seat}/take", seats.take, _A.SEAT_TAKE, _S.SEAT),
    Route("POST", "/api/seats/{seat}/decline", schedule.decline, _A.SEAT_DECLINE, _S.SEAT),
    Route("POST", "/api/seats/{seat}/redeem", seats.redeem, _A.SEAT_REDEEM),
    Route("POST", "/api/seats/{seat}/knock", seats.knock, _A.SEAT_KNOCK),
    Route("GET", "/api/seats/{seat}/knock", seats.knock_state, _A.SEAT_KNOCK),
    Route("POST", "/api/seats/{seat}/probe", probing.probe, _A.SEAT_PROBE),
    Route("POST", "/api/seats/{seat}/probe/result", probing.result, _A.SEAT_PROBE),
    Route("POST", "/api/seats/{seat}/consent-texts", consents.of_seat, _A.SEAT_TEXTS),
    Route("GET", "/api/seats/{seat}", seats.look, _A.SEAT_READ, _S.SEAT),
    Route("POST", "/api/seats/{seat}/consent", seats.consent, _A.SEAT_CONSENT, _S.SEAT),
    Route("POST", "/api/seats/{seat}/destroy", seats.destroy, _A.SEAT_DESTROY, _S.SEAT),
    Route("GET", "/api/seats/{seat}/past", seats.past, _A.SEAT_PAST, _S.SEAT),
    Route("GET", "/api/seats/{seat}/receipts/{receipt}", seats.receipt, _A.SEAT_PAST, _S.SEAT),
    Route("GET", "/api/seats/{seat}/chat", chat.of_seat, _A.CHAT_READ, _S.SEAT, per_minute=READS),
    # the glossary of a case
    Route("GET", "/api/glossaries", worklist.glossaries, _A.GLOSSARY_LIST),
    *_glossary(_CASE, _A.GLOSSARY_READ, _A.GLOSSARY_WRITE, _A.GLOSSARY_CONFIRM, _S.CASE),
    *_glossary(
        "/api/seats/{seat}",
        _A.SEAT_GLOSSARY_READ,
        _A.SEAT_GLOSSARY_WRITE,
        _A.SEAT_GLOSSARY_CONFIRM,
        _S.SEAT,
    ),
    Route("POST", "/api/seats/{seat}/arrival", arrivals.say, _A.SEAT_ARRIVAL, _S.SEAT),
    Route("POST", "/api/seats/{seat}/arrival-for", arrivals.say_for, _A.ARRIVAL_TELL),
    Route("GET", "/api/seats/{seat}/arrivals", arrivals.expected, _A.ARRIVAL_READ, _S.SEAT, per_minute=READS),
    Route("GET", "/api/seats/{seat}/conduct", conduct.of_seat, _A.CONDUCT_READ, _S.SEAT, per_minute=READS),
    # recordings
    _recording("GET", "", recordings.recording, _A.RECORDING_WATCH),
    _recording("GET", "/tracks/{track}", recordings.track, _A.RECORDING_WATCH),
    _recording("POST", "/watched", recordings.watched, _A.RECORDING_WATCH),
    _recording("GET", "/chat", chat.of_recording, _A.CHAT_REVIEW),
    _recording("GET", "/conduct", conduct.of_recording, _A.CONDUCT_REVIEW),
    # what was rendered: lanes, pairs, and flags on renderings
    _recording("GET", "/interpretation", renderings.interpretation, _A.RECORDING_WATCH),
    Route("POST", "/api/recordings/{recording}/flags", renderings.flag, _A.RENDERING_FLAG, _S.RECORDING),
    Route("GET", "/api/flags", renderings.own, _A.RENDERING_OWN, per_minute=READS),
    Route("GET", _FLAG, renderings.look, _A.RENDERING_ANSWER, _S.FLAG, "forbidden", READS),
    Route("POST", f"{_FLAG}/answer", renderings.answer, _A.RENDERING_ANSWER, _S.FLAG),
    Route(
        "GET", f"{_FLAG}/tracks/{{track}}", renderings.clip, _A.RENDERING_ANSWER, _S.FLAG, "forbidden", CLIPS
    ),
    # exports of a recording
    _recording("GET", "/exports", exports.listed, _A.RECORDING_EXPORT),
    _recording("POST", "/exports", exports.ask, _A.RECORDING_EXPORT),
    _recording("POST", "/exports/{export}/cancel", exports.cancel, _A.RECORDING_EXPORT),
    _recording("GET", "/exports/{export}/file", exports.file, _A.RECORDING_EXPORT),
)


def add_routes(app: web.Application) -> None:
    for route in ROUTES:
        if route.method == "GET":
            app.router.add_get(route.path, guarded(route))
        else:
            app.router.add_route(route.method, route.path, guarded(route))
