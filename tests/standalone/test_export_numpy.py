"""`export_numpy`: a file that works by itself."""

import ast
import re
import subprocess
import sys

import numpy as np
import pytest
from cases import CASES
from standalone.random_networks import random_network

import minidl as dl
from minidl.standalone import python_file

ALONE = "import sys, runpy; sys.modules['minidl'] = None; path = sys.argv[1]; "  # not importable


def functions_of(report):
    """What a file defines."""
    namespace = {"__name__": "net"}
    exec(report.path.read_text(), namespace)
    return namespace


def alone(code, *arguments):
    """Run code in a process that cannot import minidl."""
    command = [sys.executable, "-W", "error", "-c", ALONE + code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def model():
    layers = [dl.Dense(8), dl.GELU(), dl.LayerNorm(), dl.Dense(3), dl.Softmax()]
    return dl.Sequential(layers).build((4,), rng=0)


REFUSED = ["attention", "positional", "embedding with padding", "masking", "padded"]
REFUSED += ["group norm", "transposed conv"]


@pytest.mark.parametrize("name", CASES)
def test_every_case_is_written_or_refused_by_name(tmp_path, name):
    case = CASES[name]
    model, x = case.build(np.float64), case.inputs(7)
    if any(word in name for word in REFUSED):
        kinds = "|".join(type(layer).__name__ for layer in model.walk())
        with pytest.raises(dl.ArgumentError, match=rf"^export_numpy: .*\b({kinds})\("):
            dl.export_numpy(model, tmp_path / "net.py")
        assert not list(tmp_path.iterdir())
        return
    model.params += np.random.default_rng(0).normal(0, 0.1, len(model.params))  # no zeros
    assert dl.export_numpy(model, tmp_path / "net.py", x=x).largest_difference < 1e-6
    report = dl.export_numpy(model, tmp_path / "net.py")  # with rows of its own
    y = functions_of(report)["predict"](x)
    np.testing.assert_allclose(y, model.predict(x), rtol=1e-5, atol=1e-6)
    assert y.dtype == np.float32


def test_extreme_inputs(tmp_path):
    x = np.array([[-1e30, -1e4, -100, -20, -0.0, 0.0, 1e-30, 20, 100, 1e4, 1e30]], np.float32)
    kinds = [dl.ReLU, dl.LeakyReLU, dl.ELU, dl.SELU, dl.GELU, dl.SiLU, dl.Sigmoid, dl.Tanh]
    kinds += [dl.Softplus, dl.PReLU, dl.Softmax, dl.LogSoftmax, lambda: dl.GELU(approximate=True)]
    for kind in kinds:
        model = kind().build((11,))
        y = functions_of(dl.export_numpy(model, tmp_path / "net.py"))["predict"](x)
        np.testing.assert_allclose(y, model(x), rtol=1e-5, atol=1e-7, err_msg=repr(model))


@pytest.mark.parametrize("seed", range(40, 60))
def test_random_networks(tmp_path, seed):
    model, x = random_network(seed)
    report = dl.export_numpy(model, tmp_path / "net.py")
    y, expected = functions_of(report)["predict"](x), model.predict(x)
    assert np.abs(y - expected).max() < 1e-5 * max(1, np.abs(expected).max())


def test_report(tmp_path, model):
    x, y = np.random.default_rng(0).normal(size=(600, 4)), np.arange(600) % 3
    report = dl.export_numpy(model, tmp_path / "net.py", x=x, y=y)
    assert report.file_bytes == report.path.stat().st_size
    assert report.weight_bytes == 4 * len(model.params)
    assert (report.rows, report.compiled, report.workspace_bytes) == (600, False, None)
    assert report.largest_difference < report.tolerance == 1e-5
    assert report.accuracy == report.model_accuracy == (model(x).argmax(axis=1) == y).mean()


def test_the_file_needs_numpy_only(tmp_path, model):
    path = dl.export_numpy(model, tmp_path / "net.py").path
    imported = {
        alias.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert imported == {"base64", "math", "sys", "numpy"}
    x = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    code = "import numpy as np; y = runpy.run_path(path)['predict'](np.load(sys.argv[2])); "
    done = alone(code + "np.save(sys.argv[3], y)", path, tmp_path / "x.npy", tmp_path / "y.npy")
    assert (done.returncode, done.stderr) == (0, "")
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), model(x), atol=1e-6)


def test_run_as_a_program_it_tests_itself(tmp_path, model):
    path = dl.export_numpy(model, tmp_path / "net.py").path
    main = "runpy.run_path(path, run_name='__main__')"
    done = alone(main, path)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"self-test: largest difference \S+, tolerance 1e-05\n", done.stdout)
    path.write_text(path.read_text().replace("epsilon=1e-05", "epsilon=1.0"))
    assert alone(main, path).returncode == 1


def test_predict_checks_its_input(tmp_path, model):
    predict = functions_of(dl.export_numpy(model, tmp_path / "net.py"))["predict"]
    assert predict([[1, 2, 3, 4]]).shape == (1, 3)
    with pytest.raises(ValueError, match=r"expected x of shape \(N, \*\(4,\)\), got \(4,\)"):
        predict(np.zeros(4))
    words = dl.Sequential([dl.Embedding(5, 2), dl.Flatten()]).build((3,), rng=0)
    predict = functions_of(dl.export_numpy(words, tmp_path / "words.py"))["predict"]
    np.testing.assert_array_equal(predict([[0, 4, 1]]), words(np.array([[0, 4, 1]])))
    for bad in ([[0, 5, 1]], [[0, -1, 1]], [[0.0, 1.0, 2.0]]):
        with pytest.raises(ValueError, match="expected whole numbers from 0 to 4"):
            predict(bad)


def test_names_of_files_do_not_get_into_the_text(tmp_path, model):
    plain = dl.export_numpy(model, tmp_path / "net.py").path.read_bytes()
    odd = dl.export_numpy(model, tmp_path / '"""; import os #{x}.py').path.read_bytes()
    assert plain == odd


def test_too_large_a_difference_writes_nothing(tmp_path, model):
    with pytest.raises(dl.ContractError, match="more than tolerance=1e-12"):
        dl.export_numpy(model, tmp_path / "net.py", tolerance=1e-12)
    with pytest.raises(dl.ShapeError, match=r"built for \(N, T, 2\)"):
        dl.export_numpy(dl.LSTM(3).build((None, 2)), tmp_path / "net.py")
    with pytest.raises(dl.ArgumentTypeError, match="model must be a Layer"):
        dl.export_numpy(None, tmp_path / "net.py")
    assert not list(tmp_path.iterdir())


def test_what_is_compared_is_what_is_written(tmp_path, model, monkeypatch):
    exact = python_file.assignment
    monkeypatch.setattr(python_file, "assignment", lambda name, a: exact(name, np.rint(a)))
    with pytest.raises(dl.ContractError, match=r"differ from the model's by 0\.\d+ of the largest"):
        dl.export_numpy(model, tmp_path / "net.py")
    assert not list(tmp_path.iterdir())
