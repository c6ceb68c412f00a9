"""The eight categories."""
