"""The only use of Numba: kernels are compiled once, cached on disk, and never reorder arithmetic.

Without ``fastmath`` LLVM keeps every operation in the order it is written and fuses none, and the kernels use only
operations that IEEE 754 rounds exactly (+ - * / sqrt floor); so a seed gives the same image on every processor.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from rapidvision.errors import MissingExtra
from rapidvision.numerics import compiled as kept
from rapidvision.system.extras import need

F = TypeVar("F", bound=Callable[..., object])


def inlined(function: F) -> F:
    """As :func:`compiled`, and written out wherever another kernel calls it: handing over an array's shape costs more than small work."""
    return compiled(function, inline=True)


def compiled(function: F, *, inline: bool = False) -> F:
    """Compile `function` to machine code when it is first called; it keeps its type.

    Without Numba the function can be imported, and says what is missing when it is called: in plain Python one image
    would take an hour.
    """
    try:
        need("numba", extra="fast", purpose="drawing images")
    except MissingExtra as missing:
        reason = str(missing)

        @functools.wraps(function)
        def refuse(*_arguments: Any, **_named: Any) -> Any:
            raise MissingExtra(reason)

        return cast(F, refuse)
    return cast(F, kept.compiled(function, error_model="numpy", fastmath=False, nogil=True, forceinline=inline))
