"""Makes the hub's sockets: bound, non-blocking, with room for a burst. It reads and writes none."""

from __future__ import annotations

import contextlib
import socket

BUFFER_BYTES = 4 * 1024 * 1024


def bound(family: int, kind: int, host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Raises OSError. `shared`: the port is another socket's of ours too."""
    sock = socket.socket(family, kind)
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
            with contextlib.suppress(OSError):  # SO_RCVBUFFORCE: past net.core.rmem_max, for root only
                sock.setsockopt(socket.SOL_SOCKET, 33, BUFFER_BYTES)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
