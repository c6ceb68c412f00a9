"""What images tell of their category: tests on features of canvases, for stimulus sets and for networks."""
