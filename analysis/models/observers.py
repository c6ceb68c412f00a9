"""Error consistency of every pair of observers: how alike participants err, and how alike networks err to them."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.resampling import row_order
from rapidvision.seeds import fresh_seed, stream

from ..designs.conditions import CROSSED, combined_words
from ..scores.answers import answers
from ..scores.measure import Measure
from ..table.first_lines import LateRule
from ..table.trials import TrialsSource, as_trials
from .observer_pairs import ObserverPairs, Right

Floats = NDArray[np.float64]
N_BOOTSTRAP = 1000
#: More observers are a random choice of this many: pairs grow with the square of it.
MOST_OBSERVERS = 100


@dataclass(frozen=True, eq=False, repr=False)
class ObserverConsistency(Measure):
    """Mean kappa of pairs of participants, and of each network with the participants.

    Attributes
    ----------
    pairs : DataFrame
        One row per condition and pair of observers: `kappa` (mean over levels), its 95 % interval over images, and the
        number of shared trials.
    seed : int
        Of the resampled images.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4, n_levels=2, n_images=60).simulate(seed=1)
    >>> found = rv.analysis.observer_consistency(trials, n_bootstrap=50, seed=1)
    >>> len(found.pairs), found.to_frame()["level"].tolist()[-1]
    (12, 'mean of levels')
    """

    pairs: pd.DataFrame = field(default_factory=pd.DataFrame)
    seed: int = 0


def observer_consistency(
    trials: TrialsSource,
    networks: TrialsSource | None = None,
    *,
    by: str | None = None,
    late: LateRule = "exclude",
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int | None = None,
) -> ObserverConsistency:
    """Compute how alike participants err (the ceiling of a model), and how alike networks err to them.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The participants' table, with image ids; participants who saw the same images at the same levels are compared.
    networks : Trials, DataFrame or path-like, optional
        The networks' table of the same images.
    by : str, optional
        Column that holds the conditions; groups by default.
    late : {"exclude", "wrong"}
        What an answer outside the window, or none, counts as; the published values of model-vs-human take it for wrong.
    n_bootstrap : int, default 1,000
        Resamples of images.
    seed : int, optional
        Of the resamples; drawn when absent.

    Returns
    -------
    ObserverConsistency
        One row per condition, level (and their mean, as published) and kind of pair: ``participants``, and each network's
        name. `kappa` is the mean over pairs; `low`, `high` its 95 % interval for other images and other participants;
        `of_ceiling` is a network's kappa as a share of the participants'.

    Raises
    ------
    InputError
        When images are not named, or no two participants share an image at a level.

    Notes
    -----
    kappa = (observed − expected) / (1 − expected) of each pair's shared trials; 1 where both always agree. The interval is
    kappa ± t(participants − 1) · √(image² + participant²): the standard deviation over resampled images, and the jackknife
    over participants; a little too wide, because noise of images is in both.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4, n_levels=2, n_images=60).simulate(seed=1)
    >>> table = rv.analysis.observer_consistency(trials, n_bootstrap=50, seed=1).to_frame()
    >>> table["pairs"].unique().tolist(), bool(table["kappa"].between(-1, 1).all())
    (['participants'], True)
    """
    seed = fresh_seed() if seed is None else seed
    if late == "half":
        raise InputError(
            'late: got "half"; an answer is right or wrong here: leave late ones out or count them as wrong'
        )
    if n_bootstrap < 2:
        raise InputError(f"n_bootstrap: got {n_bootstrap}; at least 2 resamples are needed")
    rights, levels, notes, left_out = _rights(trials, networks, by=by, late=late, seed=seed)
    rows: list[dict[str, object]] = []
    pairs: list[pd.DataFrame] = []
    for condition, right in rights.items():
        one = ObserverPairs(condition, right, levels, n_bootstrap=n_bootstrap, seed=seed)
        rows += one.rows()
        pairs.append(one.pairs())
    table = pd.DataFrame(rows)
    if table.empty or table["kappa"].isna().all():
        raise InputError("error consistency: no two participants saw the same image at the same level")
    notes = (
        "kappa 1: the same errors; 0: as independent observers; participants among each other are the ceiling",
        *notes,
    )
    return ObserverConsistency(table, left_out, notes, pd.concat(pairs, ignore_index=True), seed)


def _rights(
    trials: TrialsSource, networks: TrialsSource | None, *, by: str | None, late: LateRule, seed: int
) -> tuple[dict[str, Right], dict[int, str], tuple[str, ...], tuple[str, ...]]:
    found = answers(trials, by=by, late=late)
    if found.frame["image_id"].isna().any():
        raise InputError(f"{found.name}: images are not named, so observers share no trials; import image_id")
    use, notes = found.counted, list[str]()
    rows = pd.DataFrame(
        {
            "condition": [found.conditions[code] for code in found.condition],
            "level": found.frame["level_index"],
            "image": found.frame["image_id"],
            "kind": 0,
            "observer": found.frame["participant_id"],
            "right": found.halves / 2,
        }
    )[use]
    if networks is not None:
        rows = pd.concat([rows, _network_rows(networks, found.column, found.conditions)], ignore_index=True)
    if again := int(rows.duplicated(["condition", "level", "image", "kind", "observer"]).sum()):
        notes.append(f"{again:,} repeated answers of an observer to an image at a level: the first one counts")
    out = {}
    for condition in found.conditions:
        table = rows[rows["condition"] == condition].pivot_table(
            index=["level", "image"], columns=["kind", "observer"], values="right", aggfunc="first"
        )
        columns: list[tuple[int, str]] = [*map(tuple, table.columns.to_numpy())]
        people = [name for name in columns if name[0] == 0]
        if len(people) > MOST_OBSERVERS:
            order = row_order(np.nan_to_num(table[people].to_numpy().T, nan=-1.0))
            kept = stream(seed, "analysis", "observers").choice(order, MOST_OBSERVERS, replace=False)
            chosen = {people[at] for at in kept.tolist()}
            table = table[[name for name in columns if name[0] == 1 or name in chosen]]
            notes.append(f"{condition}: {MOST_OBSERVERS} of {len(people)} participants, chosen at random (seed {seed})")
        out[condition] = table
    labels = dict(zip((level.index for level in found.levels), (level.label for level in found.levels), strict=True))
    return out, labels, tuple(notes), found.notes


def _network_rows(networks: TrialsSource, column: str, conditions: tuple[str, ...]) -> pd.DataFrame:
    """A network's rows; without the participants' conditions it belongs to every one."""
    frame = as_trials(networks).main()
    frame = frame[frame["observer_kind"] == "model"]
    if frame.empty:
        raise InputError("networks: the table has no answers of networks (observer_kind model)")
    rows = pd.DataFrame(
        {
            "level": frame["level_index"],
            "image": frame["image_id"],
            "kind": 1,
            "observer": frame["observer"],
            "right": (frame["correct"] == True).astype(float),  # noqa: E712 (None is neither)
        }
    )
    if all(one.strip() in frame for one in column.split(CROSSED)):
        words = combined_words(frame, column, "networks")
        if words.isin(conditions).any():
            return rows.assign(condition=words)
    return pd.concat([rows.assign(condition=condition) for condition in conditions])
