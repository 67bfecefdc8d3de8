"""CSV files on the command line: what is found out by itself, and what is asked for."""

import gzip

import numpy as np
import pytest

from minidl.command_line.data import Reading
from minidl.command_line.tables import read_table

TEXT = "a,b,kind\n1,2.5,cat\n3,4,dog\n"
NUMBERS = "a,b,c\n1,2.5,0\n3,4,1\n"


@pytest.fixture
def read(tmp_path):
    """A function that reads a text as a table."""

    def read(text, **options):
        path = tmp_path / "t.csv"
        path.write_text(text)
        return read_table(path, Reading(**options))

    return read


def test_all_columns_without_a_target(read):
    x, y = read(NUMBERS)
    assert y is None
    assert x.tolist() == [[1, 2.5, 0], [3, 4, 1]]
    assert x.dtype == np.float32


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("target", ["2", "-1", 2])
def test_targets_by_number(read, delimiter, header, target):
    text = NUMBERS if header else NUMBERS.partition("\n")[2]
    x, y = read(text.replace(",", delimiter), target=target)
    assert x.tolist() == [[1, 2.5], [3, 4]]
    assert y.tolist() == [[0], [1]]


def test_a_header_of_column_numbers(read):
    x, y = read("0,1,2\n1,2.5,0\n3,4,1\n", target="1")
    assert x.tolist() == [[1, 0], [3, 1]]
    assert y.tolist() == [[2.5], [4]]


def test_several_targets(read):
    x, y = read(NUMBERS, target=["c", "a"])
    assert x.tolist() == [[2.5], [4]]
    assert y.tolist() == [[0, 1], [1, 3]]


def test_labels_and_classes(read):
    _, y = read(NUMBERS, target="c", labels=True)
    assert (y.tolist(), y.dtype) == ([0, 1], np.int64)
    x, y = read(TEXT, target="kind", classes=["dog", "cat"])
    assert (x.tolist(), y.tolist()) == ([[1, 2.5], [3, 4]], [1, 0])


def test_features(read):
    assert read(TEXT, features=["b", "a"])[0].tolist() == [[2.5, 1], [4, 3]]
    assert read(NUMBERS, features=["b"])[0].tolist() == [[2.5], [4]]
    assert read(TEXT, features=["b"], target="a")[0].tolist() == [[2.5], [4]]


def test_packed(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(NUMBERS.encode()))
    assert read_table(path, Reading())[0].shape == (2, 3)


def test_many_rows_come_in_their_order(read):
    rows = 25_000
    x, y = read("a,b\n" + "\n".join(f"{i},{-i}" for i in range(rows)), target="b")
    np.testing.assert_array_equal(x[:, 0], np.arange(rows))
    np.testing.assert_array_equal(y[:, 0], -np.arange(rows))


def test_a_labelled_table_is_predicted_without_its_labels(run, regressor, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(TEXT)
    assert run("predict", regressor, path, "--target", "kind").out == "output\n1.0\n3.0\n"
    assert run("predict", regressor, path, "--target", "9").code == 1
    assert run("predict", regressor, path, "--features", "b,a").out == "output\n2.5\n4.0\n"


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        (TEXT, [], "line 2, column 'kind': expected a number, got 'cat'"),
        (NUMBERS, [], "expected inputs of shape (N, 2), as the model takes them, got (2, 3)"),
        (NUMBERS, ["--target", "d"], "expected a column that it has once, got 'd'"),
        (NUMBERS, ["--target", "9"], "expected a column that it has once, got 9"),
        (NUMBERS, ["--features", "a,x"], "expected a column that it has once, got 'x'"),
        ("a,b\n1\n", [], "line 2: expected 2 fields, got 1"),
        ("a,b\n1,\n", [], "the value is missing ('')"),
        ("a,b\n", [], "expected rows of numbers, got none"),
        ("", [], "t.csv"),
    ],
)
def test_mistakes(fails, regressor, tmp_path, text, words, message):
    path = tmp_path / "t.csv"
    path.write_text(text)
    assert message in fails("predict", regressor, path, *words)
