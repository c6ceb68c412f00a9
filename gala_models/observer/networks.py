"""Which network is meant: the bundled ones, a file of weights, or a function that makes a module."""

import sys
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from torch import nn

from rapidvision.errors import InputError, did_you_mean
from rapidvision.system import files

from ..answers.class_lists import list_named
from ..cards.loaders import OnnxNetwork, import_function, load_module
from ..cards.model_card import class_names, read_model_card
from ..computing.device import Device, Precision
from ..layers.architecture import named as architecture_named
from ..layers.resnet import build
from ..preprocessing import Preprocessing
from ..registries import ARCHITECTURES, NETWORKS, READOUTS
from ..weights.card import Category
from ..weights.load import load_model, load_weights
from ..weights.state import not_finite, state_sha256
from . import readout as readouts
from .observe import Network
from .readout import Readout


def bundled_paths() -> list[Path]:
    """Files of the networks that come with RapidVision, sorted by name."""
    folder = Path(str(resources.files("rapidvision.gala_models") / "bundled"))
    return sorted(folder.glob("*.safetensors"), key=Path.as_posix)


def load(
    network: str | Path | nn.Module | Callable[[], nn.Module],
    *,
    name: str | None = None,
    readout: str | None = None,
    architecture: str | None = None,
    size_px: int | None = None,
    resize_px: int | None = None,
    targets: Sequence[str] = (),
    class_list: str = "",
    device: str = "cpu",
    precision: Precision = "float32",
) -> Network:
    """Load one network as an observer of a study.

    Parameters
    ----------
    network : str, path-like, Module or callable
        The name of a bundled network (``compact-gala-maps``, ``compact-gala``, ``compact-se``, ``compact-resnet``); a model
        card (``.toml``, see :class:`ModelCard`); a file of weights; the name of a registered network; ``module:function``; a module; or a function without arguments that
        returns one. A module takes images (batch, 3, height, width), float32, and returns class scores (batch, classes).
    name : str, optional
        Its id in trials tables; by default that of the file, the function or the class.
    readout : str, optional
        How class scores become evidence for target: ``imagenet-animal``, ``imagenet-categories``, ``binary`` or the name
        of a plug-in; networks of this suite bring their own, others start with ``imagenet-animal``.
    architecture : str, optional
        For a checkpoint without a card: a name of :data:`rapidvision.gala_models.NETWORKS` or of a plug-in.
    size_px, resize_px : int, optional
        Side of the input, and what the shorter side is brought to before its centre is cut out, for networks without a
        card; 224 and `size_px` by default.
    targets : sequence of str, optional
        Target classes, where the card does not say.
    class_list : str, optional
        For tasks about categories, ``imagenet-16`` or ``imagenet-8``: which of 1,000 classes a category is made of. By
        default the network's own names, else the first list that has every category of the task.
    device : str, default "cpu"
        ``cpu``, ``cuda``, ``cuda:1``, ``mps``; ``auto`` is a GPU where there is one.
    precision : {"float32", "bf16", "fp16"}, default "float32"
        In which numbers it computes.

    Returns
    -------
    Network
        In evaluation mode.

    Raises
    ------
    InputError
        When nothing is found, or what is found is no network.

    Examples
    --------
    >>> import rapidvision as rv
    >>> rv.models.load("compact-gala").preprocessing.size_px
    88
    >>> from torchvision.models import resnet18  # doctest: +SKIP
    >>> rv.models.load(lambda: resnet18(weights="DEFAULT"), name="resnet18")  # doctest: +SKIP
    """
    options: dict[str, Any] = {
        "readout": readout,
        "architecture": architecture,
        "size_px": size_px,
        "resize_px": resize_px,
        "name": name,
        "targets": targets,
        "class_list": class_list,
        "device": Device.named(device, precision=precision),
    }
    if isinstance(network, str | Path):
        bundled = {path.stem: str(path) for path in bundled_paths()}
        what = str(network)
        if what == "bundled":
            raise InputError(f'load: "bundled" are several networks; name one of {", ".join(bundled)}')
        if what not in bundled and ":" not in what and not Path(what).exists() and what not in NETWORKS:
            raise InputError(
                f"load: no file and no bundled network {what}. {did_you_mean(what, [*bundled, *NETWORKS])}"
            )
        return find_networks(bundled.get(what, what), **options)[0]
    if architecture is not None:
        raise InputError("load: architecture is for files of weights; a module has its own")
    where: str = name or str(getattr(network, "__name__", type(network).__name__))
    model = _checked(network if isinstance(network, nn.Module) else network(), where)
    given = Preprocessing(size_px=size_px or Preprocessing().size_px, resize_px=resize_px or 0)
    chosen = _readout(where, readout, (), targets)
    plugins = READOUTS.plugins(readout) if readout is not None else ()
    return Network(
        where,
        options["device"].place(model.eval()),
        chosen,
        given,
        state_sha256(model),
        plugins,
        class_list=_known(class_list),
        precision=precision,
    )


def find_networks(
    what: str,
    *,
    readout: str | None = None,
    architecture: str | None = None,
    size_px: int | None = None,
    resize_px: int | None = None,
    name: str | None = None,
    targets: Sequence[str] = (),
    class_list: str = "",
    device: Device | None = None,
) -> list[Network]:
    """Return the networks that `what` names, in evaluation mode.

    Parameters
    ----------
    what : str
        ``bundled``; a model card (``.toml``); the name of a registered network; a file of weights of ours; another checkpoint, with
        `architecture`; or ``module:function``, where the function takes nothing and returns a ``torch.nn.Module``
        (images in, class scores out).
    readout : str, optional
        One of :data:`rapidvision.gala_models.registries.READOUTS`; ours bring their own, others start with
        ``imagenet-animal``.
    architecture : str, optional
        Name in :data:`rapidvision.gala_models.layers.architecture.NETWORKS` for a checkpoint without a card.
    size_px : int, optional
        Side of the input, for networks without a card; 224 by default.
    resize_px : int, optional
        What the shorter side of an image is brought to before the centre of `size_px` is cut out, for networks without a
        card; `size_px` by default, so that the whole of a square image is seen.
    name : str, optional
        The id in the trials table; the file's or function's name by default.
    targets : sequence of str, optional
        Which of the network's named classes are targets, where its card does not say.
    class_list : str, optional
        Which classes a category is made of, in tasks about categories; see :func:`load`.
    device : Device, optional
        Where it computes and in which numbers; the CPU in float32 by default.

    Raises
    ------
    InputError
        When nothing is found, or what is found is no network.
    """
    device = device or Device()
    if what == "bundled":
        paths = bundled_paths()
        if not paths:
            raise InputError("no bundled networks in this installation; make some with `rapidvision models train-demo`")
        return [
            one
            for path in paths
            for one in find_networks(str(path), readout=readout, targets=targets, class_list=class_list, device=device)
        ]
    if Path(what).suffix == ".toml":
        if architecture is not None or size_px is not None or resize_px is not None:
            raise InputError(
                f"{what}: a card states architecture and size; leave out --architecture, --size and --resize"
            )
        found = _of_card(Path(what), readout=readout, name=name, targets=targets, class_list=class_list, device=device)
        return [found]
    plugins = READOUTS.plugins(readout) if readout is not None else ()
    if not Path(what).exists() and ":" not in what and what in NETWORKS:
        model, default, card = _checked(NETWORKS.get(what)(), what), what, None
        sha256 = state_sha256(model)
        plugins = (*NETWORKS.plugins(what), *plugins)
    elif ":" in what and not Path(what).exists():
        model, default, sha256 = _from_function(what)
        card = None
    elif architecture is not None:
        chosen_architecture = architecture_named(architecture)
        model, default, sha256 = build(chosen_architecture), Path(what).stem, files.sha256_file(what)
        load_weights(model, what)
        plugins = (*ARCHITECTURES.plugins(chosen_architecture.family), *plugins)
        card = None
    else:
        model, card = load_model(what)
        default, sha256 = card.name, files.sha256_file(what)
        plugins = (*ARCHITECTURES.plugins(card.architecture.family), *plugins)
    if card is None:
        given = Preprocessing(size_px=size_px or Preprocessing().size_px, resize_px=resize_px or 0)
    elif size_px is not None or resize_px is not None:
        raise InputError(
            f"{what}: its card states its preprocessing ({card.preprocessing}); leave out --size and --resize"
        )
    else:
        given = card.preprocessing
    chosen = _readout(what, readout, card.categories if card is not None else (), targets)
    names = tuple(category.name for category in card.categories) if card is not None else ()
    return [
        Network(
            name or default,
            device.place(model.eval()),
            chosen,
            given,
            sha256,
            plugins,
            class_names=names,
            class_list=_known(class_list),
            precision=device.precision,
        )
    ]


def _known(class_list: str) -> str:
    """Refuse the name of a class list that there is not."""
    return list_named(class_list).name if class_list else ""


def _readout(what: str, readout: str | None, categories: Sequence[Category], targets: Sequence[str]) -> Readout:
    if targets and (readout is not None or not categories):
        raise InputError(f"{what}: --target-classes names classes of a network that has named ones, without --readout")
    if readout is None and categories:
        return readouts.of_categories(readouts.with_targets(categories, targets) if targets else categories)
    return readouts.named(readout or "imagenet-animal")


def _from_function(what: str) -> tuple[nn.Module, str, str]:
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))  # a lab's own file beside its study
    model = _checked(import_function(what)(), what)
    return model, what.partition(":")[2], state_sha256(model)


def _of_card(
    path: Path, *, readout: str | None, name: str | None, targets: Sequence[str], class_list: str, device: Device
) -> Network:
    """A network by its card; what is given here goes before what the card says."""
    card = read_model_card(path)
    names = class_names(card, path.parent)
    model, sha256 = load_module(card, path.parent)
    if isinstance(model, OnnxNetwork) and (device.where.type != "cpu" or device.precision != "float32"):
        raise InputError(
            f"{path}: an ONNX file computes on the CPU in its own numbers; leave out --device and --precision"
        )
    own = tuple(Category(name=one, target=one in card.classes.targets) for one in names)
    chosen = readout or ("" if targets else card.readout) or None
    wanted = targets or (card.classes.targets if chosen is None else ())
    return Network(
        name or card.name,
        device.place(model),
        _readout(str(path), chosen, own, wanted),
        card.preprocessing,
        sha256,
        READOUTS.plugins(chosen) if chosen is not None else (),
        class_names=names,
        class_list=_known(class_list or card.class_list),
        precision=device.precision,
    )


def _checked(model: object, what: str) -> nn.Module:
    """Refuse what is no module, and weights that are not finite."""
    if not isinstance(model, nn.Module):
        raise InputError(f"{what}: returned {type(model).__name__}; a torch.nn.Module is needed")
    wrong = not_finite(model.state_dict())
    if wrong:
        raise InputError(f"{what}: {wrong}; such a network has no answers")
    return model
