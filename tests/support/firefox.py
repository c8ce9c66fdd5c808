"""The second engine: Debian's Firefox ESR, driven over WebDriver BiDi, with a camera that is not there.

Playwright's own Firefox is a patched one; this is what people have. `MEETING_PREFS` are for a machine that
has loopback only and pages that bring camera and tone themselves; `DEVICE_PREFS` alone are a stranger's,
whose fake camera changes its colour all the time and whose fake microphone has one tone.
"""

from __future__ import annotations

import os

from playwright.sync_api import Browser, Playwright

from tests.support.fakes import Voice

FIREFOX = os.environ.get("HYEOPJIN_FIREFOX", "/usr/bin/firefox-esr")
CHANNEL = "moz-firefox"
Prefs = dict[str, str | float | bool]

# Somebody has said once that this site may always use both; and has no camera but a made-up one.
DEVICE_PREFS: Prefs = {
    "media.navigator.streams.fake": True,
    "permissions.default.camera": 1,
    "permissions.default.microphone": 1,
}
MEETING_PREFS: Prefs = {
    **DEVICE_PREFS,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
}


def device_prefs(voice: Voice) -> Prefs:
    """A stranger's, with this voice's tone."""
    return {**DEVICE_PREFS, "media.navigator.audio.fake_frequency": voice.tone}


def launch(playwright: Playwright, prefs: Prefs, env: dict[str, str], executable: str = FIREFOX) -> Browser:
    """A new process with a fresh profile."""
    return playwright.firefox.launch(
        channel=CHANNEL,
        executable_path=executable,
        firefox_user_prefs=prefs,
        env={**os.environ, **env},
    )
