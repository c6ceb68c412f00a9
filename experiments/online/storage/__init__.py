"""Tables of online sessions and what is written into them."""
