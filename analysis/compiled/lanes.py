"""Sixteen levels at a time: the two inner steps of counting, written as instructions on whole rows of sixteen numbers.

A compiler cannot know that the rows it adds do not overlap the row it adds them to, and checks it again and again; said
in its own intermediate language, sixteen levels are one number, and it chooses what the processor has for them.
"""

import importlib
from typing import Any

from numba import types
from numba.extending import intrinsic

ir: Any = importlib.import_module("llvmlite.ir")

LANES = 16


def _vector(context: Any, array: Any) -> Any:
    """Type of a row of sixteen numbers of an array."""
    return ir.VectorType(context.get_value_type(array.dtype), LANES)


def _row(context: Any, builder: Any, array: Any, value: Any, index: Any, vector: Any) -> Any:
    """Pointer to the `index`-th sixteen numbers of a contiguous array."""
    data = context.make_array(array)(context, builder, value).data
    return builder.gep(builder.bitcast(data, vector.as_pointer()), [index])


def _load(builder: Any, pointer: Any, size: int) -> Any:
    loaded = builder.load(pointer)
    loaded.align = size
    return loaded


def _store(builder: Any, value: Any, pointer: Any, size: int) -> None:
    builder.store(value, pointer, align=size)


@intrinsic
def _add_word(_typing: Any, totals: Any, r: Any, part: Any, first: Any, word: Any) -> Any:  # noqa: ARG001 (types below)
    """Add to row `r` of the totals what a word's sixteen nibbles pick from the tables from `first` on."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        to, row, tables, at, bits = args
        vector = _vector(context, signature.args[0])
        size = signature.args[0].dtype.bitwidth // 8
        place = _row(context, builder, signature.args[0], to, row, vector)
        total = _load(builder, place, size)
        wide = ir.IntType(64)
        for nibble in range(16):
            value = builder.and_(builder.lshr(bits, ir.Constant(wide, 4 * nibble)), ir.Constant(wide, 15))
            index = builder.add(builder.shl(builder.add(at, ir.Constant(wide, nibble)), ir.Constant(wide, 4)), value)
            pointer = _row(context, builder, signature.args[2], tables, index, vector)
            total = builder.add(total, _load(builder, pointer, size))
        _store(builder, total, place, size)
        return context.get_dummy_value()

    return types.void(totals, types.int64, part, types.int64, types.uint64), generate


@intrinsic
def _count_row(_typing: Any, totals: Any, r: Any, observed: Any, group: Any, counts: Any) -> Any:  # noqa: ARG001 (types below)
    """Count where row `r` of the totals is at least, and at most, the observed row, in the two rows of `counts`."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = _vector(context, signature.args[0])
        size = signature.args[0].dtype.bitwidth // 8
        total = _load(builder, _row(context, builder, signature.args[0], args[0], args[1], vector), size)
        mine = _load(builder, _row(context, builder, signature.args[2], args[2], args[3], vector), size)
        for number, compare in enumerate((">=", "<=")):
            index = ir.Constant(ir.IntType(64), number)
            place = _row(context, builder, signature.args[4], args[4], index, vector)
            held = builder.zext(builder.icmp_signed(compare, total, mine), vector)
            _store(builder, builder.add(_load(builder, place, size), held), place, size)
        return context.get_dummy_value()

    return types.void(totals, types.int64, observed, types.int64, counts), generate


# Inside compiled code intrinsics take the arguments after the first.
add_word: Any = _add_word
count_row: Any = _count_row
