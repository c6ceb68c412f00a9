"""Psychometric functions, thresholds and mixed models."""
