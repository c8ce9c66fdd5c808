"""ICE-lite on one UDP and TCP port."""
