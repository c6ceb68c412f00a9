"""Simulated experiments with known truth: for power, for calibration, and for every test that must recover something.

The design is the paper's unless changed: participants go through the levels by a Latin square, each image once.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.formats.protocol_file import preset
from rapidvision.protocol import LOWEST_LEVEL, N_LEVELS, N_PARTICIPANTS_PER_GROUP
from rapidvision.seeds import stream
from rapidvision.trials import SCHEMA_VERSION

from ..importers.outcomes import TWO
from ..table.accuracy import Cells, Level
from ..table.first_lines import LateRule
from ..table.trials import Trials, check

#: Images that a participant of the paper saw: five blocks of sixteen.
N_IMAGES = 80
#: Pixels of the whole image and share of them that 100 % of the features are, for tables that need them.
_IMAGE_PX = 65_536
_FEATURE_PX = 9_830


@dataclass(frozen=True, kw_only=True)
class Design:
    """An experiment and the truth behind it.

    Attributes
    ----------
    n_per_group : int
        Participants in each of the two groups.
    n_images : int
        Images that each participant sees, half of them targets.
    n_levels : int
        Reveal levels, log-spaced from 1 to 100 %; the intact image comes on top.
    thresholds : (float, float)
        log10 of the per cent where each group is halfway between guessing and its best.
    slope : float
        Of the logistic over log10 per cent.
    lapse : float
        Share of errors with everything visible, beyond what participants and images add.
    sd_participant, sd_image : float
        Spread of participants and of images, in logits.
    late_share : float
        Share of answers past the limit.
    groups : (str, str)
        Names.

    Raises
    ------
    InputError
        When a number is outside its range.

    Examples
    --------
    >>> import rapidvision as rv
    >>> design = rv.analysis.Design(n_per_group=3, thresholds=(1.4, 1.8))
    >>> design.simulate(seed=1)
    simulated: 480 trials, 6 participants (simulated)
    """

    n_per_group: int = N_PARTICIPANTS_PER_GROUP
    n_images: int = N_IMAGES
    n_levels: int = N_LEVELS
    thresholds: tuple[float, float] = (1.5, 1.7)
    slope: float = 6.0
    lapse: float = 0.05
    sd_participant: float = 0.5
    sd_image: float = 0.7
    late_share: float = 0.05
    groups: tuple[str, str] = ("clickme", "salicon")

    def __post_init__(self) -> None:
        for name, low in (("n_per_group", 1), ("n_images", 1), ("n_levels", 2)):
            if getattr(self, name) < low:
                raise InputError(f"{name}: got {getattr(self, name)}, at least {low} is needed")
        for name, high in (("lapse", 0.5), ("late_share", 1.0)):
            if not 0 <= getattr(self, name) < high:
                raise InputError(f"{name}: got {getattr(self, name):g}, allowed is a share from 0 to below {high:g}")
        if self.slope <= 0 or self.sd_participant < 0 or self.sd_image < 0:
            raise InputError("slope must be > 0, sd_participant and sd_image >= 0")

    @property
    def log_percent(self) -> NDArray[np.float64]:
        """log10 per cent of each level; infinity for the intact image."""
        low = np.log10(LOWEST_LEVEL) + 2
        return np.append(np.linspace(low, 2, self.n_levels), np.inf)

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels as the table names them."""
        out = []
        for index, x in enumerate(self.log_percent):
            full = not np.isfinite(x)
            percent = float("nan") if full else float(10**x)
            pixels = 100.0 if full else percent * _FEATURE_PX / _IMAGE_PX
            out.append(Level(index, "full" if full else f"{percent:.3g}", percent, pixels))
        return tuple(out)

    def simulate(self, *, seed: int) -> Trials:
        """Return the trials of one simulated experiment, every participant marked ``simulated``.

        Parameters
        ----------
        seed : int
            The experiment is a function of it.

        Returns
        -------
        Trials
            2 · n_per_group · n_images rows.

        Examples
        --------
        >>> len(Design(n_per_group=2, n_images=24).simulate(seed=1).frame)
        96
        """
        return simulate(self, seed=seed).trials(seed=seed)


@dataclass(frozen=True, eq=False)
class Experiment:
    """One simulated experiment, participants × images.

    Attributes
    ----------
    design : Design
        What made it.
    group : ndarray of int, shape (n,)
        0 or 1.
    level : ndarray of int, shape (n, n_images)
        Which level each participant saw each image at.
    correct, in_time : ndarray of bool, shape (n, n_images)
        What they answered.
    """

    design: Design
    group: NDArray[np.int64]
    level: NDArray[np.int64]
    correct: "NDArray[np.bool_]"
    in_time: "NDArray[np.bool_]"

    def counts(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Correct answers in time, and answers in time, per participant and level."""
        n, k = len(self.group), self.design.n_levels + 1
        cell = (np.arange(n)[:, None] * k + self.level).ravel()
        good = np.bincount(cell, weights=(self.correct & self.in_time).ravel(), minlength=n * k)
        every = np.bincount(cell, weights=self.in_time.ravel(), minlength=n * k)
        return good.astype(np.int64).reshape(n, k), every.astype(np.int64).reshape(n, k)

    def cells(self, late: LateRule = "exclude") -> Cells:
        """The cells, without the detour through a table (late answers left out)."""
        good, every = self.counts()
        shown = np.zeros_like(every)
        np.add.at(shown, (np.arange(len(self.group))[:, None], self.level), 1)
        names = np.array(self.design.groups)[self.group]
        ids = tuple(f"p{number:04d}" for number in range(len(self.group)))
        return Cells(ids, names, self.design.levels, 2 * good, every, shown - every, shown, late, guess=0.5)

    def trials(self, *, seed: int) -> Trials:
        """The trials table of the experiment, every participant marked ``simulated``."""
        return _table(self, seed=seed)


def simulate(design: Design, *, seed: int, number: int = 0) -> Experiment:
    """Run a design once.

    Parameters
    ----------
    design : Design
        With its truth.
    seed, number : int
        The experiment is a function of both.

    Returns
    -------
    Experiment
        Ready to be tested.

    Examples
    --------
    >>> simulate(Design(n_per_group=3), seed=1).counts()[0].shape
    (6, 12)
    """
    rng = stream(seed, "analysis", "simulate", number)
    n, k = 2 * design.n_per_group, design.n_levels + 1
    group = np.repeat([0, 1], design.n_per_group)
    slot = np.tile(np.arange(design.n_per_group), 2)
    level = (rng.permutation(design.n_images)[None, :] + slot[:, None]) % k
    logit = design.slope * (design.log_percent[level] - np.array(design.thresholds)[group][:, None])
    logit = logit + rng.normal(0, design.sd_participant, n)[:, None] + rng.normal(0, design.sd_image, design.n_images)
    chance = 0.5 + (0.5 - design.lapse) / (1 + np.exp(-np.clip(logit, -50, 50)))
    correct = rng.random(level.shape) < chance
    in_time = rng.random(level.shape) >= design.late_share
    return Experiment(design, group, level, correct, in_time)


def _table(experiment: Experiment, *, seed: int) -> Trials:
    """Every trial as a row, with response times from a shifted lognormal that respect the limit."""
    design, paper = experiment.design, preset("paper")
    response, block_size = paper.response, paper.design.block_size
    assert response is not None
    assert isinstance(response.limit_ms, int)
    assert isinstance(block_size, int)
    rng = stream(seed, "analysis", "simulate", "times")
    n, n_images = experiment.level.shape
    row, image = np.divmod(np.arange(n * n_images), n_images)
    level, in_time = experiment.level.ravel(), experiment.in_time.ravel()
    target = image % 2 == 0
    limit = response.limit_ms
    time = np.clip(200 + rng.lognormal(5.3, 0.35, len(row)), response.early_ms + 1, limit - 1)
    time = np.where(in_time, time, limit + 1 + rng.exponential(60, len(row)))
    correct = experiment.correct.ravel()
    said_target = target == correct
    levels = design.levels
    share = np.array([level.percent / 100 for level in levels])
    pixels = np.array([round(level.image_percent / 100 * _IMAGE_PX) for level in levels])
    names = np.array(design.groups)[experiment.group]
    order = np.argsort(rng.random((n, n_images)), axis=1).ravel()
    frame = pd.DataFrame(
        {
            "schema_version": SCHEMA_VERSION,
            "study_id": "simulated",
            "session_id": np.char.mod("s%04d", row).astype(object),
            "participant_id": np.char.mod("p%04d", row).astype(object),
            "observer": "simulated",
            "observer_kind": "simulated",
            "group": names[row].astype(object),
            "slot": row % design.n_per_group,
            "phase": "main",
            "block": order // block_size,
            "trial": order,
            "image_id": np.char.mod("image-%03d", image).astype(object),
            "stimulus_sha256": (np.char.mod("%03d-", image) + np.char.mod("%02d-", level)).astype(object) + names[row],
            "category": np.where(target, "animal", "object").astype(object),
            "target": target,
            "map_source": names[row].astype(object),
            "level_index": level,
            "level_label": np.array([one.label for one in levels], dtype=object)[level],
            "reveal_fraction": share[level],
            "revealed_px": pixels[level],
            "correct_response": np.where(target, *TWO).astype(object),
            "response": np.where(said_target, *TWO).astype(object),
            "input": np.where(said_target, "s", "l").astype(object),
            "correct": correct.astype(object),
            "response_ms": np.round(time, 3),
            "status": np.where(in_time, "ok", "late").astype(object),
            "late_refreshes": 0,
            "refresh_hz": 60.0,
            "timing_ok": None,
            "attempt": 1,
            "flags": None,
            "decision_value": np.nan,
            "ignored": None,
            "utc": None,
        }
    )
    return check(Trials(frame.sort_values(["session_id", "trial"], ignore_index=True), name="simulated"))
