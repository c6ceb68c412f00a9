"""Reliability and comparison of importance maps."""
