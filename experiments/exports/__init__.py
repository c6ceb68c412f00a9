"""Exports, made from the journals after the session and never during it: trials table, BIDS, Psych-DS."""
