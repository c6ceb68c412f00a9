"""People, simulated participants and networks in one table: every public function and every verb refuses it."""

import argparse
import inspect

import pandas as pd
import pytest

from rapidvision import analysis
from rapidvision.analysis import commands
from rapidvision.analysis.table.trials import Trials, write_trials
from rapidvision.cli import main
from rapidvision.errors import InputError
from tests.analysis.conftest import as_csv, network_rows

REFUSED = r"several kinds of observers .*never analysed together.*--observers human"
#: Public functions that take a trials table, with the least arguments.
CALLS = {
    "bins": lambda t, out: analysis.bins(t),
    "curve": lambda t, out: analysis.curve(t),
    "level_tests": lambda t, out: analysis.level_tests(t, n_resamples=20, seed=1),
    "fig2b": lambda t, out: analysis.fig2b(t, n_resamples=20, seed=1),
    "fit_psychometric": lambda t, out: analysis.fit_psychometric(t, n_resamples=20, n_bootstrap=20, seed=1),
    "chance": lambda t, out: analysis.chance(t, n_resamples=20, seed=1),
    "fit_mixed": lambda t, out: analysis.fit_mixed(t),
    "fit_hierarchical": lambda t, out: analysis.fit_hierarchical(t, images="none"),
    "exclude": lambda t, out: analysis.exclude(t, analysis.Rules()),
    "compare": lambda t, out: analysis.compare(t, t, seed=1),
    "report": lambda t, out: analysis.report(t, out, n_resamples=20, seed=1),
    "conditional_accuracy": lambda t, out: analysis.conditional_accuracy(t),
    "confusion": lambda t, out: analysis.confusion(t),
    "find_contrast": lambda t, out: analysis.find_contrast(t),
    "fit_diffusion": lambda t, out: analysis.fit_diffusion(t, n_resamples=20, seed=1),
    "image_effects": lambda t, out: analysis.image_effects(t),
    "learning": lambda t, out: analysis.learning(t),
    "level_effects": lambda t, out: analysis.level_effects(t),
    "multiverse": lambda t, out: analysis.multiverse(t, n_resamples=20, seed=1),
    "observer_consistency": lambda t, out: analysis.observer_consistency(t, seed=1),
    "pilot_power": lambda t, out: analysis.pilot_power(t, [8], seed=1),
    "response_times": lambda t, out: analysis.response_times(t),
    "sensitivity": lambda t, out: analysis.sensitivity(t),
    "shape_bias": lambda t, out: analysis.shape_bias(t),
    "speed_accuracy": lambda t, out: analysis.speed_accuracy(t),
    "split_half": lambda t, out: analysis.split_half(t, seed=1),
}
#: Public functions that take no trials table, or only carry it.
OTHERS = {
    "agreement",
    "calibrate",
    "error_consistency",
    "import_trials",
    "jzs_bayes_factor",
    "maps",
    "omnibus_test",
    "paragraphs",
    "permutation_test",
    "pooled_spread",
    "power",
    "preregister",
    "randomization_test",
    "read_preregistration",
    "read_trials",
    "register_statistic",
    "reliability",
    "score_columns",
    "sign_flip_test",
    "strategy_test",
    "write_trials",
}
VERBS = {
    "bins": [],
    "fig2b": ["--out", "OUT"],
    "curve": [],
    "chance": [],
    "mixed": [],
    "hierarchical": ["--images-random", "none"],
    "compare": ["MODELS"],
    "report": ["--out", "OUT"],
    "effects": [],
    "sensitivity": [],
    "times": [],
    "conditional-accuracy": [],
    "learning": [],
    "speed-accuracy": [],
    "images": [],
    "confusion": [],
    "consistency": [],
    "shape-bias": [],
    "split-half": [],
    "diffusion": [],
    "multiverse": [],
}


@pytest.fixture(scope="module")
def everybody(trials):
    """Simulated participants, people of other names in the same plans, and a network."""
    people = trials.frame.assign(
        observer="human",
        observer_kind="human",
        participant_id="h-" + trials.frame["participant_id"].astype(str),
        session_id="h-" + trials.frame["session_id"].astype(str),
    )
    return Trials(pd.concat([trials.frame, people, network_rows(trials)], ignore_index=True), name="everybody.csv")


def test_every_public_function_is_known_here():
    functions = {name for name in analysis.__all__ if inspect.isfunction(getattr(analysis, name))}
    assert set(CALLS) | OTHERS == functions
    for name in OTHERS:
        first = next(iter(inspect.signature(getattr(analysis, name)).parameters.values()), None)
        if name not in ("write_trials",) and first is not None:
            assert first.name != "trials"


@pytest.mark.parametrize("name", CALLS)
def test_no_function_mixes_kinds(everybody, tmp_path, name):
    with pytest.raises(InputError, match=REFUSED):
        CALLS[name](everybody, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("left_out", ["human", "simulated", "model"])
def test_any_two_kinds_are_too_many(everybody, tmp_path, name, left_out):
    rows = (everybody.frame["observer_kind"] != left_out).to_numpy()
    with pytest.raises(InputError, match=REFUSED):
        CALLS[name](everybody.keep(rows, "two kinds"), tmp_path / "out")


def test_no_verb_mixes_kinds(everybody, trials, tmp_path, capsys):
    path, models = tmp_path / "everybody.csv", as_csv(network_rows(trials), tmp_path / "models.csv")
    write_trials(path, everybody)
    for verb, more in VERBS.items():
        words = [{"OUT": str(tmp_path / "out"), "MODELS": str(models)}.get(word, word) for word in more]
        assert main(["analyse", verb, str(path), *words]) == 2
        assert "never analysed together" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_every_verb_that_reads_a_trials_table_is_known_here():
    parser = argparse.ArgumentParser()
    commands.add_arguments(parser)
    (verbs,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    reading = {name for name, one in verbs.choices.items() if any(action.dest == "trials" for action in one._actions)}
    assert reading == set(VERBS)
