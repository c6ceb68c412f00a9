"""BIDS: ``sub-*/beh`` with a table and events per run, sidecars, participants, and the stimuli that were shown.

Times are in seconds, as BIDS asks. A session that was resumed has one run for each time it was opened.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rapidvision import __version__
from rapidvision.errors import InputError
from rapidvision.formats.manifest import StimulusSet
from rapidvision.system import files
from rapidvision.trials import TrialRecord

from ..interfaces import TrialData
from ..recording.headers import Setup
from .sessions import Recorded

if TYPE_CHECKING:
    from .exporters import Export

BIDS_VERSION = "1.10.0"

_EVENT_COLUMNS = {
    "trial_type": "What the picture shows: target or distractor",
    "stim_file": "The picture",
    "response_time": "Press from stimulus onset, late ones too",
    "trial": "Number within the session from 0, practice included",
    "phase": "practice or main",
    "block": "Block from 0; practice is -1",
    "image_id": "The picture, at any level",
    "category": "What the picture shows",
    "level_label": "Per cent of the features, or full",
    "response": "target, distractor or none",
    "correct": "1 where the response fits the picture",
    "status": "ok, early, late, none or aborted",
    "attempt": "1, or more when the trial was interrupted after its picture had come up",
    "timing_ok": "1 where the picture was shown as planned and the times can be relied upon",
    "late_refreshes": "Refreshes that came late during the trial",
    "flags": "What was unusual, names separated by blanks",
}


def write_bids(sessions: Sequence[Recorded], stimulus_set: StimulusSet, folder: Path, *, name: str) -> None:
    """Write recorded sessions as a BIDS dataset.

    Parameters
    ----------
    sessions : sequence of Recorded
        Of one study.
    stimulus_set : StimulusSet
        Whose pictures were shown; copied into ``stimuli/``.
    folder : path
        New, or empty.
    name : str
        Name of the dataset, and of its task.

    Raises
    ------
    InputError
        When the folder is not empty, two participants have one name in BIDS, or a picture is no longer the one that
        was shown.

    Notes
    -----
    Monitor, computer and programs are those that each opening of a session recorded, never those of the export.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder}: not empty; a BIDS dataset is written into a folder of its own")
    labels = labels_of([session.header.participant_id for session in sessions])
    shown = _pictures(sessions, stimulus_set)
    _write_top(sessions, labels, folder, name=name)
    task = task_label(name)
    for session in sessions:
        label = labels[session.header.participant_id]
        rows = {row.trial: row for row in session.rows()}
        paths = {trial.trial: trial.path for trial in session.plan.trials()}
        for number, (setup, trials) in enumerate(session.runs(), 1):
            stem = folder / f"sub-{label}" / "beh" / f"sub-{label}_task-{task}_run-{number}"
            begin = trials[0].flips_s[0]
            lines = [_event(rows[data.trial], data, paths[data.trial], begin) for data in trials]
            columns = ("onset", "duration", *_EVENT_COLUMNS)
            _write_tsv(stem.with_name(stem.name + "_events.tsv"), columns, lines)
            _write_tsv(stem.with_name(stem.name + "_beh.tsv"), columns[2:], [line[2:] for line in lines])
            sidecar = _sidecar(session, setup, task)
            for suffix in ("events", "beh"):
                files.write_json(stem.with_name(f"{stem.name}_{suffix}.json"), sidecar)
    for path, content in shown.items():
        files.write_bytes(folder / "stimuli" / path, content)


def export_bids(export: "Export", out: Path, /) -> None:
    """Write a BIDS dataset, an :class:`~rapidvision.experiments.exports.exporters.Exporter`."""
    write_bids(export.sessions, export.stimulus_set(), out, name=export.name)


def _pictures(sessions: Sequence[Recorded], stimulus_set: StimulusSet) -> dict[str, bytes]:
    """Return path → content of every picture that was shown, each with the hash that its session was planned with."""
    shown: dict[str, bytes] = {}
    for session in sessions:
        done = {data.trial for _, trials in session.runs() for data in trials}
        for trial in session.plan.trials():
            if trial.trial in done and trial.path not in shown:
                content = files.read_bytes(stimulus_set.folder / trial.path)
                if files.sha256(content) != trial.stimulus_sha256:
                    raise InputError(
                        f"{stimulus_set.folder / trial.path}: not the picture that {session.header.session_id} showed "
                        "(hash differs); name the set that was used with --set"
                    )
                shown[trial.path] = content
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
    _write_tsv(folder / "participants.tsv", columns, people)
    meanings = {
        "code": "Participant code in the laboratory",
        "observer": "human or simulated",
        "observer_kind": "human; pilot: a person in a pilot; simulated",
        "group": "Whose importance maps revealed the pictures",
        "slot": "Number of the plan",
        "session": "finished: every planned trial was completed; unfinished; given up: its slot was given back",
    }
    files.write_json(folder / "participants.json", {key: {"Description": text} for key, text in meanings.items()})


def _event(row: TrialRecord, data: TrialData, path: str, begin: float) -> list[str]:
    return [
        f"{data.onset_s - begin:.6f}",
        f"{data.stimulus_ms / 1000:.6f}",
        "target" if row.target else "distractor",
        path,
        "n/a" if row.response_ms is None else f"{row.response_ms / 1000:.6f}",
        str(row.trial),
        row.phase,
        str(row.block),
        row.image_id or "n/a",
        row.category or "n/a",
        row.level_label,
        row.response or "n/a",
        "n/a" if row.correct is None else str(int(row.correct)),
        row.status,
        str(row.attempt),
        "n/a" if row.timing_ok is None else str(int(row.timing_ok)),
        str(row.late_refreshes),
        row.flags or "n/a",
    ]


def description_of(sessions: Sequence[Recorded]) -> str:
    """Return in a sentence what was asked in a study, by the categories of its sessions' plans."""
    trials = [trial for session in sessions for trial in session.plan.trials()]
    targets, others = (
        ", ".join(sorted({t.category for t in trials if t.target is is_target})) for is_target in (True, False)
    )
    return (
        f"Rapid categorization of partly revealed pictures: targets ({targets}) against others ({others}), in the task "
        f"of Linsley et al. (ICLR 2019). Exported by RapidVision {__version__}."
    )


def _sidecar(session: Recorded, setup: Setup, task: str) -> dict[str, Any]:
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
        "TaskDescription": f"Is there a target in the picture? {plan.protocol.timing.response_limit_ms} ms to answer.",
        "Instructions": plan.texts["welcome"] + "\n\n" + plan.texts["keys"],
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
        **{
            key: {"Description": text} | ({"Units": "s"} if key == "response_time" else {})
            for key, text in _EVENT_COLUMNS.items()
        },
    }


def _write_tsv(path: Path, columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Write a table; BIDS has no quotes, so that line breaks and tabs within a cell become blanks."""
    clean = ["\t".join(" ".join(cell.split()) for cell in line) for line in [columns, *lines]]
    files.write_text(path, "\n".join(clean) + "\n")
