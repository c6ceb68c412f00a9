"""Participants' scores by condition and level, and tests of two conditions, for every measure."""
