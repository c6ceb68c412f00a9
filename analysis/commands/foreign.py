"""Options of tables of other programs, and the question whether such a table was read rightly."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rapidvision.errors import InputError

if TYPE_CHECKING:  # pandas stays out of the help
    from ..table.trials import Trials

#: Programs whose tables have a preset.
PROGRAMS = (
    "auto", "csv", "jspsych", "psiturk", "psychopy", "opensesame", "gorilla", "labjs", "labvanced", "qualtrics", "eprime",
    "mvh", "mvh-16", "bids",
)  # fmt: skip
#: Option → what it says; each is a field of :class:`~rapidvision.analysis.importers.source.layouts.Layout`.
WORDS = {
    "targets": "answers (or keys) that mean target",
    "distractors": "answers (or keys) that mean distractor",
    "missing": "words that mean no answer, beside an empty cell",
    "target-truths": "values of the field target (or --field target=COLUMN) that mean a target image",
    "distractor-truths": "values of that field that mean a distractor image",
    "options": "options of the task, where some are right in no trial",
    "full": "labels of the intact image",
    "practice": "values of the field phase that mean practice",
}
CHOICES = {
    "no-answer": (("missing", "target", "distractor"), "what a trial without a press means (go / no-go: distractor)"),
    "several": (("refuse", "first", "last"), "which answer counts where a cell lists several"),
    "untimed": (("refuse", "missing", "leave out"), "an answer without a time above 0"),
    "time-unit": (("auto", "ms", "s", "us"), "unit of response times (auto: recognised, or refused)"),
    "observers": (("human", "pilot", "simulated", "model"), "what kind of observer answered"),
    "repeats": (("refuse", "first", "keep"), "when a participant met an image twice"),
    "decimal": (("auto", ".", ","), "decimal sign"),
    "answers": (("auto", "two", "words"), "two: target or distractor; words: each answer is an option of its own"),
    "level-scale": (("auto", "linear", "log"), "axis of levels that are numbers"),
    "level-words": (("refuse", "keep"), "words among levels that are numbers"),
    "keep": (("few", "none"), "whether other columns of few values become columns of the table"),
}
TEXTS = {
    "level-unit": "percent (of the features) or share put levels on the reveal axis; any other unit keeps the labels",
    "study": "name of the study, and of the group where no column names one",
    "encoding": "of text files (found: UTF-8, UTF-16, else Windows-1252)",
    "delimiter": "of text files (found: comma, semicolon, tab, bar)",
    "table": "psiTurk: the table of participants (found by its columns)",
    "name-pattern": "what files' names mean: {participant}_{condition}.csv",
}
NUMBERS = {
    "limit-ms": "answers after it are late (without it none is)",
    "anticipation-ms": "answers before it are early (without it none is)",
    "max-levels": "more distinct levels are refused (30)",
    "n-level-bins": "put continuous levels into so many bins of equally many levels",
}
#: What every verb that takes TRIALS has; the verb ``import`` has all.
_MANY = ("targets", "distractors", "missing", "time-unit", "level-unit", "name-pattern", "limit-ms", "n-level-bins")


def add_layout_options(parser: "argparse.ArgumentParser | argparse._ArgumentGroup", names: Iterable[str]) -> None:
    """Add options that say what the columns and values of another program's table mean."""
    names = set(names)
    parser.add_argument(
        "--field",
        action="append",
        default=[],
        metavar="OURS=THEIRS",
        help="what a column is called: participant, group, level, image, category, target, truth, response, target_key, "
        "correct, response_ms, phase, session, slot, trial, block; COLUMN~PATTERN takes part of its cells, OURS= means "
        "there is none",
    )
    for name, text in WORDS.items():
        if name in names:
            parser.add_argument(f"--{name}", nargs="+", metavar="WORD", help=text)
    for name, (choices, text) in CHOICES.items():
        if name in names:
            parser.add_argument(f"--{name}", choices=choices, help=text)
    for name, text in TEXTS.items():
        if name in names:
            parser.add_argument(f"--{name}", metavar="TEXT", help=text)
    for name, text in NUMBERS.items():
        if name in names:
            whole = not name.endswith("-ms")
            kind = int if whole else float
            parser.add_argument(f"--{name}", type=kind, metavar="N" if whole else "MS", help=text)
    if "level-edges" in names:
        help_text = "edges of bins of continuous levels"
        parser.add_argument("--level-edges", type=float, nargs="+", metavar="NUMBER", help=help_text)


def add_foreign_options(parser: argparse.ArgumentParser) -> None:
    """Add how a table of another program is read, and that its reading is confirmed."""
    group = parser.add_argument_group("tables of other programs (found, where nothing is said)")
    group.add_argument(
        "--yes", action="store_true", help="the reading is right: continue, and write mapping.toml beside the data"
    )
    group.add_argument("--program", default="auto", choices=PROGRAMS, help="who wrote the table (auto: recognised)")
    add_layout_options(group, (*_MANY, "level-edges"))


def fields_of(arguments: argparse.Namespace) -> dict[str, str]:
    """Our field → column, as the user says."""
    columns = {}
    for pair in arguments.field:
        ours, equal, theirs = pair.partition("=")
        if not equal or not ours:
            raise InputError(f'--field: got "{pair}"; OURS=THEIRS is needed, as in image=stimulus')
        columns[ours] = theirs
    return columns


def options_of(arguments: argparse.Namespace, names: Iterable[str]) -> dict[str, Any]:
    """Options of the layout that the user says."""
    values = {name.replace("-", "_"): getattr(arguments, name.replace("-", "_"), None) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def read_confirmed(arguments: argparse.Namespace) -> "Trials":
    """Read a verb's TRIALS; a table of another program is shown as it was read, and must be confirmed.

    Raises
    ------
    InputError
        When the table cannot be read, or the user does not confirm the reading.
    """
    from ..foreign.mapping_file import mapping_path, write_mapping
    from ..foreign.reading import read_foreign
    from ..table.imports import own_files, trials_of
    from ..table.trials import read_trials
    from .options import tell

    path: Path = arguments.trials
    own = own_files(path)
    if own is not None:
        return read_trials(own, dedupe=arguments.dedupe, repeats=arguments.repeats)
    options = options_of(arguments, (*_MANY, "level-edges", "repeats"))
    table = read_foreign(path, program=arguments.program, columns=fields_of(arguments), options=options)
    trials = trials_of(table)
    if not table.confirmed:
        where = mapping_path(path)
        if arguments.yes:
            tell(f"{path}: read as\n{table.text()}")
        elif sys.stdin.isatty() and sys.stdout.isatty():
            tell(f"{path}: a table of another program, read as\n{table.text()}")
            if input("Is that right? [y/n] ").strip().casefold() not in ("y", "yes"):
                raise InputError(f"{path}: not confirmed; say what differs with --field, --targets, --level-unit …")
        else:
            notes = "".join(f"\n  {note}" for note in table.found.notes if note.startswith("WARNING"))
            raise InputError(
                f"{path}: a table of another program, read as\n{table.text()}{notes}\nIf that is right, add --yes, which also writes "
                f"{where.name} beside the data; if not, say what differs with --field, --targets, --distractors, --level-unit …"
            )
        write_mapping(where, table.mapping)
        tell(f"note: the reading was written to {where}, and is used from now on")
    return read_trials(trials, dedupe=arguments.dedupe, repeats=table.found.layout.repeats)
