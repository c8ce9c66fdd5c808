"""Bytes of RTP and RTCP: parse, rewrite, repair. No sockets, no clocks of its own."""
