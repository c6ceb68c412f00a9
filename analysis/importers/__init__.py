"""Importers: other programs' files as the suite's trials table. Each says what it dropped, and why, with counts.

One engine maps columns and values; what differs between programs is data (:mod:`.layouts`).
"""
