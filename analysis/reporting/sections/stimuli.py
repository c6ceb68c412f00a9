"""What the stimulus set of a report says of itself: its canvas certificate."""

from pathlib import Path
from typing import Any

import msgspec

from rapidvision.certificate.record import CanvasCertificate
from rapidvision.formats.manifest import read_set

from ..parts import Parts, notices, paragraph, table


def certificate_of(stimulus_set: Path | str) -> CanvasCertificate:
    """Return the certificate of a set; one without tests where the set has none."""
    found = read_set(stimulus_set).description.certificate
    return CanvasCertificate(note="the set was built without it") if found is None else found


def stimuli_section(certificate: CanvasCertificate) -> Parts:
    """Return the verdict, and a row per test."""
    first, *_ = certificate.sentences
    said = notices([first]) if certificate.flagged else paragraph(first)
    if not certificate.tests:
        return said
    head = ("shown", "features", "AUC", "low", "high", "p", "targets", "distractors", "found with power .8")
    rows = [
        (
            *(test.shown, test.features, test.auc, test.low, test.high, test.p),
            *(test.n_targets, test.n_distractors, test.smallest_leak),
        )
        for test in certificate.tests
    ]
    return said + table("certificate", head, rows)


def stimuli_results(certificate: CanvasCertificate) -> dict[str, Any]:
    """Return the certificate for ``results.json``."""
    found: dict[str, Any] = msgspec.to_builtins(certificate)
    return found | {"flagged": certificate.flagged}
