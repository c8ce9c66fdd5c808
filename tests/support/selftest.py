"""A site's self-test as a person makes it, and what it says."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

from tests.support.demo import Demo

RATE = 48_000
KEPT = """
async () => {
  const { account } = await (await fetch('/api/me')).json();
  return (await (await fetch(`/api/sites/${account.site_id}/self-tests`)).json()).tests[0].steps;
}
"""


def write_words(path: Path, loudness: float) -> Path:
    """A microphone's sound that comes and goes like words; silence without loudness."""
    seconds = np.arange(RATE * 4) / RATE
    words = np.sin(2 * np.pi * 300 * seconds) * (seconds % 0.6 < 0.35)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((words * loudness * 32767).astype("<i2").tobytes())
    return path


def open_test(page: Page, demo: Demo, device: str) -> None:
    """The page, signed in already, with the computer's name."""
    page.goto(demo.base_url + "/self-test")
    page.get_by_test_id("self-test-device").fill(device)


def take_test(page: Page, heard: bool | None = True) -> None:
    """From the button to the verdict. `heard` None: there will be nothing to hear."""
    page.get_by_test_id("self-test-start").click()
    if heard is not None:
        page.get_by_test_id("self-test-heard" if heard else "self-test-unheard").click(timeout=60_000)
    page.locator("[data-testid=self-test][data-state=done]").wait_for(timeout=60_000)


def steps_of(page: Page) -> dict[str, Any]:
    """Of the site's newest test, as it is kept: step → {verdict, figures, findings}."""
    found: dict[str, Any] = page.evaluate(KEPT)
    return found
