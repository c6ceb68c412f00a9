"""Small pieces of the report's HTML."""

from html import escape

import numpy as np


def table(rows: list[tuple[str, str]]) -> str:
    """Return a table of names and values."""
    lines = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{lines}</table>"


def figure(name: str, caption: str) -> str:
    """Return a picture of the report's folder with its caption."""
    return f'<figure><img src="{name}.png" alt="{escape(caption)}"><figcaption>{escape(caption)}</figcaption></figure>'


def percent(share: float) -> str:
    """Return a share in words."""
    return "not known" if np.isnan(share) else f"{100 * share:.1f} %"
