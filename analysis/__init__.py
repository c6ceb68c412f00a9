"""Analysis: randomization tests per reveal level, Fig. 2B, and human against model.

::

    from rapidvision import analysis

    trials = analysis.read_trials("study/trials.csv")
    analysis.bins(trials, groups=("clickme", "salicon"), alternative="greater")
    analysis.fig2b(trials, models="study/models.csv")
"""

import importlib
from typing import Any

# Name → module that has it; imported when it is asked for, so that the command line starts at once.
_HOME = {
    "read_trials": "table.trials",
    "from_records": "table.trials",
    "Trials": "table.trials",
    "Rules": "table.exclusions",
    "exclude": "table.exclusions",
    "bins": "workflow",
    "fig2b": "reporting.fig2b_panel",
    "curve": "workflow",
    "chance": "workflow",
    "effects": "fits.regression",
    "import_trials": "importers.formats",
    "write_trials": "table.trials",
    "strategy_test": "inference.learning",
    "compare": "comparison",
    "maps": "importance_maps.comparison",
    "power": "sample_size.power",
    "calibrate": "sample_size.power",
    "report": "reporting.build",
    "register_statistic": "table.statistic_registry",
    "score_columns": "table.columns",
}
__all__ = [
    "Rules",
    "Trials",
    "bins",
    "calibrate",
    "chance",
    "compare",
    "curve",
    "effects",
    "exclude",
    "fig2b",
    "from_records",
    "import_trials",
    "maps",
    "power",
    "read_trials",
    "register_statistic",
    "report",
    "score_columns",
    "strategy_test",
    "write_trials",
]


def __getattr__(name: str) -> Any:
    try:
        home = _HOME[name]
    except KeyError:
        from rapidvision.errors import did_you_mean

        hint = "" if name.startswith("_") else f". {did_you_mean(name, __all__)}"
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}") from None
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted({name for name in globals() if name.startswith("__")} | set(__all__))
