"""Files that packages hand to one another: readers and writers."""
