"""Analysis: randomization tests per reveal level, Fig. 2B, and human against model."""
