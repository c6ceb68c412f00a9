"""Stimuli: from pictures and importance maps to reproducible reveal series (paper, "Stimulus generation")."""
