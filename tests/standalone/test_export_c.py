"""`export_c`: what it checks, what it refuses, what it reports."""

import re
import sys

import numpy as np
import pytest
from cases import CASES

import minidl as dl
from minidl.standalone import c_numbers, compiled
from minidl.standalone.trials import Trial


def model_of(*layers, shape=(4,), dtype=np.float32):
    return dl.Sequential(layers).build(shape, rng=0, dtype=dtype)


@pytest.fixture
def model():
    return model_of(dl.Dense(8), dl.ReLU(), dl.Dense(3), dl.Softmax())


def export(model, folder, **options):
    return dl.export_c(model, folder / "net.h", **{"compiler": None, **options})


REFUSED = ["attention", "positional", "embedding", "masking", "rnn", "lstm", "gru", "bidirectional"]
REFUSED += ["group norm", "transposed conv", "padded"]


@pytest.mark.parametrize("name", CASES)
def test_every_case_is_written_or_refused_by_name(tmp_path, name):
    case = CASES[name]
    model = case.build(np.float64)
    if any(word in name for word in REFUSED):
        kinds = "|".join(type(layer).__name__ for layer in model.walk())
        with pytest.raises(dl.ArgumentError, match=rf"^export_c: .*\b({kinds})\("):
            export(model, tmp_path)
        assert not list(tmp_path.iterdir())
        return
    model.params += np.random.default_rng(0).normal(0, 0.1, len(model.params))  # no zeros
    assert export(model, tmp_path, x=case.inputs(7)).largest_difference < 1e-6


def test_report(tmp_path, model):
    report = export(model, tmp_path)
    assert report.path == tmp_path / "net.h"
    assert report.file_bytes == report.path.stat().st_size
    assert report.weight_bytes == 4 * (4 * 8 + 8 + 8 * 3 + 3)
    assert report.workspace_bytes == 4 * 8  # the hidden layer; all else lies in x or y
    assert "memory  32 bytes, on the stack of net_predict\n" in report.path.read_text()
    assert "with the workspace, 32 bytes, on the stack." in report.path.read_text()
    assert report.rows == 32
    assert report.largest_difference < report.tolerance == 1e-5
    assert (report.compiled, report.accuracy, report.model_accuracy) == (False, None, None)
    int8 = export(model, tmp_path, weights="int8")
    assert int8.weight_bytes == 4 * 8 + 8 * 3 + 2 * 4 * (8 + 3)
    assert 1e-4 < int8.largest_difference < int8.tolerance == 0.1
    assert "#define NET_TOLERANCE 1e-05f" in int8.path.read_text()  # of C from int8's own outputs


def test_accuracy_before_and_after(tmp_path):
    model = model_of(dl.Dense(2, use_bias=False), shape=(1,))
    model.layers[0].weight = [[1.0, 1.004]]  # of which int8 keeps the first as 1.004 * 126 / 127
    x, y = np.array([[1.0], [-1.0], [2.0]]), np.array([1, 1, 1])
    report = export(model, tmp_path, x=x, y=y)
    assert report.rows == 3
    assert report.model_accuracy == report.accuracy == pytest.approx(2 / 3)
    one_hot = export(model, tmp_path, x=x, y=np.eye(2)[y])
    assert one_hot.accuracy == report.accuracy


def test_int8_may_change_the_accuracy(tmp_path):
    model = model_of(dl.Dense(1), dl.Sigmoid(), shape=(2,))
    model.layers[0].weight, model.layers[0].bias = [[1.0], [1 / 300]], [-1.002]
    report = export(model, tmp_path, weights="int8", x=[[1.0, 1.0]], y=[1])  # 1/300 becomes 0
    assert (report.model_accuracy, report.accuracy) == (1.0, 0.0)


@pytest.mark.parametrize("last", [[], [dl.Sigmoid()], [dl.Sequential([dl.Sigmoid()])]])
def test_accuracy_of_a_single_output(tmp_path, last):
    model = model_of(dl.Dense(1), *last, shape=(1,))
    model.layers[0].weight = [[1.0]]
    x, y = np.array([[0.3], [-0.3], [-2.0], [2.0]]), np.array([1, 0, 0, 1])  # 0.3 < 1/2 < s(0.3)
    assert export(model, tmp_path, x=x, y=y).accuracy == 1.0
    assert export(model, tmp_path, x=x, y=y[:, np.newaxis] == 0).model_accuracy == 0.0
    assert export(model, tmp_path, x=x, y=np.eye(2)[y]).accuracy == 1.0


@pytest.mark.parametrize("y", [[0, 1, 3], [0, 1, -1], [0.5, 1, 2], [np.nan, 1, 2]])
def test_labels_must_be_classes(tmp_path, model, y):
    with pytest.raises(dl.DataError, match="labels must be whole numbers from 0 to 2, or one-hot"):
        export(model, tmp_path, x=np.zeros((3, 4)), y=y)


def test_rows_of_several_classes_are_no_labels(tmp_path, model):
    for y in (np.ones((3, 3)), np.zeros((3, 3)), np.eye(4)[:3], np.eye(3) * 2):
        with pytest.raises(dl.ShapeError, match="expected one label for each of 3 rows"):
            export(model, tmp_path, x=np.zeros((3, 4)), y=y)


def test_the_first_rows_given_become_the_test_vectors(tmp_path, model):
    x = np.arange(20.0).reshape(5, 4)
    export(model, tmp_path, x=x)
    text = (tmp_path / "net.h").read_text()
    assert "inputs[12] = {\n        0.0f, 1.0f, 2.0f, 3.0f," in text


def test_rows_are_drawn_in_the_units_that_standardize_expects(tmp_path):
    data = np.random.default_rng(0).normal([1e6, -3.0], [1e3, 1e-3], (100, 2))
    model = model_of(dl.Standardize().adapt(data), dl.Dense(2), shape=(2,))
    export(model, tmp_path)
    body = re.search(r"inputs\[6\] = \{([^}]*)\}", (tmp_path / "net.h").read_text())[1]
    x = np.array([part.strip().removesuffix("f") for part in body.split(",")], float).reshape(3, 2)
    z = (x - data.mean(axis=0)) / data.std(axis=0)
    assert 0.1 < np.abs(z).mean() < 3


def test_names(tmp_path, model):
    dl.export_c(model, tmp_path / "net-2.h", name="net_2", compiler=None)
    text = (tmp_path / "net-2.h").read_text()
    assert "#ifndef NET_2_H" in text
    assert "static inline void net_2_predict(const float *x, float *y)" in text
    for bad in ("net-2", "2net", "_net", "nét", "", "a b", "net*/"):
        with pytest.raises(
            dl.ArgumentError, match=f"{re.escape(repr(bad))} cannot begin a name in C"
        ):
            dl.export_c(model, tmp_path / "net.h", name=bad, compiler=None)
    with pytest.raises(dl.ArgumentError, match="'net-3' cannot begin a name in C"):
        dl.export_c(model, tmp_path / "net-3.h", compiler=None)


def test_only_math_and_integer_types_are_included(tmp_path, model):
    export(model, tmp_path)
    text = (tmp_path / "net.h").read_text()
    assert re.findall(r"#include <(.*)>", text) == ["math.h"]
    export(model, tmp_path, weights="int8")
    assert re.findall(r"#include <(.*)>", (tmp_path / "net.h").read_text()) == [
        "math.h",
        "stdint.h",
    ]
    definitions = re.findall(r"^\w.*\(.*", text, re.MULTILINE)
    assert all(line.startswith("static inline ") for line in definitions)


def test_float64_models_are_computed_in_float32(tmp_path):
    model = model_of(dl.Dense(3), dl.Tanh(), dtype=np.float64)
    assert 0 < export(model, tmp_path).largest_difference < 1e-6


@pytest.mark.parametrize("value", [np.inf, 1e300])
def test_rows_must_be_finite_in_float32(tmp_path, value):
    model = dl.Tanh().build((1,), dtype=np.float64)
    with pytest.raises(dl.DataError, match="x has numbers that are NaN or infinite in float32"):
        export(model, tmp_path, x=[[value]])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_weights_must_be_finite_in_float32(tmp_path, value):
    model = model_of(dl.Dense(3), dl.Dense(2), dtype=np.float64)
    model.layers[1].weight[0, 1] = value
    with pytest.raises(
        dl.DataError, match=r"Dense\(2\) in layer 1 of Sequential has numbers in weight"
    ):
        export(model, tmp_path)


def test_arguments(tmp_path, model):
    with pytest.raises(dl.ArgumentError, match=r"weights must be .* or .*, got 'int4'"):
        export(model, tmp_path, weights="int4")
    with pytest.raises(dl.ArgumentError, match=r"weights must be .*, got \['int8'\]"):
        export(model, tmp_path, weights=["int8"])
    with pytest.raises(dl.ArgumentError, match="3 cannot begin a name in C"):
        export(model, tmp_path, name=3)
    with pytest.raises(dl.ArgumentError, match="tolerance must be above 0"):
        export(model, tmp_path, tolerance=0)
    with pytest.raises(dl.ArgumentError, match="labels y need rows x"):
        export(model, tmp_path, y=[0, 1])
    with pytest.raises(dl.ShapeError, match=r"expected one label for each of 2 rows, got \(3,\)"):
        export(model, tmp_path, x=np.zeros((2, 4)), y=[0, 1, 2])
    with pytest.raises(dl.ShapeError, match="A batch needs at least one row"):
        export(model, tmp_path, x=np.zeros((0, 4)))
    with pytest.raises(dl.DataError, match="labels must be numbers of classes, got dtype <U1"):
        export(model, tmp_path, x=np.zeros((2, 4)), y=["a", "b"])
    steps = model_of(dl.Dense(3), shape=(5, 4))
    with pytest.raises(dl.ShapeError, match=r"accuracy is of outputs \(N, C\), got \(2, 5, 3\)"):
        export(steps, tmp_path, x=np.zeros((2, 5, 4)), y=[0, 1])
    with pytest.raises(dl.ArgumentTypeError, match="model must be a Layer"):
        export("net", tmp_path)
    with pytest.raises(dl.StateError, match="is not built"):
        export(dl.Dense(3), tmp_path)
    with pytest.raises(dl.StateError, match="does not know mean and standard deviation"):
        export(model_of(dl.Standardize()), tmp_path)
    with pytest.raises(dl.ShapeError, match=r"built for \(N, T, 3\)"):
        export(dl.Conv1D(2, 2).build((None, 3)), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_subclass_may_compute_something_else(tmp_path):
    class Doubled(dl.ReLU):
        def output_shape(self, input_shape):
            return input_shape

    class Noise(dl.Dropout):
        pass

    for layer in (Doubled(), Noise(0.5)):
        with pytest.raises(dl.ArgumentError, match=f"has no form for {type(layer).__name__}"):
            export(model_of(layer), tmp_path)


def test_too_large_a_difference_leaves_the_old_file(tmp_path, model):
    export(model, tmp_path)
    old = (tmp_path / "net.h").read_text()
    with pytest.raises(
        dl.ContractError, match=r"differ from the model's by .* more than tolerance=1e-09"
    ):
        export(model, tmp_path, weights="int8", tolerance=1e-9)
    assert [path.name for path in tmp_path.iterdir()] == ["net.h"]
    assert (tmp_path / "net.h").read_text() == old


def test_outputs_must_be_finite(tmp_path):
    model = model_of(dl.Dense(2))
    model.layers[0].bias = [3e38, 0.0]
    model.layers[0].weight[0] = 3e38
    with (
        np.errstate(over="ignore"),
        pytest.raises(dl.DataError, match="the model's outputs are not finite"),
    ):
        export(model, tmp_path, x=np.ones((2, 4)))
    trial = Trial("export", np.ones((2, 1)), np.ones((2, 1)), None)
    with pytest.raises(dl.ContractError, match="differ from the model's by nan"):
        trial.check(np.array([[1.0], [np.nan]]), 0.1)


def test_numbers_that_are_not_read_back_are_noticed(tmp_path, model, monkeypatch):
    monkeypatch.setattr(c_numbers, "_float", lambda value: f"{value:.3e}f")
    with pytest.raises(dl.ContractError, match="net_weight_1 is not read back as it was written"):
        export(model, tmp_path)
    assert not list(tmp_path.iterdir())


def test_without_a_compiler_the_check_in_numpy_stands_alone(tmp_path, model, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not dl.export_c(model, tmp_path / "net.h").compiled


@pytest.mark.parametrize("compiler", ["a-compiler-that-is-not-there", "cc -O2", "", ["cc"]])
def test_a_compiler_that_was_asked_for_has_to_be_there(tmp_path, model, compiler):
    with pytest.raises(
        dl.ArgumentError, match=rf"found no compiler {re.escape(repr(compiler))}\. Give the name"
    ):
        export(model, tmp_path, compiler=compiler)
    assert not list(tmp_path.iterdir())


def test_the_home_folder(tmp_path, model, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    dl.export_c(model, "~/net.h", compiler=None)
    dl.export_numpy(model, "~/net.py")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.h", "net.py"]


def fake_compiler(folder, body):
    """A command that stands for a compiler."""
    path = folder / "fake"
    path.write_text(f"#!{sys.executable}\nimport sys\nfrom pathlib import Path\n{body}\n")
    path.chmod(0o755)
    return str(path)


TARGET = "Path(sys.argv[sys.argv.index('-o') + 1])"
PROGRAM = f"{TARGET}.write_text('#!/bin/sh\\nexit %d\\n'); {TARGET}.chmod(0o755)"


@pytest.mark.skipif(sys.platform == "win32", reason="the fake compilers are scripts")
def test_what_the_compiler_says(tmp_path, model, monkeypatch):
    folder = tmp_path / "out"
    with pytest.raises(dl.ContractError, match=r"the compiler failed: no such thing as '\{'"):
        export(
            model, folder, compiler=fake_compiler(tmp_path, "sys.exit(\"no such thing as '{'\")")
        )
    with pytest.raises(dl.ContractError, match=r"the self-test failed: status 1\."):
        export(model, folder, compiler=fake_compiler(tmp_path, PROGRAM % 1))
    no_program = f"{TARGET}.write_text('')"
    with pytest.raises(dl.ContractError, match=r"the self-test failed: .*Permission denied"):
        export(model, folder, compiler=fake_compiler(tmp_path, no_program))
    monkeypatch.setattr(compiled, "SECONDS", 0.2)
    with pytest.raises(
        dl.ContractError, match=r"the compiler failed: .* timed out after 0\.2 seconds"
    ):
        export(model, folder, compiler=fake_compiler(tmp_path, "import time; time.sleep(60)"))
    assert not list(folder.iterdir())
    monkeypatch.undo()
    assert export(model, folder, compiler=fake_compiler(tmp_path, PROGRAM % 0)).compiled


def test_the_same_model_gives_the_same_file(tmp_path, model):
    first = export(model, tmp_path).path.read_bytes()
    assert export(model, tmp_path).path.read_bytes() == first


def test_int8_is_rounded_to_the_nearest_with_a_scale_for_each_output(tmp_path):
    model = model_of(dl.Dense(3), shape=(2,))
    model.layers[0].weight = [[1.27, 0.0, -2.54], [0.014, 0.0, 1.0]]
    export(model, tmp_path, weights="int8")
    arrays = c_numbers.arrays_in((tmp_path / "net.h").read_text())
    assert arrays["net_weight_1"].tolist() == [127, 0, -127, 1, 0, 50]
    np.testing.assert_allclose(arrays["net_scale_1"], [0.01, 1.0, 0.02], rtol=1e-6)
