"""Training with and without importance maps."""
