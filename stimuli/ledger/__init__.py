"""What is left of differences between map sources: figures of every region, and how far they are apart."""
