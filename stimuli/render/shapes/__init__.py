"""Solids, surfaces and bodies."""
