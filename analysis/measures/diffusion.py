"""Drift diffusion: drift of every level, boundary and non-decision time of each participant, fitted with PyDDM."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed
from rapidvision.system.extras import need
from rapidvision.system.progress import Advance, silent

from ..scores.answers import Answers, answers
from ..scores.condition_tests import condition_tests
from ..scores.measure import Measure
from ..table.trials import TrialsSource

Floats = NDArray[np.float64]
#: Fewest timed answers of a participant in a condition.
LEAST_ANSWERS = 40
#: Time step of the likelihood, s, and its grid of evidence.
STEP_S, STEP_EVIDENCE = 0.005, 0.005
#: Share of answers that are taken for guesses at any time.
MIXTURE = 0.02
#: Late answers that are left out cut the distribution off; from this share on a result says so.
MUCH_LATE = 0.02
_DRIFT, _BOUNDARY = (-10.0, 15.0), (0.15, 4.0)


@dataclass(frozen=True, eq=False, repr=False)
class Diffusion(Measure):
    """Parameters of the drift diffusion model by condition.

    Attributes
    ----------
    participants : DataFrame
        One row per participant, condition and parameter: `value`; ``drift LEVEL`` per second, ``boundary`` (distance of
        either boundary from the start, noise 1), ``nondecision_ms``; with the fit's `log_likelihood`.
    tests : DataFrame
        Difference of two conditions per parameter; empty where there are not two.
    seed : int
        Of the tests; the fit has no random numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> import rapidvision as rv
    >>> table = pd.DataFrame({"condition": ["a"], "parameter": ["boundary"], "n": [8], "mean": [0.8], "sem": [0.03]})
    >>> rv.analysis.Diffusion(table)
    condition parameter n mean  sem
            a  boundary 8  0.8 0.03
    """

    participants: pd.DataFrame = field(default_factory=pd.DataFrame)
    tests: pd.DataFrame = field(default_factory=pd.DataFrame)
    seed: int = 0


def fit_diffusion(
    trials: TrialsSource,
    *,
    by: str | None = None,
    conditions: Sequence[str] | None = None,
    n_resamples: int = N_RELABELLINGS,
    seed: int | None = None,
    advance: Advance = silent,
) -> Diffusion:
    """Fit the drift diffusion model to every participant's answers and times, and compare two conditions.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The trials table, with times; answers in time count.
    by : str, optional
        Column that holds the conditions; groups by default.
    conditions : (str, str), optional
        First minus second; needed for tests where there are more than two.
    n_resamples, seed : int
        Of the tests.
    advance : callable
        Called with 1 after every participant and condition.

    Returns
    -------
    Diffusion
        One row per condition and parameter: `n` participants, `mean` and `sem`.

    Raises
    ------
    MissingExtra
        Without PyDDM: ``pip install "rapidvision[ddm]"``.
    InputError
        When no participant has 40 timed answers in a condition.

    Notes
    -----
    Boundaries stand for right and wrong answers, the start lies in their middle, noise is 1, and drift differs between
    levels; 2 % of answers are taken for guesses at any time (PyDDM's default mixture). Maximum likelihood on a grid of
    5 ms; from EZ-diffusion's estimates (Wagenmakers et al., 2007) by Powell's method, so that a fit is the same each time. With a
    response limit, answers after it are missing: drift and boundary are then biased, and the notes warn.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=1, n_levels=2, n_images=80, late_share=0.0).simulate(seed=1)
    >>> found = rv.analysis.fit_diffusion(trials, seed=1)  # doctest: +SKIP
    >>> found.to_frame()["parameter"].tolist()[-2:]  # doctest: +SKIP
    ['boundary', 'nondecision_ms']
    """
    pyddm = need("pyddm", extra="ddm", purpose="drift diffusion")
    found = answers(trials, by=by)
    time = found.frame["response_ms"].to_numpy(dtype=float) / 1000
    use = (found.frame["status"] == "ok").to_numpy() & np.isfinite(time)
    labels = [f"drift {level.label}" for level in found.levels] + ["boundary", "nondecision_ms"]
    n, c, _ = found.shape
    values, likelihood, too_few = np.full((n, c, len(labels)), np.nan), np.full((n, c), np.nan), 0
    for person in range(n):
        for condition in range(c):
            rows = use & (found.participant == person) & (found.condition == condition)
            if rows.sum() >= LEAST_ANSWERS:
                values[person, condition], likelihood[person, condition] = _fit(
                    pyddm, time[rows], found.halves[rows] == 2, found.level[rows], len(found.levels)
                )
            else:
                too_few += bool(((found.participant == person) & (found.condition == condition)).any())
            advance(1)
    if not np.isfinite(values).any():
        raise InputError(
            f"diffusion: no participant of {found.name} has {LEAST_ANSWERS} answers with a time in a condition"
        )
    seed = fresh_seed() if seed is None else seed
    tests, notes = pd.DataFrame(), [*_cautions(found, too_few)]
    if len(found.conditions) > 1 and (conditions or len(found.conditions) == 2):
        pair = found.pair(conditions)
        at = (found.conditions.index(pair[0]), found.conditions.index(pair[1]))
        tests, said = condition_tests(values, labels, at, pair, n_resamples=n_resamples, seed=seed, exact=False)
        notes += said
    people = pd.DataFrame(
        {
            "participant_id": np.repeat(np.array(found.participants, dtype=object), c * len(labels)),
            "condition": np.tile(np.repeat(np.array(found.conditions, dtype=object), len(labels)), n),
            "parameter": np.tile(np.array(labels, dtype=object), n * c),
            "value": values.ravel(),
            "log_likelihood": np.repeat(likelihood.ravel(), len(labels)),
        }
    ).dropna(subset="value", ignore_index=True)
    grouped = people.groupby(["condition", "parameter"], sort=False)["value"]
    table = pd.DataFrame({"n": grouped.count(), "mean": grouped.mean(), "sem": grouped.sem()}).reset_index()
    order = {name: at for at, name in enumerate(found.conditions)}
    table = table.sort_values("condition", key=lambda one: one.map(order), kind="stable", ignore_index=True)
    return Diffusion(table, found.notes, tuple(notes), people, tests, seed)


def _cautions(found: Answers, too_few: int) -> list[str]:
    notes = ["drift per second, boundary at noise 1, mean of participants; fitted with PyDDM, guesses at any time 2 %"]
    late = float(np.mean(found.frame["status"] != "ok"))
    if late > MUCH_LATE:
        notes.append(
            f"warning: {late:.1%} of the answers are not in time and are left out; the times are cut off there, which biases "
            "drift and boundary upwards and downwards: compare conditions with care"
        )
    if too_few:
        notes.append(
            f"{too_few} participants (in a condition) have fewer than {LEAST_ANSWERS} timed answers and are left out"
        )
    return notes


def ez_diffusion(share: float, variance: float, mean: float) -> tuple[float, float, float]:
    """EZ-diffusion (Wagenmakers, van der Maas & Grasman, 2007): drift, boundary and non-decision time in closed form.

    Parameters
    ----------
    share : float
        Of right answers, not 0, 0.5 or 1.
    variance, mean : float
        Of the times of right answers, s² and s.

    Returns
    -------
    drift, boundary, nondecision : float
        At noise 1; the boundary is its distance from the start.

    Examples
    --------
    >>> drift, boundary, nondecision = ez_diffusion(0.802, 0.112, 0.723)
    >>> round(drift, 2), round(2 * boundary, 2), round(nondecision, 2)
    (1.0, 1.4, 0.3)
    """
    odds = np.log(share / (1 - share))
    x = odds * (odds * share * share - odds * share + share - 0.5) / variance
    drift = float(np.sign(share - 0.5) * np.abs(x) ** 0.25)
    width = odds / drift
    y = -drift * width
    decision = width / (2 * drift) * (1 - np.exp(y)) / (1 + np.exp(y))
    return drift, float(width / 2), float(mean - decision)


def _fit(
    pyddm: Any, time: Floats, right: NDArray[np.bool_], level: NDArray[np.intp], n_levels: int
) -> tuple[Floats, float]:
    """Parameters of one participant in one condition, and the log likelihood; NaN for levels without answers."""
    seen = [one for one in range(n_levels) if (level == one).any()]
    names = {one: f"v{one}" for one in seen}
    fastest = float(time.min())
    bounds = {**dict.fromkeys(names.values(), _DRIFT), "boundary": _BOUNDARY, "nondecision": (0.0, fastest)}
    arguments = ", ".join(names.values())
    # PyDDM reads the names of a function's arguments: drift(level, v0, v2, …)
    choices = ", ".join(f"{one}: {name}" for one, name in names.items())
    drift = eval(f"lambda level, {arguments}: {{{choices}}}[int(level)]")  # noqa: S307 (names made above, no input)
    model = pyddm.gddm(
        drift=drift,
        bound="boundary",
        nondecision="nondecision",
        parameters=bounds,
        conditions=["level"],
        mixture_coef=MIXTURE,
        T_dur=float(np.ceil(time.max() * 10) / 10 + 0.2),
        dt=STEP_S,
        dx=STEP_EVIDENCE,
    )
    rows = pd.DataFrame({"time": time, "right": right.astype(int), "level": level.astype(int)})
    sample = pyddm.Sample.from_pandas_dataframe(rows, rt_column_name="time", choice_column_name="right")
    start = _start(time, right, level, seen, fastest)
    found: dict[str, Any] = {}

    def search(loss: Any, x_0: Any, constraints: Any) -> Any:  # noqa: ARG001 (PyDDM's names; its start is random)
        from scipy.optimize import minimize

        renamed = {"B": "boundary", "nondectime": "nondecision"}  # of the model's parts, which PyDDM names
        names_there = [renamed.get(name, name) for name in model.get_model_parameter_names()]
        at = [start[name] for name in names_there]
        result = minimize(loss, at, method="Powell", bounds=constraints, options={"xtol": 1e-3, "ftol": 1e-7})
        found.update(zip(names_there, result.x, strict=True))
        found["loss"] = float(result.fun)
        return result

    log = logging.getLogger(pyddm.logger.logger.name)
    level_before = log.level
    log.setLevel(logging.ERROR)  # every fit would tell that probabilities of -0 are 0
    try:
        pyddm.fit_adjust_model(
            sample=sample, model=model, fitting_method=search, lossfunction=pyddm.LossLikelihood, verbose=False
        )
    finally:
        log.setLevel(level_before)
    values = [found.get(names.get(one, ""), np.nan) for one in range(n_levels)]
    return np.array([*values, found["boundary"], 1000 * found["nondecision"]]), -found["loss"]


def _start(
    time: Floats, right: NDArray[np.bool_], level: NDArray[np.intp], seen: list[int], fastest: float
) -> dict[str, float]:
    """EZ-diffusion's estimates of every level, kept inside the bounds."""
    found, boundary, nondecision = {}, [], []
    for one in seen:
        here = level == one
        n = int(here.sum())
        share = (right[here].sum() + 0.5) / (n + 1)
        share = share + 0.01 if abs(share - 0.5) < 1e-6 else share
        times = time[here & right] if (here & right).sum() > 2 else time
        drift, width, before = ez_diffusion(float(share), float(times.var(ddof=1)), float(times.mean()))
        found[f"v{one}"] = float(np.clip(drift, _DRIFT[0] / 2, _DRIFT[1] / 2))
        boundary.append(width)
        nondecision.append(before)
    found["boundary"] = float(np.clip(np.median(boundary), 0.2, 3.0))
    found["nondecision"] = float(np.clip(np.median(nondecision), 0.1 * fastest, 0.95 * fastest))
    return found
