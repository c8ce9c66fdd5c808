"""A PulseAudio server that plays into nothing: without a device Firefox keeps an AudioContext asleep."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.demo import until

PROGRAM = "pulseaudio"
ALONE = ("-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disable-shm=yes")
MODULES = ("module-null-sink sink_name=nowhere", "module-native-protocol-unix socket={} auth-anonymous=1")


class SoundSink:
    """Use as a context manager; `env` is what a program needs to find it."""

    def __init__(self) -> None:
        # A socket's address may have 108 bytes; pytest's folders are longer.
        self._folder = Path(tempfile.mkdtemp(prefix="hj-sound-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def env(self) -> dict[str, str]:
        return {"PULSE_SERVER": f"unix:{self._folder}/native"}

    def __enter__(self) -> SoundSink:
        modules = [word for module in MODULES for word in ("-L", module.format(self._folder / "native"))]
        own = {"HOME": str(self._folder), "XDG_RUNTIME_DIR": str(self._folder)}
        self._process = subprocess.Popen(
            [PROGRAM, *ALONE, *modules],
            env={**os.environ, **own},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until("a sound server", (self._folder / "native").exists, 10)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)
