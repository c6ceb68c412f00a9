"""Rules of the game, without a clock or a network."""
