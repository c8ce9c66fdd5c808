"""Hospitals, departments and centres as files: the demo's programmes, all invented."""
