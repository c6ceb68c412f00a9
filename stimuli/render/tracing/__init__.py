"""Ray tracing, lens and spectrum equalization."""
