"""Experiments: balanced plans, and the same plan in PsychoPy, in a browser and in a simulation."""
