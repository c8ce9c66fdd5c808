"""Real Chromium and Firefox, one process per participant, each with its own camera and tone.

Fake device files belong to a browser process, so participants never share one; windows of one profile do, on
purpose, in the test about links. It takes no screenshots by itself and judges nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.support import switchable
from tests.support.demo import alive, children
from tests.support.fakes import PLAIN_SOUND, Voice, write_camera, write_tone
from tests.support.firefox import FIREFOX, MEETING_PREFS, Prefs, launch
from tests.support.sound_sink import SoundSink

CHROMIUM = os.environ.get("HYEOPJIN_CHROMIUM", "/usr/bin/chromium")
DEVICE_FLAGS = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
# Loopback candidates, and host candidates with addresses instead of mDNS names; see MEDIA.md, Testing.
NETWORK_FLAGS = (
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)
QUIET_FLAGS = ("--autoplay-policy=no-user-gesture-required", "--disable-gpu", "--mute-audio")


class Person:
    """A participant at a browser of their own: open pages in `context`, read `console` and `urls`."""

    def __init__(self, browser: Browser, voice: Voice | None, language: str, width: int = 1440) -> None:
        self.browser = browser
        self.chromium = browser.browser_type.name == "chromium"
        self.voice = voice
        self.started: list[int] = []
        self.console: list[str] = []
        self.urls: list[str] = []
        self.context = self.profile(language, width)

    def profile(self, language: str = "en", width: int = 1440) -> BrowserContext:
        """A fresh profile (cookies, storage) in this browser, with camera and microphone allowed."""
        context = self.browser.new_context(
            locale=language,
            permissions=["camera", "microphone"] if self.chromium else [],
            viewport={"width": width, "height": 900},
            ignore_https_errors=True,
        )
        context.set_default_timeout(30_000)
        # How fast a busy test machine loads pages is nobody's promise.
        context.set_default_navigation_timeout(60_000)
        context.add_init_script(PLAIN_SOUND)
        context.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        context.on("weberror", lambda error: self.console.append(f"uncaught: {error.error}"))
        context.on("request", lambda request: self.urls.append(request.url))
        return context

    def processes(self) -> list[int]:
        """Every process of this browser that lives now."""
        below = [pid for one in self.started for pid in children(one)]
        return [pid for pid in dict.fromkeys([*self.started, *below]) if alive(pid)]

    def page(self) -> Page:
        return self.context.new_page()

    def errors(self) -> list[str]:
        """Uncaught exceptions and console errors so far."""
        return [line for line in self.console if line.startswith(("error:", "uncaught:"))]

    def close(self) -> None:
        self.browser.close()


class Crowd:
    """Starts browsers and closes them all. Use as a context manager."""

    def __init__(self, playwright: Playwright, folder: Path) -> None:
        self._playwright = playwright
        self._folder = folder
        self._sink: SoundSink | None = None
        self.people: list[Person] = []

    def person(
        self,
        voice: Voice | None = None,
        language: str = "en",
        flags: Sequence[str] = NETWORK_FLAGS,
        quiet: bool = True,
        init: str = "",
        executable: str = CHROMIUM,
        width: int = 1440,
        busy: bool = False,
        asks: bool = False,
    ) -> Person:
        """A new browser process; `init` is a script that every page of it runs first. `busy`: its camera
        takes all the rate it may have. `asks`: a device that its context does not allow is refused."""
        arguments = [*DEVICE_FLAGS[: 1 if asks else 2], *(QUIET_FLAGS if quiet else ()), *flags]
        if voice is not None:
            camera = write_camera(self._folder / f"{voice.name}.y4m", voice, busy)
            tone = write_tone(self._folder / f"{voice.name}.wav", voice)
            arguments += [
                f"--use-file-for-fake-video-capture={camera}",
                f"--use-file-for-fake-audio-capture={tone}",
            ]
        before = children(os.getpid())
        browser = self._playwright.chromium.launch(executable_path=executable, args=arguments)
        person = Person(browser, voice, language, width)
        person.started = [pid for pid in children(os.getpid()) if pid not in before]
        if init:
            person.context.add_init_script(init)
        self.people.append(person)
        return person

    def firefox(
        self,
        voice: Voice,
        language: str = "en",
        prefs: Prefs | None = None,
        init: str = "",
        executable: str = FIREFOX,
        width: int = 1440,
    ) -> Person:
        """A Firefox process. With prefs, camera and tone are the browser's; without, the page makes them."""
        if self._sink is None:
            self._sink = SoundSink().__enter__()
        settings = MEETING_PREFS if prefs is None else prefs
        browser = launch(self._playwright, settings, self._sink.env, executable)
        person = Person(browser, voice, language, width)
        if prefs is None:
            person.context.add_init_script(switchable.script(voice))
        if init:
            person.context.add_init_script(init)
        self.people.append(person)
        return person

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: Any) -> None:
        for person in self.people:
            person.close()
        if self._sink is not None:
            self._sink.__exit__()
