"""Layouts: how a program writes trials, as data. What a layout does not say, no import assumes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    "truth",
    "trial",
    "block",
)
#: Words for "no answer" or "no value" of the programs that are known.
MISSING = ("na", "n/a", "nan", "null", "none", "undefined", "noresp", "no response", "no_response", "no_resp")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How trials are written: which columns there are, and what their values mean.

    Attributes
    ----------
    columns : mapping of str to tuple of str
        Our field (:data:`FIELDS`) → names that its column may have; the first that the file has is taken. A name
        ``COLUMN~PATTERN`` takes the part of the cell that the regular expression's first group matches. ``@file`` is
        the file's name without suffix; ``@sub``, ``@session`` and ``@task`` come from a BIDS name. ``*.keys`` is the
        column of the one component that has answers, and then the other ``*`` columns are that component's.
    vocabulary : bool
        Whether a field without a column of these names is looked for by :mod:`.vocabulary`.
    signature : tuple of tuple of str
        Columns by which the program's tables are recognised: all of one of these sets, without case; a final or
        leading ``*`` stands for any letters.
    trial_rows : tuple of str
        ``COLUMN=VALUE`` or ``COLUMN~PATTERN`` of rows that are trials; each applies where the table has the column and
        a row fits.
    targets, distractors : tuple of str
        Answers (or keys) that mean target, and those that mean distractor. Case and outer blanks do not count unless
        the two sets differ by them alone. ``*`` stands for every answer. A value in neither set is refused.
    missing : tuple of str
        Words that mean "no answer" or "no value", beside an empty cell.
    target_truths, distractor_truths : tuple of str
        Values of the field `target` that say what the image is; true, 1, yes … and false, 0, no … when empty.
    answers : {"auto", "two", "words"}
        ``two``: answers mean target or distractor. ``words``: each answer is an option of its own, and the field `truth`
        names the right one. ``auto``: words where the file has a right answer for each trial and targets are not named.
    options : tuple of str
        Options of the task in ``words``, where some of them are right in no trial.
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
        none, keeps the labels as they are. Empty: what the column's name or the cells say.
    level_scale : {"auto", "linear", "log"}
        Axis of numbers in another unit; ``auto``: log where they are above 0 and their ratios are more even than their
        differences.
    level_words : {"refuse", "keep"}
        What to do with words among levels that are numbers: a spreadsheet may have taken a number for a date.
    level_edges : tuple of float
        Bins of continuous levels: each holds its lower edge, the last one its upper edge too.
    n_level_bins : int
        Bins of about equally many distinct levels; 0 for none.
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
    keep : {"few", "none"}
        Whether other columns with few values become columns of the table.
    name_pattern : str
        What files' names mean, such as ``{participant}_{condition}.csv``; with ``/`` also names of folders.
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
    vocabulary: bool = True
    signature: tuple[tuple[str, ...], ...] = ()
    trial_rows: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    distractors: tuple[str, ...] = ()
    answers: Literal["auto", "two", "words"] = "auto"
    options: tuple[str, ...] = ()
    missing: tuple[str, ...] = MISSING
    target_truths: tuple[str, ...] = ()
    distractor_truths: tuple[str, ...] = ()
    no_answer: Literal["missing", "target", "distractor"] = "missing"
    several: Literal["refuse", "first", "last"] = "refuse"
    untimed: Literal["refuse", "missing", "leave out"] = "refuse"
    time_unit: Literal["auto", "ms", "s", "us"] = "auto"
    level_unit: str = ""
    level_scale: Literal["auto", "linear", "log"] = "auto"
    level_words: Literal["refuse", "keep"] = "refuse"
    level_edges: tuple[float, ...] = ()
    n_level_bins: int = 0
    full: tuple[str, ...] = ("full", "intact")
    max_levels: int = 30
    limit_ms: float | None = None
    anticipation_ms: float | None = None
    practice: tuple[str, ...] = ("practice", "training", "warm-up", "warmup")
    where: tuple[str, ...] = ()
    participant_from_file: bool = False
    observers: ObserverKind = "human"
    people: str = ""
    repeats: Literal["refuse", "first", "keep"] = "refuse"
    keep: Literal["few", "none"] = "few"
    name_pattern: str = ""
    study: str = "imported"
    decimal: Literal["auto", ".", ","] = "auto"
    encoding: str = ""
    delimiter: str = ""
    table: str = ""
    complete: tuple[int, ...] = (3, 4, 5, 7)
