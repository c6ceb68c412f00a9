"""CRC-32C (Castagnoli), the checksum of TFRecord files, as fast as NumPy allows."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_LANE_WORDS = 32  # 64-byte lanes: long enough that combining them is cheap, short enough that many run abreast


def crc32c(data: bytes | memoryview) -> int:
    """Return the CRC-32C (Castagnoli) of `data`.

    Examples
    --------
    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    n_bytes = len(data)
    if n_bytes < 4 * _LANE_WORDS:
        register, table = 0xFFFFFFFF, _byte_table_list()
        for byte in data:
            register = table[(register ^ byte) & 255] ^ (register >> 8)
        return register ^ 0xFFFFFFFF
    # The register is linear over GF(2): lanes run abreast from 0 and are then shifted past one another. Zeros in
    # front of a lane change nothing, and the first register's ones are folded into the first four bytes.
    n_lanes = 1 << (-(-n_bytes // (2 * _LANE_WORDS)) - 1).bit_length()
    padded = np.zeros(n_lanes * 2 * _LANE_WORDS, np.uint8)
    padded[-n_bytes:] = np.frombuffer(data, np.uint8)
    start = len(padded) - n_bytes
    padded[start : start + 4] ^= 255
    lanes = np.ascontiguousarray(padded.view("<u2").reshape(n_lanes, _LANE_WORDS).T)
    registers = np.zeros(n_lanes, np.uint32)
    table16 = _word_table()
    for words in lanes:
        registers = table16[(registers & 0xFFFF) ^ words] ^ (registers >> 16)
    n_shift = 2 * _LANE_WORDS
    while len(registers) > 1:
        registers = _shift(registers[0::2], n_shift) ^ registers[1::2]
        n_shift *= 2
    return int(registers[0]) ^ 0xFFFFFFFF


@lru_cache(maxsize=1)
def _byte_table() -> NDArray[np.uint32]:
    table: NDArray[np.uint32] = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> np.uint32(1)) ^ np.where(table & np.uint32(1), np.uint32(0x82F63B78), np.uint32(0))
    return table


@lru_cache(maxsize=1)
def _byte_table_list() -> list[int]:
    return [int(value) for value in _byte_table()]


@lru_cache(maxsize=1)
def _word_table() -> NDArray[np.uint32]:
    """Register change of two bytes at once."""
    words, table = np.arange(65536, dtype=np.uint32), _byte_table()
    first = table[words & 255] ^ (words >> 8)
    second: NDArray[np.uint32] = table[first & 255] ^ (first >> 8)
    return second


@lru_cache(maxsize=64)
def _shift_tables(n_bytes: int) -> NDArray[np.uint32]:
    """Tables (4, 256) that move a register past `n_bytes` zero bytes, one table per byte of the register."""
    if n_bytes == 1:
        tables = np.arange(256, dtype=np.uint32)[None] << (8 * np.arange(4, dtype=np.uint32)[:, None])
        moved: NDArray[np.uint32] = _byte_table()[tables & 255] ^ (tables >> 8)
        return moved
    half = _shift_tables(n_bytes // 2)
    return _apply(half, half)


def _apply(tables: NDArray[np.uint32], registers: NDArray[np.uint32]) -> NDArray[np.uint32]:
    out: NDArray[np.uint32] = tables[0][registers & 255]
    for byte in (1, 2, 3):
        out = out ^ tables[byte][(registers >> (8 * byte)) & 255]
    return out


def _shift(registers: NDArray[np.uint32], n_bytes: int) -> NDArray[np.uint32]:
    return _apply(_shift_tables(n_bytes), registers)
