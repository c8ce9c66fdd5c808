"""Fuzzing of what parses bytes from the network: targets, a kept corpus, a coverage-guided run."""
