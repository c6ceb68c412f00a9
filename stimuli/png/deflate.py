"""Huffman coding alone, in the deflate format that every PNG reader knows.

Scrambled images are noise: to search them for repeats costs most of a compressor's time and finds nothing. And a
coder of our own gives the same bytes on every machine, whichever zlib Python was built with there, so that two
laboratories' stimuli have the same hashes. Where numba is installed, what goes symbol by symbol is compiled.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.compiled import can_compile, compiled
from rapidvision.system.extras import need

#: The symbol after the last byte of a block.
END = 256
#: Longest code of a symbol, and of a code's length.
MOST_BITS, MOST_LENGTH_BITS = 15, 7
#: Not the last block, codes of its own, 257 lengths of symbols and one of distances, all 19 lengths of lengths' codes.
_HEAD, _HEAD_BITS = 0b100 | 15 << 13, 17
#: In which order the format stores the lengths of the lengths' codes.
_ORDER = np.array([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])
#: How many bits each of them takes; and a block's end, as a list of symbols.
_THREES, _END = np.full(19, 3), np.array([END])
#: Whole numbers of :data:`MOST_BITS` bits with their bits turned round, as codes are stored.
_MIRRORED: NDArray[np.int64] = np.array([int(f"{number:015b}"[::-1], 2) for number in range(2**MOST_BITS)])


def deflated(data: NDArray[np.uint8], *, compiled: bool = True) -> bytes:
    """Return `data` as one deflate block that is not the last and ends at a whole byte.

    Blocks put together, and an empty last one behind them, are a deflate stream.

    Parameters
    ----------
    data : ndarray of uint8, shape (n,)
        What to code.
    compiled : bool
        Whether numba may help where it is installed; the bytes are the same.

    Returns
    -------
    bytes
        The block.

    Examples
    --------
    >>> import zlib
    >>> block = deflated(np.frombuffer(b"noise has no repeats", np.uint8))
    >>> zlib.decompress(block + bytes([3, 0]), -15)
    b'noise has no repeats'
    """
    block = _compiled() if compiled and _numba_is_here() else _block
    words, n_bits = block(data, _MIRRORED)
    n_bytes = (n_bits + 3 + 7) // 8  # an empty stored block, whose first three bits are 0, fills the last byte
    return words.astype("<u4", copy=False).tobytes()[:n_bytes] + b"\x00\x00\xff\xff"


def _block(data: NDArray[np.uint8], mirrored: NDArray[np.int64]) -> tuple[NDArray[np.uint32], int]:
    """Return a block as words of 32 bits, and how many bits of them count."""
    counts = np.bincount(data, minlength=END + 1)
    counts[END] = 1
    lengths = code_lengths(counts, MOST_BITS)
    stored = np.append(lengths, 0)  # and one distance, which no block of ours uses
    of_lengths = code_lengths(np.bincount(stored, minlength=_ORDER.size), MOST_LENGTH_BITS)
    codes, of_codes = codes_of(lengths, mirrored), codes_of(of_lengths, mirrored)
    words = np.zeros((data.size * MOST_BITS + 4096) // 32, np.uint32)
    words[0] = _HEAD
    at = put(words, _HEAD_BITS, _ORDER, of_lengths, _THREES)
    at = put(words, at, stored, of_codes, of_lengths)
    at = put(words, at, data, codes, lengths)
    return words, put(words, at, _END, codes, lengths)


def code_lengths(counts: NDArray[np.int64], most_bits: int) -> NDArray[np.int64]:
    """Return the Huffman code length of each symbol, 0 for those that do not occur.

    The two rarest are joined again and again; among equals a symbol comes before a joint, and a smaller symbol before
    a larger. Counts are halved until no code is too long.

    Parameters
    ----------
    counts : ndarray of int64, shape (n,), n up to 512
        How often each symbol occurs; one at least does.
    most_bits : int
        Longest code allowed.

    Returns
    -------
    ndarray of int64, shape (n,)
        Lengths in bits.

    Examples
    --------
    >>> code_lengths(np.array([4, 0, 1, 2]), 15).tolist()
    [1, 0, 2, 2]
    """
    lengths = np.zeros(counts.size, np.int64)
    while True:
        keys = np.sort((counts * 512 + np.arange(counts.size))[counts > 0])  # rarest first, the symbol in the low bits
        n = keys.size
        weights, parent, depth = np.zeros(2 * n, np.int64), np.zeros(2 * n, np.int64), np.zeros(2 * n, np.int64)
        weights[:n] = keys >> 9
        leaf, joint = 0, n
        for made in range(n, 2 * n - 1):
            for _ in range(2):
                if leaf < n and (joint >= made or weights[leaf] <= weights[joint]):
                    rarest = leaf
                    leaf += 1
                else:
                    rarest = joint
                    joint += 1
                weights[made] += weights[rarest]
                parent[rarest] = made
        for node in range(2 * n - 3, -1, -1):
            depth[node] = depth[parent[node]] + 1
        if depth.max() <= most_bits:
            break
        counts = (counts + 1) >> 1
    lengths[keys & 511] = np.maximum(depth[:n], 1)
    return lengths


def codes_of(lengths: NDArray[np.int64], mirrored: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the canonical code of each symbol, its bits turned round; int64, same shape."""
    order = np.lexsort((np.arange(lengths.size), lengths))
    order = order[lengths[order] > 0]
    steps = 1 << (MOST_BITS - lengths[order])
    out = np.zeros(lengths.size, np.int64)
    out[order] = mirrored[np.cumsum(steps) - steps]
    return out


def _codes_one_by_one(lengths: NDArray[np.int64], mirrored: NDArray[np.int64]) -> NDArray[np.int64]:
    out, code = np.zeros(lengths.size, np.int64), 0
    for length in range(1, MOST_BITS + 1):
        for symbol in range(lengths.size):
            if lengths[symbol] == length:
                out[symbol] = mirrored[code]
                code += 1 << (MOST_BITS - length)
    return out


def put(
    words: NDArray[np.uint32],
    at: int,
    symbols: NDArray[np.integer],
    codes: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> int:
    """Write the symbols' codes into `words`, which are 0 there, from bit `at` on; returns the bit behind them."""
    places = np.arange(MOST_BITS)
    bits, used = (codes[:, None] >> places & 1).astype(np.uint8), places < lengths[:, None]
    stream = np.concatenate([np.zeros(at % 32, np.uint8), bits[symbols][used[symbols]]])
    filled = np.packbits(stream, bitorder="little")
    new = np.zeros(-(-filled.size // 4), "<u4")
    new.view(np.uint8)[: filled.size] = filled
    words[at // 32 : at // 32 + new.size] |= new
    return at - at % 32 + stream.size


def _put_one_by_one(
    words: NDArray[np.uint32],
    at: int,
    symbols: NDArray[np.integer],
    codes: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> int:
    place, n_held = at >> 5, np.uint64(at & 31)
    held = np.uint64(words[place])
    for symbol in symbols:
        held |= np.uint64(codes[symbol]) << n_held
        n_held += np.uint64(lengths[symbol])
        if n_held >= np.uint64(32):
            words[place] = np.uint32(held & np.uint64(0xFFFFFFFF))
            held >>= np.uint64(32)
            n_held -= np.uint64(32)
            place += 1
    words[place] = np.uint32(held)
    return 32 * place + int(n_held)


def _block_one_by_one(data: NDArray[np.uint8], mirrored: NDArray[np.int64]) -> tuple[NDArray[np.uint32], int]:
    counts, stored, of_counts = np.zeros(END + 1, np.int64), np.zeros(END + 2, np.int64), np.zeros(19, np.int64)
    for symbol in data:
        counts[symbol] += 1
    counts[END] = 1
    lengths = code_lengths(counts, MOST_BITS)
    stored[:-1] = lengths
    for length in stored:
        of_counts[length] += 1
    of_lengths = code_lengths(of_counts, MOST_LENGTH_BITS)
    codes, of_codes = _codes_one_by_one(lengths, mirrored), _codes_one_by_one(of_lengths, mirrored)
    words = np.zeros((data.size * MOST_BITS + 4096) // 32, np.uint32)
    words[0] = _HEAD
    at = _put_one_by_one(words, _HEAD_BITS, _ORDER, of_lengths, _THREES)
    at = _put_one_by_one(words, at, stored, of_codes, of_lengths)
    at = _put_one_by_one(words, at, data, codes, lengths)
    return words, _put_one_by_one(words, at, _END, codes, lengths)


@lru_cache(maxsize=1)
def _numba_is_here() -> bool:
    return can_compile()


@lru_cache(maxsize=1)
def _compiled() -> Callable[..., tuple[NDArray[np.uint32], int]]:
    extending: Any = need("numba.extending", extra="fast", purpose="the compiled coder")
    for step in (code_lengths, _codes_one_by_one, _put_one_by_one):
        extending.register_jitable(step)
    return cast(Callable[..., tuple[NDArray[np.uint32], int]], compiled(_block_one_by_one))
