"""Trials of the model-vs-human benchmark: sixteen-way answers, collapsed to animal or not."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from rapidvision.errors import InputError
from rapidvision.formats import csv_text

from ..table.trials import Trials
from .common import finished, level_indices, make_row

ANIMALS = ("bear", "bird", "cat", "dog", "elephant")
_COLUMNS = ("subj", "trial", "rt", "object_response", "category", "condition", "imagename")


def read_model_vs_human(paths: Iterable[Path | str], *, animals: tuple[str, ...] = ANIMALS) -> Trials:
    """Read one experiment's CSV files.

    Parameters
    ----------
    paths : iterable of path-like
        One file per observer and session; all of one experiment, whose name becomes the group.
    animals : tuple of str
        Categories that count as targets.

    Returns
    -------
    Trials
        Conditions become levels; they are no per cent of features, so `reveal_fraction` is empty. There was no
        response limit. "na" answers are trials without an answer.

    Raises
    ------
    InputError
        When there is no file, or a column is missing.
    """
    table: list[tuple[str, dict[str, str]]] = []
    for path in sorted(map(Path, paths)):
        reader = csv.DictReader(io.StringIO(csv_text.read_text(path), newline=""))
        missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise InputError(f"{path}: not a model-vs-human file; it lacks {', '.join(missing)}")
        table += [(path.name.split("_")[0], row) for row in reader]
    if not table:
        raise InputError("model-vs-human: no trials; name the experiment's CSV files")
    labels = {row["condition"]: row["condition"].lstrip("c") for _, row in table}
    index = level_indices(labels.values())
    rows = []
    for name, row in table:
        answer, label = row["object_response"], labels[row["condition"]]
        time = row["rt"]
        said = None if answer == "na" else answer in animals
        observer = "human" if row["subj"].startswith("subject") else row["subj"]
        rows.append(
            make_row(
                study=name,
                participant=row["subj"],
                session=f"{row['subj']}-{row.get('Session') or row.get('session') or 1}",
                trial=int(row["trial"]),
                image_id=row["imagename"].split("_", 5)[-1],
                category=row["category"],
                target=row["category"] in animals,
                said_target=said,
                response_ms=None if said is None or time in ("NaN", "nan", "") else 1000 * float(time),
                group=name,
                level=label,
                level_index=index[label],
                limit_ms=float("inf"),
                observer=observer,
            )
        )
    missed = sum(row.response == "none" for row in rows)
    return finished(
        rows, name=f"model-vs-human {table[0][0]}", notes=[f"{missed} of {len(rows)} trials without an answer"]
    )
