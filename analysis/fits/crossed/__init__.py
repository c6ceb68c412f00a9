"""Likelihood of answers with two crossed random factors: curvature in blocks, Laplace's approximation, and its maximum."""
