"""The ClickMe game: players paint what matters, a network guesses, and importance maps come out (paper, section 2)."""
