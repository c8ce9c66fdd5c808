"""Debian's clamd and c-icap, started by the test on free ports and a socket of its own, ended by pid.

clamd has a database of two signatures of our own and asks nobody for others. What nobody scans by type or by
size is as in Debian's configuration, unless a test says otherwise.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from server.commands.scan_check import TEST_FILE
from tests.support.ports import free_port
from tests.support.scanners import MARK

START_S = 60.0
#: As the official ones are: of a whole file from its first byte, and one that is found anywhere.
SIGNATURES = f"Test.Eicar:0:0:{TEST_FILE.hex()}\nTest.Mark:0:*:{MARK.hex()}\n"
HARMLESS = f"Test.Other:0:0:{b'nothing that anybody sends us'.hex()}\n"
MODULES = "/usr/lib/x86_64-linux-gnu/c_icap"


class Daemon:
    """A program with one configuration: `start`, `kill`, `start` again."""

    def __init__(self, folder: Path, command: list[str], answers: Callable[[], bool]) -> None:
        self._folder = folder
        self._command = command
        self._answers = answers
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self._folder
            )
        deadline = time.monotonic() + START_S
        while not self._answers():
            told = (self._folder / "output").read_text(errors="replace")[-2000:]
            assert self._process.poll() is None, told
            assert time.monotonic() < deadline, told
            time.sleep(0.05)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class RealClamd(Daemon):
    """`unix` and `tcp`: its addresses, as the settings have them."""

    def __init__(self, folder: Path, *more: str, signatures: str = SIGNATURES) -> None:
        port, socket = free_port(), folder / "clamd.ctl"
        (folder / "db").mkdir()
        (folder / "db" / "test.ndb").write_text(signatures)
        lines = [
            f"LocalSocket {socket}", f"TCPSocket {port}", "TCPAddr 127.0.0.1", "Foreground yes",
            f"DatabaseDirectory {folder / 'db'}", f"TemporaryDirectory {folder}", "SelfCheck 0", *more,
        ]  # fmt: skip
        (folder / "clamd.conf").write_text("\n".join(lines) + "\n")
        self.unix, self.tcp = f"unix:{socket}", f"127.0.0.1:{port}"
        self.socket = socket
        super().__init__(folder, ["clamd", "-c", str(folder / "clamd.conf")], lambda: _listens(port))

    def kill(self) -> None:
        super().kill()
        self.socket.unlink(missing_ok=True)


class RealIcap(Daemon):
    """c-icap with its virus scanner before a clamd; `url` and `echo`: its services."""

    def __init__(self, folder: Path, clamd: RealClamd, service: str = "avscan", *more: str) -> None:
        port = free_port()
        lines = [
            f"PidFile {folder / 'pid'}", f"CommandsSocket {folder / 'ctl'}", f"Port 127.0.0.1:{port}",
            "StartServers 1", "MaxServers 1", "ThreadsPerChild 4", f"TmpDir {folder}",
            f"ModulesDir {MODULES}", f"ServicesDir {MODULES}", "TemplateDir /usr/share/c_icap/templates/",
            "LoadMagicFile /etc/c-icap/c-icap.magic", f"ServerLog {folder / 'server.log'}",
            f"AccessLog {folder / 'access.log'}", "Service echo srv_echo.so",
            "Service antivirus_module virus_scan.so",
            "ServiceAlias avscan virus_scan?allow204=on&sizelimit=off&mode=simple",
            "ServiceAlias limited virus_scan?allow204=on&mode=simple",
            "virus_scan.ScanFileTypes TEXT DATA EXECUTABLE ARCHIVE GIF JPEG MSOFFICE",
            "virus_scan.MaxObjectSize 5M", "virus_scan.DefaultEngine clamd", "Module common clamd_mod.so",
            f"clamd_mod.ClamdSocket {clamd.socket}", *more,
        ]  # fmt: skip
        (folder / "c-icap.conf").write_text("\n".join(lines) + "\n")
        self.url, self.echo = f"icap://127.0.0.1:{port}/{service}", f"icap://127.0.0.1:{port}/echo"
        super().__init__(folder, ["c-icap", "-N", "-f", str(folder / "c-icap.conf")], lambda: _listens(port))


@contextlib.contextmanager
def running(make: Callable[[Path], Daemon]) -> Iterator[Daemon]:
    """Started in a folder of its own (a socket's path may not be long), ended with the block."""
    with tempfile.TemporaryDirectory(prefix="hj-") as name:
        daemon = make(Path(name))
        daemon.start()
        try:
            yield daemon
        finally:
            daemon.kill()


def _listens(port: int) -> bool:
    import socket

    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
