"""The canvas certificate of a stimulus set: what canvases and the lowest level alone tell of the category.

It stands in ``stimulus_set.json``; ``stimuli build`` writes it, and every report made from a set reads it.
"""

from math import sqrt

import msgspec

#: A test with a smaller p is flagged.
ALPHA = 0.05


class CanvasTest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one classifier finds in one kind of image.

    Attributes
    ----------
    shown : str
        ``canvas``, or ``lowest level of SOURCE``.
    features : str
        ``numbers`` (25 colour and spectrum numbers), ``features of NETWORK`` or ``evidence of NETWORK``.
    n_targets, n_distractors : int
        Images.
    auc, low, high : float
        Share of pairs of a target and a distractor in the right order, each predicted by a classifier that has seen
        neither; 95 % interval over images.
    p : float
        Share of shuffled labels with as high an AUC.
    p_below : float
        Share with as low an AUC; small where canvases were equated with the labels, or come from the other kind.
    null_sd : float
        Standard deviation of the AUC under shuffled labels.
    n_permutations : int
        Shuffles.

    Examples
    --------
    >>> test = CanvasTest(
    ...     shown="canvas", features="numbers", n_targets=40, n_distractors=40, auc=0.74, low=0.55, high=0.87, p=0.002,
    ...     p_below=1.0, null_sd=0.09, n_permutations=999,
    ... )
    >>> test.flagged, round(test.smallest_leak, 2), round(test.power(0.74), 2)
    (True, 0.72, 0.88)
    """

    shown: str
    features: str
    n_targets: int
    n_distractors: int
    auc: float
    low: float
    high: float
    p: float
    p_below: float
    null_sd: float
    n_permutations: int

    @property
    def flagged(self) -> bool:
        """Whether more is told than chance."""
        return self.p <= ALPHA

    @property
    def reversed(self) -> bool:
        """Whether so much less is told than chance that the category is told in reverse (two-sided p at most .05)."""
        return self.p_below <= ALPHA / 2

    @property
    def smallest_leak(self) -> float:
        """The AUC that would be flagged with a power of .8 at this number of images; at most 1."""
        return min(1.0, 0.5 + 2.5 * self.null_sd)

    def power(self, auc: float) -> float:
        """Return the probability, by the normal approximation, that a leak of this AUC would be flagged."""
        from statistics import NormalDist

        if self.null_sd == 0:
            return 0.0
        spread = 2 * self.null_sd * sqrt(max(auc * (1 - auc), 1e-9))
        return 1 - NormalDist(auc, spread).cdf(0.5 + NormalDist().inv_cdf(1 - ALPHA) * self.null_sd)

    @property
    def sentence(self) -> str:
        """One line for reports."""
        by = "25 colour and spectrum numbers" if self.features == "numbers" else self.features
        verdict = "FLAGGED" if self.flagged else "FLAGGED, below chance" if self.reversed else "not flagged"
        return (
            f"{self.shown}, {by}: AUC {self.auc:.3f} [{self.low:.3f}, {self.high:.3f}], p = {self.p:.3f} "
            f"({self.n_targets} + {self.n_distractors} images, {self.n_permutations} permutations; an AUC of "
            f"{self.smallest_leak:.2f} would be found with power .8): {verdict}"
        )


class CanvasCertificate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All tests of a set.

    Attributes
    ----------
    tests : tuple of CanvasTest
        Empty where nothing could be tested.
    note : str
        Why, or what else is to be known.

    Examples
    --------
    >>> CanvasCertificate(note="no distractors").sentences
    ('canvas certificate: not tested (no distractors)',)
    """

    tests: tuple[CanvasTest, ...] = ()
    note: str = ""

    @property
    def flagged(self) -> bool:
        """Whether any test is flagged, above or below chance."""
        return any(test.flagged or test.reversed for test in self.tests)

    @property
    def sentences(self) -> tuple[str, ...]:
        """A verdict and a line per test, for consoles, contact sheets and reports."""
        if not self.tests:
            return (f"canvas certificate: not tested ({self.note})",)
        if any(test.flagged for test in self.tests):
            verdict = "canvases alone tell targets from distractors; accuracy at low levels may be accuracy on them"
        elif self.flagged:
            verdict = (
                "canvases are related to the category below chance: by an accident of this draw (choose another seed), or "
                "because they were equated or exchanged by category"
            )
        else:
            verdict = "canvases alone do not tell targets from distractors, as far as this number of images can show"
        note = (self.note,) if self.note else ()
        return (f"canvas certificate: {verdict}", *(test.sentence for test in self.tests), *note)
