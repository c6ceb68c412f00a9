"""Which image meets which condition, in which block and trial of a slot."""
