"""What networks attend to."""
