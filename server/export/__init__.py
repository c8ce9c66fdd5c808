"""Exports: films, clips, stills and bundles made of finished recordings."""
