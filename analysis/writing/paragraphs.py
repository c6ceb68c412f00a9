"""Results and methods paragraph of a report."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapidvision.formats.report_results import NAME, read_results
from rapidvision.text.json_values import plain

from .methods_paragraph import methods_sentences
from .numbers import Numbers, Source
from .results_paragraph import results_sentences

_SYMBOL = re.compile(r"\b([pnb])(?= [=<≤≥])|κ(?= =)")


@dataclass(frozen=True, repr=False)
class Paragraphs:
    """What a paper needs of a report.

    Attributes
    ----------
    methods, results : str
        Plain text.
    sources : tuple of Source
        Every number of both, with its place in ``results.json``, in the order of the text.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=6).simulate(seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = rv.analysis.report(trials, folder, n_resamples=99, seed=1)
    >>> rv.analysis.paragraphs(found.results).methods.partition(".")[0]
    'We analysed 960 trials of clickme, n = 6; salicon, n = 6'
    """

    methods: str
    results: str
    sources: tuple[Source, ...]

    def to_text(self) -> str:
        """Both as plain text."""
        return f"Methods\n\n{self.methods}\n\nResults\n\n{self.results}\n"

    def to_markdown(self) -> str:
        """Both as Markdown, symbols of statistics in italics."""
        italic = [_SYMBOL.sub(lambda found: f"*{found.group()}*", text) for text in (self.methods, self.results)]
        return f"## Methods\n\n{italic[0]}\n\n## Results\n\n{italic[1]}\n"

    def __repr__(self) -> str:
        return self.to_text()


def paragraphs(results: Mapping[str, Any] | Path | str) -> Paragraphs:
    """Write the results and the methods paragraph of a paper from a report's numbers.

    Parameters
    ----------
    results : path-like or mapping
        ``results.json``, its folder, or :attr:`rapidvision.analysis.Report.results`.

    Returns
    -------
    Paragraphs
        APA style. Each number has its test, correction and n; each is in ``results.json``.

    Raises
    ------
    InputError
        When the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=6).simulate(seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = rv.analysis.report(trials, folder, n_resamples=99, seed=1)
    ...     text = rv.analysis.paragraphs(folder + "/results.json").results
    >>> "99 relabellings of participants" in text
    True
    """
    if isinstance(results, str | Path):
        path = Path(results)
        numbers = Numbers(plain(read_results(path / NAME if path.is_dir() else path)))
    else:
        numbers = Numbers(results)
    methods = " ".join(methods_sentences(numbers))
    return Paragraphs(methods, " ".join(results_sentences(numbers)), tuple(numbers.sources))
