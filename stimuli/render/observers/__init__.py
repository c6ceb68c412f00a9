"""Simulated players and gaze."""
