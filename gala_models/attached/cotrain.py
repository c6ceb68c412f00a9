"""Attached attention trained with importance maps (Eq. 1), while the network keeps its answers or learns a task."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rapidvision.errors import CheckFailed, InputError
from rapidvision.seeds import stream
from rapidvision.system.progress import Advance, silent

from ..layers.attention import Maps, attention_maps
from ..training.loss import map_distance
from .hooks import attended_layers, bypassed
from .splitting import Cached
from .training_options import CoTrained, CoTraining


def cotrain(
    model: nn.Module,
    images: Tensor | Cached,
    maps: Tensor,
    *,
    options: CoTraining | None = None,
    rows: Tensor | None = None,
    labels: Tensor | None = None,
    evidence: Callable[[Tensor], Tensor] | None = None,
    seed: int = 0,
    advance: Advance = silent,
) -> CoTrained:
    """Train the attention that :func:`attach` put into a network, with importance maps.

    Minimizes the task term plus λ times the distance of Eq. 1 between the attention maps and the importance maps.

    Parameters
    ----------
    model : Module
        With attached attention; changed in place, and left in evaluation mode.
    images : Tensor, shape (n, 3, height, width)
        Network input; or what :class:`~rapidvision.gala_models.attached.splitting.Cached` kept of it.
    maps : Tensor, shape (n, 1, map height, map width)
        Importance, ≥ 0, of any size; an image whose map is all zero or not finite has none.
    options : CoTraining, optional
        How.
    rows : Tensor of int64, shape (n_used,), optional
        Which of the images are trained on; all by default.
    labels : Tensor, shape (n,), optional
        Classes for the task ``classes``; 0 or 1 for ``target``.
    evidence : callable, optional
        Scores (n, classes) → log odds of "target" (n,), for the task ``target``: a readout's ``evidence``.
    seed : int, default 0
        Of the images' order and mirroring.
    advance : callable
        Called after every step.

    Returns
    -------
    CoTrained
        Losses per step, and what was cached.

    Raises
    ------
    InputError
        When nothing is attached, there are not as many maps as images, no image has a map, or the task lacks its labels.
    CheckFailed
        When the loss is no longer finite; says at which step.

    Examples
    --------
    >>> import torch
    >>> import rapidvision as rv
    >>> network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()).eval()
    >>> images, maps = torch.rand(6, 3, 16, 16), torch.rand(6, 1, 14, 14)
    >>> _ = rv.models.attach(network, "0", images)
    >>> run = rv.models.cotrain(network, images, maps, options=rv.models.CoTraining(n_steps=20), seed=1)
    >>> run.cached, run.map_distance[-1] < run.map_distance[0]
    (True, True)
    """
    options = options or CoTraining()
    parts = attended_layers(model)
    if not parts:
        raise InputError("cotrain: the network carries no attached attention; call attach first")
    if maps.ndim != 4 or len(maps) != len(images) or maps.shape[1] != 1:
        raise InputError(
            f"cotrain: maps of shape {tuple(maps.shape)} for {len(images)} images; (n, 1, height, width) is needed"
        )
    if options.task in ("classes", "target") and (labels is None or len(labels) != len(images)):
        raise InputError(
            f'cotrain: the task "{options.task}" needs a label per image; give labels, or use task = "keep"'
        )
    if options.task == "target" and evidence is None:
        raise InputError('cotrain: the task "target" needs evidence, as of a readout; give evidence')
    rows = torch.arange(len(images)) if rows is None else rows
    usable = maps.isfinite().flatten(1).all(1) & (maps.flatten(1).amax(1) > 0)
    n_maps = int(usable[rows].sum())
    if options.maps.lam > 0 and n_maps == 0:
        raise InputError("cotrain: no training image has a map; give maps, or train with maps.lam = 0")
    model.eval()
    work = _Work(model, images, options)
    return work.run(maps, usable, rows, labels, evidence, seed, advance, n_maps)


class _Work:
    """One run: the values to start from, the optimizer, and the losses."""

    def __init__(self, model: nn.Module, images: Tensor | Cached, options: CoTraining) -> None:
        self.model, self.options = model, options
        self.parts = attended_layers(model)
        self.cached, self.note, self.images = self._cache(images)
        if self.cached is None:
            with torch.no_grad(), bypassed(model):
                views = (self.images, self.images.flip(3)) if options.mirrored else (self.images,)
                self.reference = torch.stack([torch.cat([model(x) for x in torch.split(view, 16)]) for view in views])
        else:
            self.reference = self.cached.reference
        attached = [parameter for part in self.parts.values() for parameter in part.parameters()]
        mine = set(map(id, attached))
        own = [parameter for parameter in model.parameters() if id(parameter) not in mine]
        groups = [{"params": attached, "lr": options.learning_rate}]
        for parameter in own:
            parameter.requires_grad_(options.backbone == "trained")
        if options.backbone == "trained":
            groups.append({"params": own, "lr": options.backbone_rate})
        for parameter in attached:
            parameter.requires_grad_(True)
        self.optimizer = torch.optim.Adam(groups)
        self.rates = [float(group["lr"]) for group in self.optimizer.param_groups]

    def _cache(self, images: Tensor | Cached) -> tuple[Cached | None, str, Tensor]:
        if isinstance(images, Cached):
            if self.options.backbone == "trained" or images.halves.first not in self.parts:
                raise InputError(
                    f"cotrain: values cached behind {images.halves.first} serve a frozen network with attention there; "
                    "give the images instead"
                )
            return images, "", torch.empty(0)
        if self.options.backbone == "trained":
            return None, "the network's own parameters are trained", images
        try:
            first = Cached(self.model, list(self.parts), images[:1], mirrored=self.options.mirrored)
            size_mb = sum(value.numel() * value.element_size() for value in first.values) * len(images) / 2**20
            if size_mb > self.options.cache_mb:
                return None, f"the cache would take {size_mb:.0f} MB, cache_mb is {self.options.cache_mb}", images
            return Cached(self.model, list(self.parts), images, mirrored=self.options.mirrored), "", images
        except InputError as error:
            return None, str(error), images

    def run(
        self,
        maps: Tensor,
        usable: Tensor,
        rows: Tensor,
        labels: Tensor | None,
        evidence: Callable[[Tensor], Tensor] | None,
        seed: int,
        advance: Advance,
        n_maps: int,
    ) -> CoTrained:
        options, distances, tasks = self.options, [], []
        device = self.reference.device
        with attention_maps(self.model, layers=[f"{name}.attended.gala" for name in self.parts]) as found:
            for step in range(options.n_steps):
                rng = stream(seed, "cotrain", step)
                chosen = rows[
                    torch.from_numpy(rng.choice(len(rows), options.batch_size, len(rows) < options.batch_size))
                ]
                views = torch.from_numpy(rng.integers(0, 2 if options.mirrored else 1, len(chosen)))
                for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
                    group["lr"] = rate * (1 - step / options.n_steps)
                scores = self._scores(
                    chosen, views, with_task=options.task != "none" and step % options.task_every == 0
                )
                total = self.reference.new_zeros(())
                if options.maps.lam > 0:
                    importance = maps[chosen].to(device)
                    importance = torch.where(
                        (views == 1).to(device)[:, None, None, None], importance.flip(3), importance
                    )
                    distance = self._distance(found, importance, usable[chosen].to(device))
                    total = total + options.maps.lam * distance
                    distances.append(float(distance.detach()))
                if scores is not None:
                    n = len(scores)
                    task = self._task(scores, chosen[:n], views[:n], labels, evidence)
                    total = total + task
                    tasks.append(float(task.detach()))
                if not bool(torch.isfinite(total)):
                    raise CheckFailed(
                        f"cotrain: the loss is {float(total.detach())} at step {step + 1}; lower learning_rate"
                    )
                if total.requires_grad:
                    self.optimizer.zero_grad()
                    total.backward()  # type: ignore[no-untyped-call]
                    self.optimizer.step()
                advance(1)
        self.optimizer.zero_grad()
        return CoTrained(tuple(distances), tuple(tasks), n_maps, self.cached is not None, self.note)

    def _scores(self, rows: Tensor, views: Tensor, *, with_task: bool) -> Tensor | None:
        """Run as little as the step needs; the captured maps are those of all of its images."""
        if self.cached is None:
            x = torch.where(
                (views == 1).to(self.images.device)[:, None, None, None], self.images[rows].flip(3), self.images[rows]
            )
            scores: Tensor = self.model(x)
            return scores[: self.options.n_task_images] if with_task else None
        values = self.cached.taken(rows, views)
        values[0] = self.parts[self.cached.halves.first](values[0])
        if len(self.parts) == 1:  # the later layers' maps need the tail for every image
            if not with_task:
                return None
            values = [value[: self.options.n_task_images] for value in values]
        scores = self.cached.halves.tail(*values)
        return scores[: self.options.n_task_images] if with_task else None

    def _distance(self, found: Maps, importance: Tensor, usable: Tensor) -> Tensor:
        return map_distance(self.options.maps, found, found.n_channels, importance, usable)

    def _task(
        self,
        scores: Tensor,
        rows: Tensor,
        views: Tensor,
        labels: Tensor | None,
        evidence: Callable[[Tensor], Tensor] | None,
    ) -> Tensor:
        if self.options.task == "keep":
            own = self.reference[views, rows].float().log_softmax(1)
            return F.kl_div(scores.float().log_softmax(1), own, reduction="batchmean", log_target=True)
        assert labels is not None
        wanted = labels[rows].to(scores.device)
        if self.options.task == "classes":
            return F.cross_entropy(scores.float(), wanted)
        assert evidence is not None
        odds = evidence(scores)
        return F.binary_cross_entropy_with_logits(odds, wanted.to(odds))
