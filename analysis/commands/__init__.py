"""``rapidvision analyse``: the verbs of the analysis."""

import argparse

from . import choices, importing, maps, measures, models, planning, study


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs of ``rapidvision analyse``."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    importing.add_import(verbs)
    study.add_bins(verbs)
    study.add_fig2b(verbs)
    study.add_curve(verbs)
    models.add_chance(verbs)
    models.add_mixed(verbs)
    models.add_hierarchical(verbs)
    models.add_compare(verbs)
    measures.add_measures(verbs)
    maps.add_maps(verbs)
    maps.add_strategy(verbs)
    planning.add_power(verbs)
    planning.add_calibrate(verbs)
    study.add_report(verbs)
    choices.add_paragraph(verbs)
    choices.add_multiverse(verbs)
    choices.add_prereg(verbs)
