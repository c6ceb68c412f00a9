"""A finished study as one folder or one zip file: what others need to check its numbers, and nothing that names a person."""
