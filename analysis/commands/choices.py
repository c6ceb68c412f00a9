"""``paragraph``, ``multiverse``, ``prereg``: the text for the paper, other analyses of the table, and the plan."""

import argparse
from pathlib import Path

from rapidvision.cli import Verbs, add_common_options, add_verb, give, say
from rapidvision.errors import InputError
from rapidvision.protocol import N_RELABELLINGS

from .options import add_test_options, rules_of, seed_of, tell, tell_notes, test_options, trials_of


def add_paragraph(verbs: Verbs) -> None:
    """Add ``paragraph``: methods and results of a report as text."""
    parser = add_verb(
        verbs,
        "paragraph",
        "the methods and the results paragraph of a report, for the paper",
        "rapidvision analyse paragraph report/results.json",
    )
    parser.add_argument("results", metavar="RESULTS", type=Path, help="results.json, or the folder of a report")
    parser.add_argument("--markdown", action="store_true", help="as Markdown, symbols of statistics in italics")
    add_common_options(parser, json=True, seed=False)
    parser.set_defaults(run=_run_paragraph)


def _run_paragraph(arguments: argparse.Namespace) -> None:
    from ..writing.paragraphs import paragraphs

    found = paragraphs(arguments.results)
    tell((found.to_markdown() if arguments.markdown else found.to_text()).rstrip("\n"))
    give(arguments, {"methods": found.methods, "results": found.results, "sources": found.sources})


def add_multiverse(verbs: Verbs) -> None:
    """Add ``multiverse``: the same test under other choices."""
    parser = add_verb(
        verbs,
        "multiverse",
        "the test of every level under other late rules, exclusions, statistics and corrections",
        "rapidvision analyse multiverse study/trials.csv --over late=exclude,wrong --out multiverse/",
    )
    add_test_options(parser)
    parser.add_argument(
        "--over",
        action="append",
        metavar="CHOICE=VALUES",
        help="late, exclusion, statistic or correction and its values, as in exclusion=none,max_late_share:0.2; the others "
        "then stay as they are (default: 81 analyses)",
    )
    parser.add_argument("--alpha", type=float, default=0.05, metavar="ALPHA", help="level of the test (0.05)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the tables, the figure, and finished tests")
    parser.set_defaults(run=_run_multiverse)


def _run_multiverse(arguments: argparse.Namespace) -> None:
    from rapidvision.system import files
    from rapidvision.system.progress import progress

    from ..specifications.choices import Specification, combinations, read_choices, rules_text
    from ..specifications.multiverse import multiverse

    source, rules = trials_of(arguments), rules_of(arguments)
    over = read_choices(arguments.over or [])
    first = Specification(arguments.late, rules_text(rules), arguments.statistic, arguments.correction)
    n_tests = len({one.tested() for one in combinations(over, first)})
    seed = seed_of(arguments)
    with progress("tests", n_tests, quiet=arguments.quiet) as advance:
        found = multiverse(
            source,
            over=over,
            rules=rules,
            alpha=arguments.alpha,
            seed=seed,
            cache=arguments.out / "tests" if arguments.out else None,
            advance=advance,
            **test_options(arguments),
        )
    tell(str(found))
    tell_notes(found.notes)
    give(arguments, {"analyses": found.to_frame(), "levels": found.levels_frame(), "seed": seed, "notes": found.notes})
    if arguments.out:
        for name, frame in (("multiverse", found.to_frame()), ("multiverse_levels", found.levels_frame())):
            files.write_text(arguments.out / f"{name}.csv", frame.assign(seed=seed).to_csv(index=False))
        for path in found.drawing.save(arguments.out):
            say(arguments, str(path))


def add_prereg(verbs: Verbs) -> None:
    """Add ``prereg``: the plan with its hash."""
    parser = add_verb(
        verbs,
        "prereg",
        "the plan of an analysis before there are data, with power, decision rule and hash",
        "rapidvision analyse prereg --groups clickme salicon --n-per-group 60 --effect 0.2 --out plan/",
    )
    parser.add_argument("--groups", nargs=2, metavar=("FIRST", "SECOND"), help="first minus second is tested")
    parser.add_argument(
        "--n-per-group",
        type=int,
        nargs="+",
        metavar="N",
        default=[60],
        help="participants per group; one number or one each",
    )
    parser.add_argument("--question", metavar="TEXT", default="", help="what is asked")
    parser.add_argument(
        "--decision", metavar="TEXT", help="when the answer is yes (default: any level with p <= alpha)"
    )
    parser.add_argument("--statistic", default="participant_mean", metavar="NAME", help="what is compared")
    parser.add_argument("--late", default="exclude", choices=("exclude", "wrong", "half"), help="see bins")
    parser.add_argument(
        "--alternative",
        default="two-sided",
        choices=("two-sided", "greater", "less"),
        help="greater: FIRST scores higher",
    )
    parser.add_argument(
        "--correction",
        default="step-down",
        choices=("step-down", "max-t", "holm", "bh", "none"),
        help="which p decides",
    )
    parser.add_argument(
        "--n-resamples", type=int, default=N_RELABELLINGS, metavar="N", help=f"relabellings ({N_RELABELLINGS:,})"
    )
    parser.add_argument("--alpha", type=float, default=0.05, metavar="ALPHA", help="level of the test (0.05)")
    parser.add_argument("--margin", type=float, default=0.05, metavar="SHARE", help="of the ceiling (0.05)")
    parser.add_argument(
        "--exclusion", default="none", metavar="RULES", help="rules such as max_late_share:0.2+min_full_accuracy:0.6"
    )
    parser.add_argument(
        "--effect", type=float, metavar="LOG10", help="difference of thresholds for which power is simulated"
    )
    parser.add_argument("--n-experiments", type=int, default=300, metavar="N", help="simulated experiments (300)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for prereg.toml and prereg.md")
    add_common_options(parser, json=True)
    parser.set_defaults(run=_run_prereg)


def _run_prereg(arguments: argparse.Namespace) -> None:
    from rapidvision.system.progress import progress

    from ..prereg.plan import DECISION, TEXT, TOML, preregister
    from ..prereg.sheet import sheet
    from ..specifications.choices import rules_of as rules_from

    groups, sizes = arguments.groups, arguments.n_per_group
    if not groups:
        raise InputError("groups: name the conditions in the order of the test (--groups FIRST SECOND)")
    if len(sizes) not in (1, len(groups)):
        raise InputError(f"n-per-group: got {len(sizes)} numbers for {len(groups)} groups; give one, or one for each")
    sizes = sizes * len(groups) if len(sizes) == 1 else sizes
    seed = seed_of(arguments)
    total = arguments.n_experiments if arguments.effect is not None else 0
    with progress("experiments", total, quiet=arguments.quiet) as advance:
        plan = preregister(
            groups,
            n=dict(zip(groups, sizes, strict=True)),
            question=arguments.question,
            statistic=arguments.statistic,
            late=arguments.late,
            alternative=arguments.alternative,
            correction=arguments.correction,
            alpha=arguments.alpha,
            margin=arguments.margin,
            n_resamples=arguments.n_resamples,
            seed=seed,
            rules=rules_from(arguments.exclusion),
            decision=arguments.decision or DECISION,
            effect=arguments.effect,
            n_experiments=arguments.n_experiments,
            out=arguments.out,
            advance=advance,
        )
    tell(sheet(plan).rstrip("\n"))
    for name in (TOML, TEXT):
        say(arguments, str(arguments.out / name))
    give(arguments, {"sha256": plan.sha256, "plan": plan, "files": [arguments.out / TOML, arguments.out / TEXT]})
