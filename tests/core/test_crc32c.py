import numpy as np
import pytest

from rapidvision.integrity.crc32c import crc32c


def bitwise_crc32c(data):
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


@pytest.mark.parametrize(
    ("data", "expected"),  # RFC 3720, appendix B.4
    [(bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43), (bytes(range(32)), 0x46DD794E)],
)
def test_crc_of_the_standards_vectors(data, expected):
    assert crc32c(data) == expected


@pytest.mark.parametrize("n", [0, 1, 3, 127, 128, 129, 191, 192, 1000, 4096, 4097, 20001])
def test_crc_of_long_data_is_the_bitwise_one(n):
    data = np.random.Generator(np.random.PCG64(n)).bytes(n)
    assert crc32c(data) == bitwise_crc32c(data)
