"""``import``: other programs' files as a trials table."""

import argparse
from pathlib import Path
from typing import Any

from rapidvision.cli import Verbs, add_common_options, add_verb, say
from rapidvision.errors import InputError

#: Option → what it says; each is a field of :class:`~rapidvision.analysis.importers.source.layouts.Layout`.
_WORDS = {
    "targets": "answers (or keys) that mean target",
    "distractors": "answers (or keys) that mean distractor",
    "missing": "words that mean no answer, beside an empty cell",
    "target-truths": "values of the field target (or --field target=COLUMN) that mean a target image",
    "distractor-truths": "values of that field that mean a distractor image",
    "full": "labels of the intact image",
    "practice": "values of the field phase that mean practice",
}
_CHOICES = {
    "no-answer": (("missing", "target", "distractor"), "what a trial without a press means (go / no-go: distractor)"),
    "several": (("refuse", "first", "last"), "which answer counts where a cell lists several"),
    "untimed": (("refuse", "missing", "leave out"), "an answer without a time above 0"),
    "time-unit": (("auto", "ms", "s", "us"), "unit of response times (auto: recognised, or refused)"),
    "observers": (("human", "pilot", "simulated", "model"), "what kind of observer answered"),
    "repeats": (("refuse", "first", "keep"), "when a participant met an image twice"),
    "decimal": (("auto", ".", ","), "decimal sign"),
}
_TEXTS = {
    "level-unit": "percent (of the features) or share put levels on the reveal axis; any other unit keeps the labels",
    "study": "name of the study, and of the group where no column names one",
    "encoding": "of text files (found: UTF-8, UTF-16, else Windows-1252)",
    "delimiter": "of text files (found: comma, semicolon, tab, bar)",
    "table": "psiTurk: the table of participants (found by its columns)",
}
_NUMBERS = {
    "limit-ms": "answers after it are late (without it none is)",
    "anticipation-ms": "answers before it are early (without it none is)",
    "max-levels": "more distinct levels are refused (30)",
}


def add_import(verbs: Verbs) -> None:
    """Add ``import``: other programs' files."""
    parser = add_verb(
        verbs,
        "import",
        "tables of other programs (any CSV or JSON, psiTurk, jsPsych, PsychoPy, model-vs-human, BIDS) as a trials table",
        "rapidvision analyse import csv mine.csv --field participant=subj --targets s --distractors l --out trials.csv",
    )
    parser.add_argument(
        "program", choices=("csv", "jspsych", "psychopy", "psiturk", "mvh", "bids"), help="who wrote the files"
    )
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="of one experiment")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the trials table (CSV)")
    parser.add_argument(
        "--field",
        action="append",
        default=[],
        metavar="OURS=THEIRS",
        help="what a column is called: participant, group, level, image, category, target, response, target_key, correct, "
        "response_ms, phase, session, slot; COLUMN~PATTERN takes part of its cells, OURS= means there is none",
    )
    parser.add_argument(
        "--where", action="append", metavar="COLUMN=VALUE", help="only rows that fit (COLUMN~PATTERN: by a pattern)"
    )
    parser.add_argument(
        "--participant-from-file", action="store_true", default=None, help="each file is one participant"
    )
    for name, text in _WORDS.items():
        parser.add_argument(f"--{name}", nargs="+", metavar="WORD", help=text)
    for name, (choices, text) in _CHOICES.items():
        parser.add_argument(f"--{name}", choices=choices, help=text)
    for name, text in _TEXTS.items():
        parser.add_argument(f"--{name}", metavar="TEXT", help=text)
    for name, text in _NUMBERS.items():
        parser.add_argument(
            f"--{name}",
            type=int if name == "max-levels" else float,
            metavar="N" if name == "max-levels" else "MS",
            help=text,
        )
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_run_import)


def _run_import(arguments: argparse.Namespace) -> None:
    from ..importers.formats import import_trials
    from ..table.trials import write_trials

    trials = import_trials(arguments.program, arguments.files, columns=_fields(arguments), **_options(arguments))
    write_trials(arguments.out, trials)
    for note in trials.notes:
        say(arguments, note)
    people = trials.frame["participant_id"].nunique()
    say(arguments, f"{arguments.out}: {len(trials)} trials of {people} participants")


def _fields(arguments: argparse.Namespace) -> dict[str, str]:
    columns = {}
    for pair in arguments.field:
        ours, equal, theirs = pair.partition("=")
        if not equal or not ours:
            raise InputError(f'--field: got "{pair}"; OURS=THEIRS is needed, as in image=stimulus')
        columns[ours] = theirs
    return columns


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    names = ["where", "participant-from-file", *_WORDS, *_CHOICES, *_TEXTS, *_NUMBERS]
    values = {name.replace("-", "_"): getattr(arguments, name.replace("-", "_")) for name in names}
    return {name: value for name, value in values.items() if value is not None}
