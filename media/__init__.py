"""The media plane: ICE, DTLS-SRTP, forwarding, recording. Knows a room only as opaque id, epoch and plan."""
