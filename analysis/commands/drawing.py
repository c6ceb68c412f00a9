"""Options of the verbs that draw: how a figure looks on paper."""

import argparse
from typing import Any

from rapidvision.errors import InputError


def add_drawing(parser: argparse.ArgumentParser) -> None:
    """Add how a figure looks on paper."""
    look = parser.add_argument_group("the figure on paper")
    look.add_argument(
        "--width", default="142", metavar="MM|single|double", help="width in mm, or columns of a journal (142)"
    )
    look.add_argument(
        "--error",
        default="sem",
        choices=("sem", "interval", "none"),
        help="one standard error, 95 %% interval, or nothing",
    )
    look.add_argument("--band", action="store_true", help="a band around each curve instead of bars")
    look.add_argument("--points", action="store_true", help="also every participant")
    look.add_argument(
        "--scale", default="auto", choices=("auto", "log", "linear", "order"), help="how the levels are spaced"
    )
    look.add_argument("--x-label", metavar="TEXT", help="of the axis of levels; by default what the levels are")
    look.add_argument("--y-label", metavar="TEXT", help="of the other axis; by default the statistic")
    look.add_argument("--label", action="append", metavar="GROUP=NAME", help="name of a group in the figure")
    look.add_argument("--colour", action="append", metavar="GROUP=COLOUR", help="colour of a group, as in #0072B2")


def drawing_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options of :func:`rapidvision.analysis.fig2b` that say how it looks.

    Raises
    ------
    InputError
        When a label or colour has no ``=``.
    """
    return {
        "width_mm": arguments.width,
        "error": arguments.error,
        "band": arguments.band,
        "points": arguments.points,
        "scale": arguments.scale,
        "x_label": arguments.x_label,
        "y_label": arguments.y_label,
        "labels": _pairs(arguments.label, "label"),
        "colours": _pairs(arguments.colour, "colour"),
    }


def _pairs(words: list[str] | None, name: str) -> dict[str, str]:
    if wrong := [word for word in words or () if not word.partition("=")[2]]:
        raise InputError(f'{name}: got "{wrong[0]}"; GROUP=VALUE is needed')
    return dict(word.split("=", 1) for word in words or ())
