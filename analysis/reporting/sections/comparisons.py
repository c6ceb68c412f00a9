"""The report's sections on the tests of every level: design, omnibus test, each comparison, the rules for late answers."""

from collections.abc import Mapping

from ...designs.resampling_tests.results import PairTest
from ...level_comparison import LevelTests
from ...resampling.multiplicity import CORRECTIONS
from ...table.first_lines import LateRule
from ..fig2b_panel import Fig2b, effect_name
from ..html import show
from ..parts import Parts, bullets, notices, paragraph, table
from ..results import paired


def levels(result: LevelTests) -> Parts:
    """The design, the omnibus test of three and more conditions, and every level of every comparison with every p."""
    sentence = result.contrast.sentence()
    text = paragraph(f"{sentence[0].upper()}{sentence[1:]}.")
    text += bullets(result.contrast.notes)
    if (omnibus := result.omnibus) is not None:
        text += paragraph(
            f"Omnibus test, {', '.join(omnibus.opening())}. F: variance of the conditions' means, each weighted by the inverse "
            "of its variance; corrected over the levels by max-F step-down."
        )
        frame = omnibus.to_frame()[["level", "f", "p_step_down", "p", "p_low", "p_high"]]
        text += table("omnibus", ("level", "F", "step-down", "p", "p low", "p high"), frame.itertuples(index=False))
    tests = (*result.pairs, *result.others)
    for number, one in enumerate(tests):
        text += _comparison(result, one, name="levels" if len(tests) == 1 else f"levels_{number + 1}")
    if result.images is not None:
        text += paragraph(
            "The test over images, and both at once: min F' says whether the difference holds for other participants and other "
            "images."
        )
        text += table("levels_images", [str(column) for column in result.images], result.images.itertuples(index=False))
    return text + notices(dict.fromkeys(note for one in tests for note in one.test.notes))


def _comparison(result: LevelTests, one: PairTest, *, name: str) -> Parts:
    """One comparison: how it was tested, every level, clusters."""
    a, b = one.conditions
    test = one.test
    words = {"two-sided": "two-sided", "greater": f"one-sided, {a} above {b}", "less": f"one-sided, {a} below {b}"}
    units = "images" if result.unit == "image" else "participants"
    if paired(result, one):
        how = f"signs of the differences of {test.n_first} {units} flipped"
    else:
        how = f"{units} relabelled, {test.n_first} and {test.n_second},"
    text = paragraph(
        f"Randomization test: {effect_name(one)} ({words[test.alternative]}); {how} jointly over all levels, "
        f"{test.n_resamples:,} times, ties counted as extreme, p = (b + 1)/(m + 1). Statistic: "
        f"{result.statistic.replace('_', ' ')}; late answers: {result.late}. No p below {test.smallest_p:.1e} can be reached. "
        f"Smallest p of the resamples: {1 / (test.n_resamples + 1):.1e}; the exact p counts every resample."
    )
    chosen = CORRECTIONS[result.correction][0]
    corrected = {
        "p_step_down": "step-down",
        "p_max_t": "max-T",
        "p_holm": "Holm",
        "p_bh": "BH",
        "p_best": "p as starred",
    }
    names = [chosen, *(key for key in corrected if key not in (chosen, "p_best"))]
    head = [
        "level",
        a,
        b,
        "difference",
        corrected[names[0]],
        "p",
        "exact p",
        f"S.E.M. {a}",
        f"S.E.M. {b}",
        "p low",
        "p high",
    ]
    head += [corrected[key] for key in names[1:]]
    first, second = one.curves
    rows = []
    for place, level in enumerate(result.levels):
        ps = [getattr(test, key)[place] for key in names]
        own = [first.mean[place], second.mean[place], test.difference[place], ps[0], test.p[place], test.p_exact[place]]
        rest = [first.sem[place], second.sem[place], test.p_low[place], test.p_high[place], *ps[1:]]
        rows.append((level.label, *own, *rest))
    text += table(name, head, rows)
    for cluster in test.clusters:
        low, high = result.levels[cluster.first].label, result.levels[cluster.last].label
        above = a if cluster.sign > 0 else b
        where = f"at {low}" if low == high else f"from {low} to {high}"
        text += paragraph(f"Cluster {where}: {above} higher, mass {cluster.mass:.1f}, p = {show(cluster.p)}.")
    return text


def late(main_fig: Fig2b, late: Mapping[LateRule, LevelTests], late_shares: Mapping[str, float]) -> Parts:
    """The three rules for late answers."""
    text = paragraph(
        "Answers later than the response limit (early and missing ones too) can be left out, counted as wrong, or as "
        "half correct. Leaving them out selects on response time, so all three stand here, each with its own test."
    )
    main = main_fig.tests
    tests = {rule: (*one.pairs, *one.others) for rule, one in late.items()}
    text += paragraph("Differences are first minus second; p is corrected as the stars are.")
    several = len(tests[main.late]) > 1
    head = [*(["test"] if several else []), "level"]
    head += [f"{rule}: {name}" for rule in late for name in ("difference", "p")]
    column = CORRECTIONS[main.correction][0]
    rows = []
    for number, pair in enumerate(tests[main.late]):
        for place, level in enumerate(main.levels):
            found = [tests[rule][number].test for rule in late]
            values = [value for one in found for value in (one.difference[place], getattr(one, column)[place])]
            rows.append([*([effect_name(pair)] if several else []), level.label, *values])
    if not several:
        text += paragraph(f"Here: {effect_name(tests[main.late][0])}.")
    shares = [(name, share) for name, share in late_shares.items()]
    return (
        text + table("late_rules", head, rows) + table("late_shares", ("condition", "late, early or missing"), shares)
    )
