"""Figures of plans: who meets what, and when."""
