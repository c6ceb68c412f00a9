"""Files as other programs wrote them: imported right, or refused with file, place and remedy; ordinary designs through all."""

import json
import random

import pytest

from rapidvision.analysis import chance, level_tests
from rapidvision.analysis.reporting.build import report
from rapidvision.analysis.table.imports import import_trials
from rapidvision.analysis.table.trials import read_trials
from rapidvision.formats.trials_table import write_table
from rapidvision.trials import TrialRecord
from tests.analysis.foreign_cases import CASES, FOLDER, failure, truth_of


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_file_gives_what_it_holds_or_is_refused(case):
    assert failure(case) == ""


def test_every_file_is_a_case():
    assert {path.name for path in FOLDER.iterdir()} == {case.file for case in CASES}


def test_the_known_accuracies_are_those_of_the_files():
    """The truth that the cases are held against, where it is known from elsewhere."""
    by_name = {case.name: truth_of(case) for case in CASES if not case.says}
    assert set(by_name["caps"].values()) == {1.0}
    late = by_name["deadline_2s"]
    for group in ("parts", "saliency"):
        assert 0.74 <= sum(share for (own, _), share in late.items() if own == group) / 6 <= 0.82
    plain = by_name["german_en"]
    assert all(truth == plain for name, truth in by_name.items() if name.startswith("german"))
    assert by_name["base"] == by_name["excel_semicolon"] == by_name["seconds"] == by_name["space"]


def test_a_two_second_deadline_makes_no_difference_of_groups():
    trials = import_trials("csv", FOLDER / "deadline_2s.csv", targets=["target"], distractors=["other"])
    assert set(trials.frame["status"]) == {"ok"}
    found = level_tests(trials, n_resamples=500, seed=1)
    assert max(abs(found.test.difference)) < 0.1
    assert min(found.p) > 0.05


@pytest.fixture(scope="module")
def sixty(tmp_path_factory):
    """Twenty people, sixty trials at each of four levels, a few answers late: an ordinary design."""
    draw = random.Random(60)
    records = []
    for person in range(20):
        group, trial = "ab"[person % 2], 0
        for index, (label, share) in enumerate((("10", 0.1), ("40", 0.4), ("100", 1.0), ("full", None))):
            for _ in range(60):
                target, right, late = draw.random() < 0.5, draw.random() < 0.65 + 0.1 * index, draw.random() < 0.03
                said = target == right
                records.append(
                    TrialRecord(
                        study_id="own", session_id=f"s{person}", participant_id=f"s{person}", observer="human",
                        observer_kind="human", group=group, slot=0, phase="main", block=0, trial=trial,
                        image_id=f"i{trial}", stimulus_sha256=f"unknown:i{trial}@{label}",
                        category="animal" if target else "other", target=target, map_source=group, level_index=index,
                        level_label=label, reveal_fraction=share, revealed_px=None,
                        correct_response="target" if target else "distractor",
                        input="s" if said else "l", response="target" if said else "distractor", correct=right,
                        response_ms=700.0 if late else 408.0, status="late" if late else "ok",
                        late_refreshes=None, refresh_hz=None,
                    )
                )  # fmt: skip
                trial += 1
    path = tmp_path_factory.mktemp("sixty") / "trials.csv"
    write_table(path, records)
    return path


def test_sixty_trials_per_level_are_tested_against_chance_and_reported(sixty, tmp_path):
    rows = [row for row in read_trials(sixty).frame.itertuples() if row.status == "ok"]
    for one in chance(sixty, n_resamples=1000, seed=1).tests:
        assert len(one.p_holm) == 4
        assert (one.p_holm < 0.05).all()
        for level, mean in zip(one.levels, one.accuracy, strict=True):
            people = {}
            for row in rows:
                if row.group == one.group and row.level_label == level.label:
                    people.setdefault(row.participant_id, []).append(row.correct)
            assert mean == pytest.approx(sum(sum(own) / len(own) for own in people.values()) / len(people))
    report(sixty, tmp_path, n_resamples=1000, seed=1)
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert results["not_computed"] == {}
    assert all(row["p_holm"] is not None for group in results["chance"] for row in group)
