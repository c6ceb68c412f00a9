"""Training: a trainer that can stop after any step and resume to the same bits."""

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor, nn

from rapidvision import recipes
from rapidvision.errors import Aborted, CheckFailed, InputError
from rapidvision.system import files
from rapidvision.system.progress import progress as show_progress

from ..computing.device import on_cpu, state_on_cpu
from ..data.batches import Batch, Batches
from ..data.dataset import Store
from ..evaluation.evaluate import evaluate
from ..layers.attention import Maps, attention_maps
from ..layers.compiling import compiled
from ..layers.resnet import build
from ..registries import ARCHITECTURES
from ..scores import ranks
from ..weights.card import Card
from ..weights.load import save_model
from ..weights.state import not_finite
from . import checkpoint
from .interrupts import uninterrupted
from .log import write_metrics, write_tensorboard
from .loss import loss
from .optimization import Optimization
from .processes import World
from .recipe import Training
from .requirements import check_fit, seen_as


class Trainer:
    """A training run in a folder.

    Parameters
    ----------
    recipe : Training
        What to do.
    out : Path
        The run's folder: ``recipe.toml``, ``checkpoint.pt``, ``metrics.jsonl``, and ``NAME.safetensors`` at the end.
        When it holds a checkpoint of the same recipe and stores, the run resumes from there.
    train, validation : Store
        Images.
    world : World, optional
        This process among others.

    Raises
    ------
    InputError
        When recipe and stores do not fit, or the folder holds another run.
    """

    def __init__(
        self, recipe: Training, out: Path, *, train: Store, validation: Store, world: World | None = None
    ) -> None:
        self.recipe, self.out, self.validation = recipe, out, validation
        self.world = world or World()
        check_fit(recipe, train, validation, n_processes=self.world.size)
        self.preprocessing = seen_as(recipe.preprocessing, train, validation)
        self.batches = Batches(
            train,
            recipe.preprocessing.size_px,
            recipe.batch_size,
            seed=recipe.seed,
            annotation=recipe.annotation,
            surround=recipe.surround,
            **recipe.harder,
            n_workers=recipe.n_workers,
            rank=self.world.rank,
            world_size=self.world.size,
        )
        self.device = replace(self.world.device, precision=recipe.precision)
        self.model = self.device.place(build(recipe.model, seed=recipe.seed))
        for module in self.model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = recipe.batch_norm_momentum
        self.optimization = Optimization(recipe, self.model, self.device)
        self.best = self.optimization.weights()
        data_digest = files.canonical_digest([train.description.digest, validation.description.digest])
        self.plugins = ARCHITECTURES.plugins(recipe.model.family)
        digests = (recipe.digest, data_digest, "".join(one.sha256 for one in self.plugins))
        self.world.agree("the recipe or the data", digests)
        self.progress = checkpoint.Progress(recipe_digest=digests[0], data_digest=digests[1], plugin_sha256=digests[2])
        self._resume()

    @property
    def n_steps(self) -> int:
        """Steps done so far."""
        return self.progress.epoch * self.batches.n_steps + self.progress.step

    @property
    def finished(self) -> bool:
        """Whether every epoch is done."""
        return self.progress.epoch >= self.recipe.schedule.epochs

    def run(self, *, max_steps: int | None = None, quiet: bool = True) -> None:
        """Train to the end, or until `max_steps` more steps are done, and save a checkpoint.

        Raises
        ------
        CheckFailed
            When the loss is not finite: names the step, the images and the last checkpoint.
        Aborted
            When stopped from the keyboard, after the step at work and a checkpoint.
        """
        until = None if max_steps is None else self.n_steps + max_steps
        total = self.recipe.schedule.epochs * self.batches.n_steps - self.n_steps
        forward, note = compiled(self.world.wrap(self.model), wanted=self.recipe.compile)
        if note and self.world.first:
            print(note, file=sys.stderr)  # noqa: T201
        try:
            with (
                self._maps() as maps,
                show_progress(self.recipe.name, total, quiet=quiet or not self.world.first) as advance,
            ):
                while not self.finished and self.n_steps != until:
                    self._epoch(forward, maps, until, advance)
        except KeyboardInterrupt:
            self.save()
            raise Aborted(
                f"{self.recipe.name}: stopped after {self.n_steps} steps; run the same command again to resume"
            ) from None
        if not self.finished:
            self.save()
        else:
            path = self.out / f"{self.recipe.name}.safetensors"
            self.world.led(lambda: save_model(path, self._with(self.best), self.card()))

    def card(self) -> Card:
        """What the best weights are."""
        best = min(self.progress.history, key=lambda entry: entry["validation"]["top1_error"])
        return Card(
            name=self.recipe.name,
            architecture=self.recipe.model,
            preprocessing=self.preprocessing,
            categories=self.validation.description.categories,
            recipe=msgspec.to_builtins(self.recipe),
            results={"validation": best["validation"], "epoch": best["epoch"]},
            plugins=self.plugins or msgspec.UNSET,
        )

    def save(self) -> None:
        """Write the checkpoint (the first process does).

        Raises
        ------
        CheckFailed
            When a parameter is not finite; the checkpoint on disk stays.
        """
        self.world.led(self._write)

    def _write(self) -> None:
        wrong = not_finite(self.model.state_dict())
        if wrong:
            raise CheckFailed(
                f"{self.recipe.name}: {wrong} after {self.n_steps} steps; nothing was saved, the last checkpoint in "
                f"{self.out} is sound: lower schedule.learning_rate or map_loss.lam"
            )
        checkpoint.save(
            self.out / "checkpoint.pt",
            self.progress,
            model=state_on_cpu(self.model.state_dict()),
            optimization=self.optimization.state(),
            best=self.best,
        )

    def _resume(self) -> None:
        path = self.out / "checkpoint.pt"
        if not path.is_file():
            self.world.led(lambda: recipes.write(self.out / "recipe.toml", self.recipe))
            return
        progress, data = checkpoint.load(path)
        for field, what in checkpoint.DIGESTS.items():
            if getattr(progress, field) != getattr(self.progress, field):
                raise InputError(f"{self.out}: holds a run with another {what}; choose another folder or remove it")
        self.progress, self.best = progress, data["best"]
        self.model.load_state_dict(data["model"])
        self.optimization.load_state(data["optimization"])

    @contextmanager
    def _maps(self) -> Iterator[Maps | None]:
        if not self.recipe.supervised:
            yield None
            return
        with attention_maps(self.model, kind=self.recipe.supervise) as maps:
            yield maps

    def _epoch(self, forward: nn.Module, maps: Maps | None, until: int | None, advance: Any) -> None:
        self._train_mode()
        started = time.perf_counter()
        for batch in self.batches.epoch(self.progress.epoch, first_step=self.progress.step):
            with uninterrupted():  # weights and count change together
                parts = self._step(forward, batch, maps)
                sums = tuple(total + part for total, part in zip(self.progress.sums, parts, strict=True))
                self.progress = msgspec.structs.replace(self.progress, step=self.progress.step + 1, sums=sums)
            advance(1)
            every = self.recipe.checkpoint_steps
            if every and self.progress.step % every == 0:
                self.save()
            if self.n_steps == until and self.progress.step < self.batches.n_steps:
                return
        self._end_epoch(time.perf_counter() - started)

    def _train_mode(self) -> None:
        self.model.train()
        if self.recipe.freeze_batch_norm:
            for module in self.model.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()

    def _step(self, forward: nn.Module, batch: Batch, maps: Maps | None) -> tuple[float, ...]:
        recipe, device = self.recipe, self.device
        self.optimization.begin(recipe.schedule.at(self.n_steps, steps_per_epoch=self.batches.n_steps))
        whole = device.move(*batch.tensors(self.preprocessing))
        parts = list(zip(*(tensor.chunk(recipe.n_accumulate) for tensor in whole), strict=True))
        sums = torch.zeros(4, device=device.where)  # nccl adds up what lies on GPUs only
        for number, (x, importance, labels, has_map) in enumerate(parts, 1):
            alone = isinstance(forward, nn.parallel.DistributedDataParallel) and number < len(parts)
            with forward.no_sync() if alone else nullcontext():  # type: ignore[operator]
                with device.computing():
                    scores = forward(x)
                found = loss(recipe.map_loss, scores, labels, maps, importance, has_map)
                self.optimization.backward(found.total / len(parts))
            right = (ranks(scores.detach(), labels) == 0).float().mean()
            sums += torch.stack([*found, right]).detach() / len(parts)
        total, classification, distance, right_answers = on_cpu(self.world.mean(sums)).tolist()
        self._check_finite(total, classification, distance, batch)
        norm = self.optimization.step(f"{recipe.name}: step {self.n_steps}")
        return total, classification, distance, right_answers, norm

    def _check_finite(self, total: float, classification: float, distance: float, batch: Batch) -> None:
        """Stop before the weights change; every process sees the same mean, so all of them stop."""
        if not math.isfinite(total):
            rows = ", ".join(str(int(row)) for row in batch.rows[:8])
            raise CheckFailed(
                f"{self.recipe.name}: the loss is {total:g} at step {self.n_steps} (classification {classification:g}, "
                f"maps {distance:g}; images {rows} …); the last checkpoint in {self.out} is sound: lower "
                "schedule.learning_rate or map_loss.lam"
            )

    def _end_epoch(self, seconds: float) -> None:
        recipe, n_steps = self.recipe, self.batches.n_steps
        # Batch norm's buffers are those of the first process, which alone evaluates and writes.
        validation: dict[str, Any] = {}
        self.world.led(lambda: validation.update(self._validated()))
        sums = [total / n_steps for total in self.progress.sums]
        entry: dict[str, Any] = {
            "epoch": self.progress.epoch + 1,
            "learning_rate": recipe.schedule.at(self.n_steps - 1, steps_per_epoch=n_steps),
            "loss": sums[0],
            "classification_loss": sums[1],
            "map_distance": sums[2],
            "train_top1_error": 100 * (1 - sums[3]),
            "validation": validation,
        }
        if recipe.clip_norm or recipe.watch_gradients:
            entry["gradient_norm"] = sums[4]
        if recipe.precision == "fp16":
            entry["n_overflows"] = self.optimization.n_overflows
        better = bool(validation) and validation["top1_error"] < self.progress.best_top1_error
        if better or not self.progress.history:
            self.best = self.optimization.weights()
        self.progress = msgspec.structs.replace(
            self.progress,
            epoch=self.progress.epoch + 1,
            step=0,
            sums=(0.0, 0.0, 0.0, 0.0, 0.0),
            history=(*self.progress.history, entry),
            best_top1_error=min(self.progress.best_top1_error, validation.get("top1_error", 100.0)),
        )
        self.world.led(lambda: self._write_metrics(n_steps / seconds, seconds))
        self.save()

    def _validated(self) -> dict[str, Any]:
        model = self.device.place(self._with(self.optimization.weights())) if self.recipe.ema else self.model
        options = {"name": self.recipe.name, "precision": self.recipe.precision, **self.recipe.harder}
        found = evaluate(model, self.validation, self.preprocessing, **options)
        return found.summary()

    def _write_metrics(self, steps_per_s: float, seconds: float) -> None:
        write_metrics(self.out, self.progress.history, seconds=seconds, steps_per_s=steps_per_s)
        if self.recipe.tensorboard:
            write_tensorboard(self.out, self.progress.history[-1])

    def _with(self, weights: dict[str, Tensor]) -> nn.Module:
        model = build(self.recipe.model)
        model.load_state_dict(weights)
        return model.eval()
