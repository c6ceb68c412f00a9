"""``rapidvision session``: plan a study, run and simulate its sessions, look after them and export them."""

import argparse
import importlib
from pathlib import Path
from typing import TypeAlias

from rapidvision.cli import add_common_options, say

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  the standard library has no public name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs of ``rapidvision session``."""
    verbs = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    _add_plan(verbs)
    try:
        online = importlib.import_module("rapidvision.experiments.online.commands")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("rapidvision.experiments.online"):
            raise
    else:
        online.add_arguments(verbs)


def _verb(verbs: Verbs, name: str, summary: str, examples: str) -> argparse.ArgumentParser:
    return verbs.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_plan(verbs: Verbs) -> None:
    parser = _verb(
        verbs,
        "plan",
        "make a study folder with one balanced plan per participant slot",
        "  rapidvision session plan set/ --out study/\n"
        "  rapidvision session plan set/ --out study/ --protocol authors-2017 --slots 24 --language de",
    )
    parser.add_argument("set", metavar="SET", help="stimulus set, from `rapidvision stimuli build`")
    parser.add_argument("--out", metavar="STUDY", required=True, help="the study folder")
    parser.add_argument("--protocol", default="paper", metavar="FILE|paper|authors-2017", help="default: paper")
    parser.add_argument("--slots", type=int, default=None, metavar="N", help="participants per group; default: 60")
    parser.add_argument("--language", metavar="CODE", help="language of the texts; default: the protocol's")
    parser.add_argument("--texts", metavar="FILE", help="TOML with texts for another task or language")
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_plan)


def _plan(arguments: argparse.Namespace) -> int:
    import msgspec

    from rapidvision import files, recipes
    from rapidvision.manifest import read_set
    from rapidvision.progress import progress
    from rapidvision.protocol import N_PARTICIPANTS_PER_GROUP, PRESETS, Protocol, preset

    from . import balance, planning

    name = arguments.protocol
    protocol = preset(name) if name in PRESETS or not Path(name).suffix else recipes.read(name, Protocol)
    if arguments.language is not None:
        protocol = msgspec.structs.replace(protocol, language=arguments.language)
    stimulus_set = read_set(arguments.set)
    n_slots = N_PARTICIPANTS_PER_GROUP if arguments.slots is None else arguments.slots
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
