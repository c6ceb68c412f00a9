"""GALA, squeeze-and-excitation and residual networks."""
