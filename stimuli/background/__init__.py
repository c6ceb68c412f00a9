"""The phase-scrambled background."""
