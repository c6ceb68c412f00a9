"""Storage forms of a stimulus set."""
