"""The recording on disk: layout, seals, index, verification."""
