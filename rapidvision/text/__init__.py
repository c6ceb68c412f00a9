"""Text tables: our own CSV files and those of other programs."""
