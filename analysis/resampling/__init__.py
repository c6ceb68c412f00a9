"""Counting permutations: sums, exact distributions, corrections."""
