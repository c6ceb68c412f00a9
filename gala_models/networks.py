"""Which network is meant: the bundled ones, a file of weights, or a function that makes a module."""

import importlib
import sys
from importlib import resources
from pathlib import Path

from torch import nn

from rapidvision import files
from rapidvision.errors import InputError

from . import readout as readouts
from .observe import Network
from .pixels import Preprocessing
from .resnet import build
from .resnet import named as architecture_named
from .weights import load_model, load_weights


def bundled_paths() -> list[Path]:
    """Files of the networks that come with RapidVision, sorted by name."""
    folder = Path(str(resources.files("rapidvision.gala_models") / "bundled"))
    return sorted(folder.glob("*.safetensors"), key=Path.as_posix)


def find(
    what: str,
    *,
    readout: str | None = None,
    architecture: str | None = None,
    size_px: int | None = None,
    name: str | None = None,
) -> list[Network]:
    """Return the networks that `what` names, in evaluation mode.

    Parameters
    ----------
    what : str
        ``bundled``; a file of weights of ours; another checkpoint, with `architecture`; or ``module:function``, where
        the function takes nothing and returns a ``torch.nn.Module`` (pictures in, class scores out).
    readout : str, optional
        One of :data:`rapidvision.gala_models.readout.READOUTS`; ours bring their own, others start with
        ``imagenet-animal``.
    architecture : str, optional
        Name in :data:`rapidvision.gala_models.resnet.NETWORKS` for a checkpoint without a card.
    size_px : int, optional
        Side of the input, for networks without a card; 224 by default.
    name : str, optional
        The id in the trials table; the file's or function's name by default.

    Raises
    ------
    InputError
        When nothing is found, or what is found is no network.
    """
    if what == "bundled":
        paths = bundled_paths()
        if not paths:
            raise InputError("no bundled networks in this installation; make some with `rapidvision models train-demo`")
        return [network for path in paths for network in find(str(path), readout=readout)]
    if ":" in what and not Path(what).exists():
        return [_from_function(what, readout=readout, size_px=size_px, name=name)]
    path = Path(what)
    if architecture is not None:
        model = build(architecture_named(architecture))
        load_weights(model, path)
        return [_plain(model, name or path.stem, readout, size_px, files.sha256_file(path))]
    model, card = load_model(path)
    found = readouts.of_categories(card.categories) if readout is None and card.categories else None
    found = found or readouts.named(readout or "imagenet-animal")
    return [Network(name or card.name, model, found, card.preprocessing, files.sha256_file(path))]


def _plain(model: nn.Module, name: str, readout: str | None, size_px: int | None, sha256: str = "") -> Network:
    preprocessing = Preprocessing() if size_px is None else Preprocessing(size_px=size_px)
    return Network(name, model.eval(), readouts.named(readout or "imagenet-animal"), preprocessing, sha256)


def _from_function(what: str, *, readout: str | None, size_px: int | None, name: str | None) -> Network:
    module_name, _, function_name = what.partition(":")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))  # a lab's own file beside its study
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"{what}: cannot be found ({error}); write module:function, run from the module's folder"
        ) from error
    model = function()
    if not isinstance(model, nn.Module):
        raise InputError(f"{what}: returned {type(model).__name__}; a torch.nn.Module is needed")
    return _plain(model, name or function_name, readout, size_px)
