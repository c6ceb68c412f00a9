"""What goes into an archive: the files of a study, of its stimulus set and of its results, without what names a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapidvision.archive.pseudonyms import Pseudonyms
from rapidvision.errors import InputError
from rapidvision.formats import trials_table
from rapidvision.formats.manifest import StimulusSet
from rapidvision.formats.trials_columns import description_path
from rapidvision.integrity import inventory
from rapidvision.study import Study
from rapidvision.system import files
from rapidvision.trials import TrialRecord

#: Forms in which a code of a participant could stand.
_TEXT = {".csv", ".html", ".json", ".jsonl", ".md", ".svg", ".toml", ".tsv", ".txt", ".xml"}
_STUDY = ("study.json", "protocol.toml", "balance.csv", "balance.svg", "balance.txt")
_README = """\
{study_id}: archive of a study

archive.json       the SHA-256 of every file, versions, licences, and what was left out
study/             protocol and plans: which trial every participant was to see
stimulus_set/      {stimuli}
data/              the trials tables, a row per trial; *-columns.json describes their columns
results/           reports and figures that were made from them

`rapidvision study verify ARCHIVE` compares every file with archive.json.
{left_out}
"""


@dataclass(frozen=True)
class Contents:
    """The files of an archive in memory or on disk.

    Attributes
    ----------
    made : dict
        Path inside the archive → bytes.
    copied : dict
        Path inside the archive → file that is copied.
    n_trials, n_participants : dict
        Path of each trials table → its rows, its participants.
    left_out : tuple of str
        What is not in the archive, a sentence each.
    """

    made: dict[str, bytes]
    copied: dict[str, Path]
    n_trials: dict[str, int]
    n_participants: dict[str, int]
    left_out: tuple[str, ...]


def contents_of(
    study: Study, stimulus_set: StimulusSet, tables: Sequence[Path], results: Sequence[Path], *, with_images: bool
) -> Contents:
    """Collect the files of an archive.

    Parameters
    ----------
    study : Study
        The study.
    stimulus_set : StimulusSet
        Its stimulus set.
    tables : sequence of Path
        Trials tables.
    results : sequence of Path
        Folders of reports and figures.
    with_images : bool
        Whether the stimuli are included.

    Returns
    -------
    Contents
        Nothing is written.

    Raises
    ------
    InputError
        When two tables or two folders have one name, a table belongs to another study, or a file of the results
        contains the code of a participant.
    """
    description = study.description()
    made: dict[str, bytes] = {}
    copied = {f"study/{name}": study.folder / name for name in _STUDY if (study.folder / name).is_file()}
    copied |= {
        f"study/plans/{path.name}": path for path in sorted(study.plans_folder.glob("*.json"), key=Path.as_posix)
    }
    copied |= {f"stimulus_set/{path}": stimulus_set.folder / path for path in _set_files(stimulus_set, with_images)}
    _unlike_names(tables, "trials tables")
    _unlike_names(results, "folders of results")
    read = {f"data/{path.name}": trials_table.read_table(path) for path in tables}
    _of_one_study(read, dict(zip(read, tables, strict=True)), description.study_id)
    codes = Pseudonyms((record for records in read.values() for record in records), study_id=description.study_id)
    for (name, records), path in zip(read.items(), tables, strict=True):
        made[name] = trials_table.to_csv(codes.of(records)).encode()
        if description_path(path).is_file():
            copied[f"data/{description_path(path).name}"] = description_path(path)
    for folder in results:
        copied |= {f"results/{folder.name}/{path}": folder / path for path in inventory.paths_of(folder)}
    _without_codes({name: path for name, path in copied.items() if name.startswith("results/")}, codes)
    left_out = tuple(_left_out(study, read, with_images=with_images))
    made["README.txt"] = _README.format(
        study_id=description.study_id,
        stimuli="the stimulus set" if with_images else "the recipe of the stimuli with the hash of every one",
        left_out="\n".join(("", "Not in this archive:", *(f"- {sentence}" for sentence in left_out))),
    ).encode()
    return Contents(
        made=made,
        copied=copied,
        n_trials={name: len(records) for name, records in read.items()},
        n_participants={name: len({one.participant_id for one in records}) for name, records in read.items()},
        left_out=left_out,
    )


def _set_files(stimulus_set: StimulusSet, with_images: bool) -> Iterable[str]:
    for path in inventory.paths_of(stimulus_set.folder):
        if with_images or "/" not in path:
            yield path


def _unlike_names(paths: Sequence[Path], what: str) -> None:
    seen: dict[str, Path] = {}
    for path in paths:
        if path.name in seen:
            raise InputError(f"two {what} are called {path.name}: {seen[path.name]} and {path}; rename one of them")
        seen[path.name] = path


def _of_one_study(read: dict[str, list[TrialRecord]], paths: dict[str, Path], study_id: str) -> None:
    for name, records in read.items():
        others = sorted({record.study_id for record in records} - {study_id})
        if others:
            raise InputError(
                f"{paths[name]}: holds rows of the study {', '.join(others)}, the archive is of {study_id}; archive each "
                "study by itself"
            )


def _without_codes(copied: dict[str, Path], codes: Pseudonyms) -> None:
    found = {}
    for path in copied.values():
        if path.suffix.lower() in _TEXT:
            named = codes.named_in(files.read_bytes(path).decode("utf-8", errors="replace"))
            if named:
                found[path] = named
    if found:
        first, named = next(iter(found.items()))
        raise InputError(
            f"{len(found)} of the results contain codes of participants, {first} first ({', '.join(named[:3])}); archive "
            "without --results, analyse the tables in the archive's folder data, and archive again with those results"
        )


def _left_out(study: Study, read: dict[str, list[TrialRecord]], *, with_images: bool) -> Iterable[str]:
    people = any(record.observer_kind in ("human", "pilot") for records in read.values() for record in records)
    if people:
        yield "the participants' codes: every table has numbered codes instead, and no clock times"
    if not with_images:
        yield "the stimuli: `rapidvision stimuli build` makes them again from the recipe and the source images"
    n_sessions = len(list(study.sessions_folder.glob("*.jsonl")))
    if n_sessions:
        yield f"the journals of {n_sessions} lab sessions and the ledger: they contain codes and clock times"
    if (study.folder / "answers.csv").is_file():
        yield "answers.csv: free answers of participants may name a person; read them before you publish them"
    if (study.folder / "online").is_dir():
        yield "the database of the online study: it contains ids of the recruitment service"
    if not read:
        yield "data: the study has no trials table yet"
