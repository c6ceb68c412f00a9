"""A study as the server holds it: plans, stimuli by hash, settings, words; read once and checked before anybody comes."""

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from rapidvision.errors import CheckFailed, InputError
from rapidvision.plan import Plan, Run
from rapidvision.study import Study
from rapidvision.system import files
from rapidvision.trials import Trial

from ..database.identity import study_identity
from .settings import OnlineSettings, read_refused_ids, read_settings
from .trial_movies import TrialMovie, read_movies

MEDIA_TYPES = {".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


@dataclass(frozen=True)
class StimulusFile:
    """A stimulus on the disk, found by its hash."""

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
    refused_ids : frozenset of str
        Ids that may not take part.
    movies : dict
        SHA-256 of a stimulus → its movie, where movies are shown.
    """

    folder: Path
    name: str
    settings: OnlineSettings
    plans: dict[tuple[str, int], Plan]
    stimuli: dict[str, StimulusFile]
    refused_ids: frozenset[str] = frozenset()
    movies: dict[str, TrialMovie] = field(default_factory=dict)
    _trials: dict[tuple[str, int], dict[int, Trial]] = field(default_factory=dict)
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
    def digest(self) -> str:
        """Hash of task and pictures; a database that began with others is refused, more slots are welcome."""
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

    def fixation_ms(self, trial: Trial) -> float:
        """How long the cross of a trial stands: as planned, or as its movie has it."""
        movie = self.movies.get(trial.stimulus_sha256)
        return movie.fixation_ms if movie else trial.fixation_ms

    def trials(self, group: str, slot: int) -> dict[int, Trial]:
        """Number → trial of a plan."""
        key = (group, slot)
        if key not in self._trials:
            self._trials[key] = {trial.trial: trial for trial in self.plans[key].trials()}
        return self._trials[key]


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
        When the folder holds no study, slots are missing, or a file has no known picture format.
    CheckFailed
        When a stimulus file is missing or differs; names the first ten.
    """
    folder = Path(folder)
    study = Study(folder.parent if folder.is_file() else folder)
    protocol = study.protocol()
    found = study.stimulus_set(stimulus_set)
    plans = {(plan.group, plan.slot): plan for plan in study.plans()}
    groups, slots = {g for g, _ in plans}, {s for _, s in plans}
    missing = [(g, s) for g in sorted(groups) for s in range(max(slots) + 1) if (g, s) not in plans]
    if missing:
        raise InputError(f"{study.plans_folder}: no plan for group {missing[0][0]}, slot {missing[0][1]}; plan again")
    for plan in plans.values():
        if plan.stimulus_set_digest != found.digest or plan.protocol.digest != protocol.digest:
            raise InputError(f"{study.plans_folder}: group {plan.group}, slot {plan.slot} is another study's plan")
    settings = read_settings(study)
    stimuli = _stimuli(plans, found.folder, verify=verify)
    movies: dict[str, TrialMovie] = {}
    if settings.movies:
        ids = {row.sha256: row.stimulus_id for row in found.stimuli}
        movies = read_movies(study.folder / settings.movies, plans.values(), ids, verify=verify)
    return ServedStudy(study.folder, protocol.name, settings, plans, stimuli, read_refused_ids(study, settings), movies)


def _stimuli(plans: dict[tuple[str, int], Plan], folder: Path, *, verify: bool) -> dict[str, StimulusFile]:
    wanted = {trial.stimulus_sha256: trial.path for plan in plans.values() for trial in plan.trials()}
    wrong, found = [], {}
    for sha256, name in wanted.items():
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


def for_browser(plan: Plan, served: ServedStudy) -> dict[str, Any]:
    """Return a plan as the browser gets it: what it must do, and nothing about pictures, levels or maps.

    Parameters
    ----------
    plan : Plan
        The participant's plan.
    served : ServedStudy
        Knows the files.

    Returns
    -------
    dict
        With ``steps`` in order; a trial names its picture, and the file to fetch, by hash only.
    """
    timing = plan.protocol.timing
    steps = []
    for step in plan.steps:
        if isinstance(step, Run):
            trial = step.trial
            movie = served.movies.get(trial.stimulus_sha256)
            file = movie.sha256 if movie else trial.stimulus_sha256
            steps.append(
                {
                    "step": "run",
                    "trial": trial.trial,
                    "block": trial.block,
                    "phase": trial.phase,
                    "target": trial.target,
                    "stimulus": trial.stimulus_sha256,
                    "file": file,
                    "suffix": served.media[file].path.suffix.lower(),
                    "fixation_ms": served.fixation_ms(trial),
                    "movie": {"hz": movie.hz, "fixation_frames": movie.fixation_frames} if movie else None,
                }
            )
        else:
            steps.append(msgspec.to_builtins(step))
    return {
        "digest": plan.digest,
        "keys": plan.protocol.keys,
        "key_target": plan.key_target,
        "key_distractor": plan.key_distractor,
        "language": plan.protocol.language,
        "texts": plan.texts,
        "timing": {**msgspec.to_builtins(timing), "response_limit_ms": timing.response_limit_ms},
        "practice_feedback_ms": plan.protocol.practice.feedback_ms,
        "anticipation_ms": plan.protocol.anticipation_ms,
        "image_px": plan.protocol.image_px,
        "background": plan.protocol.background,
        "key_reminder": plan.protocol.key_reminder,
        "n_blocks": plan.protocol.n_blocks,
        "steps": steps,
    }
