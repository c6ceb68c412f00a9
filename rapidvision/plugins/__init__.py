"""Named parts that users can add to, and the modules that add them."""
