"""Networks of other programs, by kind of card: a function, timm, torchvision, a Hugging Face folder, an ONNX file."""

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rapidvision.errors import InputError, did_you_mean
from rapidvision.system import files
from rapidvision.system.extras import need

from ..layers.architecture import named as architecture_named
from ..layers.resnet import build
from ..weights.load import load_weights
from ..weights.state import not_finite, state_sha256
from .model_card import Loader, ModelCard
from .programs import program


def load_module(card: ModelCard, folder: Path) -> tuple[nn.Module, str]:
    """Make the network of a card.

    Parameters
    ----------
    card : ModelCard
        What it is.
    folder : Path
        Of the card; paths are relative to it.

    Returns
    -------
    Module, str
        The network in evaluation mode, and the SHA-256 of its file, or of its parameters where it has none.

    Raises
    ------
    InputError
        When the program or file is missing, the file is not the stated one, or what is made is no network; names the card.
    """
    loader = card.loader
    try:
        with _random(loader.seed):
            model = _LOADERS[loader.kind](loader, folder)
    except InputError as error:
        raise InputError(f"{card.name}: {error}") from error
    if not isinstance(model, nn.Module):
        raise InputError(f"{card.name}: {loader.target} returned {type(model).__name__}; a torch.nn.Module is needed")
    path = _file(loader, folder)
    if path is not None:
        _check_sha256(card, path)
        if loader.checkpoint:
            _fill(model, path, card)
    elif loader.kind in ("timm", "torchvision", "architecture") and loader.seed is None:
        raise InputError(
            f"{card.name}: a network of kind {loader.kind} without weights; give loader.checkpoint, or loader.seed for fresh weights"
        )
    wrong = not_finite(model.state_dict())
    if wrong:
        raise InputError(f"{card.name}: {wrong}; such a network has no answers")
    if path is None:
        sha256 = state_sha256(model)
        if card.weights_sha256 and sha256 != card.weights_sha256:
            raise InputError(_other(card, loader.target, sha256))
        return model.eval(), sha256
    return model.eval(), files.sha256_file(path)


def _file(loader: Loader, folder: Path) -> Path | None:
    if loader.checkpoint:
        return folder / loader.checkpoint
    return folder / loader.target if loader.kind == "onnx" else None


def _check_sha256(card: ModelCard, path: Path) -> None:
    found = files.sha256_file(path)
    if card.weights_sha256 and found != card.weights_sha256:
        raise InputError(_other(card, str(path), found))


def _other(card: ModelCard, what: str, found: str) -> str:
    return (
        f"{card.name}: {what} has the SHA-256 {found}, the card states {card.weights_sha256}; "
        "get the stated weights, or state these with a card of another name"
    )


def _fill(model: nn.Module, path: Path, card: ModelCard) -> None:
    inner = model.network if isinstance(model, Logits) else model
    try:
        load_weights(inner, path, ema=card.loader.ema)
    except InputError as error:
        raise InputError(f"{card.name}: {error}") from error


@contextmanager
def _random(seed: int | None) -> Iterator[None]:
    """Draw fresh weights from the seed, and leave the global generator as it was."""
    if seed is None:
        yield
        return
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def import_function(target: str, *, folder: Path | None = None) -> Any:
    """Return the function that ``module:function`` names, from the Python path, the current folder or `folder`.

    Raises
    ------
    InputError
        When it is not found.
    """
    module_name, _, function_name = target.partition(":")
    places = [str(Path.cwd()), *([str(folder.resolve())] if folder is not None else [])]
    before = list(sys.path)
    sys.path[:0] = [place for place in places if place not in sys.path]
    try:
        return getattr(importlib.import_module(module_name), function_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(
            f"{target}: cannot be found ({error}); write module:function, of an installed package or a file beside the card"
        ) from error
    finally:
        sys.path[:] = before


def _function(loader: Loader, folder: Path) -> Any:
    function = import_function(loader.target, folder=folder)
    try:
        return function(**loader.options)
    except Exception as error:  # anybody's code
        raise InputError(
            f"{loader.target}: raised {type(error).__name__} ({error}); repair it, or correct loader.options"
        ) from error


def _timm(loader: Loader, _folder: Path) -> nn.Module:
    timm = program("timm", purpose=f"the network {loader.target}")
    if not timm.is_model(loader.target.removeprefix("timm/").split(".")[0]):
        raise InputError(f"timm: no network {loader.target}. {did_you_mean(loader.target, timm.list_models())}")
    return _built(lambda: timm.create_model(loader.target, pretrained=False, **loader.options), loader)


def _torchvision(loader: Loader, _folder: Path) -> nn.Module:
    vision = program("torchvision", purpose=f"the network {loader.target}").models
    if loader.target not in vision.list_models():
        raise InputError(
            f"torchvision: no network {loader.target}. {did_you_mean(loader.target, vision.list_models())}"
        )
    return _built(lambda: vision.get_model(loader.target, weights=None, **loader.options), loader)


def _huggingface(loader: Loader, folder: Path) -> nn.Module:
    transformers = program("transformers", purpose=f"the Hugging Face folder {loader.target}")
    path = folder / loader.target
    if not (path / "config.json").is_file():
        raise InputError(f"{path}: no config.json there; name a folder that save_pretrained wrote")
    maker = transformers.AutoModelForImageClassification
    return Logits(_built(lambda: maker.from_pretrained(str(path), local_files_only=True, **loader.options), loader))


def _architecture(loader: Loader, _folder: Path) -> nn.Module:
    return build(architecture_named(loader.target), seed=loader.seed or 0)


def _built(make: Any, loader: Loader) -> nn.Module:
    try:
        model: nn.Module = make()
    except Exception as error:  # other programs raise what they like
        line = (str(error).strip().splitlines() or ["no message"])[0]
        raise InputError(
            f"{loader.kind} {loader.target}: {type(error).__name__}: {line}; correct loader.options"
        ) from error
    return model


class Logits(nn.Module):
    """A network of which only the class scores are kept, where it returns a mapping or an object with ``logits``.

    Examples
    --------
    >>> class Wordy(nn.Module):
    ...     def forward(self, x):
    ...         return {"loss": None, "logits": x.mean((2, 3))}
    >>> Logits(Wordy())(torch.zeros(2, 3, 4, 4)).shape
    torch.Size([2, 3])
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Return the class scores."""
        found = self.network(x)
        logits: Tensor = found["logits"] if isinstance(found, Mapping) else getattr(found, "logits", found)
        return logits


class OnnxNetwork(nn.Module):
    """An ONNX file of a classifier, computed by onnxruntime on the CPU.

    Parameters
    ----------
    path : Path
        One input (n, 3, height, width), class scores or probabilities out.
    returns : {"logits", "probabilities"}
        Of probabilities the logarithm is taken.

    Raises
    ------
    InputError
        When the file cannot be read, or does not take such images.
    """

    def __init__(self, path: Path, *, returns: str = "logits") -> None:
        super().__init__()
        runtime = need("onnxruntime", extra="onnx", purpose=f"the network {path.name}")
        try:
            content = files.read_bytes(path)
            self._session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
        except InputError:
            raise
        except Exception as error:  # onnxruntime's errors share no base class
            line = (str(error).strip().splitlines() or ["no message"])[0]
            raise InputError(f"{path}: not an ONNX file that onnxruntime reads ({line})") from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or "float" not in inputs[0].type:
            shapes = ", ".join(f"{one.name} {one.type} {one.shape}" for one in inputs)
            raise InputError(
                f"{path}: takes {shapes}; one input of floats (n, 3, height, width) is needed. A file of `models "
                "export-onnx` takes bytes: load its file of weights instead"
            )
        self._input, self._returns = inputs[0], returns
        self._half = "float16" in self._input.type

    def sides(self) -> tuple[int | None, int | None]:
        """Side of its input and number of its classes, where the file states them."""
        side, n = self._input.shape[2], self._session.get_outputs()[0].shape[-1]
        return (side if isinstance(side, int) else None), (n if isinstance(n, int) else None)

    def forward(self, x: Tensor) -> Tensor:
        """Return class scores; images go in one by one where the file takes no other number."""
        images = x.detach().numpy()
        images = np.ascontiguousarray(images, np.float16 if self._half else np.float32)
        first = self._input.shape[0]
        size = first if isinstance(first, int) and first > 0 else len(images)
        parts = [
            self._session.run(None, {self._input.name: images[start : start + size]})[0]
            for start in range(0, len(images), size)
        ]
        found = torch.from_numpy(np.concatenate(parts).astype(np.float32))
        return found.clamp_min(1e-30).log() if self._returns == "probabilities" else found

    def __getstate__(self) -> dict[str, Any]:
        raise TypeError("an ONNX network cannot be copied or pickled; load its card again")


def _onnx(loader: Loader, folder: Path) -> nn.Module:
    return OnnxNetwork(folder / loader.target, returns=loader.returns)


_LOADERS: dict[str, Any] = {
    "function": _function,
    "timm": _timm,
    "torchvision": _torchvision,
    "huggingface": _huggingface,
    "architecture": _architecture,
    "onnx": _onnx,
}
