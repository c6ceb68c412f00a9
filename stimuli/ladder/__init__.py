"""Growth in stages, one per level, so that two map sources reveal alike."""
