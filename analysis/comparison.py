"""Human against model: curves on the same levels, thresholds, error consistency, and evidence against accuracy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.seeds import fresh_seed
from rapidvision.text.result_repr import ShownAsTable

from .models.consistency import ErrorConsistency, majority_consistency
from .models.curve_gap import CurveGap, curve_gap, without_thresholds
from .models.curves import NetworkCurve, network_curves
from .models.evidence import EvidenceCorrelation, evidence_correlation
from .table.accuracy import Curve, Level, cells, curve
from .table.first_lines import LateRule
from .table.trials import TrialsSource, as_trials

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(ShownAsTable):
    """Networks beside people: one row per network and group.

    Attributes
    ----------
    networks : tuple of NetworkCurve
        The curves.
    levels : tuple of Level
        The participants' levels, in order.
    groups : tuple of str
        Their groups.
    curves : tuple of Curve
        One per group.
    gaps : tuple of CurveGap
        Thresholds, area, RMSE against the noise ceiling.
    consistency : tuple of (str, str, str, ErrorConsistency)
        First and second observer, group, kappa, on the level-image pairs that both answered.
    evidence : tuple of EvidenceCorrelation
        Decision values against people's accuracy; only of networks that have them.
    seed : int
        Of every interval.
    notes : tuple of str
        What was left out of the people's answers, with counts.
    guess : float or None
        Share of answers that guessing gets right.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> one = trials.frame[trials.frame["participant_id"].isin(["p0000", "p0004"])]
    >>> answers = one.assign(observer="mine", observer_kind="model", participant_id="mine")
    >>> found = rv.analysis.compare(trials, answers, seed=1)
    >>> found.groups, found.to_frame()["model"].tolist()
    (('clickme', 'salicon'), ['mine', 'mine'])
    """

    networks: tuple[NetworkCurve, ...]
    levels: tuple[Level, ...]
    groups: tuple[str, ...]
    curves: tuple[Curve, ...]
    gaps: tuple[CurveGap, ...]
    consistency: tuple[tuple[str, str, str, ErrorConsistency], ...]
    evidence: tuple[EvidenceCorrelation, ...]
    seed: int
    notes: tuple[str, ...] = ()
    guess: float | None = None

    def opening(self) -> tuple[str, ...]:
        """What was left out of the people's answers, with counts."""
        return self.notes

    def to_frame(self) -> pd.DataFrame:
        """One row per network and group."""
        rho = {(one.model, one.group): one for one in self.evidence}
        rows = []
        for gap in self.gaps:
            found = rho.get((gap.model, gap.group))
            rows.append(
                {
                    "model": gap.model,
                    "group": gap.group,
                    "threshold_difference_log10": gap.threshold_difference,
                    "area_human_minus_model": gap.area,
                    "rmse": gap.rmse,
                    "noise_ceiling": gap.noise_ceiling,
                    "evidence_rho": found.rho if found else np.nan,
                    "evidence_low": found.interval[0] if found else np.nan,
                    "evidence_high": found.interval[1] if found else np.nan,
                }
            )
        return pd.DataFrame(rows)

    @property
    def cautions(self) -> tuple[str, ...]:
        """Warnings: thresholds outside the levels that were shown."""
        return tuple(dict.fromkeys(note for gap in self.gaps for note in gap.notes))

    @property
    def drawing(self) -> Any:
        """One panel per network, with bands, beside the people."""
        from .figures.plots import draw_networks

        return draw_networks(self.levels, self.groups, self.curves, self.networks, chance=self.guess)


def compare(
    trials: TrialsSource,
    models: TrialsSource,
    *,
    late: LateRule = "exclude",
    seed: int | None = None,
    guess: float | None = None,
) -> Comparison:
    """Compare networks with people on the same trials.

    Parameters
    ----------
    trials, models : Trials, DataFrame or path-like
        The participants' and the networks' tables.
    late : {"exclude", "wrong", "half"}
        For the participants.
    seed : int, optional
        Of the intervals; drawn when absent.
    guess : float, optional
        Share of answers that guessing gets right, where the participants' table does not show it.

    Returns
    -------
    Comparison
        One row per network and group; a deterministic network never gets a participant's error bar. Where no
        threshold can be fitted, thresholds are NaN and the notes say why.

    Raises
    ------
    InputError
        When a table cannot be used.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stimulus_set = rv.stimuli.build("bundled", out=folder + "/set")
    ...     study = rv.experiments.plan(stimulus_set, out=folder + "/study", n_per_group=4)
    ...     trials = rv.experiments.simulate(study, seed=1)
    ...     answers = rv.models.observe("compact-gala-maps", study)
    >>> rv.analysis.compare(trials, answers, seed=1).to_frame()["group"].tolist()
    ['clickme', 'salicon']
    """
    seed = fresh_seed() if seed is None else seed
    people, nets = as_trials(trials).guessing(guess), as_trials(models)
    table = cells(people, late=late)
    networks = network_curves(nets, table.levels, seed=seed)
    why = without_thresholds(table)
    known = [one for one in networks if one.group in set(table.groups)]
    with_evidence = set(nets.frame.loc[nets.frame["decision_value"].notna(), "observer"])
    groups = tuple(sorted({str(name) for name in table.groups}))
    return Comparison(
        networks,
        table.levels,
        groups,
        tuple(curve(table, group) for group in groups),
        tuple(curve_gap(table, one, seed=seed) for one in known),
        tuple(majority_consistency(people, nets, one.model, one.group, seed=seed) for one in known),
        tuple(
            evidence_correlation(people, nets, one.model, one.group, seed=seed)
            for one in known
            if one.model in with_evidence
        ),
        seed,
        (*table.notes, *([f"no thresholds: {why}"] if why else [])),
        table.guess,
    )
