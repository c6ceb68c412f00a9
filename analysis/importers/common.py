"""What every importer shares: a row from loose values, the authors' level codes, and a checked table at the end."""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from rapidvision.errors import InputError
from rapidvision.protocol import Protocol
from rapidvision.trials import TrialRecord, judge

from ..tables import Trials, from_records

#: How the authors' code and others write "the intact picture".
_FULL_CODES = {"full", "200", "-10", "intact"}


def level_label(value: Any) -> str:
    """Normalise a level: ``Full``, 200 and -10 are ``full``; 39.81 and "40 %" are per cent.

    Raises
    ------
    InputError
        When it is neither, or looks like a share instead of per cent.

    Examples
    --------
    >>> level_label("Full"), level_label(200), level_label("-10"), level_label("40 %"), level_label(39.810717)
    ('full', 'full', 'full', '40', '39.8')
    >>> level_label(0.4)
    Traceback (most recent call last):
        ...
    rapidvision.errors.InputError: level: got 0.4; levels are per cent (40), not shares (0.4)
    """
    text = str(value).strip().lower().removesuffix("%").strip()
    if text.removesuffix(".0") in _FULL_CODES:
        return "full"
    try:
        number = float(text)
    except ValueError:
        raise InputError(f'level: got "{value}"; allowed are per cent from 1 to 100, or full') from None
    if 0 < number < 1:
        raise InputError(f"level: got {number:g}; levels are per cent (40), not shares (0.4)")
    if not 1 <= number <= 100:
        raise InputError(
            f"level: got {number:g}; allowed are per cent from 1 to 100, or full (200 and -10 in old files)"
        )
    return f"{number:.3g}"


def make_row(
    *,
    study: str,
    participant: str,
    session: str,
    trial: int,
    image_id: str,
    category: str,
    target: bool,
    said_target: bool | None,
    response_ms: float | None,
    group: str,
    level: str,
    level_index: int,
    reveal_fraction: float | None = None,
    revealed_px: int = 0,
    limit_ms: float | None = None,
    anticipation_ms: float | None = None,
    observer: str = "human",
    block: int = 0,
    phase: str = "main",
) -> TrialRecord:
    """Make one row, judged by the ground's rule; what the file does not know stays empty.

    Parameters
    ----------
    limit_ms, anticipation_ms : float, optional
        Of that experiment; the paper's by default. Infinity for no limit.
    """
    protocol = Protocol()
    outcome = judge(
        target=target,
        pressed_target=said_target,
        response_ms=response_ms,
        limit_ms=protocol.timing.response_limit_ms if limit_ms is None else limit_ms,
        anticipation_ms=protocol.anticipation_ms if anticipation_ms is None else anticipation_ms,
    )
    return TrialRecord(
        study_id=study,
        session_id=session,
        participant_id=participant,
        observer=observer,
        observer_kind="human" if observer == "human" else "model",
        group=group,
        slot=0,
        phase="practice" if phase == "practice" else "main",
        block=block,
        trial=trial,
        image_id=image_id,
        stimulus_sha256=f"unknown:{image_id}@{level}",  # the file is not here; the same picture and level, the same name
        category=category,
        target=target,
        map_source=group,
        level_index=level_index,
        level_label=level,
        reveal_fraction=reveal_fraction,
        revealed_px=revealed_px,
        key_target=None,
        key_pressed=None,
        response=outcome.response,
        correct=outcome.correct,
        response_ms=None if outcome.response == "none" else response_ms,
        status=outcome.status,
        fixation_ms=None,
        stimulus_ms_shown=None,
        late_refreshes=None,
        refresh_hz=None,
    )


def level_indices(labels: Iterable[str]) -> dict[str, int]:
    """Number the levels: by per cent, the intact picture last; labels that are no numbers by name.

    Examples
    --------
    >>> level_indices(["full", "40", "2.5"])
    {'2.5': 0, '40': 1, 'full': 2}
    """

    def order(label: str) -> tuple[int, float, str]:
        try:
            return 0, float(label), label
        except ValueError:
            return (2 if label == "full" else 1), math.inf, label

    return {label: index for index, label in enumerate(sorted(set(labels), key=order))}


def share_of(label: str) -> float | None:
    """Reveal fraction of a per-cent label; None for the intact picture.

    Examples
    --------
    >>> share_of("40"), share_of("full")
    (0.4, None)
    """
    return None if label == "full" else float(label) / 100


def finished(rows: list[TrialRecord], *, name: str, notes: list[str]) -> Trials:
    """Check the rows and keep the importer's notes; refuse an import that leaves nothing."""
    if not rows:
        why = "; ".join(notes) or "the file has no trials"
        raise InputError(f"{name}: nothing to import ({why})")
    trials = from_records(rows, name=name)
    return replace(trials, notes=(*notes, *trials.notes))
