"""A syslog collector of the test's own on a real socket: UDP, TCP or TLS. It keeps what it was sent."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Collector:
    """`messages()` undoes octet counting strictly; it fails on anything else."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bytes = bytearray()
        self.datagrams: list[bytes] = []
        self.came = threading.Condition()

    def take(self, piece: bytes, datagram: bool) -> None:
        with self.came:
            if datagram:
                self.datagrams.append(piece)
            else:
                self.bytes += piece
            self.came.notify_all()

    def messages(self, number: int) -> list[str]:
        """Once there are so many."""
        with self.came:
            assert self.came.wait_for(lambda: len(self._split()) >= number, 10), self.bytes
        return [one.decode() for one in self._split()]

    def _split(self) -> list[bytes]:
        if self.datagrams:
            return list(self.datagrams)
        found, left = [], bytes(self.bytes)
        while left:
            length, space, rest = left.partition(b" ")
            if not space:
                break
            assert length.isdigit(), length
            assert length[:1] != b"0", length
            if len(rest) < int(length):
                break
            found.append(rest[: int(length)])
            left = rest[int(length) :]
        return found


@contextmanager
def collector(scheme: str, tls: tuple[Path, Path] | None = None) -> Iterator[Collector]:
    """Listens on a free port of this machine until the block ends."""
    kind = socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM
    listener = socket.socket(socket.AF_INET, kind)
    listener.bind(("127.0.0.1", 0))
    made = Collector(f"{scheme}://localhost:{listener.getsockname()[1]}")
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
    if scheme != "udp":
        listener.listen()
    thread = threading.Thread(target=_serve, args=(listener, made, scheme, context))
    thread.start()
    try:
        yield made
    finally:
        listener.shutdown(socket.SHUT_RDWR) if scheme != "udp" else listener.sendto(
            b"", listener.getsockname()
        )
        thread.join(10)
        listener.close()
        assert not thread.is_alive()


def _serve(listener: socket.socket, made: Collector, scheme: str, context: ssl.SSLContext | None) -> None:
    if scheme == "udp":
        while piece := listener.recv(65_536):
            made.take(piece, True)
        return
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        try:
            with context.wrap_socket(connection, server_side=True) if context else connection as stream:
                while piece := stream.recv(65_536):
                    made.take(piece, False)
        except OSError:
            continue
