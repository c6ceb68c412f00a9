"""Contact sheets and comparisons of stimulus sets."""
