"""Permutations of group labels from a counter-based generator."""
