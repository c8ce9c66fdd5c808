"""The interpreter's desk on the keyboard, with a real server: four seats in one browser, two interpreters.

One browser means one tone for all microphones; who is heard is told by the participant whose track it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page

from tests.browser.test_screenshots import ALL, TIGHT, choose, picture_all
from tests.support import probes, two_interpreters
from tests.support.browsers import Crowd
from tests.support.demo import Demo, until
from tests.support.fakes import NO_CAMERA, RED
from tests.support.story import answer_and_join, sign_in

pytestmark = pytest.mark.browser

SOON_S = 30.0
GENTLE, BEHIND = 0.5, 0.25
PHONE = (390, 844)
DESK = tuple((language, size) for language in ("ko", "ru") for size in ((1440, 900), (1024, 768), PHONE))
"""What the desk is pictured in, in every run; what the others see of the turn, with HYEOPJIN_PICTURES=all."""


@dataclass(frozen=True)
class Sitting:
    page: Page
    seat: str


@dataclass(frozen=True)
class Room:
    referring: Sitting
    chair: Sitting
    first: Sitting
    second: Sitting

    @property
    def all(self) -> tuple[Sitting, ...]:
        return self.referring, self.chair, self.first, self.second


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    started = two_interpreters.starting(tmp_path_factory.mktemp("demo"))
    yield started
    started.kill()


@pytest.fixture(scope="module")
def room(demo: Demo, crowd: Crowd) -> Room:
    browser = crowd.person(RED)
    seats = []
    order = ("referring_physician", "consulting_physician", "interpreter", "interpreter")
    links = [seat["room_url"] for seat in demo.info["seats"]]
    assert [seat["role"] for seat in demo.info["seats"]] == list(order)
    for link in links:
        profile = browser.profile()
        profile.add_init_script(NO_CAMERA)
        page = profile.new_page()
        page.goto(link, wait_until="commit")
        seats.append(Sitting(page, link.split("#")[0].rsplit("/", 1)[1]))
    for sitting in seats:
        answer_and_join(sitting.page)
    made = Room(*seats)
    for sitting in made.all:
        until("four tiles", lambda sitting=sitting: len(probes.tiles(sitting.page)) == 4, 20)  # type: ignore[misc]
    return made


# All have one tone: whether there is any is enough, and is told sooner than which.
ANY_SOUND = """
async (participant) => {
  const tile = document.querySelector(`[data-testid=tile][data-participant="${participant}"]`);
  const track = tile?.querySelector('[data-testid=remote-video]')?.srcObject?.getAudioTracks()[0];
  if (!track) return 0;
  const context = new AudioContext();
  try {
    await context.resume();
    const analyser = context.createAnalyser();
    analyser.fftSize = 4096;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    await new Promise((done) => setTimeout(done, 300));
    const samples = new Float32Array(4096);
    analyser.getFloatTimeDomainData(samples);
    return Math.max(...samples.map(Math.abs));
  } finally {
    await context.close();
  }
}
"""
AUDIBLE = 0.02


def hears(listener: Sitting, source: Sitting) -> bool:
    peak: float = listener.page.evaluate(ANY_SOUND, source.seat)
    return peak > AUDIBLE


def waits_for(listener: Sitting, source: Sitting, heard: bool) -> None:
    said = "heard" if heard else "not heard any more"
    until(said, lambda: hears(listener, source) is heard, SOON_S)


def volume(listener: Sitting, source: Sitting) -> float:
    found: float = listener.page.evaluate(
        "(id) => document.querySelector(`[data-participant='${id}'] [data-testid=remote-video]`).volume",
        source.seat,
    )
    return found


def shown(sitting: Sitting, selector: str) -> None:
    sitting.page.locator(selector).first.wait_for(timeout=SOON_S * 1000)


def gone(sitting: Sitting, selector: str) -> None:
    sitting.page.locator(selector).first.wait_for(state="detached", timeout=SOON_S * 1000)


def floor(room: Room, who: Sitting | None) -> None:
    """Given by hand, so that no voice takes it."""
    room.chair.page.get_by_test_id("floor").select_option(who.seat if who else "")
    holder = f"[data-testid=turn][data-holder='{who.seat}']" if who else "[data-testid=turn]"
    for sitting in room.all:
        shown(sitting, holder)


def test_only_the_active_interpreter_is_left_open_when_the_other_is_muted_by_key(room: Room) -> None:
    shown(room.first, "[data-testid=both-open]")
    waits_for(room.chair, room.second, True)
    room.first.page.keyboard.press("p")
    shown(room.second, "[data-testid=interpreter-muted]")
    gone(room.first, "[data-testid=both-open]")
    waits_for(room.chair, room.second, False)
    waits_for(room.chair, room.first, True)


def test_the_mode_is_switched_by_one_key_and_everybody_sees_it(room: Room) -> None:
    for mode in ("simultaneous", "consecutive"):
        room.first.page.keyboard.press("m")
        for sitting in room.all:
            shown(sitting, f"[data-testid=mode][data-mode={mode}]")
    assert room.referring.page.get_by_test_id("mode-switch").count() == 0
    assert room.chair.page.get_by_test_id("mode-switch").count() == 1


def test_a_listener_chooses_the_original_the_interpreter_or_both_and_how_loud(room: Room) -> None:
    chair, referring, first = room.chair, room.referring, room.first
    first.page.keyboard.press("m")
    choice = chair.page.get_by_test_id("hearing")
    waits_for(chair, referring, False)
    until("shut", lambda: volume(chair, referring) == 0, SOON_S)
    choice.select_option("original")
    waits_for(chair, referring, True)
    waits_for(chair, first, False)
    choice.select_option("both")
    waits_for(chair, first, True)
    until("behind", lambda: volume(chair, referring) == BEHIND, SOON_S)
    waits_for(chair, referring, True)
    chair.page.get_by_test_id("behind").fill("50")
    until("as loud as chosen", lambda: volume(chair, referring) == 0.5, SOON_S)
    assert volume(chair, first) == 1
    choice.select_option("interpreted")
    waits_for(chair, referring, False)
    assert first.page.get_by_test_id("hearing").count() == 0


def test_an_interpreter_goes_by_one_key_through_whom_to_render_from(room: Room) -> None:
    desk, listen = room.first.page, room.first.page.get_by_test_id("listen")
    for heard, unheard in ((room.referring, room.chair), (room.chair, room.referring)):
        desk.keyboard.press("l")
        until("chosen", lambda heard=heard: listen.input_value() == heard.seat, SOON_S)  # type: ignore[misc]
        waits_for(room.first, unheard, False)
        waits_for(room.first, heard, True)
        assert volume(room.first, unheard) == 0
    for chosen in (room.second.seat, ""):
        desk.keyboard.press("l")
        until("chosen", lambda chosen=chosen: listen.input_value() == chosen, SOON_S)  # type: ignore[misc]
    for heard in (room.referring, room.chair):
        waits_for(room.first, heard, True)
    desk.keyboard.press("m")
    shown(room.first, "[data-testid=mode][data-mode=consecutive]")


def test_nobody_hears_a_cough_while_the_key_is_held(room: Room) -> None:
    room.first.page.keyboard.down("c")
    shown(room.first, "[data-testid=desk][data-coughing]")
    waits_for(room.chair, room.first, False)
    room.first.page.keyboard.up("c")
    gone(room.first, "[data-testid=desk][data-coughing]")
    waits_for(room.chair, room.first, True)


def test_a_signal_is_seen_by_whoever_speaks_and_not_by_those_who_listen(room: Room) -> None:
    floor(room, room.referring)
    room.first.page.keyboard.press("1")
    shown(room.first, "[data-testid=signal-repeat][data-sent]")  # for two seconds
    shown(room.referring, "[data-testid=signal][data-kind=repeat]")
    assert room.chair.page.get_by_test_id("signal").count() == 0
    room.first.page.keyboard.press("4")
    shown(room.chair, "[data-testid=signal][data-kind=own_words]")


def test_the_speaker_goes_gently_down_while_the_interpreter_renders(room: Room) -> None:
    floor(room, room.chair)
    until("full", lambda: volume(room.referring, room.chair) == 1, SOON_S)
    floor(room, room.first)
    until("gently down", lambda: volume(room.referring, room.chair) == GENTLE, SOON_S)
    assert volume(room.referring, room.first) == 1
    floor(room, None)


def test_keys_rest_while_one_writes_and_when_they_are_off(room: Room) -> None:
    desk = room.first.page
    desk.keyboard.press("n")
    desk.keyboard.type("mc1")
    notes = desk.get_by_test_id("notes")
    assert notes.input_value() == "mc1"
    desk.reload()
    shown(room.first, "[data-testid=desk]")
    assert notes.input_value() == "mc1"
    desk.get_by_test_id("keys-on").uncheck()
    desk.keyboard.press("m")
    desk.get_by_test_id("keys-on").check()
    desk.get_by_test_id("desk-turn").click()
    desk.keyboard.press("k")
    shown(room.first, "[data-testid=key-list]")
    assert desk.get_by_test_id("mode").get_attribute("data-mode") == "consecutive"


def test_only_the_partner_reads_and_hears_what_is_meant_for_them(room: Room) -> None:
    room.first.page.get_by_test_id("partner-text").fill("numbers are yours")
    room.first.page.get_by_test_id("partner-send").click()
    shown(room.second, "[data-testid=partner-log] >> text=numbers are yours")
    assert room.chair.page.get_by_text("numbers are yours").count() == 0
    room.first.page.get_by_test_id("desk-turn").click()
    room.first.page.keyboard.down("t")
    shown(room.first, "[data-testid=partner-talk][aria-pressed=true]")
    waits_for(room.chair, room.first, False)
    waits_for(room.second, room.first, True)
    room.first.page.keyboard.up("t")
    waits_for(room.chair, room.first, True)


def test_a_hand_over_is_asked_and_accepted_by_key_and_the_old_one_is_heard_no_more(room: Room) -> None:
    room.first.page.keyboard.press("h")
    shown(room.second, "[data-testid=handover-asked]")
    room.second.page.keyboard.press("h")
    shown(room.first, "[data-testid=interpreter-muted]")
    waits_for(room.chair, room.second, True)
    waits_for(room.chair, room.first, False)


def test_who_steps_out_is_told_so_and_is_let_back_in(room: Room) -> None:
    tile = f"[data-testid=tile][data-participant='{room.chair.seat}'] [data-testid=step]"
    room.referring.page.locator(tile).click()
    shown(room.chair, "[data-testid=stepped-out]")
    shown(room.second, "[data-testid=tile-out]")
    waits_for(room.second, room.chair, False)
    room.referring.page.locator(tile).click()
    gone(room.chair, "[data-testid=stepped-out]")
    waits_for(room.second, room.chair, True)


# Tiles whose name is not whole within them, or shares its place with a sign, a button or other words.
HIDDEN_NAMES = """
() => [...document.querySelectorAll('[data-testid=tile]')].filter((tile) => {
  const box = (one) => one.getBoundingClientRect();
  const [frame, name] = [box(tile), box(tile.querySelector('.plate-name'))];
  const across = (one) => one.left < name.right && name.left < one.right;
  const over = (one) => across(one) && one.top < name.bottom && name.top < one.bottom;
  const inside = name.left >= frame.left && name.right <= frame.right && name.bottom <= frame.bottom;
  const beside = [...tile.querySelectorAll('.sign, .step, .cover span, .cover strong')];
  return !inside || name.width < 20 || beside.map(box).some(over);
}).map((tile) => tile.dataset.participant)
"""

Wanted = tuple[tuple[str, tuple[int, int]], ...]


def picture(sitting: Sitting, name: str, folder: Path, wanted: Wanted = DESK) -> list[str]:
    """Those in which something sticks out sideways, or lies on a name."""
    wide = []
    for language, (width, height) in wanted:
        sitting.page.set_viewport_size({"width": width, "height": height})
        choose(sitting.page, language)
        sitting.page.wait_for_timeout(200)
        sitting.page.screenshot(path=folder / f"{name}-{language}-{width}.png", full_page=width < 400)
        if sitting.page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
            wide.append(f"{name} {language} {width}")
        if sitting.page.evaluate(HIDDEN_NAMES):
            wide.append(f"a name of {name} {language} {width}")
    sitting.page.set_viewport_size({"width": 1440, "height": 900})
    return wide


def test_desk_and_turn_can_be_pictured_and_nothing_sticks_out(room: Room, output: Path) -> None:
    folder = output / "screenshots"
    folder.mkdir(exist_ok=True)
    floor(room, room.referring)
    wide = picture(room.first, "desk", folder)
    room.second.page.keyboard.press("1")
    shown(room.referring, "[data-testid=signal]")
    wide += picture(room.referring, "turn", folder, DESK if ALL else TIGHT)
    assert not wide, wide
    floor(room, None)


# Scrolled to: what of these is not there, sticks out, is lower than a finger, or lies under something else.
OUT_OF_REACH = """
(ids) => ids.filter((id) => {
  const one = document.querySelector(`[data-testid="${id}"]`);
  one?.scrollIntoView({ block: 'center' });
  const box = one?.getBoundingClientRect();
  if (!box || box.left < 0 || box.right > innerWidth || box.height < 40) return true;
  const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return !one.contains(at) && !at?.contains(one);
})
"""
TOOLS = ["mode-switch", "turn-more", "cough", "signal-repeat", "signal-slower", "signal-clarify"]
TOOLS += [
    "signal-own_words",
    "direction",
    "handover",
    "mute-passive",
    "partner-talk",
    "partner-text",
    "notes",
]


def test_on_a_phone_every_tool_of_the_desk_is_reached_and_the_cough_key_is_always_there(room: Room) -> None:
    page = room.first.page
    for language in ("ru", "ko"):
        choose(page, language)
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        assert page.evaluate(OUT_OF_REACH, TOOLS) == [], language
        page.get_by_test_id("notes").evaluate("(one) => one.scrollIntoView({ block: 'center' })")
        box = page.get_by_test_id("cough").bounding_box()
        assert box is not None
        assert 0 <= box["y"] <= PHONE[1] - box["height"], (language, box)
        page.set_viewport_size({"width": 1440, "height": 900})


LIMITED = """
async () => {
  const { limiter } = await import('/static/js/room/limiter.js');
  const run = async (level) => {
    const context = new OfflineAudioContext(1, 48000, 48000);
    const tone = context.createOscillator();
    const gain = context.createGain();
    gain.gain.value = level;
    const guard = limiter(context);
    tone.connect(gain).connect(guard.input);
    guard.output.connect(context.destination);
    tone.start();
    const samples = (await context.startRendering()).getChannelData(0);
    return samples.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
  };
  return [await run(0.1), await run(1), await run(8)];
}
"""


def test_what_an_interpreter_hears_passes_a_limiter_and_a_ceiling(room: Room) -> None:
    shown(room.first, "[data-testid=limiter][data-on=true]")
    muted = "() => [...document.querySelectorAll('[data-testid=remote-video]')].map((one) => one.muted)"
    assert room.first.page.evaluate(muted) == [True] * 3, "the graph plays, not the elements"
    assert room.chair.page.evaluate(muted) == [False] * 3
    speech, loud, shriek = room.first.page.evaluate(LIMITED)
    assert speech == pytest.approx(0.1, rel=0.06)
    assert loud <= 0.5
    assert shriek <= 0.5


AHEAD = """
(minutes) => {
  window.now ??= Date.now;
  Date.now = () => window.now() + minutes * 60_000;
}
"""


def test_who_has_rendered_for_twenty_minutes_is_reminded_until_they_put_it_aside(room: Room) -> None:
    """The page's wall clock alone is put forward: what watches the line has another one."""
    shown(room.second, "[data-testid=desk-turn]")
    for minutes in (21, 41):
        for sitting in (room.first, room.second):
            sitting.page.evaluate(AHEAD, minutes)
        due = minutes - minutes % 20
        shown(room.second, f"[data-testid=change-reminder][data-minutes='{due}']")
        assert room.first.page.get_by_test_id("change-reminder").count() == 0, "it is not theirs to change"
        room.second.page.get_by_test_id("change-later").click()
        gone(room.second, "[data-testid=change-reminder]")
    for sitting in (room.first, room.second):
        sitting.page.evaluate(AHEAD, 0)


def test_a_button_that_is_held_while_the_partner_leaves_lets_go_all_the_same(room: Room) -> None:
    talk = room.second.page.get_by_test_id("partner-talk")
    talk.hover()
    room.second.page.mouse.down()
    waits_for(room.chair, room.second, False)
    room.first.page.get_by_test_id("leave").click()
    gone(room.second, f"[data-testid=tile][data-participant='{room.first.seat}'] video")
    shown(room.second, "[data-testid=partner-talk][aria-pressed=true]")
    room.second.page.mouse.up()
    shown(room.second, "[data-testid=partner-none]")
    waits_for(room.chair, room.second, True)


# How often an element draws itself: after it has looked again and nothing is new, and when it is asked to.
DRAWN = """
async () => {
  const one = document.querySelector('hj-arrival');
  const render = one.render;
  let drawn = 0;
  one.render = () => {
    drawn += 1;
    return render.call(one);
  };
  await one.updateComplete;
  const before = drawn;
  await one.look();
  await one.updateComplete;
  return drawn - before;
}
"""
COMING = """
(seat) => fetch(`/api/seats/${seat}/arrival`, {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ minutes: 5 }),
}).then((answer) => answer.status)
"""


def crashed(sitting: Sitting) -> None:
    """The window dies without a word, as when the computer or its line does."""
    with contextlib.suppress(Error):
        sitting.page.goto("chrome://crash", wait_until="commit")


def test_listeners_are_told_when_the_last_interpreter_drops_and_hear_the_original(room: Room) -> None:
    room.second.page.keyboard.press("m")
    shown(room.chair, "[data-testid=mode][data-mode=simultaneous]")
    waits_for(room.chair, room.referring, False)
    crashed(room.second)
    for sitting in (room.referring, room.chair):
        shown(sitting, "[data-testid=interpreter-lost][data-fallback=true]")
    waits_for(room.chair, room.referring, True)

    door = room.second.page.context.new_page()
    door.goto(room.chair.page.url.replace(room.chair.seat, room.second.seat), wait_until="commit")
    door.get_by_test_id("join").wait_for()
    assert door.evaluate(DRAWN) == 0, "nothing is new, so nothing is drawn"
    assert room.first.page.evaluate(COMING, room.first.seat) == 200
    door.evaluate(DRAWN)
    door.locator(f"[data-testid=arrival][data-participant='{room.first.seat}']").wait_for()
    answer = door.get_by_test_id("consent-accept")
    if answer.count():
        answer.click()
    door.get_by_test_id("join").click()
    for sitting in (room.referring, room.chair):
        gone(sitting, "[data-testid=interpreter-lost]")
    waits_for(room.chair, room.referring, False)
    door.get_by_test_id("leave").click()
    for sitting in (room.referring, room.chair):
        shown(sitting, "[data-testid=interpreter-lost]")
    waits_for(room.chair, room.referring, True)


def test_a_glossary_is_prepared_outside_the_room_on_the_keyboard(
    room: Room, demo: Demo, crowd: Crowd
) -> None:
    page = sign_in(crowd.people[0], demo, "coordinator")
    every = page.get_by_test_id("glossaries")
    every.locator("summary").click()
    every.get_by_test_id("to-glossary").click()
    page.get_by_test_id("glossary-empty").wait_for()
    assert page.get_by_test_id("glossary-case").inner_text() == "DEMO-0001"
    page.keyboard.press("Alt+g")
    page.keyboard.type("협착증")
    page.get_by_test_id("glossary-nothing").wait_for()
    page.get_by_test_id("term-new").click()
    assert page.locator("[data-testid=term-text][data-language=ko]").input_value() == "협착증"
    page.locator("[data-testid=term-text][data-language=kk]").fill("Тарылу")
    page.keyboard.press("Enter")
    page.get_by_test_id("term-edit").click()
    page.locator("[data-testid=term-text][data-language=kk]").fill("Омыртқа стенозы")
    page.get_by_test_id("term-note").fill("one level")
    page.keyboard.press("Enter")
    page.get_by_test_id("term-search").press("Enter")
    page.get_by_test_id("term-state").nth(1).wait_for()
    states = [one.get_attribute("data-what") for one in page.get_by_test_id("term-state").all()]
    assert states == ["edited", "added"]
    assert page.locator("[data-what=edited] del").inner_text() == "Тарылу"
    assert page.get_by_test_id("term-confirm").count() == 0

    lists = "**/api/cases/*/glossary"
    page.route(lists, lambda route: route.abort())
    page.reload()
    page.get_by_test_id("glossary-again").wait_for()
    assert page.get_by_test_id("glossary-empty").count() == 0, "what was not fetched is not empty"
    page.unroute(lists)
    page.get_by_test_id("glossary-again").click()
    page.get_by_test_id("term").wait_for()
    page.close()


@pytest.mark.long
def test_a_glossarys_page_can_be_pictured_and_whoever_follows_only_reads(
    room: Room, demo: Demo, crowd: Crowd, output: Path
) -> None:
    crowd.people[0].context.clear_cookies()
    page = sign_in(crowd.people[0], demo, "interpreter")
    folder = output / "screenshots"
    page.get_by_test_id("glossaries").locator("summary").click()
    page.get_by_test_id("glossaries").get_by_test_id("to-glossary").wait_for()
    wide = picture_all(page, "worklist-interpreter", folder)
    page.get_by_test_id("worklist-row").first.get_by_test_id("to-glossary").click()
    page.get_by_test_id("term-new").click()
    page.locator("[data-testid=term-text][data-language=uz]").fill("Umurtqa")
    page.keyboard.press("Enter")
    page.get_by_test_id("term-open").filter(has_text="Umurtqa").click()
    page.get_by_test_id("term-state").first.wait_for()
    page.get_by_test_id("glossary-files").click()
    page.get_by_test_id("glossary-changes").click()
    wide += picture_all(page, "glossary", folder)
    page.get_by_test_id("term-edit").first.click()
    wide += picture_all(page, "glossary-form", folder)
    assert not wide, wide
    address = page.url
    page.close()
    crowd.people[0].context.clear_cookies()
    reader = sign_in(crowd.people[0], demo, "reviewer")
    reader.goto(address)
    reader.get_by_test_id("glossary-read-only").wait_for()
    assert reader.get_by_test_id("term-open").count() > 0
    for tool in ("term-new", "term-edit", "term-confirm", "glossary-files"):
        assert reader.get_by_test_id(tool).count() == 0, tool
