"""What attached attention does on held-out images: its maps beside human maps, and what it changes in the network."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data.targets import resized
from ..evaluation.agreement import map_agreement
from ..layers.attention import attention_maps
from .hooks import PART, attended_layers, bypassed
from .layout import outputs_of


@torch.no_grad()
def measured(model: nn.Module, images: Tensor, maps: Tensor, *, batch_size: int = 32) -> dict[str, dict[str, float]]:
    """Measure attached attention, layer by layer.

    Parameters
    ----------
    model : Module
        With attached attention, in evaluation mode.
    images : Tensor, shape (n, 3, height, width)
        Network input that it was not trained on.
    maps : Tensor, shape (n, 1, height, width)
        Human maps; images whose map is all zero are left out of the map measures.
    batch_size : int, default 32
        Images at once.

    Returns
    -------
    dict
        Layer → ``rho``, ``partial``, ``own_minus_other`` (means over images, see
        :func:`~rapidvision.gala_models.evaluation.agreement.map_agreement`, at the layer's own size; absent with fewer than two
        maps), ``n_maps``; ``agreement``, the share of images with the same best class as without attention; ``kl``, the
        divergence of the answers; ``use``, the change of the layer's activity by its own attention as a share of it.
    """
    parts = attended_layers(model)
    seen: dict[str, list[Tensor]] = {name: [] for name in parts}
    use: dict[str, list[Tensor]] = {name: [] for name in parts}
    own, now = [], []
    for x in torch.split(images, batch_size):
        with bypassed(model):
            own.append(model(x).float())
        with attention_maps(model, layers=[f"{name}.{PART}.gala" for name in parts]) as found:
            now.append(model(x).float())
            for name in parts:
                seen[name].append(found[f"{name}.{PART}.gala"].float().cpu())
        for name, part in parts.items():
            with bypassed(model):
                before = outputs_of(model, [name], x)[name]
            after = part(before)
            change = (after - before).flatten(1).norm(dim=1) / before.flatten(1).norm(dim=1).clamp_min(1e-12)
            use[name].append(change.float().cpu())
    first, second = torch.cat(own), torch.cat(now)
    kl = F.kl_div(second.log_softmax(1), first.log_softmax(1), reduction="batchmean", log_target=True)
    same = (first.argmax(1) == second.argmax(1)).float().mean()
    shown = maps.flatten(1).amax(1).cpu() > 0
    out: dict[str, dict[str, float]] = {}
    for name in parts:
        attention = torch.cat(seen[name])[shown]
        numbers: dict[str, float] = {"n_maps": int(shown.sum())}
        if len(attention) > 1:
            human = resized(maps[shown.to(maps.device)].float().cpu(), *attention.shape[2:])
            found_maps = map_agreement(attention[:, 0].numpy(), human[:, 0].numpy())
            for measure in ("rho", "partial", "own_minus_other"):
                numbers[measure] = found_maps.interval(measure).mean
        numbers |= {"agreement": float(same), "kl": float(kl), "use": float(torch.cat(use[name]).mean())}
        out[name] = numbers
    return out
