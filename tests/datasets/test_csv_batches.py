"""CSV files as batches: the right numbers, or the line and the column that are wrong."""

import csv
import gzip
import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minidl as dl

TABLE = "length,width,kind\n1,2.5,0\n3,4e-3,1\n\n-5, 6 ,2\n7,8,1\n"
X = np.array([[1, 2.5], [3, 4e-3], [-5, 6], [7, 8]], np.float32)
Y = np.array([0, 1, 2, 1])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "table.csv"


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def whole(path, **options):
    """x and y of all rows in the order of the file."""
    parts = list(dl.csv_batches(path, batch_size=3, shuffle=False, **options))
    return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))


def test_numbers_and_labels_come_back(path):
    x, y = whole(write(path, TABLE), target="kind", labels=True)
    np.testing.assert_array_equal(x, X, strict=True)
    np.testing.assert_array_equal(y, Y, strict=True)
    x, y = whole(path, target="kind")
    np.testing.assert_array_equal(x, X, strict=True)
    np.testing.assert_array_equal(y, Y[:, np.newaxis].astype(np.float32), strict=True)


@pytest.mark.parametrize(
    "text",
    [
        TABLE.replace("\n", "\r\n"),
        "\ufeff" + TABLE,
        TABLE.rstrip(),
        TABLE.replace("1,2.5,0", '"1","2.5",0'),
    ],
    ids=["windows", "byte order mark", "no last newline", "quotes"],
)
def test_ways_to_write_it(path, text):
    x, y = whole(write(path, text), target="kind", labels=True)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)


@pytest.mark.parametrize("name", ["table.csv.gz", "table.csv"])
def test_packed_or_not_is_decided_by_content(tmp_path, name):
    x, _ = whole(write(tmp_path / name, gzip.compress(TABLE.encode())), target="kind")
    np.testing.assert_array_equal(x, X)


@pytest.mark.parametrize(
    ("options", "x", "y"),
    [
        ({"target": 2}, X, Y[:, None]),
        ({"target": -1}, X, Y[:, None]),
        ({"target": np.int64(-3)}, np.c_[X[:, 1], Y], X[:, :1]),
        ({"target": ["kind", "length"]}, X[:, 1:], np.c_[Y, X[:, 0]]),
        ({"target": "kind", "features": ["width", 0]}, X[:, ::-1], Y[:, None]),
        ({"target": "kind", "features": "width"}, X[:, 1:], Y[:, None]),
    ],
)
def test_columns_by_name_and_number(path, options, x, y):
    found = whole(write(path, TABLE), **options)
    np.testing.assert_array_equal(found[0], x.astype(np.float32))
    np.testing.assert_array_equal(found[1], y.astype(np.float32))


def test_without_names_behind_other_lines_and_with_another_delimiter(path):
    write(path, "made by hand\n\n1;2;0\n3;4;1\n")
    x, y = whole(path, target=-1, labels=True, header=False, skip_lines=2, delimiter=";")
    np.testing.assert_array_equal(x, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(y, [0, 1])
    write(path, "old\ta\tb\nx\n1\t2\t3\n")  # the second line is skipped, the first one is, too
    x, _ = whole(path, target=0, header=False, skip_lines=2, delimiter="\t")
    np.testing.assert_array_equal(x, [[2, 3]])


def test_classes_by_name(path):
    write(path, 'kind,a\nsetosa,1\n "a, b" ,2\nsetosa,3\n'.replace(' "a, b" ', '"a, b"'))
    x, y = whole(path, target="kind", classes=["a, b", "setosa"])
    np.testing.assert_array_equal(y, [1, 0, 1], strict=True)
    np.testing.assert_array_equal(x, [[1], [2], [3]])


def test_classes_behind_several_features(path):
    write(path, "a,b,kind\n1,2,x\n3,4,y\n")
    x, y = whole(path, target="kind", classes=["y", "x"])
    np.testing.assert_array_equal(x, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(y, [1, 0])


def test_the_largest_number_and_the_largest_label(path):
    largest = float(np.finfo(np.float32).max)
    write(path, f"a,y\n{largest!r},{2**53}\n{-largest!r},{-(2**53)}\n")
    x, y = whole(path, target="y", labels=True)
    np.testing.assert_array_equal(x, np.array([[largest], [-largest]], np.float32), strict=True)
    np.testing.assert_array_equal(y, [2**53, -(2**53)])
    write(path, f"a,y\n{largest!r},{2**53}\n{-largest!r},0.5\n")
    with pytest.raises(
        dl.DataError, match=r"line 3, column 'y': expected a whole number, got '0\.5"
    ):
        whole(path, target="y", labels=True)


def test_no_row_is_lost_to_a_quote_in_a_column_that_is_left_out(path):
    write(path, 'a,b,note\n1,2,"x\n3,4,y\n5,6,z"\n7,8,""\n')
    with pytest.raises(dl.DataError, match=r"line 2: expected quotes closed .*, got '1,2,\"x'"):
        whole(path, target="b", features=["a"])
    write(path, 'a,b,note\n1,2,5" pipe\n3,4,"5"" pipe"\n5,6,"x" \n')
    _, y = whole(path, target="b", features=["a"])
    np.testing.assert_array_equal(y, [[2], [4], [6]])


def test_a_column_may_be_called_like_a_class_if_it_is_named(path):
    write(path, "a,spam\n1,ham\n2,spam\n")
    for target in ("spam", ["spam"]):
        _, y = whole(path, target=target, classes=["ham", "spam"])
        np.testing.assert_array_equal(y, [0, 1])
    with pytest.raises(dl.DataError, match=r"got the class 'spam'.* give target by its name"):
        whole(path, target=1, classes=["ham", "spam"])
    _, y = whole(path, target=-1, classes=["ham", "spam"], header=False, skip_lines=1)
    np.testing.assert_array_equal(y, [0, 1])


def test_names_that_are_numbers(path):
    for names in ("country,1990,2000", "0,1,2"):
        _, y = whole(write(path, f"{names}\n1,2,3\n"), target=-1)
        np.testing.assert_array_equal(y, [[3]])


def test_space_around_names_does_not_count(path):
    x, _ = whole(write(path, "a, b , kind\n1, 2, 0\n"), target="kind", features=["b"])
    np.testing.assert_array_equal(x, [[2]])


def test_texts_in_columns_that_are_left_out_do_no_harm(path):
    x, _ = whole(write(path, "id,a,b\nx1,1,2\n,3,4\n"), target="b", features=["a"])
    np.testing.assert_array_equal(x, [[1], [3]])


def test_names_may_be_numbers_from_0(path):  # as pandas writes them
    x, _ = whole(write(path, "0,1,2\n5,6,7\n"), target="2")
    np.testing.assert_array_equal(x, [[5, 6]])


@given(
    values=st.lists(
        st.tuples(
            *[st.floats(width=32, allow_nan=False, allow_infinity=False)] * 3, st.integers(0, 2**53)
        ),
        min_size=1,
        max_size=20,
    ),
    batch_size=st.integers(1, 8),
    shuffle=st.booleans(),
    buffer_rows=st.integers(1, 12),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_round_trip_keeps_every_bit(path, values, batch_size, shuffle, buffer_rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["a", "b", "c", "y"], *values])
    options = {"batch_size": batch_size, "shuffle": shuffle, "buffer_rows": buffer_rows}
    parts = list(dl.csv_batches(path, target="y", labels=True, rng=0, **options))
    assert [len(y) for _, y in parts[:-1]] == [batch_size] * (len(parts) - 1)
    x, y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    expected = np.array([row[:3] for row in values], np.float32)
    labels = np.array([row[3] for row in values])
    found, known = (
        sorted(zip(map(bytes, a), b.tolist(), strict=True)) for a, b in ((x, y), (expected, labels))
    )
    assert found == known
    if not shuffle:
        assert x.tobytes() == expected.tobytes()


def test_shuffled_anew_in_each_iteration_within_blocks(path):
    write(path, "a,y\n" + "".join(f"{i},{i}\n" for i in range(30)))
    make = lambda rng: dl.csv_batches(  # noqa: E731
        path, batch_size=4, target="y", labels=True, rng=rng, buffer_rows=11
    )
    source, again = make(0), make(0)
    orders = [np.concatenate([y for _, y in source]).tolist() for _ in range(3)]
    assert orders == [np.concatenate([y for _, y in again]).tolist() for _ in range(3)]
    assert len(set(map(tuple, orders))) == 3
    for order in orders:
        for start in range(0, 30, 8):
            assert sorted(order[start : start + 8]) == list(range(30))[start : start + 8]


def test_fit_takes_it_and_a_transform(path):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (60, 3)), rng.integers(0, 2, 60)
    np.savetxt(path, np.c_[x, y], "%d", ",", header="a,b,c,y", comments="")
    params = []
    for data in (
        dl.csv_batches(path, batch_size=7, target="y", labels=True, rng=1, transform=scaled),
        dl.batches((x / 255).astype(np.float32), y, batch_size=7, rng=1),
    ):
        model = dl.Sequential([dl.Dense(2), dl.Softmax()]).build((3,), rng=0)
        trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), rng=0)
        history = trainer.fit(data, epochs=2, validation_data=data)
        assert trainer.step == 18
        assert np.isfinite(history["val_loss"]).all()
        params.append(model.params.copy())
    np.testing.assert_array_equal(*params)


def scaled(x, y):
    return (x.astype(np.float64) / 255).astype(np.float32), y


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a,b\n1,2\n3,\n", {}, ", line 3, column 'b': the value is missing (''). Fill it in"),
        ("a,b\n1,2\nNA,1\n", {}, ", line 3, column 'a': the value is missing ('NA')"),
        ("a,b\n1,nan\n", {}, ", line 2, column 'b': the value is missing ('nan')"),
        ("a,b\n1,2\n\nx,1\n", {}, ", line 4, column 'a': expected a number, got 'x'. Leave the "),
        ("a,b\n1,cat\n", {}, ", line 2, column 'b': expected a number, got 'cat'. Give"),
        ("a,b\n1,-inf\n", {}, ", line 2, column 'b': expected a finite number in float32, got '-"),
        ("a,b\n1e39,1\n", {}, ", line 2, column 'a': expected a finite number in float32, got '1e"),
        ("a,b\n1,2\n1_0,2\n", {}, ", line 3, column 'a': expected a number, got '1_0'"),
        ("a,b\n1,2\n3\n", {}, ", line 3: expected 2 fields, got 1. Every row is one line"),
        ("a,b\n1,2\n3,4,5\n", {}, ", line 3: expected 2 fields, got 3"),
        ('a,b\n1,2\n"3,4",5\n', {}, ", line 3, column 'a': expected a number, got '3,4'"),
        ("a,b\n1,2\n3,1.5\n", {"labels": True}, ", line 3, column 'b': expected a whole number, "),
        ("a,b\n1,1e17\n", {"labels": True}, ", line 2, column 'b': expected a whole number, got "),
        ("a,b\n1,cat\n1,cow\n", {"classes": ["dog", "cat"]},
         ", line 3, column 'b': expected one of the classes ['dog', 'cat'], got 'cow'"),
        ("a,b\nx,cat\n", {"classes": ["dog", "cat"]}, ", line 2, column 'a': expected a number"),
        ("x,b\n1,2\n", {"header": False}, ", line 1, column 0: expected a number, got 'x'. Leave "
         "the column out with features=[...], or put numbers for its texts. If this line holds"),
        ("1,2\n3,4\n", {}, ", line 1: expected names of columns, got numbers, such as 1. Without "
         "names: header=False. If these are names: skip_lines=1 as well."),
        ("39,x,5.1,cat\n3,y,4,cow\n", {"classes": ["cat", "cow"], "features": [0]},
         ", line 1: expected names of columns, got numbers, such as 39. Without names: header"),
        ("39,cat\n3,cow\n", {"classes": ["cat", "cow"]},
         ": expected names of columns in front, got the class 'cat'. Without names: header=False."),
        ("a;b\n1;2\n", {}, ", line 1: expected two columns or more with ',' between them, got one, "
         "'a;b'. Name the delimiter, such as delimiter=\";\""),
        ('a,b\n1,2\n3,"4\n5,6"\n', {}, ", line 3: expected quotes closed in the same line, got "
         "'3,\"4'. Every row is one line."),
        ('a,"b\nc"\n1,2\n', {}, ", line 1: expected quotes closed in the same line, got 'a,\"b'"),
        ("", {}, ": expected rows of numbers, got none. Check the path, and skip_lines."),
        ("\n\n", {"header": False}, ": expected rows of numbers, got none"),
        ("a,b\n", {}, ": expected rows of numbers, got none"),
        ("a,b\n1,2\n", {"skip_lines": 2}, ": expected rows of numbers, got none"),
        ("a,b\n1,2\n", {"target": "z"}, ": expected a column that it has once, got 'z'. Its columns"
         " are 0 to 1 and names ['a', 'b']."),
        ("a,a\n1,2\n", {"target": "a"}, ": expected a column that it has once, got 'a'"),
        ("1,2\n", {"target": "a", "header": False}, ": expected a column that it has once, got 'a'."
         " Its columns are 0 to 1."),
        ("a,b\n1,2\n", {"target": 2}, ": expected a column that it has once, got 2"),
        ("a,b\n1,2\n", {"target": -3}, ": expected a column that it has once, got -3"),
        ("a,b\n1,2\n", {"target": True}, ": expected a column that it has once, got True"),
        (b"a,b\n1,2\n1,\xe9\n", {}, ", line 3: expected text in utf-8-sig, got the bytes"),
        (gzip.compress(TABLE.encode())[:-9], {}, ": expected an intact gzip file, got a dam"),
        (b"\x1f\x8bno gzip file", {}, ": expected an intact gzip file, got a damaged one"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_line_and_column(path, text, options, message):
    write(path, text)
    with pytest.raises(dl.DataError, match=f"^csv_batches: {re.escape(str(path) + message)}"):
        list(dl.csv_batches(path, batch_size=2, **({"target": -1} | options)))


def test_lines_are_numbered_over_all_blocks(path):
    write(path, "a,b\n" + "1,2\n\n" * 20 + "1,x\n")
    with pytest.raises(dl.DataError, match="line 42, column 'b': expected a number, got 'x'"):
        list(dl.csv_batches(path, batch_size=2, target="b", buffer_rows=4))


def test_what_numpy_alone_refuses_is_told_in_its_words(path):
    write(path, "a,b\n1,2\n1,\uff12\n")  # a wide 2, which Python reads
    with pytest.raises(dl.DataError, match=r"lines 2 to 3: expected numbers, got could not conver"):
        list(dl.csv_batches(path, batch_size=2, target="b"))


def test_labels_left_out_are_asked_for(path):
    write(path, TABLE)
    model = dl.Sequential([dl.Dense(3), dl.Softmax()]).build((2,), rng=0)
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1))
    with pytest.raises(dl.ShapeError, match=r"Use labels\.ravel\(\)\. Of csv_batches: labels=True"):
        trainer.fit(dl.csv_batches(path, batch_size=2, target="kind"), epochs=1)
    trainer.fit(dl.csv_batches(path, batch_size=2, target="kind", labels=True), epochs=1)


def test_another_encoding(path):
    write(path, "a,größe\n1,2\n".encode("latin-1"))
    x, _ = whole(path, target="größe", encoding="latin-1")
    np.testing.assert_array_equal(x, [[1]])


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(dl.DataError, match=r"none\.csv: expected a readable file, got No such fil"):
        dl.csv_batches(tmp_path / "none.csv", batch_size=2, target=0)
    with pytest.raises(dl.DataError, match="expected a readable file, got Is a directory"):
        dl.csv_batches(tmp_path, batch_size=2, target=0)


def test_a_field_of_any_length(path):
    write(path, "x" * 200_000)
    with pytest.raises(dl.DataError, match="expected fields with ',' between them, got field larg"):
        dl.csv_batches(path, batch_size=2, target=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1, got 0"),
        ({"buffer_rows": 0}, "buffer_rows must be a whole number of at least 1, got 0"),
        ({"skip_lines": -1}, "skip_lines must be a whole number of at least 0, got -1"),
        ({"header": 1}, "header must be True or False, got 1"),
        ({"labels": "yes"}, "labels must be True or False, got 'yes'"),
        ({"shuffle": None}, "shuffle must be True or False, got None"),
        ({"delimiter": ", "}, "delimiter must be one character, such as ',' or '\\t', got ', '."),
        ({"delimiter": '"'}, "delimiter must be one character"),
        ({"delimiter": 3}, "delimiter must be one character"),
        ({"encoding": "klingon"}, "encoding must be one that Python knows, got 'klingon'"),
        ({"encoding": None}, "encoding must be one that Python knows, got None"),
        ({"encoding": "utf-16"}, "encoding must be one in which a line ends with the byte 10, got "
         "'utf-16'. Write the file anew: path.write_text(path.read_text('utf-16'), \"utf-8\")."),
        ({"encoding": "utf-16-be"}, "encoding must be one in which a line ends with the byte 10"),
        ({"encoding": "cp500"}, "encoding must be one in which a line ends with the byte 10"),
        ({"classes": {"a", "b"}}, "classes must be a list of different names"),
        ({"classes": {"a": 1, "b": 0}}, "classes must be a list of different names"),
        ({"target": [0, 1], "labels": True}, "labels are in one column; target must name one"),
        ({"target": []}, "labels are in one column; target must name one, or with labels=False"),
        ({"target": [0, 1, 2]}, "features and target must be different columns, and at least one"),
        ({"features": []}, "features and target must be different columns, and at least one"),
        ({"features": [0, "kind"]}, "features and target must be different columns"),
        ({"classes": "ab"}, "classes must be a list of different names without space around"),
        ({"classes": ["a", "a"]}, "classes must be a list of different names"),
        ({"classes": ["a", " b"]}, "classes must be a list of different names"),
        ({"classes": ["a", 1]}, "classes must be a list of different names"),
    ],
)  # fmt: skip
def test_wrong_options_are_explained(path, options, message):
    write(path, TABLE)
    with pytest.raises(dl.ArgumentError, match=f"^csv_batches: {re.escape(message)}"):
        dl.csv_batches(path, **({"batch_size": 2, "target": "kind"} | options))


def test_only_a_block_is_in_memory(path):
    write(path, "a,b,c,y\n" + "0.125,0.25,0.5,1\n" * 20_000)  # 640,000 bytes of float64
    source = dl.csv_batches(path, batch_size=50, target="y", buffer_rows=200)
    next(iter(source))  # so that all modules are there
    tracemalloc.start()
    try:
        rows = sum(len(y) for _, y in source)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rows == 20_000
    assert peak < 160_000
