"""``rapidvision session``: plan a study, run and simulate its sessions, look after them and export them."""

import argparse
import importlib
from pathlib import Path

from rapidvision.cli import Verbs, add_common_options, add_verb, say

from . import export, lab


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs of ``rapidvision session``."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_plan(verbs)
    _add_simulate(verbs)
    lab.add_arguments(verbs)
    export.add_arguments(verbs)
    try:
        online = importlib.import_module("rapidvision.experiments.online.commands")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("rapidvision.experiments.online"):
            raise
    else:
        online.add_arguments(verbs)


def _add_plan(verbs: Verbs) -> None:
    parser = add_verb(
        verbs,
        "plan",
        "make a study folder with one balanced plan per participant slot",
        "  rapidvision session plan set/ --out study/\n"
        "  rapidvision session plan set/ --out study/ --protocol authors-2017 --n-per-group 24 --language de",
    )
    parser.add_argument("set", type=Path, metavar="SET", help="stimulus set, from `rapidvision stimuli build`")
    parser.add_argument("--out", type=Path, metavar="STUDY", required=True, help="the study folder")
    parser.add_argument("--protocol", default="paper", metavar="FILE|paper|authors-2017", help="default: paper")
    parser.add_argument("--n-per-group", type=int, metavar="N", help="participants per group; default: 60")
    parser.add_argument("--language", metavar="CODE", help="language of the texts; default: the protocol's")
    parser.add_argument("--texts", type=Path, metavar="FILE", help="TOML with texts for another task or language")
    add_common_options(parser)
    parser.set_defaults(run=_plan)


def _plan(arguments: argparse.Namespace) -> int:
    import msgspec

    from rapidvision.formats.manifest import read_set
    from rapidvision.formats.protocol_file import read_protocol
    from rapidvision.protocol import N_PARTICIPANTS_PER_GROUP
    from rapidvision.system import files
    from rapidvision.system.progress import progress

    from ..design import balance, planning

    protocol = read_protocol(arguments.protocol)
    if arguments.language is not None:
        protocol = msgspec.structs.replace(protocol, language=arguments.language)
    if arguments.seed is not None:
        protocol = msgspec.structs.replace(protocol, seed=arguments.seed)
    stimulus_set = read_set(arguments.set)
    n_slots = N_PARTICIPANTS_PER_GROUP if arguments.n_per_group is None else arguments.n_per_group
    n_plans = n_slots * len(planning.groups_of(stimulus_set, protocol))
    with progress("plans", n_plans, quiet=arguments.quiet) as advance:
        plans = planning.make_study(
            stimulus_set, protocol, arguments.out, n_slots=n_slots, texts_file=arguments.texts, advance=advance
        )
    balances = balance.balance_of(plans)
    out = Path(arguments.out)
    files.write_text(out / "balance.txt", balance.table(balances) + "\n")
    files.write_text(out / "balance.svg", balance.picture(balances, stimulus_set.description.level_labels))
    say(arguments, balance.table(balances))
    say(arguments, f"{len(plans)} plans in {out / 'plans'}, seed {protocol.seed}; picture: {out / 'balance.svg'}")
    return 0


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
    from rapidvision.formats.trials_table import write_description, write_table
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
