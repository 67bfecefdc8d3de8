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
        (
            TEXT,
            [],
            "t.csv, line 2, column 'kind': expected a number, got 'cat'. If these are the answers, "
            "name the column as target; else leave it out with features, or put numbers for its",
        ),
        (NUMBERS, [], "expected inputs of shape (N, 2), as the model takes them, got (2, 3)"),
        (NUMBERS, ["--target", "d"], "expected a column that it has once, got 'd'"),
        (NUMBERS, ["--target", "9"], "expected a column that it has once, got 9"),
        (NUMBERS, ["--features", "a,x"], "expected a column that it has once, got 'x'"),
        ("a,b\n1\n", [], "line 2: expected 2 fields, got 1"),
        ("a,b\n1,\n", [], "the value is missing ('')"),
        ("a,b\n", [], "expected rows of numbers, got none. Is it the right file?"),
        ("ä,b\n1,2\n", [], "expected text in utf-8-sig, got the bytes b'\\xe4'. Save it as UTF-8."),
        (
            "a,1.5\n1,2\n",
            [],
            "line 1: expected names of columns, got numbers, such as 1.5. Put names",
        ),
        ("1,1e300\n", [], "got '1e300'. Scale or drop it."),
        ("a\nx\n", [], "line 2, column 'a': expected a number, got 'x'. If these are the answers,"),
        ("a\n1\n", ["--target", "a"], "expected columns of inputs, got none beside 'a'"),
        ("", [], "t.csv"),
    ],
)
def test_mistakes(fails, regressor, tmp_path, text, words, message):
    path = tmp_path / "t.csv"
    path.write_text(text, "latin-1")
    error = fails("predict", regressor, path, *words)
    assert message in error
    assert error.startswith(str(path))


@pytest.mark.parametrize(
    ("kind", "words", "message"),
    [
        (
            "cat",
            [],
            "got 'cat'. Give the names of classes in the order of their labels as classes.",
        ),
        ("1e300", [], "expected a finite number in float32, got '1e300'. Scale or drop it."),
        ("1.5", [], "got '1.5'. Are these classes, as the loss needs them?"),
        (
            "dog",
            ["--classes", "cat,cow,pig"],
            "one of the classes ['cat', 'cow', 'pig'], got 'dog'",
        ),
    ],
)
def test_mistakes_in_answers(fails, classifier, tmp_path, kind, words, message):
    path = tmp_path / "t.csv"
    path.write_text(f"a,b,c,kind\n1,2,3,{kind}\n")
    error = fails("evaluate", classifier, path, "--target", "kind", *words)
    assert message in error.replace("\n", " ")
    assert error.startswith(f"{path}, line 2, column 'kind': ")


@pytest.mark.parametrize("text", ["size\n1\n2.5\n", "1\n2.5\n", "size\n\n1\n2.5"])
def test_a_single_column(read, text):
    x, y = read(text)
    assert (x.tolist(), y) == ([[1], [2.5]], None)
    assert x.dtype == np.float32


def test_many_rows_without_answers_come_in_their_order(read):
    x, _ = read("a\n" + "\n".join(map(str, range(25_000))))
    np.testing.assert_array_equal(x[:, 0], np.arange(25_000))


def test_text_among_the_inputs_of_labelled_rows(fails, classifier, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,c,kind\n1,red,3,0\n")
    message = fails("evaluate", classifier, path, "--target", "kind")
    assert "column 'b': expected a number, got 'red'. If these are the answers, name" in message
