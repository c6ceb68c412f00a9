"""Many networks and one set: scores are kept, images are decoded once, and one network that fails costs no other."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from rapidvision import cli
from rapidvision.errors import CheckFailed, InputError
from rapidvision.gala_models.computing import viewing
from rapidvision.gala_models.computing.score_cache import ScoreCache
from rapidvision.gala_models.layers.resnet import build
from rapidvision.gala_models.observer import observe
from rapidvision.gala_models.observer.observe import Network
from rapidvision.gala_models.observer.readout import binary, of_categories
from rapidvision.gala_models.observer.study_run import run_study
from rapidvision.gala_models.preprocessing import Preprocessing
from rapidvision.gala_models.weights.card import Category

FOUR = [Category(name=name, target=name in ("bird", "cat")) for name in ("bird", "cat", "table", "couch")]


def compact(name="net", seed=0, **changes):
    from rapidvision.gala_models.layers.architecture import Architecture

    model = build(Architecture(family="compact", n_classes=4), seed=seed).eval()
    return Network(name, model, of_categories(FOUR), Preprocessing(size_px=32), **changes)


class Late(nn.Module):
    """Fails at its second batch, after the grey image."""

    def __init__(self):
        super().__init__()
        self.n_calls = 0

    def forward(self, x):
        self.n_calls += 1
        if self.n_calls > 2:
            raise ValueError("worn out")
        return torch.stack([x.mean((1, 2, 3)), -x.mean((1, 2, 3))], 1)


@pytest.fixture
def counted(monkeypatch):
    """How many images were decoded."""
    shown = []
    decoded = observe.decoded

    def counting(folder, stimuli, **options):
        shown.append(len(stimuli))
        return decoded(folder, stimuli, **options)

    monkeypatch.setattr(observe, "decoded", counting)
    return shown


def test_a_second_run_shows_nothing_and_gives_the_same_rows(study, tmp_path, counted):
    first = run_study(study, [compact()], out=None, cache=tmp_path / "cache", quiet=True)
    again = run_study(study, [compact()], out=None, cache=tmp_path / "cache", quiet=True)
    assert again.records == first.records
    assert counted == [60, 0]
    run_study(study, [compact(), compact("other", seed=1)], out=None, cache=tmp_path / "cache", quiet=True)
    assert counted == [60, 0, 60]


@pytest.mark.parametrize(
    "change",
    [
        lambda net: nn.init.constant_(net.model.fc.bias, 1.0),
        lambda net: setattr(net.model, "maxpool", nn.MaxPool2d(2)),
        lambda net: object.__setattr__(net, "precision", "bf16"),
        lambda net: object.__setattr__(net, "preprocessing", Preprocessing(size_px=24)),
    ],
    ids=["weights", "structure", "precision", "pixels"],
)
def test_another_network_does_not_take_its_scores(study, tmp_path, counted, change):
    run_study(study, [compact()], out=None, cache=tmp_path / "cache", quiet=True)
    other = compact()
    with torch.no_grad():
        change(other)
    run_study(study, [other], out=None, cache=tmp_path / "cache", quiet=True)
    assert counted == [60, 60]


def test_networks_whose_scores_hang_on_more_are_never_kept(tmp_path):
    hooked = compact()
    hooked.model.fc.register_forward_hook(lambda _module, _inputs, output: output + 1)
    assert compact().key is not None
    assert hooked.key is None


def test_a_damaged_cache_is_computed_again(study, tmp_path, counted):
    first = run_study(study, [compact()], out=None, cache=tmp_path / "cache", quiet=True)
    (path,) = (tmp_path / "cache").iterdir()
    path.write_bytes(path.read_bytes()[:100])
    assert run_study(study, [compact()], out=None, cache=tmp_path / "cache", quiet=True).records == first.records
    assert counted == [60, 60]


def test_a_run_that_was_stopped_keeps_what_it_saw(study, tmp_path, counted, monkeypatch):
    show = viewing._show

    def stops(sight, images, *rest):
        if sight.n_new >= 20:
            raise KeyboardInterrupt
        show(sight, images, *rest)

    monkeypatch.setattr(viewing, "_show", stops)
    with pytest.raises(KeyboardInterrupt):
        run_study(study, [compact()], out=None, cache=tmp_path / "cache", batch_size=10, quiet=True)
    monkeypatch.setattr(viewing, "_show", show)
    run_study(study, [compact()], out=None, cache=tmp_path / "cache", batch_size=10, quiet=True)
    assert counted == [60, 40]
    assert len(ScoreCache(tmp_path / "cache").known(compact().key)) == 60


def test_one_network_that_fails_costs_no_other(study, tmp_path):
    out = tmp_path / "m.csv"
    late = Network("late", Late(), binary(), Preprocessing(size_px=8), sha256="stated")
    alone = run_study(study, [compact()], out=None, batch_size=16, quiet=True).records
    found = run_study(study, [late, compact()], out=out, batch_size=16, quiet=True)
    assert found.records == alone
    assert list(found.failed) == ["late"]
    record = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert "ValueError on an input of shape (16, 3, 8, 8)" in record["failed"]["late"]
    assert "worn out" in record["failed"]["late"]
    assert [one["name"] for one in record["networks"]] == ["net"]
    with pytest.raises(CheckFailed, match="late: ValueError"):
        run_study(study, [Network("late", Late(), binary(), Preprocessing(size_px=8))], out=None, batch_size=16)
    wide = Network("wide", nn.Flatten(), binary(), Preprocessing(size_px=8))
    with pytest.raises(CheckFailed, match="every network failed: wide: .*; other: "):
        run_study(
            study, [wide, Network("other", nn.Flatten(), binary(), Preprocessing(size_px=8))], out=None, quiet=True
        )


def test_the_verb_observes_cards_and_names_those_that_cannot_be_loaded(study, tmp_path, capsys):
    (tmp_path / "broken.toml").write_text('name = "broken"\n[loader]\nkind = "function"\ntarget = "no_such:make"\n')
    words = ["models", "observe", str(study.folder), "--model", "bundled", "--cards", str(tmp_path / "broken.toml")]
    out = tmp_path / "m.csv"
    assert cli.main([*words, "--cache", str(tmp_path / "cache"), "--out", str(out), "--quiet"]) == 1
    assert "broken: no_such:make: cannot be found" in capsys.readouterr().err
    record = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert (len(record["networks"]), len(record["failed"])) == (4, 1)
    first = out.read_bytes()
    assert len(list((tmp_path / "cache").iterdir())) == 4
    assert cli.main([*words, "--cache", str(tmp_path / "cache"), "--out", str(out), "--quiet"]) == 1
    assert out.read_bytes() == first
    assert cli.main(["models", "observe", str(study.folder)]) == 2
    assert "give --model or --cards" in capsys.readouterr().err


def test_networks_of_one_batch_see_the_same_rows(study):
    """A network that knows some of a batch is shown the rest of it."""
    stimuli = {f"{n}.png": str(n) for n in range(4)}
    one, two = viewing.Sight(compact()), viewing.Sight(compact("two", seed=1))
    images = np.random.Generator(np.random.PCG64(0)).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    with torch.inference_mode():
        viewing.look([one], [images], stimuli, lambda n: None)
        two.scores = {"1": torch.zeros(4), "3": torch.zeros(4)}
        assert viewing.missing([one, two], stimuli) == {"0.png": "0", "2.png": "2"}
        viewing.look([one, two], [images], stimuli, lambda n: None)
        whole = two.viewer.scores(two.viewer.preprocessing(images))
    assert (one.n_new, two.n_new) == (4, 2)
    torch.testing.assert_close(two.scores["2"], whole[2])


def test_names_must_differ(study):
    with pytest.raises(InputError, match="networks must have different names"):
        run_study(study, [compact(), compact()], out=None, quiet=True)
