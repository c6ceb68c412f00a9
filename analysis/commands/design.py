"""Options of the verbs that compare conditions: which, how they are spread over participants, who is resampled."""

import argparse
from typing import Any


def add_by(parser: argparse._ActionsContainer) -> None:
    """Add the column that holds the conditions."""
    parser.add_argument(
        "--by", metavar="COLUMN", help="column of the conditions (default: group, else the first factor that varies)"
    )


def add_design_options(parser: argparse.ArgumentParser) -> None:
    """Add which conditions are compared, how they are spread over participants, and who is resampled."""
    design = parser.add_argument_group("design (found where not declared)")
    design.add_argument(
        "--design",
        choices=("one-sample", "between", "within", "mixed"),
        help="whether the conditions differ between or within participants; mixed: two within, over groups",
    )
    design.add_argument(
        "--unit",
        default="participant",
        choices=("participant", "image", "both"),
        help="who is resampled; both: participants, with images and min F' over both beside",
    )
    design.add_argument(
        "--strata", default="", metavar="COLUMN", help="relabel only among participants with the same value"
    )
    design.add_argument(
        "--covariate",
        action="append",
        metavar="COLUMN",
        help="adjust two groups for a column of participants; again for more",
    )
    design.add_argument(
        "--pairing",
        default="levels",
        choices=("levels", "images"),
        help="images: within participants, only images seen under every condition",
    )
    design.add_argument(
        "--against", type=float, metavar="VALUE", help="what one condition is compared with (default: the guess rate)"
    )


def design_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options of :func:`add_by` and :func:`add_design_options`, as `level_tests` takes them."""
    return {
        "by": arguments.by,
        "design": arguments.design,
        "unit": arguments.unit,
        "strata": arguments.strata,
        "covariates": tuple(arguments.covariate or ()),
        "pairing": arguments.pairing,
        "against": arguments.against,
    }
