"""Playback: the review index and byte ranges of sealed tracks."""
