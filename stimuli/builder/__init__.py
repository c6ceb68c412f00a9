"""Building a stimulus set: tasks, processes, journal, manifest."""
