"""A report that is given the stimulus set says what the set's canvases tell of the category."""

import msgspec

from rapidvision.analysis import Design, report
from rapidvision.analysis.reporting.sections.stimuli import certificate_of, stimuli_results, stimuli_section
from rapidvision.certificate.record import CanvasCertificate, CanvasTest
from rapidvision.formats.manifest import read_set, write_set
from rapidvision.formats.report_results import read_results
from tests.experiments.sets import make_set

TEST = CanvasTest(
    shown="canvas", features="numbers", n_targets=40, n_distractors=40, auc=0.74, low=0.55, high=0.87, p=0.002,
    p_below=1.0, null_sd=0.09, n_permutations=999,
)  # fmt: skip


def with_certificate(folder, certificate):
    found = make_set(folder)
    description = msgspec.structs.replace(found.description, certificate=certificate)
    return write_set(folder, description, found.stimuli)


def test_the_certificate_is_in_the_report_and_in_its_results(tmp_path):
    found = with_certificate(tmp_path / "set", CanvasCertificate(tests=(TEST,)))
    assert read_set(found.folder).description.certificate.flagged
    trials = Design(n_per_group=4).simulate(seed=1)
    made = report(trials, tmp_path / "report", stimulus_set=found.folder, n_resamples=99, seed=1)
    page = made.html.read_text(encoding="utf-8")
    assert "What canvases tell of the category" in page
    assert "canvases alone tell targets from distractors" in page
    results = read_results(tmp_path / "report" / "results.json")
    assert results.certificate["flagged"]
    assert results.certificate["tests"][0]["auc"] == 0.74
    without = report(trials, tmp_path / "plain", n_resamples=99, seed=1)
    assert "What canvases tell" not in without.html.read_text(encoding="utf-8")
    assert read_results(tmp_path / "plain" / "results.json").certificate is None


def test_a_set_without_a_certificate_is_said_to_have_none(tmp_path):
    found = make_set(tmp_path / "set")
    certificate = certificate_of(found.folder)
    assert "built without it" in stimuli_section(certificate)[0].text
    assert stimuli_results(certificate) == {"tests": (), "note": "the set was built without it", "flagged": False}
