import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rapidvision.errors import InputError
from rapidvision.formats import tfrecord


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8),
        st.one_of(
            st.lists(st.binary(max_size=200), min_size=1, max_size=3),
            st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=5),
            st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=5),
        ),
        max_size=4,
    )
)
def test_every_example_comes_back_as_it_was(features):
    back = tfrecord.example(tfrecord.encode(features))
    assert {name: list(values) for name, values in back.items()} == features


def test_unpacked_numbers_are_read_too():
    # Writers other than TensorFlow's may store numbers one field each.
    entry = b"\x0a\x01x" + b"\x12\x06\x1a\x04\x08\x05\x08\x07"
    payload = b"\x0a" + bytes([len(entry) + 2]) + b"\x0a" + bytes([len(entry)]) + entry
    assert tfrecord.example(payload)["x"].tolist() == [5, 7]


def test_records_come_in_order_with_their_offsets(tmp_path):
    payloads = [b"a" * n for n in (0, 5, 1000)]
    tfrecord.write(tmp_path / "x", payloads)
    found = list(tfrecord.records(tmp_path / "x"))
    assert [bytes(record.payload) for record in found] == payloads
    assert [record.offset for record in found] == [0, 16, 37]


def test_a_flipped_bit_is_found_and_named(tmp_path):
    path = tmp_path / "x"
    tfrecord.write(path, [b"first", b"second" * 100])
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"record 1 at byte 21: its content is damaged"):
        list(tfrecord.records(path))
    assert len(list(tfrecord.records(path, verify=False))) == 2


@pytest.mark.parametrize(("keep", "words"), [(10, "ends within its head"), (18, r"wants 5 bytes, 6 are left")])
def test_a_cut_file_is_refused_with_its_byte(tmp_path, keep, words):
    path = tmp_path / "x"
    tfrecord.write(path, [b"first"])
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=words):
        list(tfrecord.records(path))


def test_other_files_are_not_taken_for_records(tmp_path):
    (tmp_path / "x").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(InputError, match="not a TFRecord"):
        list(tfrecord.records(tmp_path / "x"))
    with pytest.raises(InputError, match="no such file"):
        list(tfrecord.records(tmp_path / "y"))


def test_an_empty_file_has_no_records(tmp_path):
    (tmp_path / "x").write_bytes(b"")
    assert list(tfrecord.records(tmp_path / "x")) == []


@pytest.mark.parametrize("payload", [b"\x0a\xff", b"\x0f", b"\x0a\x05abc", b"\xff" * 11])
def test_bytes_that_are_no_example_are_refused(payload):
    with pytest.raises(InputError, match=r"not a tf\.train\.Example"):
        tfrecord.example(payload)


def test_images_of_both_schemas(seed):
    raw = np.arange(48, dtype="<f4").reshape(4, 4, 3)
    np.testing.assert_array_equal(tfrecord.image(raw.tobytes(), n_channels=3), raw)
    np.testing.assert_array_equal(tfrecord.image(raw[..., 0].tobytes(), n_channels=1), raw[..., 0])
    out = io.BytesIO()
    Image.fromarray(np.full((8, 6, 3), 200, np.uint8)).save(out, "JPEG")
    assert tfrecord.image(out.getvalue(), n_channels=3).shape == (8, 6, 3)
    assert tfrecord.image(out.getvalue(), n_channels=1).shape == (8, 6)


def test_images_of_neither_schema_are_refused():
    with pytest.raises(InputError, match="13 bytes are neither"):
        tfrecord.image(bytes(13), n_channels=3, where="record 4")
    with pytest.raises(InputError, match="record 4: not an image of a format that is read"):
        tfrecord.image(b"\xff\xd8" + struct.pack("<I", 3), n_channels=3, where="record 4")
