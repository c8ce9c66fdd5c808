"""Rooms: who is where and what should be forwarded. Knows nothing of medicine, SQL, HTTP or aiortc."""
