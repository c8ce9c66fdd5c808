"""Alembic revisions; packaged, run by `hyeopjin migrate` and at every start."""
