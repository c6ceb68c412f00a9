"""A study as the server holds it: plans, files by hash, settings, words; read once and checked before anybody comes."""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rapidvision.errors import CheckFailed, InputError
from rapidvision.formats.movies import movie_id
from rapidvision.grammar.runners import refuse
from rapidvision.plan import Plan
from rapidvision.protocol import Protocol
from rapidvision.study import Study
from rapidvision.system import files
from rapidvision.task.trial import Trial

from ..database.identity import study_identity
from .question_places import Place, places_of
from .settings import OnlineSettings, read_refused_ids, read_settings
from .trial_movies import TrialMovie, read_movies

MEDIA_TYPES = {".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
_ICON_TYPES = {**MEDIA_TYPES, ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class StimulusFile:
    """An image, a mask or an icon on the disk, found by its hash."""

    path: Path
    media_type: str


@dataclass(frozen=True)
class ServedStudy:
    """What a server needs to know about a study.

    Attributes
    ----------
    folder : Path
        The study folder.
    name : str
        The study's name, from the protocol; other studies may have it too.
    settings : OnlineSettings
        From ``online.toml``.
    plans : dict
        ``(group, slot)`` → plan.
    stimuli : dict
        SHA-256 → file; addresses say nothing about category or level.
    icons : dict
        Option → SHA-256 of its icon.
    refused_ids : frozenset of str
        Ids that may not take part.
    movies : dict
        What a trial shows → its movie, where movies are shown.
    """

    folder: Path
    name: str
    settings: OnlineSettings
    plans: dict[tuple[str, int], Plan]
    stimuli: dict[str, StimulusFile]
    icons: dict[str, str] = field(default_factory=dict)
    refused_ids: frozenset[str] = frozenset()
    movies: dict[str, TrialMovie] = field(default_factory=dict)
    _trials: dict[tuple[str, int], dict[int, Trial]] = field(default_factory=dict)
    _places: dict[tuple[str, int], dict[int, Place]] = field(default_factory=dict)
    _digests: dict[tuple[str, int], str] = field(default_factory=dict)

    @functools.cached_property
    def study_id(self) -> str:
        """What tells this study from every other one in a database; see :func:`.identity.study_identity`."""
        return study_identity(self.folder)

    @functools.cached_property
    def media(self) -> dict[str, StimulusFile]:
        """SHA-256 → every file that browsers may ask for: the movies where movies are shown, else the stimuli."""
        films = {movie.sha256: StimulusFile(movie.path, movie.media_type) for movie in self.movies.values()}
        return films or self.stimuli

    @functools.cached_property
    def groups(self) -> tuple[str, ...]:
        """The groups, in the plans' order."""
        return tuple(dict.fromkeys(group for group, _ in self.plans))

    @functools.cached_property
    def n_slots(self) -> int:
        """Slots per group."""
        return 1 + max(slot for _, slot in self.plans)

    @property
    def protocol(self) -> Protocol:
        """The protocol that all plans share."""
        return next(iter(self.plans.values())).protocol

    @property
    def digest(self) -> str:
        """Hash of task and images; a database that began with others is refused, more slots are welcome."""
        plan = next(iter(self.plans.values()))
        return files.canonical_digest([plan.protocol.digest, plan.stimulus_set_digest])

    def trial(self, group: str, slot: int, number: int) -> Trial | None:
        """One planned trial, or None."""
        return self.trials(group, slot).get(number)

    def plan_digest(self, group: str, slot: int) -> str:
        """The digest of one plan, computed once."""
        key = (group, slot)
        if key not in self._digests:
            self._digests[key] = self.plans[key].digest
        return self._digests[key]

    def movie(self, trial: Trial) -> TrialMovie | None:
        """The movie of a trial, where movies are shown."""
        return self.movies[movie_id(trial, self.protocol)] if self.movies else None

    def trials(self, group: str, slot: int) -> dict[int, Trial]:
        """Number → trial of a plan."""
        key = (group, slot)
        if key not in self._trials:
            self._trials[key] = {trial.trial: trial for trial in self.plans[key].trials()}
        return self._trials[key]

    def places(self, group: str, slot: int) -> dict[int, Place]:
        """Number → where a question of a plan is asked."""
        key = (group, slot)
        if key not in self._places:
            self._places[key] = places_of(self.plans[key])
        return self._places[key]


def open_study(folder: Path | str, *, stimulus_set: Path | str | None = None, verify: bool = True) -> ServedStudy:
    """Read a study folder and check all that a participant would stumble over.

    Parameters
    ----------
    folder : path-like
        The study folder, or a file in it.
    stimulus_set : path-like, optional
        Where the set is, when it is not where the study says.
    verify : bool, default True
        Hash every planned stimulus file.

    Raises
    ------
    InputError
        When the folder holds no study, slots are missing, the task cannot be done in a browser, or a file has no known
        image format.
    CheckFailed
        When a stimulus file is missing or differs; names the first ten.
    """
    folder = Path(folder)
    study = Study(folder.parent if folder.is_file() else folder)
    protocol = study.protocol()
    settings = read_settings(study)
    refuse(protocol, "movie" if settings.movies else "browser", name=str(study.folder))
    found = study.stimulus_set(stimulus_set)
    plans = {(plan.group, plan.slot): plan for plan in study.plans()}
    groups, slots = {g for g, _ in plans}, {s for _, s in plans}
    missing = [(g, s) for g in sorted(groups) for s in range(max(slots) + 1) if (g, s) not in plans]
    if missing:
        raise InputError(f"{study.plans_folder}: no plan for group {missing[0][0]}, slot {missing[0][1]}; plan again")
    for plan in plans.values():
        if plan.stimulus_set_digest != found.digest or plan.protocol.digest != protocol.digest:
            raise InputError(f"{study.plans_folder}: group {plan.group}, slot {plan.slot} is another study's plan")
    stimuli = _stimuli(_planned(plans.values()), found.folder, verify=verify)
    icons = {}
    for option, path in _icons(protocol, found.folder):
        icons[option] = sha256 = files.sha256_file(path)
        stimuli[sha256] = StimulusFile(path, _ICON_TYPES[path.suffix.lower()])
    movies: dict[str, TrialMovie] = {}
    if settings.movies:
        movies = read_movies(study.folder / settings.movies, plans.values(), verify=verify)
    refused = read_refused_ids(study, settings)
    return ServedStudy(study.folder, protocol.name, settings, plans, stimuli, icons, refused, movies)


def _planned(plans: Iterable[Plan]) -> dict[str, str]:
    """Path → SHA-256 of every file that a trial may show."""
    return {path: sha256 for plan in plans for trial in plan.trials() for path, sha256 in trial.files().items()}


def _icons(protocol: Protocol, folder: Path) -> Iterator[tuple[str, Path]]:
    for option in protocol.response.options if protocol.response else ():
        if option.icon:
            path = folder / option.icon
            if path.suffix.lower() not in _ICON_TYPES or not path.is_file():
                raise InputError(f"{path}: icon of the option {option.name}: no file of {', '.join(_ICON_TYPES)}")
            yield option.name, path


def _stimuli(wanted: dict[str, str], folder: Path, *, verify: bool) -> dict[str, StimulusFile]:
    wrong, found = [], {}
    for name, sha256 in wanted.items():
        path = folder / name
        if path.suffix.lower() not in MEDIA_TYPES:
            raise InputError(f"{path}: browsers show {', '.join(MEDIA_TYPES)}; expand the set to PNG first")
        if not path.is_file():
            wrong.append(f"{name} (missing)")
        elif verify and files.sha256_file(path) != sha256:
            wrong.append(f"{name} (changed)")
        found[sha256] = StimulusFile(path, MEDIA_TYPES[path.suffix.lower()])
    if wrong:
        more = f" and {len(wrong) - 10} more" if len(wrong) > 10 else ""
        raise CheckFailed(f"{folder}: {', '.join(wrong[:10])}{more}; build the set again to repair it")
    return found
