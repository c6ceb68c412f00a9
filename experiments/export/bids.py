"""BIDS: ``sub-*/beh`` with a table and events per run, sidecars, participants, and the stimuli that were shown.

Times are in seconds, as BIDS asks. A session that was resumed has one run for each time it was opened.
"""

import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rapidvision import __version__, files
from rapidvision.errors import InputError
from rapidvision.manifest import StimulusSet
from rapidvision.screen import Screen
from rapidvision.trials import TrialRecord

from ..journal import Setup
from ..ports import TrialData
from .sessions import Recorded

BIDS_VERSION = "1.10.0"
TASK = "animal"

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
    "late_refreshes": "Refreshes that came late during the trial",
    "flags": "What was unusual, separated by |",
}


def write_bids(
    sessions: Sequence[Recorded], stimulus_set: StimulusSet, folder: Path, *, name: str, screen: Screen | None
) -> None:
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
        Name of the dataset.
    screen : Screen or None
        The monitor; its size and distance go into the sidecars.

    Raises
    ------
    InputError
        When the folder is not empty, or two participants have one name in BIDS.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder}: not empty; a BIDS dataset is written into a folder of its own")
    labels = labels_of([session.header.participant_id for session in sessions])
    _write_top(sessions, labels, folder, name=name)
    shown: set[str] = set()
    for session in sessions:
        label = labels[session.header.participant_id]
        rows = {row.trial: row for row in session.rows()}
        paths = {trial.trial: trial.path for trial in session.plan.trials()}
        for number, (setup, trials) in enumerate(session.runs(), 1):
            stem = folder / f"sub-{label}" / "beh" / f"sub-{label}_task-{TASK}_run-{number}"
            begin = trials[0].flips_s[0]
            lines = [_event(rows[data.trial], data, paths[data.trial], begin) for data in trials]
            columns = ("onset", "duration", *_EVENT_COLUMNS)
            _write_tsv(stem.with_name(stem.name + "_events.tsv"), columns, lines)
            _write_tsv(stem.with_name(stem.name + "_beh.tsv"), columns[2:], [line[2:] for line in lines])
            sidecar = _sidecar(session, setup, screen)
            for suffix in ("events", "beh"):
                files.write_json(stem.with_name(f"{stem.name}_{suffix}.json"), sidecar)
            shown |= {paths[data.trial] for data in trials}
    for path in sorted(shown):
        files.write_bytes(folder / "stimuli" / path, files.read_bytes(stimulus_set.folder / path))


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
        f"{name}\n\nRapid animal categorization with partly revealed pictures (Linsley et al., ICLR 2019), exported by "
        f"RapidVision {__version__}.\nPractice trials are included and marked in the column phase. Times are in seconds.\n",
    )
    people = []
    for session in sessions:
        h = session.header
        state = "finished" if len(session.rows()) == len(session.plan.trials()) else "unfinished"
        people.append([f"sub-{labels[h.participant_id]}", h.participant_id, h.observer, h.group, str(h.slot), state])
    _write_tsv(folder / "participants.tsv", ("participant_id", "code", "observer", "group", "slot", "session"), people)
    meanings = {
        "code": "Participant code in the laboratory",
        "observer": "human or simulated",
        "group": "Whose importance maps revealed the pictures",
        "slot": "Number of the plan",
        "session": "Whether every planned trial was completed",
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
        str(row.late_refreshes),
        "|".join(data.flags) or "n/a",
    ]


def _sidecar(session: Recorded, setup: Setup, screen: Screen | None) -> dict[str, Any]:
    plan = session.plan
    presentation: dict[str, Any] = {
        "OperatingSystem": platform.system(),
        "SoftwareName": "PsychoPy",
        "SoftwareRRID": "RRID:SCR_006571",
        "SoftwareVersion": setup.software.get("psychopy", "n/a"),
        "ScreenRefreshRate": round(setup.refresh_hz, 4),
    }
    if screen is not None:
        height_cm = screen.width_cm * screen.height_px / screen.width_px
        presentation |= {
            "ScreenDistance": screen.distance_cm / 100,
            "ScreenResolution": [screen.width_px, screen.height_px],
            "ScreenSize": [round(screen.width_cm / 100, 4), round(height_cm / 100, 4)],
        }
    return {
        "TaskName": TASK,
        "TaskDescription": f"Is there a target in the picture? {plan.protocol.timing.response_limit_ms} ms to answer.",
        "Instructions": plan.texts["welcome"] + "\n\n" + plan.texts["keys"],
        "StimulusPresentation": presentation,
        "RapidVision": {
            "PlanDigest": session.header.plan_digest,
            "ProtocolDigest": session.header.protocol_digest,
            "Display": setup.display,
            "AcceptedChecks": setup.accepted,
        },
        **{
            key: {"Description": text} | ({"Units": "s"} if key == "response_time" else {})
            for key, text in _EVENT_COLUMNS.items()
        },
    }


def _write_tsv(path: Path, columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    files.write_text(path, "\n".join("\t".join(line) for line in [columns, *lines]) + "\n")
