"""PNG series writer."""
