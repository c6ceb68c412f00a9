"""Evaluation and comparison of networks."""
