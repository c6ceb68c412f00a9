"""``import``: other programs' files as a trials table."""

import argparse
from pathlib import Path

from rapidvision.cli import Verbs, add_common_options, add_verb, say

from .foreign import CHOICES, NUMBERS, PROGRAMS, TEXTS, WORDS, add_layout_options, fields_of, options_of

_ALL = (*WORDS, *CHOICES, *TEXTS, *NUMBERS, "level-edges")


def add_import(verbs: Verbs) -> None:
    """Add ``import``: other programs' files."""
    parser = add_verb(
        verbs,
        "import",
        "tables of other programs (any CSV or JSON, psiTurk, jsPsych, PsychoPy and others) as a trials table",
        "rapidvision analyse import csv mine.csv --field participant=subj --targets s --distractors l --out trials.csv",
    )
    parser.add_argument("program", choices=PROGRAMS, help="who wrote the files (auto: recognised by the columns)")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="of one experiment, or a folder of them")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the trials table (CSV)")
    parser.add_argument(
        "--where", action="append", metavar="COLUMN=VALUE", help="only rows that fit (COLUMN~PATTERN: by a pattern)"
    )
    parser.add_argument(
        "--participant-from-file", action="store_true", default=None, help="each file is one participant"
    )
    add_layout_options(parser, _ALL)
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_run_import)


def _run_import(arguments: argparse.Namespace) -> None:
    from ..table.imports import import_trials
    from ..table.trials import write_trials

    options = options_of(arguments, ("where", "participant-from-file", *_ALL))
    trials = import_trials(arguments.program, arguments.files, columns=fields_of(arguments), **options)
    write_trials(arguments.out, trials)
    width = max(len(what) for what, _ in trials.reading)
    for what, found in trials.reading:
        say(arguments, f"{what:<{width}}  {found}")
    for note in trials.notes:
        say(arguments, note)
    people = trials.frame["participant_id"].nunique()
    say(arguments, f"{arguments.out}: {len(trials)} trials of {people} participants")
