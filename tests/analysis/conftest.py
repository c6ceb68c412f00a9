import pandas as pd
import pytest

from rapidvision.analysis.sample_size.simulation import Design, simulate
from rapidvision.trials import COLUMNS


def as_csv(frame, path):
    """Write a frame as the trials table's CSV."""
    text = frame.copy()
    for column in COLUMNS:
        if column.dtype == "bool":
            text[column.name] = text[column.name].map({True: "true", False: "false"})
    text.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def design():
    return Design(n_per_group=24, thresholds=(1.3, 1.7))


@pytest.fixture(scope="session")
def trials(design, seed):
    return simulate(design, seed=seed).trials(seed=seed)


@pytest.fixture
def table_file(trials, tmp_path):
    return as_csv(trials.frame, tmp_path / "trials.csv")


def network_rows(trials, name="net", flip=None):
    """The same plans answered by a network: the same answer to the same image file, no clock."""
    frame = trials.frame.copy()
    sure = frame["stimulus_sha256"].map(lambda text: sum(map(ord, text)) % 10 < 8)
    correct = sure if flip is None else ~sure
    frame["observer"] = name
    frame["observer_kind"] = "model"
    frame["participant_id"] = name + "-" + frame["participant_id"].astype(str)
    frame["session_id"] = name + "-" + frame["session_id"].astype(str)
    frame["correct"] = correct.astype(object)
    frame["response"] = pd.Series(correct == frame["target"]).map({True: "target", False: "distractor"})
    frame["input"] = None
    frame["response_ms"] = float("nan")
    frame["status"] = "ok"
    frame["decision_value"] = (2.0 * (frame["response"] == "target") - 1) * (1 + frame["level_index"])
    return frame


@pytest.fixture
def network_file(trials, tmp_path):
    return as_csv(network_rows(trials), tmp_path / "models.csv")
