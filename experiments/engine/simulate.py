"""Whole studies of simulated participants, through the same engine as people."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rapidvision.errors import Aborted, InputError
from rapidvision.formats.trials_table import read_table, to_frame
from rapidvision.plan import Plan
from rapidvision.seeds import stream
from rapidvision.study import Study
from rapidvision.system.progress import Advance, silent
from rapidvision.system.progress import progress as progress_bar
from rapidvision.trials import TrialRecord

from ..interfaces import Entry
from ..recording.answers import AnswerRecord, answers_of
from ..recording.rows import rows_of
from .participants import Observers, Participant
from .session import Session
from .virtual import MemoryJournal, VirtualScreen

if TYPE_CHECKING:
    import pandas as pd

#: More refreshes than any session has; late ones are drawn among them.
_MOST_REFRESHES = 400_000


def simulate_session(plan: Plan, observers: Observers, *, seed: int) -> list[Entry]:
    """Run one plan with a simulated participant on a virtual screen.

    Parameters
    ----------
    plan : Plan
        The session.
    observers : Observers
        What the participant is like.
    seed : int
        Seed of the simulation.

    Returns
    -------
    list of Entry
        The journal; it ends early, with an event ``aborted``, for a drop-out.
    """
    late: dict[int, int] = {}
    if observers.late_refreshes:
        rng = stream(seed, "late refreshes", plan.group, plan.slot)
        n = rng.binomial(_MOST_REFRESHES, observers.late_refreshes)
        late = dict.fromkeys(rng.choice(_MOST_REFRESHES, size=n, replace=False).tolist(), 1)
    journal = MemoryJournal()
    screen = VirtualScreen(observers.refresh_hz, late=late)
    participant = Participant(plan, observers, seed=seed, clock=lambda: screen.now_s)
    screen.see = participant.see
    session = Session(plan, screen, participant, journal)
    participant.choose = session.state.choose
    with suppress(Aborted):  # a drop-out; the journal says so
        session.run()
    return journal.entries


def simulate_study(
    plans: Iterable[Plan], observers: Observers, *, seed: int, advance: Advance = silent
) -> list[TrialRecord]:
    """Run every plan once and return the trials table; each session depends on its plan and the seed alone."""
    rows, _ = simulate_tables(plans, observers, seed=seed, advance=advance)
    return rows


def simulate_tables(
    plans: Iterable[Plan], observers: Observers, *, seed: int, advance: Advance = silent
) -> tuple[list[TrialRecord], list[AnswerRecord]]:
    """Run every plan once and return the trials table and the answers that belong to no trial."""
    rows: list[TrialRecord] = []
    answers: list[AnswerRecord] = []
    for plan in plans:
        name = f"sim-{plan.group}-{plan.slot:04d}"
        entries = simulate_session(plan, observers, seed=seed)
        rows += rows_of(
            plan, entries, observer="simulated", observer_kind="simulated", session_id=name, participant_id=name
        )
        answers += answers_of(
            plan, entries, observer="simulated", observer_kind="simulated", session_id=name, participant_id=name
        )
        advance(1)
    return rows, answers


def simulate(
    study: Study | Path | str,
    observers: Observers | None = None,
    *,
    seed: int,
    progress: bool = False,
) -> "pd.DataFrame":
    """Let simulated participants take part: one per plan, on a virtual screen, through the real session engine.

    Parameters
    ----------
    study : Study or path-like
        The study, or its folder.
    observers : Observers, optional
        Thresholds, slopes, lapses and response times; by default ClickMe's threshold is half of Salicon's.
    seed : int
        Seed of the simulation, 0 or more. Each session depends on its plan and on the seed alone.
    progress : bool, default False
        Show a progress bar.

    Returns
    -------
    DataFrame
        The trials table (:data:`rapidvision.trials.COLUMNS`), one row per trial, `observer_kind` ``simulated``.

    Raises
    ------
    InputError
        When the folder holds no plans.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stimulus_set = rv.stimuli.build("bundled", out=folder + "/set")
    ...     study = rv.experiments.plan(stimulus_set, out=folder + "/study", n_per_group=1)
    ...     trials = rv.experiments.simulate(study, rv.experiments.Observers(lapse=0.0), seed=1)
    >>> trials.shape
    (176, 40)
    """
    plans = (study if isinstance(study, Study) else Study(study)).plans()
    with progress_bar("sessions", len(plans), quiet=not progress) as advance:
        rows = simulate_study(plans, observers or Observers(), seed=seed, advance=advance)
    return to_frame(rows)


def refuse_to_replace_people(path: Path) -> None:
    """Refuse to write simulated trials over a table that holds a person's.

    Raises
    ------
    InputError
        When `path` holds rows of other observers than simulated ones, or is no trials table.
    """
    if path.exists() and any(row.observer_kind != "simulated" for row in read_table(path)):
        raise InputError(f"{path}: holds trials of people or networks; choose another --out for the simulation")
