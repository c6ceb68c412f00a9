"""The plan of an analysis, fixed before the data: options, sizes, seed, power, decision rule, hash."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from rapidvision import __version__, recipes
from rapidvision.errors import InputError
from rapidvision.numerics.resampling import Alternative
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed
from rapidvision.system import files
from rapidvision.system.progress import Advance, silent

from ..resampling.multiplicity import Correction
from ..specifications.choices import rules_text
from ..table.exclusions import Rules
from ..table.first_lines import LateRule
from ..table.selection import AttemptRule, Selection, TimingRule

#: Names of the files.
TOML, TEXT = "prereg.toml", "prereg.md"
#: Correction of the plan → rule of the simulated power.
_POWER_RULES = {"step-down": "max-t", "max-t": "max-t", "holm": "holm"}
DECISION = (
    "The conditions differ at a level if its corrected p is at most alpha. The answer to the question is yes if they "
    "differ at one level or more."
)


class PlannedPower(recipes.Recipe, frozen=True, kw_only=True):
    """Power of the plan in simulated experiments.

    Attributes
    ----------
    effect_log10 : float
        Difference of the thresholds that the experiments had, decimal log units of per cent.
    n_per_group : int
        Participants in each group.
    rule : str
        What called an experiment significant.
    power, standard_error : float
        Share of experiments, and its Monte-Carlo standard error.
    n_experiments, seed : int
        Simulated experiments.
    """

    effect_log10: float
    n_per_group: int
    rule: str
    power: float
    standard_error: float
    n_experiments: int
    seed: int


class Preregistration(recipes.Recipe, frozen=True, kw_only=True):
    """The plan.

    Attributes
    ----------
    question : str
        What is asked.
    conditions : tuple of str
        In the order of the test: first minus second.
    n : dict
        Condition or group → planned participants.
    statistic, late, alternative, correction : str
        Options of the test.
    alpha, margin : float
        Level of each decision; margin of the ceiling.
    relabellings, seed : int
        Of every test.
    exclusion : str
        Rules as ``NAME:VALUE``, joined by ``+``; ``none``.
    timing, attempts : str
        Which rows count.
    decision : str
        When the answer to the question is yes.
    power : PlannedPower, optional
        Where it was simulated.
    rapidvision : str
        Version that wrote the plan.
    sha256 : str
        Of all the above.

    Examples
    --------
    >>> import rapidvision as rv
    >>> plan = rv.analysis.preregister(["clickme", "salicon"], n={"clickme": 60, "salicon": 60}, seed=1)
    >>> plan.alternative, plan.sha256 == plan.digest()
    ('two-sided', True)
    """

    question: str = ""
    conditions: tuple[str, ...]
    n: dict[str, int]
    statistic: str = "participant_mean"
    late: LateRule = "exclude"
    alternative: Alternative = "two-sided"
    correction: Correction = "step-down"
    alpha: float = 0.05
    margin: float = 0.05
    relabellings: int = N_RELABELLINGS
    seed: int
    exclusion: str = "none"
    timing: TimingRule = "not-false"
    attempts: AttemptRule = "first"
    decision: str = DECISION
    power: PlannedPower | None = None
    rapidvision: str = __version__
    sha256: str = ""

    def digest(self) -> str:
        """SHA-256 of everything but itself."""
        return files.canonical_digest(msgspec.structs.replace(self, sha256=""))


def preregister(
    conditions: Sequence[str],
    *,
    n: Mapping[str, int],
    question: str = "",
    statistic: str = "participant_mean",
    late: LateRule = "exclude",
    alternative: Alternative = "two-sided",
    correction: Correction = "step-down",
    alpha: float = 0.05,
    margin: float = 0.05,
    n_resamples: int = N_RELABELLINGS,
    seed: int | None = None,
    rules: Rules | None = None,
    timing: TimingRule = "not-false",
    attempts: AttemptRule = "first",
    decision: str = DECISION,
    effect: float | None = None,
    n_experiments: int = 300,
    out: Path | str | None = None,
    advance: Advance = silent,
) -> Preregistration:
    """Fix the plan of an analysis before there are data.

    Parameters
    ----------
    conditions : sequence of str
        In the order of the test: first minus second.
    n : mapping of str to int
        Planned participants of each.
    question, decision : str
        What is asked, and when the answer is yes.
    statistic, late, alternative, correction : str
        As in :func:`~rapidvision.analysis.level_tests`.
    alpha, margin : float
        Level of each decision; margin of the ceiling.
    n_resamples : int
        Relabellings.
    seed : int, optional
        Of the analysis; drawn when absent.
    rules : Rules, optional
        Exclusions; none by default.
    timing, attempts : str
        Which rows count, as in :meth:`~rapidvision.analysis.Trials.select`.
    effect : float, optional
        Difference of the thresholds in decimal log units for which power is simulated, with the smaller group's size.
    n_experiments : int
        Simulated experiments.
    out : path-like, optional
        Folder for ``prereg.toml`` and ``prereg.md``; a file that is there is not replaced.
    advance : callable
        Called with the number of simulated experiments just done.

    Returns
    -------
    Preregistration
        With its hash. ``report(..., prereg=...)`` lists what was done otherwise.

    Raises
    ------
    InputError
        When there are fewer than one or the same condition twice, a size is missing or below 2, power has no rule for the
        correction, or a plan is in the folder already.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plan = rv.analysis.preregister(["a", "b"], n={"a": 20, "b": 20}, seed=1, out=folder)
    ...     rv.analysis.read_preregistration(folder) == plan
    True
    """
    _check(conditions, n, alpha=alpha)
    Selection(timing=timing, attempts=attempts)
    seed = fresh_seed() if seed is None else seed
    planned = None
    if effect is not None:
        planned = _power(
            min(n.values()), effect, correction, alpha=alpha, n_experiments=n_experiments, seed=seed, advance=advance
        )
    plan = Preregistration(
        question=question,
        conditions=tuple(conditions),
        n={name: int(n[name]) for name in conditions},
        statistic=statistic,
        late=late,
        alternative=alternative,
        correction=correction,
        alpha=alpha,
        margin=margin,
        relabellings=n_resamples,
        seed=seed,
        exclusion=rules_text(rules or Rules()),
        timing=timing,
        attempts=attempts,
        decision=decision,
        power=planned,
    )
    plan = msgspec.structs.replace(plan, sha256=plan.digest())
    if out is not None:
        from .plan_files import write_preregistration

        write_preregistration(plan, out)
    return plan


def _check(conditions: Sequence[str], n: Mapping[str, int], *, alpha: float) -> None:
    if not conditions or len(set(conditions)) != len(conditions):
        raise InputError(f"conditions: got {', '.join(conditions) or 'none'}; name each once")
    for name in conditions:
        if n.get(name, 0) < 2:
            raise InputError(f"n: {name} has {n.get(name, 'no number')}; at least 2 participants of each are needed")
    if unknown := [name for name in n if name not in conditions]:
        raise InputError(f"n: {unknown[0]} is no condition; conditions are {', '.join(conditions)}")
    if not 0 < alpha < 1:
        raise InputError(f"alpha: got {alpha:g}, allowed is a share between 0 and 1")


def _power(
    n: int, effect: float, correction: str, *, alpha: float, n_experiments: int, seed: int, advance: Advance
) -> PlannedPower:
    from ..sample_size.power import power

    if (rule := _POWER_RULES.get(correction)) is None:
        raise InputError(
            f"power: none is simulated for {correction}; choose {', '.join(_POWER_RULES)}, or give no effect"
        )
    table = power(
        n_per_group=(n,), effects=(effect,), n_experiments=n_experiments, alpha=alpha, seed=seed, advance=advance
    )
    row = table[table["rule"] == rule].iloc[0]
    return PlannedPower(
        effect_log10=effect,
        n_per_group=n,
        rule=rule,
        power=float(row["power"]),
        standard_error=float(row["standard_error"]),
        n_experiments=n_experiments,
        seed=seed,
    )
