"""The trials table: reading, checks, exclusions, accuracy per cell."""
