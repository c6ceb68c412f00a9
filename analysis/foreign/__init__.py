"""Tables of other programs: found out, shown to be confirmed, and remembered in a mapping beside the data."""
