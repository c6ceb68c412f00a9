"""Axes: units that cells carry, bins of continuous levels, and whether an axis is linear or logarithmic."""
