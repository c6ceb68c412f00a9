"""Messages about typed files: where a field stands, what was got and what is allowed."""
