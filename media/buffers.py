"""The one buffer that datagrams are received into and unprotected in: no copy lies between the two.

The event loop is its only user and has one datagram in hand at a time; whoever keeps bytes beyond the call
that gave them copies them out. It must not hold anything else.
"""

from __future__ import annotations

DATAGRAM_BYTES = 2048
"""A datagram that fills it has been cut and is dropped: RTP is at most 1500 bytes."""

INBOUND = bytearray(DATAGRAM_BYTES)
INBOUND_VIEW = memoryview(INBOUND)
