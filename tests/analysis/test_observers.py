"""Error consistency of all pairs of observers: exact, with known truth, on real data; and drift diffusion."""

import logging

import numpy as np
import pandas as pd
import pytest

from rapidvision import analysis
from rapidvision.analysis import import_trials
from rapidvision.errors import InputError
from tests.analysis.measured_tables import rows_of, table


def observers(rng, *, shared, n=5, n_images=300):
    """Participants of 70 % whose errors have a common part; and a network that has it as well."""
    level = np.arange(n_images) % 4
    images = np.array([f"i{i:03d}" for i in range(n_images)], dtype=object)
    common = rng.random(n_images) < 0.7
    frames = []
    for person in range(n + 1):
        right = np.where(rng.random(n_images) < shared, common, rng.random(n_images) < 0.7)
        frames.append(rows_of(f"p{person}", "all", level, right, image=images))
    network = frames.pop().assign(observer="net", observer_kind="model", response_ms=np.nan, input=None)
    return table(*frames), analysis.read_trials(network, name="nets")


def test_pairs_are_those_of_two_observers_and_the_mean_is_over_levels(seed):
    people, _ = observers(np.random.default_rng(seed), shared=0.6)
    found = analysis.observer_consistency(people, n_bootstrap=50, seed=1)
    right = people.frame.assign(right=people.frame["correct"] == True)  # noqa: E712
    wide = right.pivot_table(
        index=["level_index", "image_id"], columns="participant_id", values="right", aggfunc="first"
    )
    for _, row in found.pairs.iterrows():
        each = [
            analysis.error_consistency(part[row["first"]], part[row["second"]], n_bootstrap=2).kappa
            for _, part in wide.groupby("level_index")
        ]
        assert row["kappa"] == pytest.approx(np.mean(each), abs=1e-12)
    mean = found.to_frame().set_index("level")["kappa"]["mean of levels"]
    assert mean == pytest.approx(found.pairs["kappa"].mean(), abs=1e-12)
    assert len(found.pairs) == 10


def test_shared_errors_are_found_and_a_network_reaches_the_ceiling(seed):
    rng = np.random.default_rng(seed)
    people, network = observers(rng, shared=0.7)
    table_ = analysis.observer_consistency(people, network, n_bootstrap=100, seed=1).to_frame()
    mean = table_[table_["level"] == "mean of levels"].set_index("pairs")
    assert mean.loc["participants", "low"] < 0.49 < mean.loc["participants", "high"]  # .7 squared
    assert mean.loc["net", "low"] < 0.49 < mean.loc["net", "high"]
    assert mean.loc["net", "of_ceiling"] == pytest.approx(1, abs=0.25)
    alone, _ = observers(rng, shared=0.0)
    none = analysis.observer_consistency(alone, n_bootstrap=100, seed=1).to_frame().iloc[-1]
    assert none["low"] < 0 < none["high"]


def test_observers_who_always_agree_are_at_one():
    frames = [rows_of(f"p{i}", "all", np.arange(40) % 4, True) for i in range(3)]
    found = analysis.observer_consistency(table(*frames), n_bootstrap=20, seed=1).to_frame()
    assert (found["kappa"] == 1).all()
    assert (found["low"] == 1).all()


def test_intervals_hold_for_other_names_and_orders(seed):
    people, _ = observers(np.random.default_rng(seed), shared=0.5, n=4)
    frame = people.frame.sample(frac=1, random_state=2)
    frame["image_id"] = frame["image_id"].str[::-1]
    frame["participant_id"] = frame["session_id"] = frame["participant_id"].map(lambda name: f"x{9 - int(name[1:])}")
    one, other = (
        analysis.observer_consistency(rows, n_bootstrap=50, seed=1).to_frame() for rows in (people, table(frame))
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_participants_without_common_images_have_no_consistency():
    frames = [
        rows_of(f"p{i}", "all", np.zeros(9, int), True, image=np.array([f"{i}-{k}" for k in range(9)], dtype=object))
        for i in range(3)
    ]
    with pytest.raises(InputError, match="no two participants saw the same image"):
        analysis.observer_consistency(table(*frames), n_bootstrap=10, seed=1)
    with pytest.raises(InputError, match="no answers of networks"):
        analysis.observer_consistency(table(frames[0]), table(frames[1]), n_bootstrap=10, seed=1)


@pytest.mark.data
@pytest.mark.parametrize(
    ("experiment", "low", "high", "n"), [("contrast", 0.312, 0.409, 1280), ("phase-scrambling", 0.270, 0.338, 1120)]
)
def test_real_observers_have_the_kappa_of_their_pooled_trials(data_folder, experiment, low, high, n):
    people = import_trials("mvh", sorted((data_folder / "model_vs_human" / experiment).glob("*.csv")))
    one_level = people.frame.assign(level_index=0, level_label="all", reveal_fraction=np.nan)
    found = analysis.observer_consistency(
        analysis.read_trials(one_level, repeats="keep"), late="wrong", n_bootstrap=10, seed=1
    )
    assert found.pairs["n"].tolist() == [n] * 6
    assert found.pairs["kappa"].min() == pytest.approx(low, abs=5e-4)
    assert found.pairs["kappa"].max() == pytest.approx(high, abs=6e-4)


@pytest.mark.data
def test_real_hits_and_false_alarms_are_the_published_ones(data_folder):
    people = import_trials(
        "bids", data_folder / "ds002680" / "trials.csv.gz", where=["condition~^animal_"], repeats="keep"
    )
    found = analysis.sensitivity(people)
    every = found.participants[found.participants["level"] == "all"]
    assert round(every["hits"].sum() / every["targets"].sum(), 3) == 0.922
    assert round(every["false_alarms"].sum() / every["distractors"].sum(), 3) == 0.066
    assert found.table.iloc[-1]["n"] == 14
    times = analysis.response_times(people).to_frame()
    assert times[(times["level"] == "all") & (times["answers"] == "correct")]["n"].tolist() == [14]


#: Accuracy (animal or not) by degrees of phase noise, as printed with the data.
PHASE_NOISE = {"0": 0.980, "30": 0.965, "60": 0.967, "90": 0.903, "120": 0.810, "150": 0.652, "180": 0.610}


@pytest.mark.data
def test_real_confusions_give_the_published_accuracies(data_folder):
    people = import_trials("mvh", sorted((data_folder / "model_vs_human" / "phase-scrambling").glob("*.csv")))
    found = analysis.confusion(people)
    condition = found.table["condition"].iloc[0]
    shares = {}
    for level in PHASE_NOISE:
        matrix = found.matrix(condition, level).to_numpy()
        shares[level] = round(float(np.trace(matrix) / matrix.sum()), 3)
    assert shares == PHASE_NOISE


@pytest.mark.data
def test_real_sixteen_way_answers_have_their_matrix(data_folder):
    files = sorted((data_folder / "model_vs_human" / "phase-scrambling").glob("*.csv"))
    raw = pd.concat([pd.read_csv(path, keep_default_na=False) for path in files], ignore_index=True)
    raw = raw[raw["object_response"] != "na"].reset_index(drop=True)
    frame = rows_of(raw["subj"], "all", np.zeros(len(raw), int), raw["object_response"] == raw["category"])
    frame["correct_response"], frame["response"] = raw["category"], raw["object_response"]
    found = analysis.confusion(table(frame))
    matrix = found.matrix("all")
    assert matrix.shape == (16, 16)
    assert np.trace(matrix.to_numpy()) == (raw["object_response"] == raw["category"]).sum()
    assert (matrix == pd.crosstab(raw["category"], raw["object_response"]).to_numpy()).all(axis=None)


def walks(rng, drift, boundary, n, *, step=0.001):
    """Times and answers of a diffusion with noise 1, by small steps."""
    x, time, right = np.zeros(n), np.full(n, np.nan), np.zeros(n, dtype=bool)
    for number in range(1, 6000):
        here = np.flatnonzero(np.isnan(time))
        if not len(here):
            break
        x[here] += drift * step + rng.normal(0, np.sqrt(step), len(here))
        # a walk that crosses between two steps is found half a step's overshoot late
        hit = here[np.abs(x[here]) >= boundary - 0.5826 * np.sqrt(step)]
        time[hit], right[hit] = number * step, x[hit] > 0
    return np.nan_to_num(time, nan=6.0), right


def test_simulated_diffusion_comes_back(seed):
    pytest.importorskip("pyddm", reason="the extra ddm is not installed")
    logging.getLogger("pyddm").setLevel(logging.ERROR)
    rng = np.random.default_rng(seed)
    frames = []
    for group, boundary in (("a", 1.0), ("b", 0.7)):
        for person in range(3):
            for level, drift in enumerate((0.5, 2.0)):
                time, right = walks(rng, drift, boundary, 150)
                frames.append(
                    rows_of(f"{group}{person}", group, np.full(150, level), right, response_ms=1000 * (time + 0.3))
                )
    found = analysis.fit_diffusion(table(*frames), n_resamples=99, seed=1)
    means = found.to_frame().set_index(["condition", "parameter"])["mean"]
    for group, boundary in (("a", 1.0), ("b", 0.7)):
        assert means[(group, "boundary")] == pytest.approx(boundary, abs=0.1)
        assert means[(group, "drift 10")] == pytest.approx(0.5, abs=0.35)
        assert means[(group, "drift 20")] == pytest.approx(2.0, abs=0.5)
        assert means[(group, "nondecision_ms")] == pytest.approx(300, abs=40)
    assert found.tests.set_index("score").loc["boundary", "difference"] == pytest.approx(0.3, abs=0.15)
    again = analysis.fit_diffusion(table(*frames[:2]), n_resamples=99, seed=2).participants
    first = found.participants[found.participants["participant_id"] == "a0"]
    assert again["value"].tolist() == first["value"].tolist()


def test_diffusion_needs_enough_answers(trials):
    pytest.importorskip("pyddm", reason="the extra ddm is not installed")
    few = trials.frame[trials.frame["level_index"] < 2]
    with pytest.raises(InputError, match="no participant of .* has 40 answers"):
        analysis.fit_diffusion(few)
