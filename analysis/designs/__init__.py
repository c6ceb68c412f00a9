"""Designs: which conditions a table compares, and the tests for one, two and more of them, between and within people."""
