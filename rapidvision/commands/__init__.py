"""Verbs of the core: check and demo."""
