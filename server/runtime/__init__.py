"""What the server runs beside itself: keys, the media worker, the finaliser, stored objects."""
