"""``rapidvision session plan``: make a study folder, make a protocol fit the images at hand, show what a session is."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rapidvision.cli import Verbs, add_common_options, add_verb, say

if TYPE_CHECKING:
    from rapidvision.formats.manifest import StimulusSet
    from rapidvision.plan import Plan
    from rapidvision.protocol import Protocol

_RUNNERS = ("lab", "simulation", "browser", "phone", "movie", "network")


def add_arguments(verbs: Verbs) -> None:
    """Add ``plan`` to the verbs of ``rapidvision session``."""
    parser = add_verb(
        verbs,
        "plan",
        "make a study folder with one balanced plan per participant slot",
        "  rapidvision session plan set/ --out study/\n"
        "  rapidvision session plan set/ --out study/ --protocol masked --n-per-group 24 --language de\n"
        "  rapidvision session plan set/ --out study/ --protocol mine.toml --fit\n"
        "  rapidvision session plan set/ --protocol within --explain session.svg",
    )
    parser.add_argument("set", type=Path, metavar="SET", help="stimulus set, from `rapidvision stimuli build`")
    parser.add_argument("--out", type=Path, metavar="STUDY", help="the study folder; may be left out with --explain")
    parser.add_argument(
        "--protocol", default="paper", metavar="FILE|PRESET", help="a protocol.toml or a preset's name; default: paper"
    )
    parser.add_argument("--n-per-group", type=int, metavar="N", help="participants per group; default: 60")
    parser.add_argument(
        "--n-stations",
        type=int,
        default=1,
        metavar="N",
        help="computers that run the study without a common drive; each gets slots of its own; default: 1",
    )
    parser.add_argument("--language", metavar="CODE", help="language of the texts; default: the protocol's")
    parser.add_argument("--texts", type=Path, metavar="FILE", help="TOML with texts for another task or language")
    parser.add_argument(
        "--fit",
        action="store_true",
        help="change blocks, block size, images and practice to what the set gives, and say every change",
    )
    parser.add_argument(
        "--for", dest="runner", choices=_RUNNERS, metavar="RUNNER", help="refuse what this runner cannot run"
    )
    parser.add_argument(
        "--explain",
        type=Path,
        metavar="FILE",
        help="print the first participant's session, and draw it: .svg, .png or .pdf; .txt has it as text",
    )
    parser.add_argument(
        "--refresh-hz",
        type=float,
        default=60.0,
        metavar="HZ",
        help="refresh rate that --explain counts in; default: 60",
    )
    add_common_options(parser)
    parser.set_defaults(run=_plan)


def _plan(arguments: argparse.Namespace) -> int:
    from rapidvision.errors import InputError
    from rapidvision.formats.manifest import read_set

    from ..design import fit
    from ..design.planning import Planner
    from ..design.texts import read_texts

    if arguments.out is None and arguments.explain is None:
        raise InputError(
            "--out: name the study folder to write, or --explain FILE to see a session without writing one"
        )
    protocol = _protocol(arguments)
    stimulus_set = read_set(arguments.set)
    source = arguments.protocol
    if arguments.fit:
        from ..design.proposal import propose

        protocol, changes = propose(stimulus_set, protocol)
        for change in changes:
            say(arguments, f"fitted {change}")
        source = None if changes else source
    _say_runners(arguments, protocol)
    if arguments.out is None:
        fit.check_fit(stimulus_set, protocol, source=source)
        planner = Planner(stimulus_set, protocol, words=read_texts(protocol.language, override=arguments.texts))
        _explain(arguments, planner.plan(next(iter(planner.conditions.groups)), 0))
        return 0
    plans = _write(arguments, stimulus_set, protocol, source)
    if arguments.explain is not None:
        _explain(arguments, plans[0])
    return 0


def _protocol(arguments: argparse.Namespace) -> "Protocol":
    import msgspec

    from rapidvision.formats.protocol_file import read_protocol

    protocol = read_protocol(arguments.protocol)
    if arguments.language is not None:
        protocol = msgspec.structs.replace(protocol, language=arguments.language)
    if arguments.seed is not None:
        protocol = msgspec.structs.replace(protocol, seed=arguments.seed)
    return protocol


def _say_runners(arguments: argparse.Namespace, protocol: "Protocol") -> None:
    """Refuse what the runner that was asked for cannot run; without one, say what which runner cannot run."""
    from rapidvision.grammar.runners import cannot, refuse

    if arguments.runner is not None:
        refuse(protocol, arguments.runner, name=str(arguments.protocol))
        return
    for runner, found in cannot(protocol).items():
        if found:
            say(arguments, f"note: {runner} cannot run it: " + "; ".join(f"{path}: {words}" for path, words in found))


def _write(
    arguments: argparse.Namespace, stimulus_set: "StimulusSet", protocol: "Protocol", source: str | None
) -> list["Plan"]:
    from rapidvision.protocol import N_PARTICIPANTS_PER_GROUP
    from rapidvision.system import files
    from rapidvision.system.progress import progress

    from ..design import balance, fit, planning
    from ..design.figures.exposure import write_balance

    fit.check_fit(stimulus_set, protocol, source=source)
    n_slots = N_PARTICIPANTS_PER_GROUP if arguments.n_per_group is None else arguments.n_per_group
    n_plans = n_slots * len(planning.groups_of(stimulus_set, protocol))
    out = Path(arguments.out)
    with progress("plans", n_plans, quiet=arguments.quiet) as advance:
        plans = planning.make_study(
            stimulus_set,
            protocol,
            out,
            n_slots=n_slots,
            n_stations=arguments.n_stations,
            texts_file=arguments.texts,
            protocol_file=source,
            advance=advance,
        )
    balances = balance.balance_of(plans, stimulus_set.exemplars("main"))
    files.write_text(out / "balance.txt", balance.table(balances) + "\n")
    files.write_text(out / "balance.csv", balance.as_csv(balances))
    files.write_text(out / "exposure.csv", balance.exposure_csv(balances))
    write_balance(balances, out / "balance.svg")
    say(arguments, balance.table(balances))
    say(arguments, f"{len(plans)} plans in {out / 'plans'}, seed {protocol.seed}; figure: {out / 'balance.svg'}")
    return plans


def _explain(arguments: argparse.Namespace, plan: "Plan") -> None:
    from rapidvision.system import files

    from ..design.explain import explain
    from ..design.figures.timeline import write_timeline

    text = explain(plan, refresh_hz=arguments.refresh_hz)
    say(arguments, text)
    for field, sentence in sorted(plan.protocol.sources.items()):
        say(arguments, f"source of {field}: {sentence}")
    if arguments.explain.suffix.lower() == ".txt":
        files.write_text(arguments.explain, text + "\n")
    else:
        write_timeline(plan, arguments.explain, refresh_hz=arguments.refresh_hz)
    say(arguments, f"session of {plan.group}, slot {plan.slot}: {arguments.explain}")
