"""The session engine: trials, journal, virtual screen, simulated participants."""
