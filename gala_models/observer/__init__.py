"""Networks as observers of a study."""
