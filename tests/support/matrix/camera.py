"""A fake camera whose picture costs bits, as a real one's does: a moving texture, the same for one seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

WIDTH, HEIGHT, FPS = 640, 360, 15
TILE, STEP_PX = 160, 4


def write_moving(path: Path, seed: int) -> Path:
    """A y4m that loops without a jump: smooth noise that slides by, a disc that circles before it."""
    dice = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:HEIGHT, 0:TILE]
    texture = np.full((HEIGHT, TILE), 110.0)
    for period, depth in ((40, 24), (20, 16), (10, 10)):
        for _ in range(4):
            turns_x = int(dice.integers(1, TILE // period + 1))
            angle = 2 * np.pi * (turns_x * columns / TILE + rows * dice.uniform(-1, 1) / period)
            texture += depth / 2 * np.sin(angle + dice.uniform(0, 7))
    texture += dice.normal(0, 3, texture.shape)
    wide = np.tile(np.clip(texture, 16, 235).astype(np.uint8), (1, WIDTH // TILE))
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH]
    frames = TILE // STEP_PX
    chroma = bytes([int(dice.integers(100, 156))]) * (WIDTH * HEIGHT // 2)
    with path.open("wb") as out:
        out.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(frames):
            luma = np.roll(wide, number * STEP_PX, axis=1)
            turn = 2 * np.pi * number / frames
            x, y = WIDTH / 2 + 120 * np.cos(turn), HEIGHT / 2 + 60 * np.sin(turn)
            luma[(across - x) ** 2 + (down - y) ** 2 < 60**2] = 200
            out.write(b"FRAME\n" + luma.tobytes() + chroma)
    return path
