"""Arrays and texts in safetensors files, whatever they are for."""

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import minidl as dl
from minidl.io.tensor_file import TensorFile, reading, write

ARRAYS = {
    "matrix": np.arange(6.0).reshape(2, 3).T,
    "every second": np.arange(8, dtype=np.int16)[::2],
    "a number": np.array(3.5, np.float32),
    "nothing": np.zeros((0, 3)),
    "other order": np.array([1, 2], ">u4"),
    "ü": np.array([255], np.uint8),
}
TEXTS = {"name": 'é "\n\\', "empty": ""}


def test_arrays_and_texts_come_back(tmp_path):
    write(tmp_path / "file", ARRAYS, TEXTS)
    with reading(tmp_path / "file") as file:
        assert file.metadata == TEXTS
        found = {name: file.read(name) for name in file.entries}
    by_others = load_file(tmp_path / "file")
    assert found.keys() == by_others.keys() == ARRAYS.keys()
    for name, values in ARRAYS.items():
        np.testing.assert_array_equal(found[name], values)
        np.testing.assert_array_equal(by_others[name], values)
        assert found[name].shape == values.shape
        assert found[name].dtype == values.dtype.newbyteorder("<")
        assert found[name].flags.writeable
    with safe_open(tmp_path / "file", "np") as file:
        assert file.metadata().items() > TEXTS.items()


def test_the_same_content_gives_the_same_bytes(tmp_path):
    for name, order in (("one", 1), ("other", -1)):
        arrays, texts = (dict(list(d.items())[::order]) for d in (ARRAYS, TEXTS))
        write(tmp_path / name, arrays, {**texts, **{str(k): "" for k in range(10)[::order]}})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"shape":[3,2]', b'"shape":[2,3]'),
        (b'"matrix"', b'"Matrix"'),
        (b'"name":', b'"Name":'),
        (b'"I16"', b'"U16"'),
    ],
)
def test_the_checksum_covers_the_header(old, new, tmp_path):
    write(tmp_path / "file", ARRAYS, TEXTS)
    content = (tmp_path / "file").read_bytes()
    assert content.count(old) == 1
    (tmp_path / "file").write_bytes(content.replace(old, new))
    with (
        pytest.raises(dl.DataError, match="file: has other content than its checksum was taken of"),
        reading(tmp_path / "file") as file,
    ):
        file.check_content()
    with (
        pytest.raises(dl.DataError, match=r"was taken of: it is damaged\.$"),  # nothing to drop
        reading(tmp_path / "file") as file,
    ):
        file.check_content(required=True)


def test_a_checksum_is_taken_once_and_can_be_required(tmp_path, monkeypatch):
    write(tmp_path / "file", ARRAYS, TEXTS)
    with reading(tmp_path / "file") as file:
        file.check_content(required=True)
        monkeypatch.setattr(TensorFile, "_checksum", lambda _: pytest.fail("taken twice"))
        file.check_content()
    save_file({"a": np.zeros(2)}, tmp_path / "other", TEXTS)
    with reading(tmp_path / "other") as file:
        file.check_content()  # there is nothing to compare, so nothing is taken
        with pytest.raises(
            dl.DataError, match="other: is not as minidl wrote it: its metadata has no 'sha256'"
        ):
            file.check_content(required=True)
