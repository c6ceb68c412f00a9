import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from rapidvision import recipes
from rapidvision.errors import Aborted, CheckFailed, InputError, RecipeError
from rapidvision.gala_models.layers.architecture import Architecture
from rapidvision.gala_models.preprocessing import Preprocessing
from rapidvision.gala_models.training import checkpoint
from rapidvision.gala_models.training.loss import MapLoss
from rapidvision.gala_models.training.processes import World
from rapidvision.gala_models.training.recipe import PRESETS, Schedule, Training
from rapidvision.gala_models.training.run import run_recipe
from rapidvision.gala_models.training.train import Trainer
from rapidvision.gala_models.weights.load import load_model

TINY = Training(
    name="tiny",
    model=Architecture(family="compact", attention="gala", n_classes=4),
    preprocessing=Preprocessing(size_px=32, resize_px=36),
    schedule=Schedule(learning_rate=0.01, epochs=3, milestones=(2,)),
    batch_size=8,
)


def changed(**fields):
    return msgspec.structs.replace(TINY, **fields)


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_the_learning_rate_at_its_corners():
    paper = Schedule(learning_rate=0.5)
    rates = {epoch: paper.at(epoch * 7, steps_per_epoch=7) for epoch in (0, 29, 30, 59, 60, 79, 80, 89, 90, 99)}
    expected = [0.5, 0.5, 0.05, 0.05, 5e-3, 5e-3, 5e-4, 5e-4, 5e-5, 5e-5]
    assert list(rates.values()) == pytest.approx(expected)
    assert paper.at(30 * 7 - 1, steps_per_epoch=7) == 0.5
    warm = Schedule(learning_rate=1.0, warmup_epochs=2)
    assert [warm.at(step, steps_per_epoch=5) for step in (0, 4, 9, 10)] == pytest.approx([0.1, 0.5, 1.0, 1.0])


def test_the_papers_numbers_are_the_defaults():
    paper = PRESETS["paper"]
    assert (paper.batch_size, paper.map_loss.lam, paper.schedule.epochs) == (32, 6.0, 100)
    assert paper.schedule.milestones == (30, 60, 80, 90)
    assert (PRESETS["tpu"].batch_size, PRESETS["tpu"].map_loss.lam) == (1024, 1e-5)


@pytest.mark.parametrize("stop", [1, 5, 6, 8])
def test_a_run_resumes_to_the_same_bits_from_any_step(make_store, tmp_path, stop):
    store = make_store(share_of_maps=0.5)  # 6 steps an epoch
    whole = Trainer(TINY, tmp_path / "whole", train=store, validation=store)
    whole.run()
    Trainer(TINY, tmp_path / "parts", train=store, validation=store).run(max_steps=stop)
    parts = Trainer(TINY, tmp_path / "parts", train=store, validation=store)
    assert parts.n_steps == stop
    parts.run()
    assert same(whole.model, parts.model)
    assert whole.progress.history == parts.progress.history
    assert (tmp_path / "whole" / "tiny.safetensors").read_bytes() == (
        tmp_path / "parts" / "tiny.safetensors"
    ).read_bytes()


def test_workers_do_not_change_the_run(make_store, tmp_path):
    store = make_store()
    runs = []
    for n_workers in (0, 1, 4):
        runs.append(Trainer(changed(n_workers=n_workers), tmp_path / str(n_workers), train=store, validation=store))
        runs[-1].run(max_steps=7)
    assert same(runs[0].model, runs[1].model)
    assert same(runs[0].model, runs[2].model)


def test_a_batch_in_parts_is_the_batch(make_store, tmp_path):
    # A small rate: with statistics frozen before any training, rounding grows tenfold a step at a larger one.
    store = make_store(share_of_maps=0.3)
    frozen = changed(freeze_batch_norm=True, schedule=Schedule(learning_rate=0.001))
    whole = Trainer(frozen, tmp_path / "1", train=store, validation=store)
    parts = Trainer(msgspec.structs.replace(frozen, n_accumulate=4), tmp_path / "4", train=store, validation=store)
    whole.run(max_steps=4)
    parts.run(max_steps=4)
    for a, b in zip(whole.model.parameters(), parts.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)


def test_maps_teach_where_to_look(make_store, tmp_path):
    store = make_store(n=96)
    rho = {}
    for annotation in ("none", "maps"):
        recipe = changed(
            annotation=annotation, schedule=Schedule(learning_rate=0.03, epochs=8, milestones=(6,)), batch_size=16
        )
        trainer = Trainer(recipe, tmp_path / annotation, train=store, validation=store)
        trainer.run()
        rho[annotation] = trainer.progress.history[-1]["validation"]["rho"]
    assert rho["maps"] > rho["none"] + 0.1


@pytest.mark.parametrize(("attention", "supervise"), [("none", "features"), ("se", "attention"), ("se", "features")])
def test_other_networks_can_be_supervised_too(make_store, tmp_path, attention, supervise):
    model = Architecture(family="compact", attention=attention, n_classes=4)
    store = make_store()
    trainer = Trainer(changed(model=model, supervise=supervise), tmp_path / "r", train=store, validation=store)
    trainer.run(max_steps=2)
    assert trainer.progress.sums[2] > 0


def test_what_is_written_says_what_was_done(make_store, tmp_path):
    store = make_store()
    trainer = Trainer(TINY, tmp_path / "r", train=store, validation=store)
    trainer.run()
    lines = [json.loads(line) for line in (tmp_path / "r" / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert lines[2]["learning_rate"] == pytest.approx(0.001)
    model, card = load_model(tmp_path / "r" / "tiny.safetensors")
    best = min(lines, key=lambda line: line["validation"]["top1_error"])
    assert card.results["validation"] == best["validation"]
    assert card.categories == store.description.categories
    assert recipes.read(tmp_path / "r" / "recipe.toml", Training) == TINY
    assert recipes.convert(card.recipe, Training) == TINY
    assert not model.training


def test_bfloat16_trains_and_keeps_the_loss_in_float32(make_store, tmp_path):
    store = make_store()
    trainer = Trainer(changed(precision="bf16"), tmp_path / "r", train=store, validation=store)
    trainer.run(max_steps=2)
    assert np.isfinite(trainer.progress.sums).all()
    assert trainer.model.fc.weight.dtype == torch.float32


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint(make_store, tmp_path):
    store = make_store()
    trainer = Trainer(TINY, tmp_path / "r", train=store, validation=store)
    trainer.run(max_steps=3)
    with torch.no_grad():
        trainer.model.fc.weight.fill_(float("nan"))
    with pytest.raises(CheckFailed, match=r"the loss is nan at step 3 .*images \d+"):
        trainer.run()
    again = Trainer(TINY, tmp_path / "r", train=store, validation=store)
    assert again.n_steps == 3
    assert torch.isfinite(again.model.fc.weight).all()


def test_stopping_from_the_keyboard_saves(make_store, tmp_path, monkeypatch):
    store = make_store()
    trainer = Trainer(TINY, tmp_path / "r", train=store, validation=store)
    step = trainer._step

    def interrupted(*arguments):
        if trainer.n_steps == 4:
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr(trainer, "_step", interrupted)
    with pytest.raises(Aborted, match="stopped after 4 steps; run the same command again"):
        trainer.run()
    assert Trainer(TINY, tmp_path / "r", train=store, validation=store).n_steps == 4


@pytest.mark.parametrize("when", ["before", "after"])
def test_ctrl_c_in_the_middle_of_a_step_saves_no_half_of_it(make_store, tmp_path, when):
    store = make_store()
    whole = Trainer(TINY, tmp_path / "whole", train=store, validation=store)
    whole.run()
    trainer = Trainer(TINY, tmp_path / "r", train=store, validation=store)
    update = trainer.optimization.optimizer.step

    def pressed():
        if trainer.n_steps == 4 and when == "before":  # batch norm has seen the batch, the weights have not
            signal.raise_signal(signal.SIGINT)
        update()
        if trainer.n_steps == 4 and when == "after":  # the weights have, the count of steps has not
            signal.raise_signal(signal.SIGINT)

    trainer.optimization.optimizer.step = pressed
    with pytest.raises(Aborted, match="stopped after 5 steps"):
        trainer.run()
    again = Trainer(TINY, tmp_path / "r", train=store, validation=store)
    assert again.n_steps == 5
    again.run()
    assert same(again.model, whole.model)


def test_another_recipe_or_store_cannot_resume_from_a_checkpoint(make_store, tmp_path):
    store = make_store()
    Trainer(TINY, tmp_path / "r", train=store, validation=store).run(max_steps=1)
    Trainer(changed(n_workers=4), tmp_path / "r", train=store, validation=store)  # threads decide nothing
    with pytest.raises(InputError, match="holds a run with another recipe"):
        Trainer(changed(seed=1), tmp_path / "r", train=store, validation=store)
    other = make_store("other", share_of_maps=0.5)
    with pytest.raises(InputError, match="holds a run with another data"):
        Trainer(TINY, tmp_path / "r", train=other, validation=store)
    (tmp_path / "r" / "checkpoint.pt").write_bytes(b"half a file")
    with pytest.raises(InputError, match="not a checkpoint that can be read"):
        Trainer(TINY, tmp_path / "r", train=store, validation=store)


def test_recipes_that_do_not_fit_are_refused(make_store, tmp_path):
    store = make_store(share_of_maps=0.0)
    for recipe, words in (
        (
            changed(model=Architecture(family="compact", attention="gala", n_classes=3)),
            "labels up to 3, but model.n_classes is 3",
        ),
        (TINY, "no image has a map to supervise with"),
    ):
        with pytest.raises(InputError, match=words):
            Trainer(recipe, tmp_path / "r", train=store, validation=store)
    with pytest.raises(InputError, match="cannot be shared equally by 3 processes"):
        Trainer(changed(annotation="none"), tmp_path / "r", train=store, validation=store, world=World(0, 3))
    lossy = changed(annotation="maps", map_loss=MapLoss(reduction="supervised"))
    with pytest.raises(InputError, match="depends on how images are shared out"):
        Trainer(lossy, tmp_path / "r", train=make_store("m"), validation=store, world=World(0, 2))
    for text, words in (
        ('annotation = "maps"\n[model]\nattention = "none"', "can only be supervised with supervise"),
        ("n_accumulate = 3", "multiple of n_accumulate"),
        ("[schedule]\nmilestones = [60, 30]", "milestones must rise"),
        ("[schedule]\nepochs = 0", "must be > 0"),
        ("momentum = 1.0", "momentum"),
        ('n_accumulate = 2\n[map_loss]\nreduction = "supervised"', "cannot be accumulated"),
    ):
        with pytest.raises(RecipeError, match=words):
            recipes.parse(text, Training)


SCRIPT = """
import sys, torch
torch.set_num_threads(1)
from pathlib import Path
from rapidvision import recipes
from rapidvision.gala_models.training.processes import world
from rapidvision.gala_models.training.recipe import Training
from rapidvision.gala_models.data.dataset import open_store
from rapidvision.gala_models.training.train import Trainer
base = Path(sys.argv[1])
with world() as here:
    store = open_store(base / "store")
    recipe = recipes.read(base / "recipe.toml", Training)
    trainer = Trainer(recipe, base / f"world{here.size}", train=store, validation=store, world=here)
    trainer.run(max_steps=8)
    if here.first:
        torch.save(trainer.model.state_dict(), base / f"world{here.size}.pt")
"""


def start(tmp_path, n_processes, port):
    command = [sys.executable, str(tmp_path / "go.py"), str(tmp_path)]
    root = Path(__file__).parents[2]
    done = []
    for rank in range(n_processes):
        env = {
            **os.environ,
            "PYTHONPATH": str(root),
            "RANK": str(rank),
            "WORLD_SIZE": str(n_processes),
            "OMP_NUM_THREADS": "1",
        }
        env |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        done.append(subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
    try:
        outputs = [one.communicate(timeout=300)[0] for one in done]
    finally:
        for one in done:
            one.kill()
            one.wait()
    return [one.returncode for one in done], "\n".join(outputs)


def free_port():
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.slow
def test_two_processes_train_what_one_does(make_store, tmp_path):
    make_store(share_of_maps=0.16)  # maps for some images only, unevenly spread over the processes
    recipes.write(
        tmp_path / "recipe.toml",
        changed(freeze_batch_norm=True, schedule=Schedule(learning_rate=0.001)),
    )
    (tmp_path / "go.py").write_text(SCRIPT)
    for n_processes in (1, 2):
        codes, output = start(tmp_path, n_processes, free_port())
        assert codes == [0] * n_processes, output
    one, two = (torch.load(tmp_path / f"world{n}.pt", weights_only=True) for n in (1, 2))
    difference = max((one[name] - two[name]).abs().max().item() for name in one if one[name].is_floating_point())
    assert difference <= 1e-5


def test_an_epoch_without_answers_is_never_kept(make_store, tmp_path):
    """Batch norm's statistics overflow: training works with the batch's own, evaluation has no answers."""
    store = make_store()
    trainer = Trainer(TINY, tmp_path / "r", train=store, validation=store)
    trainer.run(max_steps=6)
    best = {name: value.clone() for name, value in trainer.best.items()}
    with torch.no_grad():
        trainer.model.layer2[0].bn1.running_var.fill_(torch.nan)
    with pytest.raises(CheckFailed, match=r"tiny: 48 of 48 images give values that are not finite .*layer2\.0\.bn1"):
        trainer.run()
    assert all(torch.equal(value, trainer.best[name]) for name, value in best.items())
    again = Trainer(TINY, tmp_path / "r", train=store, validation=store)
    assert (again.n_steps, len(again.progress.history)) == (6, 1)


def test_a_checkpoint_is_finite_when_written_and_when_read(make_store, tmp_path):
    store = make_store()
    trainer = Trainer(TINY, tmp_path / "r", train=store, validation=store)
    trainer.run(max_steps=2)
    content = (tmp_path / "r" / "checkpoint.pt").read_bytes()
    with torch.no_grad():
        trainer.model.fc.weight[1, 2] = torch.inf
    with pytest.raises(CheckFailed, match=r"fc\.weight holds values that are not finite \(1 of .*after 2 steps"):
        trainer.save()
    assert (tmp_path / "r" / "checkpoint.pt").read_bytes() == content
    checkpoint.save(
        tmp_path / "r" / "checkpoint.pt",
        trainer.progress,
        model=trainer.model.state_dict(),
        optimization=trainer.optimization.state(),
        best=trainer.best,
    )
    with pytest.raises(InputError, match=r"checkpoint\.pt: model: fc\.weight holds values that are not finite"):
        Trainer(TINY, tmp_path / "r", train=store, validation=store)


def test_equal_scores_are_no_right_answers_in_training(make_store, tmp_path):
    store = make_store()
    trainer = Trainer(changed(annotation="none"), tmp_path / "r", train=store, validation=store)
    with torch.no_grad():
        trainer.model.fc.weight.zero_()
    trainer.run(max_steps=1)
    assert trainer.progress.sums[3] == 0


def test_what_the_network_saw_stands_in_its_card(make_store, tmp_path):
    store = make_store()  # 36 px, cut to 32
    silent = changed(preprocessing=Preprocessing(size_px=32), schedule=Schedule(learning_rate=0.01, epochs=1))
    trainer = Trainer(silent, tmp_path / "r", train=store, validation=store)
    trainer.run()
    _, card = load_model(tmp_path / "r" / "tiny.safetensors")
    assert card.preprocessing == Preprocessing(size_px=32, resize_px=36)
    with pytest.raises(InputError, match=r"train: the store has images of 36 px, .*shorter side to 40 px"):
        wrong = changed(preprocessing=Preprocessing(size_px=32, resize_px=40))
        Trainer(wrong, tmp_path / "w", train=store, validation=store)


@pytest.mark.slow
@pytest.mark.parametrize("alone", [0, 1])
def test_a_process_that_fails_alone_tells_the_others(make_store, tmp_path, alone):
    """Whichever it is, and also when it is the one through which they found one another."""
    make_store()
    recipes.write(tmp_path / "recipe.toml", TINY)
    failing = f'open_store(base / ("nothing" if here.rank == {alone} else "store"))'
    (tmp_path / "go.py").write_text(SCRIPT.replace('open_store(base / "store")', failing))
    codes, output = start(tmp_path, 2, free_port())
    assert codes == [1, 1], output
    assert output.count("nothing: no store here") == 2
    assert f"another process stopped: process {alone} of 2:" in output


@pytest.mark.slow
def test_a_loss_that_is_not_finite_in_one_process_stops_both(make_store, tmp_path):
    make_store()
    recipes.write(tmp_path / "recipe.toml", TINY)
    odd = "trainer.model.register_forward_hook(lambda _module, _inputs, scores: scores * float('nan'))"
    script = SCRIPT.replace("    trainer.run(", f"    if here.rank == 1:\n        {odd}\n    trainer.run(")
    (tmp_path / "go.py").write_text(script)
    codes, output = start(tmp_path, 2, free_port())
    assert codes == [1, 1], output
    assert output.count("CheckFailed: tiny: ") == 2


@pytest.mark.slow
def test_processes_with_different_data_stop_before_the_first_step(make_store, tmp_path):
    make_store()
    recipes.write(tmp_path / "recipe.toml", TINY)
    script = SCRIPT.replace('open_store(base / "store")', 'open_store(base / ("store" if here.first else "other"))')
    make_store("other", share_of_maps=0.5)
    (tmp_path / "go.py").write_text(script)
    codes, output = start(tmp_path, 2, free_port())
    assert codes == [1, 1], output
    assert output.count("CheckFailed: processes disagree on the recipe or the data") == 2


def test_the_whole_run_from_its_recipe(make_store, tmp_path):
    make_store("train")
    make_store("validation")
    trainer = run_recipe(TINY, tmp_path / "r", base=tmp_path, world=World(), quiet=True)
    assert trainer.finished
