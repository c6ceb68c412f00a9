"""The numbers of a report, ``results.json``: written by ``analyse report`` for the users and for later comparisons."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from rapidvision import recipes
from rapidvision.text.typed_json import TypedJson

NAME = "results.json"
RESULTS_VERSION = 1
_Rows = list[dict[str, Any]]


class ReportResults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every number of a report.

    Attributes
    ----------
    version : int
        Version of this file's form.
    observers, observer_kinds : list of str
        Whose table it was.
    n_trials : int
        Trials that were analysed.
    guess : float or None
        Share of answers that guessing gets right; None where the table does not say.
    left_out, notes, chance_notes : list of str
        What was left out, and what is to be known about the tests.
    not_computed : dict
        Part of the report → why it could not be computed.
    exclusions : dict
        Participants and trials ``before`` and ``after``, and the ``rules``.
    options : dict
        Which rows and participants counted: kind of observers, timing, attempts, conditions on rows, exclusions, margin.
    test : dict
        The tests of every level: design (``contrast``), options, each of the ``pairs`` with a row per level, the ``omnibus``
        test of three and more conditions; the numbers of a single pair also stand at the top.
    late_share : dict
        Group → share of late, early and missing answers.
    late_rules : dict
        Rule for late answers → a row per level.
    late_agreement : dict
        Rule for late answers → at how many ``levels`` its decision is the ``same`` as that of the report.
    multiverse, prereg : dict or None
        Other analyses of the same table, and deviations from the preregistration; None where they were not asked for.
    ceilings, networks, chance : list
        One entry per group or network.
    certificate : dict or None
        Canvas certificate of the stimulus set; None where no set was given.
    thresholds, regression, compare : dict or None
        Fits; None where they were not asked for or not possible.
    measures : dict
        Measure → its ``rows`` and ``notes``; empty where they were not asked for.
    response_ms : dict or list
        Response times.
    provenance : dict
        Command, version, seed, inputs, packages, and the plug-ins that took part, where some did.
    """

    version: int = RESULTS_VERSION
    observers: list[str]
    n_trials: int
    guess: float | None = None
    observer_kinds: list[str]
    left_out: list[str]
    notes: list[str]
    not_computed: dict[str, str] = {}
    exclusions: dict[str, Any]
    options: dict[str, Any]
    test: dict[str, Any]
    late_share: dict[str, float | None]
    late_rules: dict[str, _Rows]
    late_agreement: dict[str, dict[str, int]]
    multiverse: dict[str, Any] | None = None
    prereg: dict[str, Any] | None = None
    ceilings: _Rows
    networks: _Rows
    chance: list[_Rows]
    chance_notes: list[str]
    thresholds: dict[str, Any] | None
    regression: dict[str, Any] | None
    measures: dict[str, Any] = {}
    response_ms: Any
    compare: dict[str, Any] | None
    provenance: dict[str, Any]
    certificate: dict[str, Any] | None = None


RESULTS = TypedJson(ReportResults, version=RESULTS_VERSION, remedy="run `rapidvision analyse report` again")


def write_results(folder: Path | str, results: Mapping[str, Any]) -> None:
    """Write ``results.json`` into the folder of a report, atomically.

    Parameters
    ----------
    folder : path-like
        The report's folder.
    results : mapping
        The fields of :class:`ReportResults` as JSON can hold them; the version is added here.

    Raises
    ------
    RecipeError
        When a field is missing, unknown or of another type.
    """
    path = Path(folder) / NAME
    RESULTS.write(path, recipes.convert(dict(results), ReportResults, name=str(path)))


def read_results(path: Path | str) -> ReportResults:
    """Read ``results.json``.

    Raises
    ------
    InputError
        When the file is missing, of another version, or a key is missing or does not fit; the message names file and
        key.
    """
    return RESULTS.read(path)
