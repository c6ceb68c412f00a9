"""The report's sections: what is written about every result, as HTML."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rapidvision.system import files
from rapidvision.text.json_values import plain

from ...curve_fits import CurveFits
from ...inference.above_chance import ChanceTest
from ...level_comparison import LevelTests
from ...table.accuracy import Curve, curve
from ...table.exclusions import Kept
from ...table.statistics import columns_of
from ...table.trials import Trials
from ...writing.numbers import listed
from ...writing.paragraphs import Paragraphs
from ..fig2b_panel import Fig2b, correction_words, observer_note
from ..parts import Parts, bullets, figure, notices, paragraph, table

if TYPE_CHECKING:
    from ...fits.regression import Effects


def what(source: Trials, left: Kept, networks: Trials | None, notes: Sequence[str] = ()) -> Parts:
    """What came in, what was excluded, and what each rule leaves out (`notes`)."""
    text: Parts = []
    if note := observer_note(source):
        text += paragraph(
            f"These are {note}: nothing here is evidence about people in the study itself."
            if note == "pilot participants"
            else f"These are {note}: no person answered, and nothing here is evidence about people.",
            "notice",
        )
    people = left.trials.people()
    text += paragraph(
        f"{source.name}: {len(people):,} main-phase trials. {left.sentence()[0].upper()}{left.sentence()[1:]}."
    )
    text += bullets(one for one in notes if not one.startswith("observers: "))  # said above
    rows = [(group, left.before[group], left.after.get(group, 0)) for group in left.before]
    text += table("participants", ("group", "participants before", "after exclusions"), rows)
    if left.excluded:
        text += table(
            "exclusions",
            ("rule", "excluded", "who"),
            [(one.rule, one.n, ", ".join(one.who) or "none") for one in left.excluded],
        )
    text += bullets(left.trials.notes)
    if networks is not None:
        names = sorted(set(networks.frame.loc[networks.frame["observer_kind"] == "model", "observer"]))
        text += paragraph(f"{networks.name}: networks {', '.join(names)}, on the same plans.")
    return text


def for_the_paper(written: Paragraphs) -> Parts:
    """The methods and the results paragraph."""
    text = paragraph("Written from the numbers of results.json; also in paragraph.txt and paragraph.md.")
    text += paragraph(f"Methods. {written.methods}", "paper") + paragraph(f"Results. {written.results}", "paper")
    return text


def fig2b(main: Fig2b, trials: Trials) -> Parts:
    """Fig. 2B with its caption."""
    from ...figures.measures import measure_of

    measure = measure_of(main.tests.statistic)
    names = listed(list(main.shown.names))
    units = "images" if main.tests.unit == "image" else "participants"
    caption = (
        f"{measure.label} of {names} at every level; error bars are {measure.error.replace('participants', units)}. Stars: "
        f"{correction_words(main.tests)}, {main.tests.pairs[0].test.n_resamples:,} resamples."
    )
    if measure.is_accuracy and main.tests.cells.guess is not None:
        caption += f" Dashed grey: chance ({main.tests.cells.guess:.0%})."
    if measure.is_accuracy and main.networks:
        caption += " Broken curves: networks; a band, drawn here only for a single network, resamples images, never participants."
    if note := observer_note(trials):
        caption += f" These are {note}."
    return figure(main.drawing, caption)


def ceilings(main: Fig2b) -> Parts:
    """Where accuracy under each condition reaches its ceiling."""
    if not main.ceilings:
        return paragraph("The table has no intact images, so no ceiling can be named.")
    text = [part for one in main.ceilings for part in paragraph(one.sentence())]
    one = main.ceilings[0]
    text += paragraph(
        f"Rule: non-inferior to the intact image by {100 * one.margin:g} points, alpha = {one.alpha:g}, from the highest level "
        f"downward until the first that fails. p: share of {one.n_samples:,} samples of a beta-binomial null hypothesis fitted at "
        "the margin. Beside it the naive rule (no significant difference from full), which rewards small samples."
    )
    text += notices([note for one in main.ceilings for note in one.notes])
    rows = [
        (
            one.group,
            one.full_accuracy,
            one.level.label if one.level else "undetermined",
            f"{one.level.image_percent:.1f} %" if one.level and one.level.image_percent > 0 else "–",
            one.naive_level.label if one.naive_level else "undetermined",
        )
        for one in main.ceilings
    ]
    return text + table("ceilings", ("condition", "intact", "ceiling (% of features)", "pixels", "naive rule"), rows)


def thresholds(fits: CurveFits) -> Parts:
    """Psychometric functions."""
    test = fits.test
    a, b = test.groups
    unit = "log10" if test.axis.log else test.axis.unit
    text = paragraph(
        f"Threshold: level halfway between guessing and the group's best, with 95 % intervals by jackknife over "
        f"participants. {a} minus {b}: {test.difference:.3f} {unit} (95 % {test.interval[0]:.3f} to {test.interval[1]:.3f})"
        + (f", a factor of {test.ratio:.2f}" if test.axis.log else "")
        + f"; {test.statistic} randomization test p = {test.p:.4g} (two-sided, both curves fitted again after each of "
        f"{test.n_resamples:,} relabellings)."
    )
    text += notices(fits.cautions)
    rows = fits.to_frame()
    words = {
        "threshold_percent": "threshold %",
        "threshold_low": "low",
        "threshold_high": "high",
        "p_deviance": "p of fit",
    }
    head = tuple(words.get(name, name) for name in rows.columns)
    text += table("thresholds", head, rows.itertuples(index=False))
    return text + figure(fits.drawing, "Data with S.E.M., fitted curves, thresholds with 95 % intervals.")


class People:
    """Every participant's curve, and the response times, drawn and as numbers."""

    def __init__(self, main: Fig2b) -> None:
        self.main = main
        columns, cells_of = columns_of(main.shown.trials, "response_ms", late=main.tests.late)
        self.times: tuple[Curve, ...] = tuple(columns.curve(cells_of.of(group)) for group in main.shown.names)

    def results(self) -> Any:
        """Mean over participants of median response times, per group and level."""
        labels = [level.label for level in self.main.tests.levels]
        return {
            group: {"level": labels, **plain(one)} for group, one in zip(self.main.shown.names, self.times, strict=True)
        }

    def parts(self) -> Parts:
        """Both figures, and the times as a table."""
        from ...figures.plots import draw_individuals, draw_response_times

        bins, names_of = self.main.shown.cells, self.main.shown.names
        accuracy = tuple(curve(bins, group) for group in names_of)
        individuals = draw_individuals(bins, names_of, accuracy)
        times = draw_response_times(bins.levels, names_of, self.times)
        names = [f"{group} {what}" for group in names_of for what in ("ms", "S.E.M.")]
        columns = [column for one in self.times for column in (one.mean, one.sem)]
        rows = [(level.label, *(column[at] for column in columns)) for at, level in enumerate(bins.levels)]
        return (
            figure(individuals, "Every participant (thin) and the group's mean.")
            + figure(times, "Median response time of correct answers in time, mean over participants with S.E.M.")
            + table("response_times", ("level", *names), rows)
        )


def chance(tests: Sequence[ChanceTest]) -> Parts:
    """Every group and level against chance."""
    text = [part for one in tests for part in paragraph(one.sentence())]
    text += paragraph(
        f"Participants' distances from one half with random signs, all levels jointly, {tests[0].n_resamples:,} flips; one-sided. "
        "The exact p counts every flip. Holm corrects it, or the other p where there is none, for the number of levels of a "
        "group."
        if tests[0].method == "sign flips"
        else f"All trials of a group against a guess rate of {tests[0].guess:g}: exact binomial test, one-sided. Holm corrects "
        "for the number of levels of a group."
    )
    text += notices([note for one in tests for note in one.notes])
    head = ("group", "level", "accuracy", "Holm", "p", "exact p")
    rows = [
        (one.group, level.label, one.accuracy[at], one.p_holm[at], one.p[at], one.p_exact[at])
        for one in tests
        for at, level in enumerate(one.levels)
    ]
    return text + table("chance", head, rows)


def not_computed(why: str) -> Parts:
    """A section that the table does not allow: the reason."""
    return paragraph(f"Not computed. {why}")


def regression(found: "Effects") -> Parts:
    """Mixed model, GEE and GLM."""
    a, b = found.groups
    text = paragraph(
        f"Accuracy ~ level x {found.column}, trials in time below the intact image; {b} is the reference, effects say what {a} "
        "adds. Mixed: participants and images random (Laplace); p by likelihood ratio, the other p by z. GEE clusters "
        "participants only, GLM nothing: their standard errors are for comparison."
    )
    text += notices(found.cautions)
    shown = found.to_frame()
    head = ("effect", "estimate", "S.E.", "z", "p of z", "LR", "p", "low", "high", "GEE", "S.E.", "GLM", "S.E.")
    return text + table("regression", head, shown.itertuples(index=False)) + paragraph(found.sentence() + ".")


def provenance(made: files.Provenance, result: LevelTests) -> Parts:
    """Command, seed, versions, inputs."""
    versions = ", ".join(f"{name} {version}" for name, version in made.packages.items())
    text = paragraph(f"Command: {made.command}") + paragraph(
        f"Seed: {made.seed}. RapidVision {made.version}; {versions}."
    )
    if made.plugins:
        text += paragraph("Plug-ins: " + "; ".join(f"{one}, source SHA-256 {one.sha256}" for one in made.plugins) + ".")
    if made.inputs:
        text += table("inputs", ("input", "SHA-256"), made.inputs.items())
    return text + paragraph(
        f"Running it again with this seed writes the same bytes ({result.pairs[0].test.n_resamples:,} resamples)."
    )
