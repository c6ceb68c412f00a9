"""What is done already: a journal per shard, so that a build resumes after it was killed at any moment.

::

    SET/.build/recipe.json           what is being built; another recipe is refused
    SET/.build/shard-1-of-2.jsonl    a line per finished image, appended while the build runs
    SET/.build/journal.jsonl         all of them, sorted, once the set is finished
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from rapidvision.errors import InputError
from rapidvision.formats.folder_kind import BUILD
from rapidvision.system import files, json_text

from ..masks.make import algorithms_of
from ..plugins import plugins_of
from ..recipe import StimulusRecipe
from ..storage.forms import Form
from .task import Record

FINISHED = "journal.jsonl"
STATE = "recipe.json"
#: Images that a build left out, with the reasons.
REJECTS = "rejects.csv"


class BuildState(msgspec.Struct, frozen=True, kw_only=True):
    """``recipe.json``: what a folder is being built from; `plugins` are those that took part, name → source hash."""

    form: Form
    recipe: dict[str, object]
    algorithms: dict[str, str]
    plugins: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


def claim(folder: Path, recipe: StimulusRecipe, form: Form) -> None:
    """Mark a folder as the place where a recipe is built, once every check has passed.

    Raises
    ------
    InputError
        As :func:`check` does.
    """
    check(folder, recipe, form)
    files.write_json(folder / BUILD / STATE, _state(recipe, form))


def check(folder: Path, recipe: StimulusRecipe, form: Form) -> None:
    """Refuse a folder in which a recipe cannot be built. A build that finished no image holds no folder.

    Raises
    ------
    InputError
        When it is the place of another recipe, form or version, or holds other files.
    """
    path = folder / BUILD / STATE
    others = {one.name for one in folder.iterdir()} - {BUILD, REJECTS} if folder.is_dir() else set()
    if not path.exists():
        if others or (folder.exists() and not folder.is_dir()):
            raise InputError(f"{folder}: not empty and not a stimulus set under construction; choose another folder")
        return
    if not others and not read(folder):
        return
    try:
        found = json_text.decode(files.read_bytes(path), BuildState, name=str(path))
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: damaged ({error}); choose another folder") from error
    if found.form != form:
        raise InputError(f"{folder}: is being built as {found.form}, not as {form}; choose another folder")
    theirs, ours = msgspec.to_builtins(found), msgspec.json.decode(msgspec.json.encode(_state(recipe, form)))
    if theirs.get("plugins") != ours.get("plugins") and theirs["recipe"] == ours["recipe"]:
        names = sorted(
            name for name, sha256 in theirs.get("plugins", {}).items() if ours.get("plugins", {}).get(name) != sha256
        )
        raise InputError(
            f"{folder}: the source of {', '.join(names)} was changed after the set was begun; choose another folder, or "
            "bring the old source back"
        )
    if theirs != ours:
        keys = dict.fromkeys([*ours["recipe"], *theirs["recipe"]])
        what = [name for name in keys if theirs["recipe"].get(name) != ours["recipe"].get(name)]
        changed = ", ".join(what) if what else "another version of RapidVision"
        raise InputError(f"{folder}: holds a set of another recipe ({changed} differs); choose another folder")


def _state(recipe: StimulusRecipe, form: Form) -> BuildState:
    plugins = {f"{one.kind} {one.name}": one.sha256 for one in plugins_of(recipe)}
    return BuildState(
        form=form,
        recipe=msgspec.to_builtins(recipe),
        algorithms=algorithms_of(recipe),
        plugins=plugins or msgspec.UNSET,
    )


def read(folder: Path) -> dict[str, Record]:
    """Return what was finished, by image; a torn last line of a killed build is passed over."""
    found: dict[str, Record] = {}
    for path in sorted((folder / BUILD).glob("*.jsonl"), key=Path.as_posix):
        for line in files.read_bytes(path).split(b"\n"):
            try:
                record = msgspec.json.decode(line, type=Record)
            except msgspec.DecodeError:
                continue  # torn by a kill, or the empty end; its image is simply made again
            found[record.job.image_id] = record
    return found


class Journal:
    """The journal of one shard, open for appending.

    Parameters
    ----------
    folder : Path
        The set's folder.
    shard : (int, int)
        Number and count, from 1.
    """

    def __init__(self, folder: Path, shard: tuple[int, int]) -> None:
        path = folder / BUILD / f"shard-{shard[0]}-of-{shard[1]}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        torn = path.exists() and not path.read_bytes().endswith(b"\n")
        self._file = path.open("ab")
        if torn:
            self._file.write(b"\n")

    def add(self, records: Iterable[Record]) -> None:
        """Append records; they are handed to the system before this returns."""
        self._file.write(b"".join(msgspec.json.encode(record) + b"\n" for record in records))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def finish(folder: Path, records: list[Record]) -> None:
    """Replace the shards' journals by one, sorted by image, so that equal sets are equal folders."""
    files.write_bytes(folder / BUILD / FINISHED, b"".join(msgspec.json.encode(record) + b"\n" for record in records))
    for path in (folder / BUILD).glob("shard-*.jsonl"):
        path.unlink(missing_ok=True)
