"""Numbers that several packages compute or read by one rule."""
