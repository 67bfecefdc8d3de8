"""The two from-scratch examples: right gradients, and none of the faults of their original."""

import ast
import importlib.util
from pathlib import Path

import numpy as np
import pytest

import minidl as dl

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ["two_layer_from_scratch", "n_layer_from_scratch"]
LAYER_DIMS = [784, 9, 8, 10]


def load_example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


two = load_example("two_layer_from_scratch")
deep = load_example("n_layer_from_scratch")


class TwoLayers:
    """One face for both files: flat lists of parameters and gradients."""

    example = two

    def init(self, rng):
        return list(two.init_params(rng))

    def output(self, params, X):
        return two.forward_prop(*params, X)[-1]

    def gradients(self, params, X, Y):
        Z1, A1, _, A2 = two.forward_prop(*params, X)
        return list(two.backward_prop(Z1, A1, A2, params[2], X, Y))

    def update(self, params, gradients, learning_rate):
        return list(two.update_params(*params, *gradients, learning_rate))


class NLayers:
    example = deep

    def init(self, rng):
        Ws, bs = deep.init_params(LAYER_DIMS, rng)
        return [*Ws, *bs]

    def split(self, arrays):
        return arrays[: len(arrays) // 2], arrays[len(arrays) // 2 :]

    def output(self, params, X):
        return deep.forward_prop(X, *self.split(params))[-1]

    def gradients(self, params, X, Y):
        Ws, bs = self.split(params)
        dWs, dbs = deep.backward_prop(deep.forward_prop(X, Ws, bs), Ws, Y)
        return [*dWs, *dbs]

    def update(self, params, gradients, learning_rate):
        Ws, bs = deep.update_params(*self.split(params), *self.split(gradients), learning_rate)
        return [*Ws, *bs]


@pytest.fixture(params=[TwoLayers(), NLayers()], ids=NAMES)
def network(request):
    return request.param


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    return rng.random((784, 13)), rng.integers(0, 10, 13)


def test_gradients_agree_with_central_differences(network, data):
    X, Y = data
    params = network.init(0)
    rng = np.random.default_rng(1)
    h = 1e-5
    for p, dp in zip(params, network.gradients(params, X, Y), strict=True):
        for i in rng.choice(p.size, min(p.size, 12), replace=False):
            value = p.flat[i]
            losses = []
            for p.flat[i] in (value + h, value - h):
                losses.append(network.example.cross_entropy(network.output(params, X), Y))
            p.flat[i] = value
            assert dp.flat[i] == pytest.approx((losses[0] - losses[1]) / (2 * h), abs=1e-8)


def test_bias_gradient_has_one_value_a_neuron(network, data):
    params = network.init(0)
    gradients = network.gradients(params, *data)
    assert [g.shape for g in gradients] == [p.shape for p in params]
    for p, g in zip(params, gradients, strict=True):
        if p.shape[1] == 1:
            assert np.unique(g[g != 0]).size > 1


def test_mean_is_over_the_samples_given(network, data):
    """Every sample twice is the same mean: m must be the size of the split at hand."""
    X, Y = data
    params = network.init(0)
    once = network.gradients(params, X, Y)
    twice = network.gradients(params, np.hstack([X, X]), np.hstack([Y, Y]))
    for a, b in zip(once, twice, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-14)


def test_large_logits_stay_finite_and_still_teach(network, data):
    X, Y = data
    params = network.init(0)
    last_bias = params[-1]
    last_bias[:] = np.where(np.arange(10) == 4, 1e4, -1e4)[:, None]
    A = network.output(params, X)
    np.testing.assert_array_equal(A, np.repeat(np.eye(10)[:, 4:5], Y.size, axis=1))
    assert np.isfinite(network.example.cross_entropy(A, Y))
    gradients = network.gradients(params, X, Y)
    assert all(np.isfinite(g).all() for g in gradients)
    expected = (A - np.eye(10)[:, Y]).mean(axis=1, keepdims=True)
    np.testing.assert_allclose(gradients[-1], expected, atol=1e-15)


@pytest.mark.parametrize("example", [two, deep], ids=NAMES)
def test_softmax_against_known_values(example):
    log_odds = np.log(np.array([[1.0, 5.0], [3.0, 5.0]]))
    np.testing.assert_allclose(example.softmax(log_odds + 900), [[0.25, 0.5], [0.75, 0.5]])


@pytest.mark.parametrize("example", [two, deep], ids=NAMES)
def test_one_hot_has_ten_rows_whatever_labels_occur(example):
    np.testing.assert_array_equal(example.one_hot(np.array([2, 0])), np.eye(10)[:, [2, 0]])


def test_update_goes_against_the_gradient(network):
    params = network.init(0)
    updated = network.update(params, [np.full(p.shape, 2.0) for p in params], 0.25)
    for before, after in zip(params, updated, strict=True):
        np.testing.assert_allclose(after, before - 0.5)


def test_uniform_initial_values():
    params = two.init_params(0)
    assert [p.shape for p in params] == [(10, 784), (10, 1), (10, 10), (10, 1)]
    assert all(p.min() >= -0.5 and p.max() <= 0.5 and p.std() > 0.2 for p in params)


def test_he_initial_values():
    Ws, bs = deep.init_params([784, 128, 10], 0)
    assert [W.shape for W in Ws] == [(128, 784), (10, 128)]
    assert Ws[0].std() == pytest.approx(np.sqrt(2 / 784), rel=0.02)
    assert Ws[1].std() == pytest.approx(np.sqrt(2 / 128), rel=0.1)
    assert not any(b.any() for b in bs)


@pytest.mark.parametrize("name", NAMES)
def test_algorithm_is_numpy_alone(name):
    tree = ast.parse((EXAMPLES / f"{name}.py").read_text(encoding="utf-8"))
    importers = {
        getattr(parent, "name", "module")
        for parent in [tree, *(n for n in tree.body if isinstance(n, ast.FunctionDef))]
        for node in (tree.body if parent is tree else ast.walk(parent))
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "minidl"
    }
    assert importers == {"load_data"}


@pytest.mark.parametrize("example", [two, deep], ids=NAMES)
def test_main_learns_and_says_what_it_trained_on(example, capsys):
    example.main(["--synthetic", "--rows", "400", "--iterations", "60", "--learning-rate", "0.3"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Using synthetic digits, not MNIST: --synthetic was given"
    figures = [line.split(": ") for line in lines[-2:]]
    assert [name for name, _ in figures] == ["test accuracy", "training accuracy"]
    assert all(0.3 < float(figure) <= 1 for _, figure in figures)


@pytest.mark.parametrize("example", [two, deep], ids=NAMES)
def test_missing_mnist_is_said_plainly(example, tmp_path, capsys, monkeypatch):
    with pytest.raises(SystemExit, match="error: load_mnist: expected the files"):
        example.main(["--data-dir", str(tmp_path), "--rows", "20", "--iterations", "1"])

    def unavailable(data_dir=None):
        raise dl.DatasetNotFoundError("load_mnist: no internet")

    monkeypatch.setattr(dl, "load_mnist", unavailable)
    example.main(["--rows", "20", "--iterations", "1"])
    first_line = capsys.readouterr().out.splitlines()[0]
    assert first_line == "Using synthetic digits, not MNIST: load_mnist: no internet"


@pytest.mark.parametrize("example", [two, deep], ids=NAMES)
@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--iterations", "0", "--iterations must be at least 1, got 0"),
        ("--iterations", "ten", "invalid int value: 'ten'"),
        ("--learning-rate", "-0.1", "--learning-rate must be positive and finite, got -0.1"),
        ("--learning-rate", "nan", "--learning-rate must be positive and finite, got nan"),
        ("--rows", "60001", "--rows must lie in 1..60000"),
        ("--seed", "-1", "--seed must not be negative, got -1"),
    ],
)
def test_bad_option_is_explained(example, option, value, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        example.main([option, value])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("784", "from 784 (pixels) to 10 (digits), got 784"),
        ("784,0,10", "expected positive sizes"),
        ("28,10", "got 28,10"),
        ("784,5", "got 784,5"),
        ("784,ten", "invalid layer_sizes value: '784,ten'"),
    ],
)
def test_bad_layers_are_explained(layers, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        deep.main(["--layers", layers])
    assert message in capsys.readouterr().err
