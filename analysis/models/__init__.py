"""Networks' curves, error consistency and evidence."""
