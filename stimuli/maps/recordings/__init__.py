"""Readers of the formats in which eye trackers, click interfaces and data sets of fixations store points."""
