"""Agreement of importance maps: between participants, between sources, and against maps of other images."""
