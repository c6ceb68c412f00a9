"""``rapidvision session``: plan a study, run and simulate its sessions, look after them and export them."""

import argparse
import importlib
from pathlib import Path

from rapidvision.cli import Verbs, add_common_options, add_verb, say

from . import care, export, lab, plan, protocol


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs of ``rapidvision session``."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    plan.add_arguments(verbs)
    protocol.add_arguments(verbs)
    _add_simulate(verbs)
    lab.add_arguments(verbs)
    export.add_arguments(verbs)
    care.add_arguments(verbs)
    try:
        online = importlib.import_module("rapidvision.experiments.online.commands")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("rapidvision.experiments.online"):
            raise
    else:
        online.add_arguments(verbs)


def _add_simulate(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "simulate",
        "let simulated participants with known thresholds take every plan, on a virtual screen",
        "  rapidvision session simulate study/ --seed 1\n"
        "  rapidvision session simulate study/ --observers-file observers.toml --out sharp.csv\n"
        "  rapidvision session simulate study/ --describe > observers.toml",
    )
    parser.add_argument("study", metavar="STUDY", help="the study folder")
    parser.add_argument(
        "--observers-file", type=Path, metavar="FILE", help="thresholds, slopes, lapses, times … as TOML"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="the trials table; default: STUDY/simulated.csv")
    parser.add_argument(
        "--describe", action="store_true", help="print the observers that would be used, as TOML, and stop"
    )
    add_common_options(parser)
    parser.set_defaults(run=_simulate)


def _simulate(arguments: argparse.Namespace) -> int:
    from rapidvision import recipes, seeds
    from rapidvision.formats.trials_columns import write_description
    from rapidvision.formats.trials_table import write_table
    from rapidvision.study import Study
    from rapidvision.system import files
    from rapidvision.system.progress import progress

    from ..engine import simulate
    from ..engine.participants import Observers
    from ..recording.answers import answers_path, write_answers

    observers = Observers() if arguments.observers_file is None else recipes.read(arguments.observers_file, Observers)
    if arguments.describe:
        print(recipes.dump(observers), end="")  # noqa: T201
        return 0
    study = Study(arguments.study)
    protocol, plans = study.protocol(), study.plans()
    out = arguments.out or study.simulated_path
    simulate.refuse_to_replace_people(out)
    seed = seeds.fresh_seed() if arguments.seed is None else arguments.seed
    with progress("sessions", len(plans), quiet=arguments.quiet) as advance:
        rows, answers = simulate.simulate_tables(plans, observers, seed=seed, advance=advance)
    write_table(out, rows)
    write_description(out, protocol)
    write_answers(answers_path(out), answers)
    made = files.provenance(
        "session simulate", seed=seed, inputs={"study.json": files.sha256_file(study.description_path)}
    )
    files.write_json(out.with_name(f"{out.stem}.simulation.json"), {"provenance": made, "observers": observers})
    planned = sum(len(plan.trials()) for plan in plans)
    missing = (
        ""
        if len(rows) == planned
        else f", {planned - len(rows)} planned ones not run (drop-outs, practice that was not needed)"
    )
    say(arguments, f"{len(rows)} trials of {len(plans)} simulated participants in {out}, seed {seed}{missing}")
    return 0
