"""``openings.csv``: what each opening of each session ran on, beside the trials table; and the same for a reader."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rapidvision.text import csv_text

from ..interfaces import TrialData
from ..recording.answers import ANSWERS, answers_path
from ..recording.headers import Setup
from ..recording.quality import response_step_ms

if TYPE_CHECKING:
    from .sessions import Recorded

OPENINGS = "openings.csv"
COLUMNS = (
    "session_id", "participant_id", "opening", "utc", "observer", "observer_kind", "host", "system", "python", "psychopy",
    "rapidvision", "display", "refresh_hz", "monitor_width_px", "monitor_height_px", "monitor_width_cm", "distance_cm",
    "window_width_px", "window_height_px", "screen_index", "photodiode_px", "trigger", "trigger_ms", "accepted", "n_trials",
    "n_late_refreshes", "response_step_ms",
)  # fmt: skip


def openings_of(session: "Recorded") -> list[dict[str, object]]:
    """Return a row per opening of a session's journal, openings without trials included; units are in the names.

    Returns
    -------
    list of dict
        With the keys :data:`COLUMNS`; None where something was not recorded.
    """
    runs: list[tuple[Setup, list[TrialData]]] = []
    for entry in session.entries:
        if isinstance(entry, Setup):
            runs.append((entry, []))
        elif isinstance(entry, TrialData) and runs:
            runs[-1][1].append(entry)
    return [_row(session, number, setup, trials) for number, (setup, trials) in enumerate(runs, 1)]


def _row(session: "Recorded", number: int, setup: Setup, trials: Sequence[TrialData]) -> dict[str, object]:
    monitor, window, profile = setup.monitor_px, setup.window_px, setup.profile
    values = (
        session.header.session_id,
        session.header.participant_id,
        number,
        setup.utc or None,
        setup.observer,
        setup.observer_kind,
        setup.host or None,
        setup.system or None,
        *(setup.software.get(name) for name in ("python", "psychopy", "rapidvision")),
        setup.display,
        round(setup.refresh_hz, 4),
        *(monitor or (None, None)),
        None if profile is None else profile.width_cm,
        None if profile is None else profile.distance_cm,
        *(window or (None, None)),
        setup.screen_index,
        setup.photodiode_px,
        setup.trigger,
        setup.trigger_ms,
        "|".join(setup.accepted),
        len(trials),
        sum(phase.late_refreshes for data in trials for phase in data.phases),
        _rounded(response_step_ms(trials)),
    )
    return dict(zip(COLUMNS, values, strict=True))


def openings_path(table: Path) -> Path:
    """Return where the openings lie beside a trials table: ``openings.csv``, or ``<name>-openings.csv``.

    Examples
    --------
    >>> openings_path(Path("trials.csv")).name, openings_path(Path("pilots.parquet")).name
    ('openings.csv', 'pilots-openings.csv')
    """
    answers = answers_path(table)
    return answers.with_name(answers.name.removesuffix(ANSWERS) + OPENINGS)


def write_openings(path: Path, sessions: Sequence["Recorded"]) -> None:
    """Write the openings of sessions."""
    rows = [[_cell(row[name]) for name in COLUMNS] for session in sessions for row in openings_of(session)]
    csv_text.write(path, COLUMNS, rows)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def overview(sessions: Sequence["Recorded"]) -> str:
    """Return a line per opening of a study's sessions: state, trials, refreshes, void and flagged ones, who ran it where."""
    lines = [
        f"{'session':<26}{'opening':>8}  {'state':<17}{'trials':>6}{'Hz':>9}{'late':>6}{'void+flagged':>14}{'RT step':>9}  where"
    ]
    for session in sessions:
        quality = session.quality
        for row in openings_of(session):
            step = row["response_step_ms"]
            bad = f"{quality.n_void}+{quality.n_flagged} of {quality.n_trials}"
            where = ", ".join(
                str(row[name]) for name in ("observer", "host", "system", "display", "trigger") if row[name]
            )
            where += f", accepted {row['accepted']}" if row["accepted"] else ""
            lines.append(
                f"{session.header.session_id:<26}{row['opening']:>8}  {session.state:<17}{row['n_trials']:>6}"
                f"{row['refresh_hz']:>9}{row['n_late_refreshes']:>6}{bad:>14}{'-' if step is None else f'{step:.2f} ms':>9}  {where}"
            )
    void = sum(session.quality.n_void for session in sessions)
    trials = sum(session.quality.n_trials for session in sessions)
    lines.append(f"{len(sessions)} sessions, {void} void of {trials} trials ({100 * void / max(1, trials):.1f} %)")
    return "\n".join(lines)
