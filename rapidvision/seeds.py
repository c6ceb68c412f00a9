"""Named seed streams: every random decision has an address, so none depends on the order of the work.

A stream is found by hashing its address (BLAKE2), never by drawing from a parent. Worker count, chunk size and
resumed work therefore cannot change a result.
"""

import hashlib
import secrets

import numpy as np

MAX_SEED = 2**63 - 1


def digest(seed: int, *address: str | int) -> bytes:
    """Return the 32 bytes that stand for an address under a seed.

    Parameters
    ----------
    seed : int
        The study's or set's seed, 0 … 2**63 - 1.
    *address : str or int
        The path of names and numbers that tells this stream from every other one.

    Returns
    -------
    bytes
        32 bytes.
    """
    if not 0 <= seed <= MAX_SEED:
        from rapidvision.errors import InputError

        raise InputError(f"seed: got {seed}, allowed are whole numbers from 0 to {MAX_SEED}")
    text = "\x1f".join([str(int(seed)), *(f"{type(part).__name__[0]}:{part}" for part in address)])
    return hashlib.blake2b(text.encode(), digest_size=32).digest()


def key64(seed: int, *address: str | int) -> int:
    """Return a 64-bit key for counter-based generators and kernels.

    Examples
    --------
    >>> key64(1, "fill", "cat-03", "clickme") == key64(1, "fill", "cat-03", "clickme")
    True
    >>> key64(1, "fill", 3) == key64(1, "fill", "3")
    False
    """
    return int.from_bytes(digest(seed, *address)[:8], "little")


def stream(seed: int, *address: str | int) -> np.random.Generator:
    """Return the generator of an address: Philox, keyed by the address alone.

    Parameters
    ----------
    seed : int
        The study's or set's seed.
    *address : str or int
        Names and numbers that tell this stream from every other one.

    Returns
    -------
    numpy.random.Generator
        Independent of every other address.

    Examples
    --------
    >>> int(stream(7, "participant", 3).integers(1000)) == int(stream(7, "participant", 3).integers(1000))
    True
    """
    key = np.frombuffer(digest(seed, *address)[:16], dtype="<u8")
    return np.random.Generator(np.random.Philox(key=key))


def fresh_seed() -> int:
    """Draw a seed from the system; the caller prints and stores it."""
    return secrets.randbelow(2**31)
