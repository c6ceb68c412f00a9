"""How a sub-verb of ``rapidvision session`` is added: a summary, and examples at the end of its help."""

import argparse

from rapidvision.cli import Verbs, add_verb

__all__ = ["Verbs", "verb"]


def verb(verbs: Verbs, name: str, summary: str, examples: str) -> argparse.ArgumentParser:
    """Add a sub-verb and return its parser."""
    return add_verb(verbs, name, summary, f"examples:\n{examples}")
