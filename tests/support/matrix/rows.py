"""Which lines are measured, what a measured row holds, and what must be true of some of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tests.support.impairment.profile import Loss, Profile
from tests.support.matrix.judge import Heard, judge, to_judged
from tests.support.matrix.rig import FAR, NEAR, Half
from tests.support.matrix.speech import Sound

BURST = 5.0
BURSTS_PERCENT = 3.0


@dataclass(frozen=True)
class Line:
    """One way each: loss in per cent (`bursty`: in runs of five on average); round trip and jitter in ms."""

    loss: float
    rtt: int
    jitter: int
    bursty: bool = False
    plain: bool = False
    """With a worker without RED and timer NACK."""
    fox: bool = False
    """The far browser is Firefox."""
    overtaken: bool = False
    """Jitter lets packets overtake each other."""
    seconds: int = 0
    """A gate, measured for so long by itself; 0 = as long as any."""

    @property
    def key(self) -> str:
        flags = (self.bursty, self.overtaken, self.plain, self.fox, self.seconds)
        marks = "".join(mark for mark, on in zip("bopfg", flags, strict=True) if on)
        return f"{self.loss:g}{marks}/{self.rtt}/{self.jitter}"

    @property
    def told(self) -> str:
        kind = " in bursts of 5" if self.bursty else ", overtaking" if self.overtaken else ""
        return f"{self.loss:g} %{kind}"

    @property
    def way_there(self) -> tuple[int, int, bool]:
        """Another one is met by a new connection: a line does not become longer from one moment to the
        next."""
        return self.rtt, self.jitter, self.overtaken

    def profile(self) -> Profile:
        share = self.loss / 100
        loss = Loss.bursts(share, BURST) if self.bursty else Loss.independent(share)
        return Profile(delay_ms=self.rtt / 2, jitter_ms=self.jitter, loss=loss, keep_order=not self.overtaken)


LOSSES = ((0.0, False), (1.0, False), (3.0, False), (5.0, False), (10.0, False), (BURSTS_PERCENT, True))
MATRIX = tuple(
    Line(loss, rtt, jitter, bursty) for rtt in (20, 150, 300) for jitter in (0, 30) for loss, bursty in LOSSES
)
OVERTAKING = (Line(3, 150, 30, overtaken=True),)
PLAIN = tuple(Line(loss, rtt, 0, bursty, plain=True) for rtt in (20, 150, 300) for loss, bursty in LOSSES)
FIREFOX = tuple(
    Line(loss, rtt, 0, bursty, fox=True)
    for loss, rtt, bursty in (
        *((0.0, 20, False), (0.0, 150, False), (3.0, 150, False), (5.0, 150, False), (3.0, 150, True)),
        *((3.0, 300, False), (10.0, 300, False)),
    )
)
GATED = (Line(3, 150, 0, seconds=60), Line(5, 200, 0, seconds=60), Line(10, 300, 0, seconds=300))
GROUPS: dict[str, tuple[Line, ...]] = {
    "ours": (*MATRIX, *OVERTAKING),
    "plain": PLAIN,
    "firefox": FIREFOX,
    "gates": GATED,
}
SEED = 4000


def seed_of(line: Line) -> int:
    """A line's own: one that is measured alone, or in a test, meets the same losses."""
    for number, group in enumerate(GROUPS.values()):
        for index, one in enumerate(group):
            if one.key == line.key:
                return SEED + 100 * number + index
    raise KeyError(line.key)


@dataclass(frozen=True)
class Way:
    """One direction: `up` is the far one heard and seen by the near one."""

    concealed: float
    """Per cent of the samples played."""
    freezes: float
    """A minute."""
    longest: float
    """Seconds."""
    frames: float
    """A second."""
    height: int
    """Lines of the picture at the end: a line judged thin is given the small one."""
    buffer: float
    """Mean delay of the sound in the receiver's buffer, ms."""
    pesq: float
    stoi: float
    level: float


@dataclass(frozen=True)
class Row:
    key: str
    seed: int
    seconds: float
    up: Way
    down: Way
    connected: bool = True
    """Both ends were, when it ended."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, told: dict[str, Any]) -> Row:
        return cls(**{**told, "up": Way(**told["up"]), "down": Way(**told["down"])})

    @property
    def concealed(self) -> float:
        return max(self.up.concealed, self.down.concealed)


@dataclass(frozen=True)
class Failed:
    """A line that could not be measured, and why."""

    key: str
    seed: int
    reason: str


def way(half: Half, heard: Heard) -> Way:
    sound, picture = half.audio, half.video
    return Way(
        concealed=100 * sound["concealedSamples"] / max(1, sound["totalSamplesReceived"]),
        freezes=60 * picture.get("freezeCount", 0) / half.seconds,
        longest=half.longest,
        frames=picture["framesDecoded"] / half.seconds,
        height=half.height,
        buffer=1000 * sound.get("jitterBufferDelay", 0) / max(1, sound.get("jitterBufferEmittedCount", 0)),
        pesq=heard.pesq,
        stoi=heard.stoi,
        level=heard.level,
    )


def row(line: Line, seed: int, halves: dict[str, Half], said: dict[str, Sound], connected: bool) -> Row:
    """Heavy: PESQ and STOI are computed here."""
    ways = {}
    for name, other in ((NEAR, FAR), (FAR, NEAR)):
        heard = judge(to_judged(said[other]), to_judged(halves[name].played))
        ways[name] = way(halves[name], heard)
    return Row(line.key, seed, round(halves[FAR].seconds, 1), ways[NEAR], ways[FAR], connected)
