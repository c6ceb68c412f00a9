"""Psych-DS: one CSV per session under ``data/``, and a description of every variable."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rapidvision.errors import InputError
from rapidvision.formats.trials_table import write_table
from rapidvision.system import files
from rapidvision.trials import COLUMNS, columns_of

from ..recording.answers import MEANINGS, TABLE
from .bids import labels_of
from .describe import description_of
from .sessions import Recorded

if TYPE_CHECKING:
    from .exporters import Export


def write_psychds(sessions: Sequence[Recorded], folder: Path, *, name: str) -> None:
    """Write recorded sessions as a Psych-DS dataset.

    Parameters
    ----------
    sessions : sequence of Recorded
        Of one study.
    folder : path
        New, or empty.
    name : str
        Name of the dataset.

    Raises
    ------
    InputError
        When the folder is not empty, or two participants have one name.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder}: not empty; a Psych-DS dataset is written into a folder of its own")
    labels = labels_of([session.header.participant_id for session in sessions])
    study = re.sub(r"[^A-Za-z0-9]", "", name) or "study"
    for session in sessions:
        label = labels[session.header.participant_id]
        write_table(folder / "data" / f"study-{study}_subject-{label}_data.csv", session.rows())
        if answers := session.answers():
            TABLE.write(folder / "data" / f"study-{study}_subject-{label}_desc-answers_data.csv", answers)
    added = {column.name: column for session in sessions for column in columns_of(session.plan.protocol)}
    variables = [
        {"@type": "PropertyValue", "name": c.name, "description": c.meaning}
        | ({"unitText": c.unit} if c.unit else {})
        | ({"valueReference": list(c.allowed)} if c.allowed else {})
        for c in (*COLUMNS, *added.values())
    ]
    if any(session.answers() for session in sessions):
        known = {variable["name"] for variable in variables}
        variables += [
            {"@type": "PropertyValue", "name": name, "description": meaning}
            for name, meaning in MEANINGS.items()
            if name not in known
        ]
    description = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": name,
        "description": description_of(sessions),
        "schemaVersion": "Psych-DS 0.4.0",
        "variableMeasured": variables,
    }
    files.write_json(folder / "dataset_description.json", description)
    files.write_text(
        folder / "README.md",
        f"# {name}\n\nOne row per trial; `dataset_description.json` says what each column means.\n",
    )


def export_psychds(export: "Export", out: Path, /) -> None:
    """Write a Psych-DS dataset, an :class:`~rapidvision.experiments.exports.exporters.Exporter`."""
    write_psychds(export.sessions, out, name=export.name)
