"""The rules that the lab shares with the browser, case by case from the same files."""

import json
from pathlib import Path

import rapidvision
from rapidvision.screen import refreshes
from rapidvision.trials import judge

VECTORS = Path(rapidvision.__file__).parent / "vectors"


def test_the_half_frame_rule_holds_in_every_shared_case():
    cases = json.loads((VECTORS / "refreshes.json").read_text())["cases"]
    assert len(cases) > 200
    for case in cases:
        assert refreshes(case["duration_ms"], case["refresh_hz"]) == case["refreshes"], case


def test_the_rule_of_judgement_holds_in_every_shared_case():
    cases = json.loads((VECTORS / "judge.json").read_text())["cases"]
    assert len(cases) > 140
    for case in cases:
        outcome = judge(**case["given"])
        found = {"response": outcome.response, "correct": outcome.correct, "status": outcome.status}
        assert found == case["outcome"], case
