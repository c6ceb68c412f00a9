"""The machine: files, processes, optional packages, progress."""
