"""Rejection of images whose amplitude spectrum tells the category."""
