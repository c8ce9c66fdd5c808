"""`python -m tests.support.two_interpreters demo …`: the demo with a second interpreter's seat, both ru/ko.

`HYEOPJIN_TEST_LANGUAGES` gives the two seats other languages, and the referring physician's, if there is a
third: `kk/ru,ru/ko,kk`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from server.__main__ import build
from server.runtime.machinery import Machinery
from server.services import demo as world
from tests.support.demo import Demo


@dataclass(frozen=True, slots=True)
class Second(world.Person):
    @property
    def email(self) -> str:
        return "second.interpreter@demo.invalid"


def starting(folder: Path, languages: str = "ru/ko,ru/ko") -> Demo:
    """Such a demo, running."""
    env = {"HYEOPJIN_TEST_LANGUAGES": languages}
    return Demo(folder, env, module=("tests.support.two_interpreters",)).start()


def _seed(languages: str) -> None:
    one, two, *more = languages.split(",")
    first = next(person for person in world.PEOPLE if person.role == "interpreter")
    second = Second("interpreter", "Nina Demo-Pak (synthetic)", "ru", first.site_id, None, two)
    seats = {"interpreter": one, **({"referring_physician": more[0]} if more else {})}
    people = [replace(who, seat=seats[who.role]) if who.role in seats else who for who in world.PEOPLE]
    world.PEOPLE = (*people, second)


if __name__ == "__main__":
    _seed(os.environ.get("HYEOPJIN_TEST_LANGUAGES", "ru/ko,ru/ko"))
    build()(obj=Machinery())
