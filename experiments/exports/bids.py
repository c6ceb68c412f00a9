"""BIDS: ``sub-*/beh`` with a table and events per run, sidecars, participants, and the stimuli that were shown.

Times are in seconds in the columns that BIDS defines (onset, duration, response_time), as it asks; columns that the
protocol adds keep their unit, which the sidecar states. A session that was resumed has one run for each opening.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rapidvision import __version__
from rapidvision.errors import InputError
from rapidvision.formats.manifest import StimulusSet
from rapidvision.system import files
from rapidvision.trials import Column, columns_of

from ..recording.headers import Setup
from .describe import description_of, task_description
from .events import EVENT_COLUMNS, described, event, files_shown, write_answers, write_tsv
from .sessions import Recorded

if TYPE_CHECKING:
    from .exporters import Export

BIDS_VERSION = "1.10.0"


def write_bids(sessions: Sequence[Recorded], stimulus_set: StimulusSet, folder: Path, *, name: str) -> None:
    """Write recorded sessions as a BIDS dataset.

    Parameters
    ----------
    sessions : sequence of Recorded
        Of one study.
    stimulus_set : StimulusSet
        Whose images were shown; copied into ``stimuli/``.
    folder : path
        New, or empty.
    name : str
        Name of the dataset, and of its task.

    Raises
    ------
    InputError
        When the folder is not empty, two participants have one name in BIDS, or an image is no longer the one that
        was shown.

    Notes
    -----
    Monitor, computer and programs are those that each opening of a session recorded, never those of the export.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder}: not empty; a BIDS dataset is written into a folder of its own")
    labels = labels_of([session.header.participant_id for session in sessions])
    shown = _images(sessions, stimulus_set)
    _write_top(sessions, labels, folder, name=name)
    task = task_label(name)
    for session in sessions:
        label = labels[session.header.participant_id]
        rows = {row.trial: row for row in session.rows()}
        planned, added = {trial.trial: trial for trial in session.plan.trials()}, columns_of(session.plan.protocol)
        for number, (setup, trials) in enumerate(session.runs(), 1):
            stem = folder / f"sub-{label}" / "beh" / f"sub-{label}_task-{task}_run-{number}"
            begin = trials[0].flips_s[0]
            lines = [event(planned[data.trial], rows[data.trial], data, begin, added) for data in trials]
            columns = ("onset", "duration", *EVENT_COLUMNS, *(column.name for column in added))
            write_tsv(stem.with_name(stem.name + "_events.tsv"), columns, lines)
            write_tsv(stem.with_name(stem.name + "_beh.tsv"), columns[2:], [line[2:] for line in lines])
            sidecar = _sidecar(session, setup, task, added)
            for suffix in ("events", "beh"):
                files.write_json(stem.with_name(f"{stem.name}_{suffix}.json"), sidecar)
        write_answers(session.answers(), folder / f"sub-{label}" / "beh" / f"sub-{label}_task-{task}_acq-answers_beh")
    for path, content in shown.items():
        files.write_bytes(folder / "stimuli" / path, content)


def export_bids(export: "Export", out: Path, /) -> None:
    """Write a BIDS dataset, an :class:`~rapidvision.experiments.exports.exporters.Exporter`."""
    write_bids(export.sessions, export.stimulus_set(), out, name=export.name)


def _images(sessions: Sequence[Recorded], stimulus_set: StimulusSet) -> dict[str, bytes]:
    """Return path → content of every image and mask that was shown, each with the hash that its session was planned with."""
    shown: dict[str, bytes] = {}
    for session in sessions:
        trials = {trial.trial: trial for trial in session.plan.trials()}
        for data in (data for _, run in session.runs() for data in run):
            for path, sha256 in files_shown(trials[data.trial], data).items():
                if path in shown:
                    continue
                content = files.read_bytes(stimulus_set.folder / path)
                if files.sha256(content) != sha256:
                    raise InputError(
                        f"{stimulus_set.folder / path}: not the image that {session.header.session_id} showed "
                        "(hash differs); name the set that was used with --set"
                    )
                shown[path] = content
    return dict(sorted(shown.items()))


def task_label(name: str) -> str:
    """Return a study's name as BIDS wants a task: letters and digits.

    Examples
    --------
    >>> task_label("faces-2026")
    'faces2026'
    """
    return re.sub(r"[^A-Za-z0-9]", "", name) or "categorization"


def labels_of(participants: Sequence[str]) -> dict[str, str]:
    """Return participant id → BIDS label, which has letters and digits only.

    Raises
    ------
    InputError
        When two participants would have one label.

    Examples
    --------
    >>> labels_of(["p-01", "p_02"])
    {'p-01': 'p01', 'p_02': 'p02'}
    """
    labels: dict[str, str] = {}
    for participant in dict.fromkeys(participants):
        label = re.sub(r"[^A-Za-z0-9]", "", participant)
        if not label or label in labels.values():
            raise InputError(f'participant "{participant}": has no name of its own in BIDS (letters and digits only)')
        labels[participant] = label
    return labels


def _write_top(sessions: Sequence[Recorded], labels: dict[str, str], folder: Path, *, name: str) -> None:
    description = {
        "Name": name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "RapidVision", "Version": __version__}],
    }
    files.write_json(folder / "dataset_description.json", description)
    files.write_text(
        folder / "README",
        f"{name}\n\n{description_of(sessions)}\nPractice trials are included and marked in the column phase. "
        "Times are in seconds.\n",
    )
    people = []
    for session in sessions:
        h = session.header
        who = [f"sub-{labels[h.participant_id]}", h.participant_id, h.observer, h.observer_kind]
        people.append([*who, h.group, str(h.slot), session.state])
    columns = ("participant_id", "code", "observer", "observer_kind", "group", "slot", "session")
    write_tsv(folder / "participants.tsv", columns, people)
    meanings = {
        "code": "Participant code in the laboratory",
        "observer": "human or simulated",
        "observer_kind": "human; pilot: a person in a pilot; simulated",
        "group": "Group of participants: the values of the factors that vary between them",
        "slot": "Number of the plan",
        "session": "finished: every trial was completed; criterion missed: practice ended it; unfinished; given up: its "
        "slot was given back",
    }
    files.write_json(folder / "participants.json", {key: {"Description": text} for key, text in meanings.items()})


def _sidecar(session: Recorded, setup: Setup, task: str, added: Sequence[Column]) -> dict[str, Any]:
    plan = session.plan
    presentation: dict[str, Any] = {
        "OperatingSystem": setup.system or "n/a",
        "SoftwareName": "PsychoPy",
        "SoftwareRRID": "RRID:SCR_006571",
        "SoftwareVersion": setup.software.get("psychopy", "n/a"),
        "ScreenRefreshRate": round(setup.refresh_hz, 4),
    }
    if setup.monitor_px is not None:
        presentation["ScreenResolution"] = list(setup.monitor_px)
    if setup.profile is not None:
        screen = setup.profile
        height_cm = screen.width_cm * screen.height_px / screen.width_px
        presentation |= {
            "ScreenDistance": screen.distance_cm / 100,
            "ScreenSize": [round(screen.width_cm / 100, 4), round(height_cm / 100, 4)],
        }
    return {
        "TaskName": task,
        "TaskDescription": task_description(plan.protocol),
        "Instructions": "\n\n".join(plan.texts[name] for name in ("welcome", "inputs") if name in plan.texts),
        "StimulusPresentation": presentation,
        "RapidVision": {
            "PlanDigest": session.header.plan_digest,
            "ProtocolDigest": session.header.protocol_digest,
            "Observer": {"Id": setup.observer, "Kind": setup.observer_kind},
            "Display": setup.display,
            "AcceptedChecks": setup.accepted,
            "Host": setup.host,
            "Software": setup.software,
            "WindowPixels": setup.window_px,
            "PhotodiodePixels": setup.photodiode_px,
            "Trigger": setup.trigger,
        },
        **described(plan, added),
    }
