"""A project of the desk: one folder with images, stimuli, task, study and results of one experiment."""

import re
from dataclasses import dataclass
from pathlib import Path

from rapidvision.errors import InputError
from rapidvision.formats.manifest import DESCRIPTION
from rapidvision.study import Study
from rapidvision.system.platforms import name_fault

#: Folder beside the projects in which the desk keeps what it ran.
OWN = ".desk"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")


@dataclass(frozen=True)
class Stage:
    """One step of an experiment: its name, whether it is done, and what is there."""

    name: str
    title: str
    done: bool
    there: str


class Project:
    """The folder of one experiment, as the command line makes it.

    Parameters
    ----------
    desk : Path
        The folder of the desk.
    name : str
        Name of the project's folder.

    Raises
    ------
    InputError
        When the name cannot be the name of a folder on every computer.
    """

    def __init__(self, desk: Path, name: str) -> None:
        if not _NAME.fullmatch(name) or (fault := name_fault(name)):
            why = "" if not _NAME.fullmatch(name) else f" ({fault})"
            raise InputError(
                f'name of the study: got "{name}"{why}; letters of a-z, digits, - and _ are needed, at most 60, the first '
                "a letter or digit"
            )
        self.name, self.folder = name, desk / name

    @property
    def set(self) -> Path:
        """The stimulus set."""
        return self.folder / "set"

    @property
    def uploads(self) -> Path:
        """Files that were dropped on the page."""
        return self.folder / "upload"

    @property
    def recipe(self) -> Path:
        """The guessed recipe of own images."""
        return self.folder / "images" / "recipe.toml"

    @property
    def images(self) -> Path:
        """The table of own images."""
        return self.recipe.with_name("images.csv")

    @property
    def protocol(self) -> Path:
        """The task."""
        return self.folder / "protocol.toml"

    @property
    def study(self) -> Study:
        """The planned study."""
        return Study(self.folder / "study")

    @property
    def report(self) -> Path:
        """The report."""
        return self.folder / "report"

    def has(self, *parts: str) -> bool:
        """Whether a file of the project exists."""
        return self.folder.joinpath(*parts).exists()

    def tables(self) -> list[Path]:
        """Trials tables, those of people first."""
        study = self.study
        found = [study.trials_path, study.simulated_path, study.folder / "models.csv"]
        return [path for path in found if path.is_file()]

    def table(self) -> Path | None:
        """The table that is analysed: of people where there is one, else of simulated participants."""
        return next((path for path in self.tables() if path.name != "models.csv"), None)

    def stages(self) -> list[Stage]:
        """The six steps, in order."""
        n_uploads = sum(path.is_file() for path in self.uploads.rglob("*")) if self.uploads.is_dir() else 0
        built = self.has("set", DESCRIPTION)
        source = "none yet"
        if n_uploads:
            source = f"{n_uploads} uploaded files"
        elif built and not self.recipe.is_file():
            source = "the bundled images"
        tables = self.tables()
        return [
            Stage("images", "Images and maps", self.recipe.is_file() or built, source),
            Stage("stimuli", "Stimuli", built, _there(self.set, "a stimulus set")),
            Stage("task", "Task", self.protocol.is_file(), _there(self.protocol, "protocol.toml")),
            Stage("plan", "Plans", self.has("study", "study.json"), self._planned()),
            Stage("run", "Run", bool(tables), ", ".join(path.name for path in tables) or "none yet"),
            Stage("read", "Read", self.has("report", "report.html"), _there(self.report, "a report")),
        ]

    def _planned(self) -> str:
        if not self.has("study", "study.json"):
            return "none yet"
        description = self.study.description()
        return f"{description.n_slots} slots in each of {', '.join(description.groups)}"


def _there(path: Path, what: str) -> str:
    return what if path.exists() else "none yet"


def projects_in(desk: Path) -> list[Project]:
    """Return the projects of a desk: the folders in it whose names a project may have."""
    return [
        Project(desk, path.name)
        for path in sorted(desk.iterdir(), key=Path.as_posix)
        if path.is_dir() and _is_project(path)
    ]


def _is_project(path: Path) -> bool:
    known = ("upload", "images/recipe.toml", f"set/{DESCRIPTION}", "protocol.toml", "study/study.json", OWN)
    if not _NAME.fullmatch(path.name) or name_fault(path.name):
        return False
    return any((path / name).exists() for name in known)
