"""A bad line between a browser and the media port: delay, jitter, loss, rate, blackouts, NAT, firewalls.

Not every kernel has `netem`, and a rebinding NAT or a firewall is more than `netem` does. `profile` says how
bad, `link` is one direction, `relay` the sockets, `script` what changes when, `candidates` the way in,
`aside` a thread for tests that are not asynchronous. Nothing here knows media beyond the first byte of a
datagram.
"""
