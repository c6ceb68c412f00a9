"""Figures measured against named peers, in one process or in alternation: ``python -m benchmarks [NAME]``."""
