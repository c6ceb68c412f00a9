"""The partner: whatever turns views into probabilities, asked in batches, and never waited for longer than a round can.

A partner is named on the command line as ``module:function``. The function gets the categories and returns a callable:
``partner(batch) -> probabilities`` with `batch` uint8 (n, height, width, 3) and the answer float (n, n_categories).
"""

import importlib
import logging
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError, RapidVisionError

from ... import clock
from .masking import BLANK

#: What a factory returns.
Partner: TypeAlias = Callable[[NDArray[np.uint8]], NDArray[np.floating]]
Probabilities: TypeAlias = NDArray[np.float64]

#: Factories of networks in files; the networks' own is reached by name, since packages meet in names and files only.
NETWORKS = "rapidvision.gala_models.clickme_partner:build_partner"
FILES = {".safetensors": NETWORKS, ".onnx": "rapidvision.experiments.clickme.game.onnx_partner:make"}

#: The name of no partner, on the command line and in the records.
NO_PARTNER = "none"

#: A probability computed in half precision may exceed 1 by this much.
_ROUNDING = 1e-2

_log = logging.getLogger("rapidvision.clickme")


class Superseded(Exception):
    """A newer view of the same round took this one's place before it was looked at."""


class Loaded(NamedTuple):
    """A partner that has answered once.

    Attributes
    ----------
    partner : callable or None
        None in a game without one.
    name : str
        For the records.
    categories : tuple of str
        What it knows, in the order of its answers.
    blank : ndarray of float64, shape (n_categories,), or None
        Its answer to a view of one grey, as in a round before the first bubble; None without a partner.
    """

    partner: Partner | None
    name: str
    categories: tuple[str, ...]
    blank: Probabilities | None = None


def load(
    spec: str, categories: Sequence[str], *, image_px: int, n_threads: int | None = None, precision: str = "float32"
) -> Loaded:
    """Find a partner by name and let it answer once.

    Parameters
    ----------
    spec : str
        ``module:function``; ``bundled`` or a network's file (``.safetensors``, ``.onnx``) for the networks of
        RapidVision; ``none`` for a game by the clock alone.
    categories : sequence of str
        What the images show.
    image_px : int
        Side of the views.
    n_threads : int, optional
        Threads of a network of RapidVision; a function of your own sets its own.
    precision : {"float32", "bfloat16"}
        Of a network of RapidVision in torch.

    Returns
    -------
    Loaded
        With the categories in sorted order, which is the order of the answers, and the answer to an empty view.

    Raises
    ------
    InputError
        When the partner cannot be found or made, does not know a category, or answers in another form.
    """
    names = tuple(sorted(set(categories)))
    if spec == NO_PARTNER:
        return Loaded(None, NO_PARTNER, names)
    make, keywords = _factory(spec, n_threads, precision)
    try:
        partner = make(names, **keywords)
    except RapidVisionError:
        raise
    except (LookupError, ValueError) as error:
        raise InputError(f"partner {spec}: cannot play with these categories ({error}); leave some out") from error
    try:
        empty = np.full((2, image_px, image_px, 3), BLANK, np.uint8)
        blank = checked(partner(empty), len(empty), len(names)).mean(axis=0)
    except Exception as error:  # whatever a foreign partner raises, the server must not start with it
        raise InputError(f"partner {spec}: its first answer failed ({error})") from error
    return Loaded(partner, spec if precision == "float32" else f"{spec} in {precision}", names, blank)


def _factory(spec: str, n_threads: int | None, precision: str) -> tuple[Callable[..., Partner], dict[str, Any]]:
    keywords: dict[str, Any] = {}
    name, suffix = spec, Path(spec).suffix
    if spec == "bundled":
        name, keywords = NETWORKS, {"n_threads": n_threads}
    elif suffix in FILES:
        if not Path(spec).is_file():
            raise InputError(f"partner {spec}: no such file")
        name, keywords = FILES[suffix], {"model": spec, "n_threads": n_threads}
    if name == NETWORKS:
        keywords["precision"] = precision
    elif precision != "float32":
        raise InputError(f"partner {spec}: its precision is its own; --partner-precision is for our networks in torch")
    module_name, colon, function = name.partition(":")
    if not colon or not module_name or not function:
        raise InputError(
            f'partner: got "{spec}"; allowed are module:function, bundled, a .safetensors or .onnx file, none'
        )
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))  # a lab's own file beside its game
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise InputError(f"partner {spec}: {module_name} cannot be imported ({error})") from error
    make = getattr(module, function, None)
    if not callable(make):
        raise InputError(f'partner {spec}: {module_name} has no function "{function}"')
    return make, keywords


def checked(answer: Any, n_views: int, n_categories: int) -> Probabilities:
    """Return the answer as float64, shape (n_views, n_categories), or raise ValueError."""
    values = np.asarray(answer, dtype=np.float64)
    if values.shape != (n_views, n_categories):
        raise ValueError(f"the answer has shape {values.shape}, needed is {(n_views, n_categories)}")
    if not np.isfinite(values).all() or (values < 0).any() or (values > 1 + _ROUNDING).any():
        raise ValueError("the answer has values that are not probabilities")
    return np.minimum(values, 1.0)


class _Question(NamedTuple):
    view: NDArray[np.uint8]
    future: "Future[Probabilities]"


class Table:
    """Where the partner sits: a thread that answers waiting views in batches, the newest view of each round.

    Parameters
    ----------
    loaded : Loaded
        The partner.
    max_batch : int
        Most views in one batch.
    batch_s : float
        How long a batch should take: the next request waits for it.

    Notes
    -----
    While a batch is worked on, views gather for the next, longest waiting first. A large network hardly gains from
    batches and all in a batch wait for its end, so there the batches are small; a small one takes all that wait. A
    round that asks again before its view was taken up has the older question superseded and keeps its place, so a slow
    partner skips views and never falls behind.
    """

    def __init__(self, loaded: Loaded, *, max_batch: int = 32, batch_s: float = 0.06) -> None:
        self.loaded, self.max_batch, self.batch_s = loaded, max_batch, batch_s
        self._view_s = 0.0
        self._waiting: OrderedDict[str, _Question] = OrderedDict()
        self._changed = threading.Condition()
        self._closed = False
        self.n_batches = self.n_views = self.n_failed = self.n_superseded = 0
        self.busy_s = 0.0
        self._thread = threading.Thread(target=self._work, name="clickme-partner", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """The partner's name for the records."""
        return self.loaded.name

    def ask(self, round_id: str, view: NDArray[np.uint8]) -> "Future[Probabilities]":
        """Ask about a view (copied); the future raises :class:`Superseded`, or what the partner raised."""
        future: Future[Probabilities] = Future()
        with self._changed:
            if self.loaded.partner is None or self._closed:
                future.set_exception(InputError("there is no partner"))
                return future
            older = self._waiting.get(round_id)
            self._waiting[round_id] = _Question(view.copy(), future)  # at the older one's place in the queue
            self._changed.notify()
        if older is not None:
            self.n_superseded += 1
            older.future.set_exception(Superseded(round_id))
        return future

    def forget(self, *names: str) -> None:
        """Drop the views that wait under these names: their answers are needed no more."""
        for name in names:
            with self._changed:
                older = self._waiting.pop(name, None)
            if older is not None:
                older.future.set_exception(Superseded(name))

    def close(self) -> None:
        """Stop answering; what waits is told so. A partner that hangs is left behind."""
        with self._changed:
            self._closed = True
            waiting = list(self._waiting.values())
            self._waiting.clear()
            self._changed.notify()
        for question in waiting:
            question.future.set_exception(InputError("the partner has left"))
        self._thread.join(timeout=5)

    def _work(self) -> None:
        while (batch := self._take()) is not None:
            started = clock.now_s()
            try:
                assert self.loaded.partner is not None
                views = np.stack([question.view for question in batch])
                answer = checked(self.loaded.partner(views), len(batch), len(self.loaded.categories))
            except Exception as error:  # a partner's failure must not end the game
                self.n_failed += len(batch)
                _log.exception("the partner failed on %d views", len(batch))
                for question in batch:
                    question.future.set_exception(error)
            else:
                for question, row in zip(batch, answer, strict=True):
                    question.future.set_result(row)
            took_s = clock.now_s() - started
            self._view_s += (took_s / len(batch) - self._view_s) / (4 if self._view_s else 1)
            self.busy_s += took_s
            self.n_batches += 1
            self.n_views += len(batch)

    def _take(self) -> list[_Question] | None:
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            n = self.max_batch if not self._view_s else int(self.batch_s / self._view_s)
            keys = list(self._waiting)[: min(max(1, n), self.max_batch)]
            return [self._waiting.pop(key) for key in keys]
