"""Fake cameras and microphones: a solid colour with a moving marker, a tone, and a flash with a beep.

Every participant has one colour and one tone, told apart by anybody who decodes them. The tones are not
harmonics of each other, so distortion of one never looks like another.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

WIDTH, HEIGHT, FPS, FRAMES = 640, 360, 15, 30
RATE, SECONDS = 48_000, 10


@dataclass(frozen=True)
class Voice:
    """What a participant looks and sounds like: RGB 0-255, Hz."""

    name: str
    rgb: tuple[int, int, int]
    tone: int


RED = Voice("red", (200, 40, 45), 523)
GREEN = Voice("green", (40, 165, 70), 797)
BLUE = Voice("blue", (50, 70, 205), 1171)
YELLOW = Voice("yellow", (215, 195, 40), 1733)
VOICES = (RED, GREEN, BLUE, YELLOW)


def yuv(rgb: tuple[int, int, int]) -> tuple[int, int, int]:
    """BT.601 limited range, as cameras give and Chromium expects of y4m."""
    r, g, b = rgb
    y = 16 + (65.738 * r + 129.057 * g + 25.064 * b) / 256
    u = 128 + (-37.945 * r - 74.494 * g + 112.439 * b) / 256
    v = 128 + (112.439 * r - 94.154 * g - 18.285 * b) / 256
    return round(y), round(u), round(v)


def write_camera(path: Path, voice: Voice, busy: bool = False) -> Path:
    """A y4m of two seconds: the voice's colour, and a white square that walks along the top edge. `busy`:
    blocks that change with every picture round the centre, so that an encoder takes all the rate it may
    have."""
    y, u, v = yuv(voice.rgb)
    chroma = bytes([u]) * (WIDTH * HEIGHT // 4) + bytes([v]) * (WIDTH * HEIGHT // 4)
    with path.open("wb") as out:
        out.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for frame in range(FRAMES):
            luma = np.full((HEIGHT, WIDTH), y, np.uint8)
            if busy:
                blocks = np.random.default_rng(frame).integers(16, 235, (HEIGHT // 8, WIDTH // 8), np.uint8)
                luma[:] = np.kron(blocks, np.ones((8, 8), np.uint8))
                luma[HEIGHT // 3 : -HEIGHT // 3, WIDTH // 3 : -WIDTH // 3] = y
            at = frame * (WIDTH - 32) // FRAMES
            luma[8:40, at : at + 32] = 235
            out.write(b"FRAME\n" + luma.tobytes() + chroma)
    return path


def write_tone(path: Path, voice: Voice) -> Path:
    """A 16-bit mono WAV that loops without a click: whole periods, -10 dBFS."""
    t = np.arange(RATE * SECONDS) / RATE
    samples = (0.3 * np.sin(2 * np.pi * voice.tone * t) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())
    return path


# Replaces getUserMedia by a canvas that flashes white and an oscillator that beeps, both once a second at the
# same instant; between flashes it is black and silent. One clock drives both: the audio context's.
FLASH_AND_BEEP = """
(() => {
  const make = async () => {
    const canvas = document.createElement('canvas');
    canvas.width = 640; canvas.height = 360;
    const paint = canvas.getContext('2d');
    const context = new AudioContext();
    await context.resume();
    const gain = context.createGain(); gain.gain.value = 0;
    const tone = context.createOscillator(); tone.frequency.value = 1000;
    const out = context.createMediaStreamDestination();
    tone.connect(gain).connect(out); tone.start();
    let next = Math.ceil(context.currentTime) + 1, off = 0, step = 0;
    const tick = () => {
      const now = context.currentTime;
      if (now >= next) {
        gain.gain.setValueAtTime(0.5, now); gain.gain.setValueAtTime(0, now + 0.12);
        off = now + 0.12; next += 1;
      }
      paint.fillStyle = now < off ? '#fff' : '#000';
      paint.fillRect(0, 0, 640, 360);
      paint.fillStyle = '#777'; paint.fillRect((step++ * 7) % 600, 340, 20, 20);
    };
    setInterval(tick, 16); // the page's policy forbids a worker made of a blob
    const stream = canvas.captureStream(30);
    stream.addTrack(out.stream.getAudioTracks()[0]);
    return stream;
  };
  let made;
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const all = await (made ??= make());
    return new MediaStream([
      ...(wish.audio ? all.getAudioTracks().map((t) => t.clone()) : []),
      ...(wish.video ? all.getVideoTracks().map((t) => t.clone()) : []),
    ]);
  };
})();
"""

# Test tones survive only with the three processings off; the page's own constraints ask for them.
PLAIN_SOUND = """
(() => {
  const devices = navigator.mediaDevices;
  if (!devices?.getUserMedia) return;
  const original = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (wish) => original(wish?.audio ? {
    ...wish,
    audio: {
      ...(typeof wish.audio === 'object' ? wish.audio : {}),
      echoCancellation: false, noiseSuppression: false, autoGainControl: false,
    },
  } : wish);
})();
"""

# Four pages on one machine that encode and decode no pictures: for what is about sound alone.
NO_CAMERA = """
(() => {
  const devices = navigator.mediaDevices;
  if (!devices?.getUserMedia) return;
  const original = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wish) => {
    if (wish?.video) throw new DOMException('none', 'NotFoundError');
    return original(wish);
  };
})();
"""
