"""Importance maps: preparation, orientation and readers."""
