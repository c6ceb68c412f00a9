"""Importers: other programs' files as the suite's trials table. Each says what it dropped, and why, with counts."""
