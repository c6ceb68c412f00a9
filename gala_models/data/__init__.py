"""Training images, importance maps and batches."""
