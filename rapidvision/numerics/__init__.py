"""Arithmetic that more than one package needs."""
