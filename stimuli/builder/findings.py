"""What a finished set says of itself beyond its rows: ledger, source matching, matched images, and the certificate."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from rapidvision.certificate.record import CanvasCertificate
from rapidvision.formats.manifest import SetDescription
from rapidvision.reveal import level_label
from rapidvision.text import csv_text

from ..certificate.certify import certify
from ..image.match import MatchQuality
from ..ledger.differences import LARGEST_D, ledger_rows, ledger_summary
from ..ledger.tables import LEDGER, LEDGER_IMAGES, image_table, ledger_table
from ..pipeline.flags import Flag
from ..pipeline.image_list import ImageEntry
from ..pipeline.quality import Quality
from ..recipe import StimulusRecipe

MATCHED_SOURCES, MATCHED_IMAGES = "matched_sources.csv", "matched_images.csv"
#: All tables that a set may have of these.
TABLES = (LEDGER, LEDGER_IMAGES, MATCHED_SOURCES, MATCHED_IMAGES)

Images = Sequence[tuple[ImageEntry, Quality]]


class Findings(NamedTuple):
    """What is found about a set.

    Attributes
    ----------
    tables : dict
        Name of a CSV file → its text.
    figures : dict
        Added to the `quality` of the description.
    certificate : CanvasCertificate
        What canvases tell of the category.
    """

    tables: dict[str, str]
    figures: dict[str, Any]
    certificate: CanvasCertificate


def findings_of(recipe: StimulusRecipe, images: Images) -> Findings:
    """Return what is found about a set whose images are all there.

    Parameters
    ----------
    recipe : StimulusRecipe
        Of the set.
    images : sequence of (ImageEntry, Quality)
        In the order of the set.
    """
    labels = [level_label(float(fraction)) for fraction in recipe.reveal.fractions]
    tables: dict[str, str] = {}
    figures: dict[str, Any] = {}
    measured = {
        job.image_id: {name: one.ledger for name, one in quality.sources.items()}
        for job, quality in images
        if all(one.ledger for one in quality.sources.values())
    }
    if measured:
        matched = _matched_figures(recipe)
        rows = ledger_rows(list(measured.values()), labels, matched)
        tables[LEDGER_IMAGES] = image_table(measured, labels)
        if rows:
            tables[LEDGER] = ledger_table(rows)
            figures["ledger"] = ledger_summary(rows)
    if recipe.match_sources is not msgspec.UNSET:
        tables[MATCHED_SOURCES] = _matching_table(images, labels)
        figures["match_sources"] = _not_matched(images, labels, recipe.match_sources.tolerance)
    if any(quality.match is not None for _, quality in images):
        tables[MATCHED_IMAGES] = _match_table(images)
    certificate = certify(
        {job.image_id: quality.numbers for job, quality in images if quality.numbers},
        {job.image_id: job.target for job, _ in images},
        seed=recipe.seed,
    )
    return Findings(tables, figures, certificate)


def _matched_figures(recipe: StimulusRecipe) -> tuple[str, ...]:
    if recipe.match_sources is msgspec.UNSET:
        return ("area",)
    names = {"object": "on object"}
    return ("area", *(names.get(row, row) for row in recipe.match_sources.rows))


def _not_matched(images: Images, labels: Sequence[str], tolerance: float) -> dict[str, Any]:
    """Images whose regions differ by more than the tolerance at some level: image → where, with the difference."""
    listed: dict[str, list[str]] = {}
    for job, quality in images:
        if quality.source_match is None:
            continue
        for row, apart in quality.source_match.apart.items():
            for label, one in zip(labels, apart, strict=True):
                if one > tolerance:
                    listed.setdefault(job.image_id, []).append(f"{row} at {label} %: {one:.2f} scales")
    return {"tolerance": tolerance, "n_not_matched": len(listed), "not_matched": listed}


def _matching_table(images: Images, labels: Sequence[str]) -> str:
    rows = []
    names: list[str] = []
    for job, quality in images:
        found = quality.source_match
        if found is None:
            continue
        names = names or list(found.apart)
        for source, options in found.options.items():
            for level, (label, option) in enumerate(zip(labels, options, strict=True)):
                gamma, roughness, start, seed = option
                apart = [f"{found.apart[name][level]:.6f}" for name in names]
                rows.append((job.image_id, source, label, gamma, roughness, start, str(seed).lower(), *apart))
    header = ("image_id", "map_source", "level_label", "gamma", "roughness", "start", "seed")
    return csv_text.text_of((*header, *(f"apart_{name}" for name in names)), rows)


def _match_table(images: Images) -> str:
    names = [field.name for field in msgspec.structs.fields(MatchQuality)]
    rows = [
        (job.image_id, *(f"{getattr(quality.match, name):.6f}" for name in names))
        for job, quality in images
        if quality.match is not None
    ]
    return csv_text.text_of(("image_id", *names), rows)


def set_flags(description: SetDescription) -> list[Flag]:
    """Return what is odd about a set as a whole: canvases that tell the category, sources that differ.

    Parameters
    ----------
    description : SetDescription
        Of a set.
    """
    found = []
    certificate = description.certificate
    if certificate is not None and certificate.flagged:
        told = [test for test in certificate.tests if test.flagged or test.reversed]
        found += [Flag("(all)", test.shown, test.sentence) for test in told]
    ledger: Mapping[str, Any] = description.quality.get("ledger", {})
    if ledger.get("n_flagged"):
        far = [name for name, d in ledger["largest_d"].items() if d is None or d > LARGEST_D]
        text = f"sources differ by |d| > {LARGEST_D:g} in {', '.join(far)} ({ledger['n_flagged']} of {ledger['n_rows']} rows"
        if ledger["n_matched_rows"]:
            text += f"; {ledger['n_matched_flagged']} of the {ledger['n_matched_rows']} matched"
        found.append(Flag("(all)", "sources", f"{text}); see {LEDGER}"))
    matching = description.quality.get("match_sources", {})
    if matching.get("n_not_matched"):
        n = matching["n_not_matched"]
        text = f"{n} images could not be matched within {matching['tolerance']:g} scales at every level"
        found.append(Flag("(all)", "sources", f"{text}; see {MATCHED_SOURCES}"))
    return found
