"""Layouts: how a program writes trials, as data. What a layout does not say, no import assumes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from rapidvision.trials import ObserverKind

#: Our fields that a column can fill.
FIELDS = (
    "participant",
    "group",
    "level",
    "image",
    "category",
    "target",
    "response",
    "target_key",
    "correct",
    "response_ms",
    "phase",
    "session",
    "slot",
)
#: model-vs-human's sixteen categories, and those of them that are animals.
SIXTEEN = (
    "airplane",
    "bear",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "car",
    "cat",
    "chair",
    "clock",
    "dog",
    "elephant",
    "keyboard",
    "knife",
    "oven",
    "truck",
)
ANIMALS = ("bear", "bird", "cat", "dog", "elephant")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How trials are written: which columns there are, and what their values mean.

    Attributes
    ----------
    columns : mapping of str to tuple of str
        Our field (:data:`FIELDS`) → names that its column may have; the first that the file has is taken. A name
        ``COLUMN~PATTERN`` takes the part of the cell that the regular expression's first group matches. ``@file`` is
        the file's name without suffix; ``@sub``, ``@session`` and ``@task`` come from a BIDS name.
    targets, distractors : tuple of str
        Answers (or keys) that mean target, and those that mean distractor. Case and outer blanks do not count unless
        the two sets differ by them alone. ``*`` stands for every answer. A value in neither set is refused.
    missing : tuple of str
        Words that mean "no answer" or "no value", beside an empty cell.
    target_truths, distractor_truths : tuple of str
        Values of the field `target` that say what the image is; true, 1, yes … and false, 0, no … when empty.
    no_answer : {"missing", "target", "distractor"}
        What a trial without a press means: nothing, or in go / no-go tasks the answer that is not pressed.
    several : {"refuse", "first", "last"}
        Which answer counts where a cell lists several.
    untimed : {"refuse", "missing", "leave out"}
        What to do with an answer that has no time above 0 in a file with times.
    time_unit : {"auto", "ms", "s", "us"}
        Of response times; ``auto`` recognises milliseconds and seconds, and refuses what can be neither.
    level_unit : str
        ``percent`` (of the features, 0 to 100) or ``share`` (0 to 1) put levels on the reveal axis; any other unit, or
        none, keeps the labels as they are.
    full : tuple of str
        Labels of the intact image.
    max_levels : int
        More distinct levels than these are refused: a continuous level is no condition.
    limit_ms, anticipation_ms : float, optional
        Answers above the one are late, below the other early; without them every answer is in time.
    practice : tuple of str
        Values of the field `phase` that mean practice.
    where : tuple of str
        ``COLUMN=VALUE`` or ``COLUMN~PATTERN``: only rows that fit; several for one column are alternatives.
    participant_from_file : bool
        Each file is one participant, named after the file.
    observers : {"human", "pilot", "simulated", "model"}
        What kind of observer answered.
    people : str
        Regular expression of participants who are people; all others are networks. Empty: everybody is of the kind
        `observers`.
    repeats : {"refuse", "first", "keep"}
        When a participant met an image twice.
    study : str
        Name of the study, and of the group where no column names one.
    decimal : {"auto", ".", ","}
        Decimal sign.
    encoding, delimiter : str
        Of text files; empty: found by the rules of :mod:`rapidvision.text.text_tables`.
    table : str
        psiTurk: the table of participants; empty: found by its columns.
    complete : tuple of int
        psiTurk: statuses of participants that are kept.
    """

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    distractors: tuple[str, ...] = ()
    missing: tuple[str, ...] = ("na", "n/a", "nan", "null")
    target_truths: tuple[str, ...] = ()
    distractor_truths: tuple[str, ...] = ()
    no_answer: Literal["missing", "target", "distractor"] = "missing"
    several: Literal["refuse", "first", "last"] = "refuse"
    untimed: Literal["refuse", "missing", "leave out"] = "refuse"
    time_unit: Literal["auto", "ms", "s", "us"] = "auto"
    level_unit: str = ""
    full: tuple[str, ...] = ("full", "intact")
    max_levels: int = 30
    limit_ms: float | None = None
    anticipation_ms: float | None = None
    practice: tuple[str, ...] = ("practice", "training")
    where: tuple[str, ...] = ()
    participant_from_file: bool = False
    observers: ObserverKind = "human"
    people: str = ""
    repeats: Literal["refuse", "first", "keep"] = "refuse"
    study: str = "imported"
    decimal: Literal["auto", ".", ","] = "auto"
    encoding: str = ""
    delimiter: str = ""
    table: str = ""
    complete: tuple[int, ...] = (3, 4, 5, 7)


_ANY: dict[str, tuple[str, ...]] = {
    "participant": ("participant", "participant_id", "subject", "subject_id", "subj", "subject_nr"),
    "group": ("group", "condition", "cond"),
    "level": ("level",),
    "image": ("image_id", "image", "stimulus", "picture"),
    "category": ("category",),
    "target": ("target",),
    "response": ("response",),
    "correct": ("correct", "acc", "accuracy"),
    "response_ms": ("rt", "rt_ms", "response_time"),
}
_PLAIN = Layout(
    columns=_ANY, targets=("target", "animal"), distractors=("distractor", "non-animal", "nonanimal"), study="csv"
)

#: Program → layout.
LAYOUTS: dict[str, Layout] = {
    "csv": _PLAIN,
    "jspsych": replace(_PLAIN, study="jsPsych"),
    "psiturk": replace(_PLAIN, columns=_ANY | {"participant": ("@who",)}, study="psiTurk"),
    "psychopy": Layout(
        columns=_ANY | {"response": ("key_resp.keys",), "correct": ("key_resp.corr",), "response_ms": ("key_resp.rt",)},
        targets=("s",),
        distractors=("l",),
        missing=("none", "na", "n/a", "nan", "null"),
        time_unit="s",
        study="PsychoPy",
    ),
    "mvh": Layout(
        columns={
            "participant": ("subj",),
            "session": ("session", "Session"),
            "group": ("@file~([^_]*)_.*",),
            "level": ("condition~c?(.*)",),
            "image": ("imagename~(?:[^_]*_){5}(.*)",),
            "category": ("category",),
            "target": ("category",),
            "response": ("object_response",),
            "response_ms": ("rt",),
        },
        targets=ANIMALS,
        distractors=tuple(sorted(set(SIXTEEN) - set(ANIMALS))),
        target_truths=ANIMALS,
        distractor_truths=tuple(sorted(set(SIXTEEN) - set(ANIMALS))),
        missing=("na", "nan"),
        time_unit="s",
        people=r"subject-\d+",
        study="model-vs-human",
    ),
    "bids": replace(
        _PLAIN,
        columns={
            "participant": ("@sub",),
            "session": ("@session",),
            "group": ("@task",),
            "image": ("stim_file",),
            "category": ("trial_type",),
            "response": ("response",),
            "correct": ("accuracy", "correct"),
            "response_ms": ("response_time",),
        },
        missing=("n/a",),
        time_unit="s",
        study="BIDS",
    ),
    "go-no-go": Layout(
        columns={
            "participant": ("subject",),
            "session": ("session",),
            "image": ("stim_file",),
            "category": ("condition~(.*)_[^_]*",),
            "level": ("condition~(.*)_[^_]*",),
            "target": ("condition~.*_([^_]*)",),
            "response": ("response_event",),
            "response_ms": ("response_time_ms",),
        },
        targets=("*",),
        missing=("n/a",),
        no_answer="distractor",
        untimed="leave out",
        time_unit="ms",
        study="bids",
    ),
}
