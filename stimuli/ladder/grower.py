"""One map's region on its way through the levels: try a stage with many options, keep one."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.compiled import can_compile
from rapidvision.numerics.counter_rng import origin_of

from ..reveal.flood import Engine, start_pixel
from ..reveal.passage_times import EXP_TABLE, N_GRADES, tie_break
from .options import Option, slowness_table

#: A further seed lies at least so many pixels (chessboard) from the region.
SEED_GAP_PX = 24


class Sums(NamedTuple):
    """What a region's figures are computed from: whole numbers only."""

    n_px: int
    grades: int
    perimeter: int
    rows: int
    columns: int
    squares: int
    components: int
    objects: int


class Grower:
    """Grows a region on one map, stage by stage.

    Parameters
    ----------
    values : ndarray of float32, shape (height, width)
        Importance.
    n_px : int
        Pixels of the last level.
    objects : ndarray of bool, shape (height, width), or None
        Where the object is.
    epsilon : float
        Rate where there is no importance.
    n_stages : int
        How many stages there will be.
    engine : {"auto", "numba", "portable"}
        What grows; the order is the same.
    """

    def __init__(
        self,
        values: NDArray[np.float32],
        n_px: int,
        *,
        objects: NDArray[np.bool_] | None = None,
        epsilon: float,
        n_stages: int,
        engine: Engine = "auto",
    ) -> None:
        self.height, self.width = values.shape
        self._values = values
        scale = N_GRADES / float(values.max())
        self.grades = np.rint(values.astype(np.float64).ravel() * scale).astype(np.int64)
        self.total = int(self.grades.sum())
        self.best = np.cumsum(np.sort(self.grades)[::-1][:n_px])
        self.objects = np.zeros(values.size, np.uint8) if objects is None else objects.ravel().astype(np.uint8)
        self.epsilon = epsilon
        guarded = np.ones((self.height + 2, self.width + 2), np.uint8)
        guarded[1:-1, 1:-1] = 0
        self._seen = guarded.ravel()
        self._labels = np.zeros(self._seen.size, np.int32)
        self._alias = np.full(n_stages + 2, -1, np.int32)
        self.order = np.empty(n_px, np.int32)
        self._sums = np.zeros(8, np.int64)
        self._edge = np.empty(0, np.int32)
        self._engine = _engine_of(engine)

    @property
    def n_done(self) -> int:
        """Pixels of the region so far."""
        return int(self._sums[0])

    def tried(self, n_to: int, option: Option, *, key: int, far: NDArray[np.int32]) -> Sums | None:
        """Return what the region would be after a stage up to `n_to` pixels; None when times overflow."""
        made = self._grown(n_to, option, key=key, far=far, alias=self._alias.copy())
        return None if made is None else Sums(*(int(one) for one in made[1]))

    def keep(self, n_to: int, option: Option, *, key: int, far: NDArray[np.int32]) -> None:
        """Grow the region to `n_to` pixels."""
        made = self._grown(n_to, option, key=key, far=far, alias=self._alias)
        assert made is not None
        new, self._sums = made
        self.order[n_to - new.size : n_to] = new
        self._seen[new + 2 * (new // self.width) + self.width + 3] = 2
        self._edge = self._engine.edge_of(self.order[:n_to], self.width, self._seen)

    def far_peak(self) -> NDArray[np.int32]:
        """Return the most important pixel at least :data:`SEED_GAP_PX` from the region; empty where there is none."""
        from scipy.ndimage import maximum_filter

        inside = self._seen.reshape(self.height + 2, self.width + 2)[1:-1, 1:-1] == 2
        near = maximum_filter(inside, size=2 * SEED_GAP_PX + 1).ravel()
        free = np.where(near, -1, self.grades)
        best = int(free.argmax())
        return np.array([best] if free[best] > 0 else [], np.int32)

    def _grown(
        self, n_to: int, option: Option, *, key: int, far: NDArray[np.int32], alias: NDArray[np.int32]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]] | None:
        starts = self._start(option.start, key) if self.n_done == 0 else far if option.seed else far[:0]
        bits, mask = tie_break(self.grades.size, key)
        order, sums = np.empty(n_to - self.n_done, np.int32), self._sums.copy()
        fine = self._engine.grow(
            self.grades,
            self.objects,
            slowness_table(option.gamma, self.epsilon),
            option.rough,
            np.uint64(origin_of(key)),
            EXP_TABLE,
            self.width,
            starts,
            self._edge,
            np.uint64(mask),
            bits,
            self._seen,
            self._labels,
            alias,
            order,
            sums,
        )
        return (order, sums) if fine else None

    def _start(self, share: float, key: int) -> NDArray[np.int32]:
        """The peak, or the pixel nearest to a share of the largest importance; equals by lot."""
        if share == 1:
            return np.array([start_pixel(self._values, key=key)], np.int32)
        distance = -np.abs(self.grades - int(share * N_GRADES)).astype(np.float32).reshape(self._values.shape)
        return np.array([start_pixel(distance, key=key)], np.int32)


def _engine_of(engine: Engine) -> Any:
    if engine == "numba" or (engine == "auto" and can_compile()):
        from . import stage_numba

        return stage_numba
    from . import stage_portable

    return stage_portable
