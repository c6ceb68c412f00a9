"""Public data sets and formats of importance maps, as data: reader, frame, names, and where each fact is from."""
