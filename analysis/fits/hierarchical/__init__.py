"""Hierarchical psychometric model: people and images differ in threshold and slope."""
