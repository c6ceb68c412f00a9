"""The whole analysis of a study in one call: report.html, results.json and the figures, the same bytes on every run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapidvision.formats.report_results import write_results
from rapidvision.seeds import fresh_seed
from rapidvision.system import files
from rapidvision.system.progress import Advance, silent
from rapidvision.text.json_values import plain

from ..prereg.deviations import deviations
from ..prereg.plan import Preregistration
from ..prereg.plan_files import read_preregistration
from ..specifications.multiverse import multiverse as repeat
from ..table.exclusions import Rules, exclude
from ..table.statistic_registry import STATISTICS
from ..table.trials import Trials, TrialsSource, as_trials
from ..writing.paragraphs import paragraphs
from . import results as content
from .computed import CHANCE, NETWORKS, REGRESSION, THRESHOLDS, fits_of, late_rules
from .fig2b_panel import fig2b
from .parts import Parts, Section
from .sections import comparisons as tests_text
from .sections import study as text
from .sections.choices import multiverse_results, other_analyses, planned
from .sections.networks import attention
from .sections.networks import networks as networks_section
from .sections.stimuli import certificate_of, stimuli_results, stimuli_section
from .written import write_report

PACKAGES = ("numpy", "scipy", "pandas", "matplotlib")


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """What was written, and the numbers in it.

    Attributes
    ----------
    folder : Path
        Where.
    html : Path
        ``report.html``, self-contained.
    results : dict
        What ``results.json`` holds.
    seed : int
        Given or drawn.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = rv.analysis.report(trials, folder + "/report", n_resamples=99, seed=1)
    >>> found.html.name, found.seed
    ('report.html', 1)
    """

    folder: Path
    html: Path
    results: dict[str, Any]
    seed: int

    @property
    def notes(self) -> tuple[str, ...]:
        """Every note and warning of the report, each once."""
        found = self.results
        ceilings = [note for one in found["ceilings"] for note in one["notes"]]
        others = [
            note for name in ("thresholds", "regression", "compare") if found[name] for note in found[name]["notes"]
        ]
        others += [f"no {name}: {why}" for name, why in found["not_computed"].items()]
        return tuple(dict.fromkeys([*found["notes"], *found["chance_notes"], *ceilings, *others]))

    def __repr__(self) -> str:
        return f"report: {self.html} (seed {self.seed})"

    def _repr_html_(self) -> str:
        return f'<p>report: <a href="{self.html}">{self.html}</a> (seed {self.seed})</p>'


def report(
    trials: TrialsSource,
    out: Path | str,
    *,
    models: TrialsSource | None = None,
    stimulus_set: Path | str | None = None,
    rules: Rules | None = None,
    margin: float = 0.05,
    mixed: bool = False,
    seed: int | None = None,
    command: str = "analyse report",
    guess: float | None = None,
    multiverse: bool = False,
    prereg: Preregistration | Path | str | None = None,
    advance: Advance = silent,
    **options: Any,
) -> Report:
    """Analyse a study and write the report.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The participants' table.
    out : path-like
        Folder for ``report.html``, ``results.json`` and the figures.
    models : Trials, DataFrame or path-like, optional
        The networks' table.
    stimulus_set : path, optional
        For the insets of Fig. 2B.
    rules : Rules, optional
        Exclusions; none by default.
    margin : float
        Of the ceiling.
    mixed : bool
        Also fit the mixed model, GEE and GLM; takes some seconds.
    seed : int, optional
        Drawn and stored when absent.
    command : str
        What to record as the command.
    guess : float, optional
        Share of answers that guessing gets right, where the table does not show it.
    multiverse : bool
        Also the test under other late rules, exclusions, statistics and corrections; takes some seconds.
    prereg : Preregistration or path-like, optional
        The plan, against which the report lists every deviation.
    advance : callable
        Called with 1 after each test of the multiverse.
    **options
        Those of :func:`~rapidvision.analysis.level_tests`, with any design that it finds or is told.

    Returns
    -------
    Report
        Running it again with the same seed writes the same bytes. A section that the table does not allow says why.

    Raises
    ------
    InputError
        When a table cannot be read, holds no conditions to compare, or an option is not allowed.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = rv.analysis.report(trials, folder + "/report", n_resamples=99, seed=1)
    ...     found.html.is_file(), len(found.results["test"]["levels"])
    (True, 12)
    """
    out = Path(out)
    plan = read_preregistration(prereg) if isinstance(prereg, str | Path) else prereg
    seed = fresh_seed() if seed is None else seed
    source = as_trials(trials).guessing(guess)
    networks = as_trials(models) if models is not None else None
    left = exclude(source, rules)
    main = fig2b(left.trials, models=networks, stimulus_set=stimulus_set, margin=margin, seed=seed, **options)
    late = late_rules(left.trials, main.tests, seed=seed, options=options)
    without: dict[str, str] = {}
    found = fits_of(left.trials, main, networks=networks, mixed=mixed, seed=seed, without=without)
    plugins = STATISTICS.plugins(main.tests.statistic)
    inputs = _inputs(source, networks)
    made = files.provenance(command, seed=seed, inputs=inputs, packages=PACKAGES, plugins=plugins)
    drawn = text.People(main)
    results = content.results(source, left, main, late, made, options)
    sections = [
        ("What was analysed", text.what(source, left, networks, main.tests.cells.notes)),
        ("Fig. 2B", text.fig2b(main, left.trials)),
        ("Every level", tests_text.levels(main.tests)),
        ("Above chance", text.chance(found.chances) if found.chances else _missing(without, CHANCE)),
        ("Ceiling", text.ceilings(main)),
        ("Late answers under three rules", tests_text.late(main, late, results["late_share"])),
        ("Thresholds", text.thresholds(found.thresholds) if found.thresholds else _missing(without, THRESHOLDS)),
    ]
    if mixed:
        sections.append(
            ("Regression", text.regression(found.regression) if found.regression else _missing(without, REGRESSION))
        )
    sections.append(("Participants and response times", drawn.parts()))
    if main.networks:
        seen = attention(Path(models)) if isinstance(models, Path | str) else []
        lacking = [] if found.networks else _missing(without, NETWORKS)
        sections.append(("Networks", networks_section(main, found.networks) + lacking + seen))
    others = None
    if multiverse:
        others = repeat(source, rules=rules, seed=seed, advance=advance, cache=out / "multiverse", **options)
        sections.append(("Multiverse", other_analyses(others)))
    certificate = None if stimulus_set is None else certificate_of(stimulus_set)
    if certificate is not None:
        sections.append(("What canvases tell of the category", stimuli_section(certificate)))
    sections.append(("How to make this again", text.provenance(made, main.tests)))
    results |= {
        "options": content.options(left.trials, rules, margin=margin),
        "guess": main.shown.cells.guess,
        "not_computed": without,
        "certificate": None if certificate is None else stimuli_results(certificate),
        "chance": [plain(one.to_frame().to_dict("records")) for one in found.chances],
        "chance_notes": [note for one in found.chances for note in one.notes],
        "thresholds": content.fit_results(found.thresholds),
        "regression": content.regression_results(found.regression),
        "response_ms": drawn.results(),
        "compare": content.comparison_results(found.networks),
        "multiverse": multiverse_results(others) if others else None,
    }
    if plan is not None:
        found_deviations = deviations(plan, results)
        results["prereg"] = {"sha256": plan.sha256, "deviations": plain(found_deviations)}
    write_results(out, results)
    written = paragraphs(results)
    files.write_text(out / "paragraph.txt", written.to_text())
    files.write_text(out / "paragraph.md", written.to_markdown())
    sections.insert(1, ("For the paper", text.for_the_paper(written)))
    if plan is not None:
        sections.insert(2, ("Preregistration", planned(plan, found_deviations)))
    lead = f"{main.tests.contrast.sentence()}, {len(main.tests.levels)} levels, seed {seed}"
    write_report(out, "Rapid categorization: report", lead, [Section(title, parts) for title, parts in sections])
    return Report(out, out / "report.html", results, seed)


def _missing(without: dict[str, str], name: str) -> Parts:
    return text.not_computed(without[name])


def _inputs(source: Trials, networks: Trials | None) -> dict[str, str]:
    return {table.name: table.sha256 for table in (source, networks) if table is not None and table.sha256}
