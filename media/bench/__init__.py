"""Synthetic peers and the load generator that drives a real media worker with them.

Also the library of synthetic peers for integration tests. It must not share a process with the media worker,
must not import the worker's own SDP, DTLS or RTP code (an error there would then be confirmed by itself), and
opens no address but loopback.
"""
