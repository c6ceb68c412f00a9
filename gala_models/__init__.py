"""gala_models: GALA, squeeze-and-excitation and residual networks that take the same test as people."""
