"""Weights of our own and of other programs."""
