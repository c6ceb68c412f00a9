"""Whether files are as they were written."""
