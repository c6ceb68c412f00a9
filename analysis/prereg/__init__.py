"""Preregistration: the plan as a file with a hash, and what a report did otherwise."""
