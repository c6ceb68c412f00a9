"""Scenes: places, surroundings and clutter."""
