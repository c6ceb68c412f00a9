"""Reveal orders: the stochastic flood fill and its alternatives."""
