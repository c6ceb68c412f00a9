"""The report on a game."""
