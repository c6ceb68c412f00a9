"""Masks of a stimulus set: drawn, made from its images, or read from a folder."""
