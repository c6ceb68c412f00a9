"""Any table in: columns, answers, units, levels and design are found; the user confirms them once."""

import pytest

from rapidvision.analysis import read_trials
from rapidvision.analysis.table.accuracy import cells
from tests.analysis.foreign_programs import PROGRAMS
from tests.analysis.foreign_tables import FRAME, TRUTH


def accuracies(trials):
    """(group, level) → accuracy over all trials."""
    found = cells(trials)
    return {
        (group, float(level.label)): float(
            found.halves[found.of(group), place].sum() / 2 / found.n_trials[found.of(group), place].sum()
        )
        for group in sorted(set(found.groups))
        for place, level in enumerate(found.levels)
    }


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_is_recognised_and_its_trials_are_read_without_a_word_of_the_user(program, tmp_path):
    trials = read_trials(PROGRAMS[program](tmp_path))
    assert accuracies(trials) == pytest.approx(TRUTH)
    assert trials.frame["participant_id"].nunique() == 6
    assert len(trials) == len(FRAME)
    reading = dict(trials.reading)
    known = {"pavlovia": "psychopy", "jatos": "jspsych"}.get(program.split()[0], program.split()[0])
    assert reading["table"].endswith(f"as {known} writes it")
    assert reading["design"].startswith("2 groups of different participants")
    if program != "qualtrics":
        assert sorted(trials.frame["response_ms"].round()) == sorted(FRAME["rt_ms"])
