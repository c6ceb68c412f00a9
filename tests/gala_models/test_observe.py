import csv
import json
import math

import numpy as np
import pytest
import torch
from PIL import Image

from rapidvision import cli
from rapidvision.analysis.reporting.sections.networks import attention
from rapidvision.errors import CheckFailed, InputError
from rapidvision.formats import trials_columns, trials_table
from rapidvision.formats.networks.model_record import mosaic_bytes, read_record
from rapidvision.gala_models.answers.participants import Participants
from rapidvision.gala_models.layers.architecture import Architecture
from rapidvision.gala_models.layers.resnet import build
from rapidvision.gala_models.observer import observe, shown
from rapidvision.gala_models.observer.networks import find_networks
from rapidvision.gala_models.observer.probe_observer import Probing
from rapidvision.gala_models.observer.probes import EarlyExit
from rapidvision.gala_models.observer.readout import binary
from rapidvision.gala_models.observer.study_run import run_study
from rapidvision.gala_models.preprocessing import Preprocessing
from rapidvision.gala_models.weights.card import Card, Category
from rapidvision.gala_models.weights.load import save_model
from rapidvision.gala_models.weights.state import state_sha256


class Redness(torch.nn.Module):
    """Scores for distractor and target: mean blue and mean red; counts the images it sees."""

    def __init__(self, gain=4.0):
        super().__init__()
        self.n_seen = 0
        self.fc = torch.nn.Linear(3, 2, bias=False)
        with torch.no_grad():
            self.fc.weight.copy_(gain * torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]))

    def forward(self, x):
        self.n_seen += len(x)
        return self.fc(x.mean((2, 3)))


def network(name="red", **more):
    flat = Preprocessing(size_px=32, mean=(0, 0, 0), std=(1, 1, 1))
    return observe.Network(name, Redness(**more), binary(), flat)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "m.csv"


def test_a_perfect_observer_is_right_on_every_trial_of_every_plan(study, out):
    study_run = run_study(study, [network()], out=out, quiet=True)
    assert len(study_run.records) == 2 * 3 * 10
    assert all(record.correct and record.status == "ok" and record.response_ms is None for record in study_run.records)
    assert trials_table.read_table(out) == study_run.records
    assert {record.observer for record in study_run.records} == {"red"}
    assert set(study_run.accuracies()) == {("red", "clickme"), ("red", "salicon")}
    assert all(shares == {"100": 1.0, "full": 1.0} for shares in study_run.accuracies().values())


def test_rows_are_those_of_the_plans(study, out):
    records = run_study(study, [network()], out=out, quiet=True).records
    plan = study.plans()[1]
    mine = [record for record in records if (record.group, record.slot) == (plan.group, plan.slot)]
    assert [record.stimulus_sha256 for record in mine] == [trial.image.stimulus_sha256 for trial in plan.trials()]
    assert {record.participant_id for record in mine} == {"red.replay.clickme.0001"}
    assert {record.response for record in mine} == {"target", "distractor"}
    assert {record.ignored for record in mine} == {"durations"}
    assert all(record.input is None and record.more["stimulus_planned_ms"] == 400 for record in mine)


def test_every_stimulus_is_seen_once_however_many_plans_show_it(study, out):
    net = network()
    study_run = run_study(study, [net], out=out, quiet=True, batch_size=7)
    assert net.model.n_seen == study_run.n_stimuli + 1  # and the grey image before the work
    assert study_run.n_stimuli == 2 * 3 * 10
    more = run_study(study, [net], out=out, quiet=True, participants=Participants(policy="stochastic"))
    assert more.n_stimuli == study_run.n_stimuli


def test_batches_do_not_change_what_is_seen(study):
    folder, stimuli = study.stimulus_set().folder, shown.stimuli_of(study.plans())
    first, second = (observe.observe_stimuli([network()], folder, stimuli, batch_size=n)[0] for n in (1, 64))
    np.testing.assert_allclose(first.evidence, second.evidence, atol=1e-5)


def test_a_changed_image_is_refused_before_the_first_forward_pass(study, out):
    path = next(iter(shown.stimuli_of(study.plans())))
    Image.new("RGB", (32, 32)).save(study.stimulus_set().folder / path)
    net = network()
    with pytest.raises(CheckFailed, match=r"\(changed\); no network has seen anything"):
        run_study(study, [net], out=out, quiet=True)
    assert net.model.n_seen == 0
    assert not out.exists()


def test_a_missing_image_is_named(study, out):
    path = next(iter(shown.stimuli_of(study.plans())))
    (study.stimulus_set().folder / path).unlink()
    with pytest.raises(CheckFailed, match=r"png \(missing\)"):
        run_study(study, [network()], out=out, quiet=True)


def test_a_head_that_does_not_fit_the_readout_is_refused_before_the_work(study, out):
    net = observe.Network("eight", build("compact-resnet").eval(), binary(), Preprocessing(size_px=32))
    with pytest.raises(InputError, match="eight: has 8 outputs, the readout binary needs 2"):
        run_study(study, [net], out=out, quiet=True)


def test_scores_that_are_not_finite_are_refused(study, out):
    with pytest.raises(
        CheckFailed, match=r"red: 1 of 1 images .*a grey image.* layer whose output is not finite is fc"
    ):
        run_study(study, [network(gain=math.nan)], out=out, quiet=True)


def test_a_module_that_returns_no_scores_is_refused(study, out):
    net = observe.Network("flat", torch.nn.Flatten(0), binary(), Preprocessing(size_px=8))
    with pytest.raises(InputError, match="must return scores of shape"):
        run_study(study, [net], out=out, quiet=True)


def test_stochastic_answers_follow_the_networks_probability():
    noise = Participants(policy="stochastic", seed=4).draws(200_000, "net", "clickme", 0)
    share = np.mean(0.8 + noise > 0)
    assert share == pytest.approx(1 / (1 + math.exp(-0.8)), abs=4 * 0.5 / math.sqrt(200_000))


def test_dropout_takes_the_stated_share_and_differs_between_participants():
    one = Participants(policy="dropout", seed=1)
    a, b = one.kept(200, "net", "clickme", 0), one.kept(200, "net", "clickme", 1)
    assert a.sum() == b.sum() == 190
    assert not np.array_equal(a, b)
    np.testing.assert_array_equal(a, one.kept(200, "net", "clickme", 0))
    with pytest.raises(InputError, match="less than one"):
        one.kept(3, "net", "clickme", 0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        Participants(dropout_fraction=1.0)


def test_dropping_readout_features_is_zeroing_them(study, out):
    who = Participants(policy="dropout", dropout_fraction=0.34, seed=2)
    records = run_study(study, [network()], out=out, participants=who, quiet=True).records
    plan = study.plans()[0]
    kept = torch.from_numpy(who.kept(3, "red", plan.group, plan.slot))
    trial = plan.trials()[3]
    image = np.asarray(Image.open(study.stimulus_set().folder / trial.image.path))
    net = network()
    scores = net.model.fc(net.preprocessing(image[None]).mean((2, 3)) * kept)
    assert records[3].decision_value == pytest.approx((scores[0, 1] - scores[0, 0]).item(), abs=1e-3)


def test_a_network_without_a_linear_layer_has_nothing_to_drop(study, out):
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 8), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    net = observe.Network("conv", model, binary(), Preprocessing(size_px=8))
    with pytest.raises(InputError, match="no linear layer at its end"):
        run_study(study, [net], out=out, participants=Participants(policy="dropout"), quiet=True)


def test_seeds_take_turns_over_the_slots(study, out):
    nets = [network("net-0", gain=1.0), network("net-1", gain=2.0)]
    who = Participants(policy="seeds")
    records = run_study(study, nets, out=out, participants=who, quiet=True).records
    assert {record.observer for record in records} == {"net"}
    full = [record for record in records if record.level_label == "full"]
    strength = [np.mean([abs(one.decision_value) for one in full if one.slot == slot]) for slot in range(3)]
    assert strength[1] == pytest.approx(2 * strength[0], rel=0.1)
    assert strength[2] == pytest.approx(strength[0], rel=0.1)
    with pytest.raises(InputError, match="needs at least two networks"):
        run_study(study, nets[:1], out=out, participants=who, quiet=True)


def test_networks_need_different_names(study, out):
    with pytest.raises(InputError, match="different names, got red, red"):
        run_study(study, [network(), network()], out=out, quiet=True)


def test_what_a_participant_is_stands_beside_the_table(study, out):
    run_study(study, [network()], out=out, quiet=True)
    record = json.loads(out.with_suffix(".json").read_text())
    assert record["policy"]["policy"] == "replay"
    assert "without noise" in record["a_participant_is"]
    assert record["networks"][0]["readout"] == "binary"
    assert "has no features layers" in record["attention"]["left_out"]["red"]


def test_what_networks_look_at_is_written_beside_the_table(study, out):
    model = build(Architecture(family="compact", attention="gala", n_classes=2), seed=1).eval()
    run_study(study, [observe.Network("tiny", model, binary(), Preprocessing(size_px=32))], out=out, quiet=True)
    found = read_record(out).attention.mosaic
    assert found.rows == ("images", "tiny")
    assert len(found.columns) == 8
    assert mosaic_bytes(out, found).startswith(b"\x89PNG")
    (shown,) = (part for part in attention(out) if hasattr(part, "png"))
    assert "Rows: the images, tiny (attention)." in shown.caption


def test_the_command_runs_a_file_of_weights(study, tmp_path, capsys):
    model = build(Architecture(family="compact", attention="gala", n_classes=2), seed=1)
    categories = (Category(name="cat", target=True), Category(name="table", target=False))
    small = Preprocessing(size_px=32)
    card = Card(name="tiny", architecture=model.architecture, categories=categories, preprocessing=small)
    save_model(tmp_path / "tiny.safetensors", model, card)
    words = ["models", "observe", str(study.folder), "--model", str(tmp_path / "tiny.safetensors")]
    assert cli.main(words) == 0
    assert "60 trials, 6 participants (replay)" in capsys.readouterr().out
    with (study.folder / "models.csv").open() as file:
        header = next(csv.reader(file))
    protocol = study.plans()[0].protocol
    described = trials_columns.description_of(protocol)
    assert header == list(described)
    assert json.loads((study.folder / "models-columns.json").read_text()) == described


def test_the_command_runs_a_labs_own_module(study, tmp_path, monkeypatch, capsys):
    (tmp_path / "my_lab_nets.py").write_text(
        "import torch\n"
        "def make():\n"
        "    return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 2))\n"
        "def wrong():\n"
        "    return 3\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    words = ["models", "observe", str(study.folder), "--readout", "binary", "--size", "16", "--out", "m.csv"]
    assert cli.main([*words, "--model", "my_lab_nets:make", "--quiet"]) == 0
    assert {record.observer for record in trials_table.read_table("m.csv")} == {"make"}
    assert cli.main([*words, "--model", "my_lab_nets:wrong"]) == 2
    assert "returned int; a torch.nn.Module is needed" in capsys.readouterr().err
    assert cli.main([*words, "--model", "my_lab_nets:none"]) == 2
    assert "cannot be found" in capsys.readouterr().err


def test_a_checkpoint_without_a_card_needs_its_architecture(study, tmp_path, out, capsys):
    torch.save(build("compact-resnet").state_dict(), tmp_path / "w.pth")
    assert cli.main(["models", "observe", str(study.folder), "--model", str(tmp_path / "w.pth")]) == 2
    assert "name the architecture" in capsys.readouterr().err
    nets = find_networks(str(tmp_path / "w.pth"), architecture="compact-resnet", size_px=32, readout="binary")
    with pytest.raises(InputError, match="8 outputs"):
        run_study(study, nets, out=out, quiet=True)


class Staged(torch.nn.Module):
    """Two layers: a blind one, and mean red and blue."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(3, 3, 1, bias=False)
        self.second = torch.nn.Conv2d(3, 3, 1, bias=False)
        with torch.no_grad():
            self.first.weight.zero_()
            self.second.weight.copy_(torch.eye(3)[:, :, None, None])

    def forward(self, x):
        return self.second(x + self.first(x)).mean((2, 3))


def staged():
    return observe.Network(
        "staged", Staged().eval(), binary(), Preprocessing(size_px=32, mean=(0, 0, 0), std=(1, 1, 1))
    )


def test_probes_answer_through_the_layer_that_is_named(study, out):
    # Fitted on intact images, asked about the same corner at 10 % of the colour: the sign of red against blue.
    seeing = run_study(study, [staged()], out=out, probing=Probing(layers=("second",)), quiet=True)
    intact = [record for record in seeing.records if record.level_label == "full"]
    assert all(record.correct for record in intact)
    assert all(record.response_ms is None for record in seeing.records)
    blind = run_study(study, [staged()], out=out, probing=Probing(layers=("first",)), quiet=True)
    assert {round(abs(record.decision_value), 6) for record in blind.records} == {0.0}
    assert json.loads(out.with_suffix(".json").read_text())["probing"]["layers"] == ["first"]


def test_answers_that_take_too_much_work_are_late(study, out):
    work = 3 * 3 * 32 * 32 / 1e6  # millions of multiply-accumulates per layer
    early = EarlyExit(threshold=0.5, base_ms=300.0, ms_per_million=200 / (2 * work))
    records = run_study(
        study, [staged()], out=out, probing=Probing(layers=("first", "second"), early_exit=early), quiet=True
    ).records
    assert {record.response_ms for record in records} == {500.0}  # the blind layer is never sure
    assert {record.status for record in records} == {"ok"}
    slow = EarlyExit(threshold=0.5, base_ms=360.0, ms_per_million=200 / (2 * work))
    records = run_study(
        study, [staged()], out=out, probing=Probing(layers=("first", "second"), early_exit=slow), quiet=True
    ).records
    assert {record.status for record in records} == {"late"}


def test_probes_that_do_not_fit_are_refused(study, out, capsys):
    with pytest.raises(InputError, match='no layer "third"'):
        run_study(study, [staged()], out=out, probing=Probing(layers=("third",)), quiet=True)
    with pytest.raises(InputError, match="probes have none"):
        who = Participants(policy="dropout")
        run_study(study, [staged()], out=out, participants=who, probing=Probing(layers=("first",)), quiet=True)
    with pytest.raises(ValueError, match="at least one"):
        Probing(layers=())
    words = ["models", "observe", str(study.folder), "--model", "bundled", "--early-exit", "1", "2", "3"]
    assert cli.main(words) == 2
    assert "--early-exit needs --probe" in capsys.readouterr().err


class Undecided(Redness):
    """Equal scores for every image."""

    def forward(self, x):
        return 0 * super().forward(x)


def test_a_tie_is_answered_wrongly_and_counted(study, out):
    flat = Preprocessing(size_px=32, mean=(0, 0, 0), std=(1, 1, 1))
    net = observe.Network("flat", Undecided(), binary(), flat)
    records = run_study(study, [net], out=out, quiet=True).records
    assert not any(record.correct for record in records)
    assert json.loads(out.with_suffix(".json").read_text())["networks"][0]["n_ties"] == 60
    drawn = run_study(study, [net], out=out, quiet=True, participants=Participants(policy="stochastic", seed=3)).records
    assert 0.3 < np.mean([record.correct for record in drawn]) < 0.7


class TwoHeads(torch.nn.Module):
    """As DeiT's distilled form: the scores are the mean of two heads, and the last linear layer is one of them."""

    def __init__(self):
        super().__init__()
        self.head, self.head_dist = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)

    def forward(self, x):
        pooled = x.mean((2, 3))
        return (self.head(pooled) + self.head_dist(pooled.flip(1))) / 2


class Sharpened(Redness):
    """Something follows the last linear layer."""

    def forward(self, x):
        return 3 * super().forward(x)


@pytest.mark.parametrize(("model", "layer"), [(TwoHeads, "head_dist"), (Sharpened, "fc")])
def test_features_that_do_not_make_the_scores_are_not_dropped(study, out, model, layer):
    net = observe.Network("two", model().eval(), binary(), Preprocessing(size_px=32))
    who = Participants(policy="dropout", dropout_fraction=0.34)
    with pytest.raises(InputError, match=rf"two: the last linear layer, {layer}, does not make the network's scores"):
        run_study(study, [net], out=out, participants=who, quiet=True)
    assert not out.exists()


def test_probed_layers_that_are_not_finite_are_refused(study, out):
    net = staged()
    with torch.no_grad():
        net.model.first.weight[0] = math.inf
    with pytest.raises(
        CheckFailed, match=r"staged: layer first gives values that are not finite for \d+ of 60 stimuli"
    ):
        run_study(study, [net], out=out, probing=Probing(layers=("first",)), quiet=True)


class Away(torch.nn.Module):
    """A stand-in for a network on a GPU: it refuses images of another device. Meta tensors hold no numbers."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(3, device="meta"))

    def forward(self, x):
        if x.device != self.weight.device:
            raise RuntimeError("Expected all tensors to be on the same device")
        return torch.arange(2.0).expand(len(x), 2)


def test_images_are_brought_to_the_networks_device(study, out):
    net = observe.Network("away", Away(), binary(), Preprocessing(size_px=32), sha256="stated")
    records = run_study(study, [net], out=out, quiet=True).records
    assert {record.response for record in records} == {"target"}


def test_weights_are_always_identified_and_the_pixels_described(study, tmp_path, out, monkeypatch):
    (tmp_path / "own_nets.py").write_text(
        "import torch\n"
        "def make():\n"
        "    torch.manual_seed(4)\n"
        "    return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 2))\n"
        "def broken():\n"
        "    net = make()\n"
        "    torch.nn.init.constant_(net[2].bias, float('nan'))\n"
        "    return net\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    nets = find_networks("own_nets:make", readout="binary", size_px=24, resize_px=32)
    run_study(study, nets, out=out, quiet=True)
    record = json.loads(out.with_suffix(".json").read_text())["networks"][0]
    assert record["weights_sha256"] == state_sha256(nets[0].model)
    assert record["pixels"] == "shorter side to 32 px, centre of 24 px"
    by_hand = observe.Network("hand", nets[0].model, binary(), nets[0].preprocessing)
    run_study(study, [by_hand], out=out, quiet=True)
    assert json.loads(out.with_suffix(".json").read_text())["networks"][0]["weights_sha256"] == record["weights_sha256"]
    with pytest.raises(InputError, match=r"own_nets:broken: 2\.bias holds values that are not finite"):
        find_networks("own_nets:broken", readout="binary")


def class_network(path):
    model = build(Architecture(family="compact", attention="gala", n_classes=2), seed=1)
    categories = (Category(name="n01", target=False), Category(name="n02", target=False))
    save_model(path, model, Card(name="classes", architecture=model.architecture, categories=categories))


def test_a_network_trained_on_class_folders_is_asked_for_its_targets(study, tmp_path, capsys):
    class_network(tmp_path / "c.safetensors")
    words = ["models", "observe", str(study.folder), "--model", str(tmp_path / "c.safetensors"), "--quiet"]
    assert cli.main(words) == 2
    assert "name the target classes with --target-classes, or choose a --readout" in capsys.readouterr().err
    assert cli.main([*words, "--target-classes", "n02"]) == 0
    image = tmp_path / "p.png"
    Image.new("RGB", (64, 64), "red").save(image)
    attend = [
        "models",
        "attention-maps",
        str(image),
        "--model",
        str(tmp_path / "c.safetensors"),
        "--out",
        str(tmp_path / "a"),
    ]
    assert cli.main([*attend, "--quiet"]) == 0  # attention needs no readout


def test_names_are_given_once_per_model(study, tmp_path, capsys):
    class_network(tmp_path / "c.safetensors")
    path = str(tmp_path / "c.safetensors")
    words = [
        "models",
        "observe",
        str(study.folder),
        "--model",
        path,
        "--model",
        path,
        "--target-classes",
        "n01",
        "--quiet",
    ]
    assert cli.main([*words, "--name", "x"]) == 2
    assert "--name: 1 given for 2 --model" in capsys.readouterr().err
    assert cli.main(words) == 2
    assert "got classes, classes; give --name once per --model" in capsys.readouterr().err
    assert cli.main([*words, "--name", "x", "--name", "y"]) == 0
    assert {record.observer for record in trials_table.read_table(study.folder / "models.csv")} == {"x", "y"}
