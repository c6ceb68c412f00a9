"""Simulated experiments and power."""
