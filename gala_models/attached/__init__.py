"""GALA modules behind named layers of any network: put in, trained with importance maps, stored, taken out."""
