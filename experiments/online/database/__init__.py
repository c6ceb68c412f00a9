"""Tables of a study, its identity and its time in service."""
