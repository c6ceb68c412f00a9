"""Partners that guess what the player uncovers."""
