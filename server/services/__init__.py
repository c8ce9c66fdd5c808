"""One use case per function: load, decide, store, tell."""
