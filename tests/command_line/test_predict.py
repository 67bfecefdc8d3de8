"""`minidl predict` and `minidl summary`: what is printed, for which files."""

import csv
import io

import numpy as np
import pytest

import minidl as dl

X = np.array([[3, 1, 0], [0, 0, 4], [0, 2, 1]], np.float32)


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def softmax(x):
    e = np.exp(x.astype(np.float64))
    return e / e.sum(axis=1, keepdims=True)


@pytest.fixture
def x_npy(tmp_path):
    np.save(tmp_path / "x.npy", X)
    return tmp_path / "x.npy"


def test_summary_is_the_model_s(run, classifier):
    code, out, err = run("summary", classifier)
    file = io.StringIO()
    dl.load(classifier).summary(file)
    assert (code, out, err) == (0, file.getvalue(), "")


def test_a_checkpoint_is_a_model_file(run, tmp_path):
    model = dl.Sequential([dl.Dense(2), dl.Softmax()]).build((3,), rng=0)
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1))
    trainer.save_checkpoint(tmp_path / "run.ckpt")
    assert "0 Dense(2)" in run("summary", tmp_path / "run.ckpt").out


def test_classes_and_probabilities(run, classifier, x_npy):
    code, out, err = run("predict", classifier, x_npy)
    assert (code, err) == (0, "")
    rows = rows_of(out)
    assert [row["class"] for row in rows] == ["0", "2", "1"]
    found = [float(row["probability"]) for row in rows]
    np.testing.assert_allclose(found, softmax(X).max(axis=1), rtol=1e-6)


def test_all_probabilities_under_the_classes_names(run, classifier, x_npy):
    options = ["--probabilities", "--classes", "a, b,c"]
    rows = rows_of(run("predict", classifier, x_npy, *options).out)
    assert [row["class"] for row in rows] == ["a", "c", "b"]
    found = [[float(row[name]) for name in "abc"] for row in rows]
    np.testing.assert_allclose(found, softmax(X), rtol=1e-6)


def test_log_probabilities_are_probabilities(run, tmp_path, x_npy):
    model = dl.Sequential([dl.LogSoftmax()]).build((3,))
    model.save(tmp_path / "m.safetensors")
    rows = rows_of(run("predict", tmp_path / "m.safetensors", x_npy).out)
    found = [float(row["probability"]) for row in rows]
    np.testing.assert_allclose(found, softmax(X).max(axis=1), rtol=1e-6)


def test_one_sigmoid_is_two_classes(run, two_classes, tmp_path):
    np.save(tmp_path / "x.npy", np.array([[-2.0], [1.0]]))
    out = run("predict", two_classes, tmp_path / "x.npy", "--probabilities").out
    rows = rows_of(out)
    assert [row["class"] for row in rows] == ["0", "1"]
    p = 1 / (1 + np.exp(-np.array([-2.0, 1.0])))
    np.testing.assert_allclose([float(row["1"]) for row in rows], p, rtol=1e-6)
    np.testing.assert_allclose([float(row["0"]) for row in rows], 1 - p, rtol=1e-6)


def test_regression_is_numbers(run, regressor, image_reader, tmp_path):
    np.save(tmp_path / "x.npy", np.array([[1.5, 7], [1e-9, 7]]))
    assert run("predict", regressor, tmp_path / "x.npy").out == "output\n1.5\n1e-09\n"
    np.save(tmp_path / "x.npy", np.array([[1, 2, 3, 4.0]]))
    out = run("predict", image_reader, tmp_path / "x.npy").out
    assert out == "output_0,output_1,output_2,output_3\n1.0,2.0,3.0,4.0\n"


def test_numbers_are_printed_to_the_last_bit(run, regressor, tmp_path):
    x = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    out = run("predict", regressor, tmp_path / "x.npy").out
    found = np.array(out.splitlines()[1:], np.float32)
    np.testing.assert_array_equal(found, dl.load(regressor).predict(x)[:, 0])


def test_output_files(run, classifier, x_npy, tmp_path):
    printed = run("predict", classifier, x_npy).out
    for name in ("out.csv", "out.npy"):
        assert run("predict", classifier, x_npy, "-o", tmp_path / name) == (0, "", "")
    assert (tmp_path / "out.csv").read_text() == printed
    expected = dl.load(classifier).predict(X)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), expected)


def test_no_file_is_replaced_without_force(run, fails, classifier, x_npy, tmp_path):
    old = tmp_path / "out.csv"
    old.write_text("precious")
    message = fails("predict", classifier, x_npy, "-o", old)
    assert message == f"{old} exists already. --force replaces it."
    assert old.read_text() == "precious"
    run("predict", classifier, x_npy, "-o", old, "--force")
    assert old.read_text().startswith("class,probability")


@pytest.mark.parametrize(
    "array",
    [
        X,
        X[1],  # a single sample
        X.astype(np.float64),
        X.astype(np.int64),
        X.reshape(3, 3, 1),
        X.reshape(3, 1, 3),
    ],
    ids=["rows", "one", "float64", "int64", "column", "row"],
)
def test_arrays_in_other_forms(run, classifier, tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    rows = rows_of(run("predict", classifier, tmp_path / "x.npy").out)
    assert [row["class"] for row in rows] == (["2"] if array.ndim == 1 else ["0", "2", "1"])


def test_npz_and_idx(run, classifier, image_reader, tmp_path):
    np.savez(tmp_path / "xy.npz", x=X, y=[0, 0, 0])
    rows = rows_of(run("predict", classifier, tmp_path / "xy.npz").out)
    assert [row["class"] for row in rows] == ["0", "2", "1"]
    path = tmp_path / "t10k-images-idx3-ubyte"
    header = bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2])
    path.write_bytes(header + bytes([0, 51, 102, 255]))
    out = run("predict", image_reader, path).out.splitlines()[1]
    np.testing.assert_allclose(np.array(out.split(","), float), [0, 0.2, 0.4, 1], rtol=1e-6)


def test_raw_pixels_are_noticed_and_divided(run, tmp_path):
    pixels = np.array([[0, 51, 102, 255] * 25], np.uint8)
    np.save(tmp_path / "x.npy", pixels)
    image_reader = tmp_path / "m.safetensors"
    dl.Sequential([dl.Flatten()]).build((100,)).save(image_reader)
    found = run("predict", image_reader, tmp_path / "x.npy")
    assert "inputs in" in found.err
    assert "reach 255" in found.err
    assert "--divide-by 255" in found.err
    found = run("predict", image_reader, tmp_path / "x.npy", "--divide-by", "255")
    assert found.err == ""
    numbers = np.array(found.out.splitlines()[1].split(","), float)
    np.testing.assert_allclose(numbers, pixels[0] / 255, rtol=1e-6)


def test_large_numbers_that_are_no_pixels_are_not_noticed(run, image_reader, tmp_path):
    np.save(tmp_path / "x.npy", np.array([[1200.0, 3, 2, 1999]]))
    assert run("predict", image_reader, tmp_path / "x.npy").err == ""
    dl.Standardize().adapt(np.eye(100)).build((100,)).save(tmp_path / "m.safetensors")
    np.save(tmp_path / "x.npy", np.full((1, 100), 255.0))
    assert run("predict", tmp_path / "m.safetensors", tmp_path / "x.npy").err == ""


def test_word_indices_stay_integers(run, tmp_path):
    layers = [dl.Embedding(300, 2), dl.GlobalAveragePool1D(), dl.Dense(1)]
    dl.Sequential(layers).build((None,), rng=0).save(tmp_path / "m.safetensors")
    x = np.array([[299, 3, 1]])
    np.save(tmp_path / "x.npy", x)
    (tmp_path / "x.csv").write_text("299,3,1")
    expected = dl.load(tmp_path / "m.safetensors").predict(x)[0, 0]
    for name in ("x.npy", "x.csv"):
        code, out, err = run("predict", tmp_path / "m.safetensors", tmp_path / name)
        assert (code, err) == (0, "")
        assert np.float32(out.splitlines()[1]) == expected


def test_steps_are_no_table(run, fails, tmp_path):
    dl.Sequential([dl.Dense(2)]).build((4, 3), rng=0).save(tmp_path / "m.safetensors")
    np.save(tmp_path / "x.npy", np.zeros((5, 4, 3)))
    words = "predict", tmp_path / "m.safetensors", tmp_path / "x.npy"
    message = "predict: outputs of shape (5, 4, 2) are no table: write -o out.npy."
    assert fails(*words) == message
    run(*words, "-o", tmp_path / "y.npy")
    assert np.load(tmp_path / "y.npy").shape == (5, 4, 2)


def test_mistakes_with_files(fails, run, classifier, regressor, x_npy, tmp_path):
    there = tmp_path / "notes.txt"
    there.write_text("hello")
    assert "there is no such file" in fails("predict", classifier, "missing.npx")
    assert fails("predict", classifier, "missing.npy").startswith("missing.npy: No such file")
    assert fails("predict", classifier, "missing.npz").startswith("missing.npz: No such file")
    assert "its name says none of these" in fails("predict", classifier, there)
    assert "notes.txt" in fails("predict", there, x_npy)
    assert "no.safetensors" in fails("summary", tmp_path / "no.safetensors")
    assert "such as one in it" in fails("predict", classifier, x_npy, "-o", tmp_path)
    assert "ends in .csv or .npy" in fails("predict", classifier, x_npy, "-o", tmp_path / "y.txt")
    message = fails("predict", regressor, x_npy)
    assert "expected inputs of shape (N, 2), as the model takes them, got (3, 3)" in message
    assert "name it as target" in message
    message = fails("predict", classifier, x_npy, "--classes", "a,b")
    assert message == "predict: expected 3 classes, got 2: ['a', 'b']."
    np.save(tmp_path / "two.npy", X[:, :2])
    message = fails("predict", regressor, tmp_path / "two.npy", "--probabilities")
    assert "numbers, not probabilities" in message
    message = "target, features and classes go with .csv files only."
    assert fails("predict", classifier, x_npy, "--target", "3") == f"{x_npy}: {message}"
    assert "--divide-by must be above 0" in fails("predict", classifier, x_npy, "--divide-by", "0")


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"PK\x03\x04", b"x" * 999])
@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.png", "x-ubyte", "x.csv"])
def test_damaged_files(fails, classifier, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert str(path) in fails("predict", classifier, path)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array(["a"]), "expected rows of numbers, got (1,) of <U1"),
        (np.array(3.0), "expected rows of numbers, got () of float64"),
        (np.array([1j]), "expected rows of numbers, got (1,) of complex128"),
        (np.zeros((0, 3)), "got (0, 3) of float64. It is empty."),
        (np.array([{}], object), "expected an array as numpy.save writes it"),
        (np.zeros((0, 3)), "got (0, 3)"),
        (np.full((1, 3), np.nan), "NaN"),
    ],
)
def test_arrays_that_are_no_inputs(fails, classifier, tmp_path, array, message):
    np.save(tmp_path / "x.npy", array)
    assert message in fails("predict", classifier, tmp_path / "x.npy")


def test_npz_without_x(fails, classifier, tmp_path):
    np.savez(tmp_path / "d.npz", images=X)
    message = fails("predict", classifier, tmp_path / "d.npz")
    assert "expected arrays x and y, got ['images']" in message


def test_data_are_not_replaced_by_what_is_predicted_of_them(fails, regressor, tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.ones((3, 2)))
    message = fails("predict", regressor, path, "-o", path, "--force")
    assert message == f"{path} is what is read. Name another file for the output."
    np.testing.assert_array_equal(np.load(path), np.ones((3, 2)))


def test_a_name_of_another_kind_makes_no_folder(fails, regressor, tmp_path):
    assert "expected a name that ends in" in fails(
        "predict", regressor, "mnist", "-o", tmp_path / "new" / "out.txt"
    )
    assert not (tmp_path / "new").exists()
