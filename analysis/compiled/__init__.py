"""Compiled twins of the numpy engines, the only folder of the package that imports numba.

They read the same counted random words in the same order and sum the same integers, so every count is equal to numpy's.
Imported only when asked for: numba is an optional extra.
"""
