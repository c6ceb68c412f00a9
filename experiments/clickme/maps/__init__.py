"""From clicks to importance maps and their quality."""
