"""Composition for export: sealed tracks in, one sealed film, still or bundle out."""
