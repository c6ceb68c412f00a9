"""``import``: other programs' files as a trials table."""

import argparse
from pathlib import Path

from rapidvision.cli import add_common_options, say
from rapidvision.errors import InputError

from .options import verb


def add_import(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``import``: other programs' files."""
    parser = verb(
        verbs,
        "import",
        "psiTurk, jsPsych, PsychoPy, model-vs-human or BIDS files as a trials table",
        "rapidvision analyse import jspsych data/*.json --field image=stimulus --out trials.csv",
    )
    parser.add_argument(
        "program", choices=("psiturk", "jspsych", "psychopy", "mvh", "bids"), help="who wrote the files"
    )
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="of one experiment")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the trials table (CSV)")
    parser.add_argument(
        "--field",
        action="append",
        default=[],
        metavar="OURS=THEIRS",
        help="what a column is called: image, category, target, response, response_ms, level, group, participant, phase",
    )
    parser.add_argument("--targets", nargs="+", metavar="ANSWER", help="answers (or keys) that mean target")
    parser.add_argument("--conditions", nargs="+", metavar="WORD", help="BIDS: only conditions that begin so")
    parser.add_argument("--animals", nargs="+", metavar="NAME", help="model-vs-human: categories that are targets")
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_run_import)


def _run_import(arguments: argparse.Namespace) -> None:
    from ..importers.formats import import_trials
    from ..importers.model_vs_human import ANIMALS
    from ..table.trials import write_trials

    columns = {}
    for pair in arguments.field:
        ours, equal, theirs = pair.partition("=")
        if not equal or not theirs:
            raise InputError(f'--field: got "{pair}"; OURS=THEIRS is needed, as in image=stimulus')
        columns[ours] = theirs
    trials = import_trials(
        arguments.program,
        arguments.files,
        columns=columns,
        target_responses=arguments.targets,
        conditions=arguments.conditions,
        animals=arguments.animals or ANIMALS,
    )
    write_trials(arguments.out, trials)
    for note in trials.notes:
        say(arguments, note)
    people = trials.frame["participant_id"].nunique()
    say(arguments, f"{arguments.out}: {len(trials)} trials of {people} participants")
