"""check_layer finds each usual mistake and says what it is; right layers pass."""

import copy
import pickle

import numpy as np
import pytest

import minidl as dl
from minidl.testing import CheckError


class Swish(dl.Layer):
    """y = x s(beta x) with a learnable beta and s the sigmoid."""

    def parameter_specs(self, input_shape):
        return [dl.ParameterSpec("beta", (), dl.Ones())]

    def forward(self, x, *, training=False, out=None):
        s = 1 / (1 + np.exp(-self.beta * x))
        if training:
            self.save_for_backward(x, s)
        return np.multiply(x, s, out=out)

    def backward(self, dy, *, input_grad=True, out=None):
        x, s = self.saved()
        ds = s * (1 - s)
        self.gradients["beta"] = np.sum(dy * x * x * ds)
        return np.multiply(dy, s + self.beta * x * ds, out=out) if input_grad else None


class Standardise(dl.Layer):
    """Zero mean over the batch in training, running mean in inference: state, coupled rows."""

    couples_rows = True

    def state_specs(self, input_shape):
        return [dl.ParameterSpec("running_mean", input_shape, dl.Zeros())]

    def forward(self, x, *, training=False, out=None):
        if not training:
            return x - self.running_mean
        mean = x.mean(axis=0)
        self.running_mean = 0.9 * self.running_mean + 0.1 * mean
        self.save_for_backward()
        return x - mean

    def backward(self, dy, *, input_grad=True, out=None):
        self.saved()
        return dy - dy.mean(axis=0) if input_grad else None


def test_right_layers_pass():
    assert dl.check_layer(Swish(), (5,)).worst <= 1e-6
    assert dl.check_layer(Standardise(), (4,)).worst <= 1e-6
    assert dl.check_layer(dl.Sequential([dl.Dense(4), Standardise(), Swish()]), (3,)).worst <= 1e-6
    assert dl.check_layer(Swish(), (4, 3, 2)).worst <= 1e-6
    assert dl.check_layer(dl.Dense(30), (40,)).worst <= 1e-6  # by random directions
    built = dl.Dense(3).build((4,), rng=0)
    built.weight *= 10
    before = built.params.copy()
    assert dl.check_layer(built, (4,)).worst <= 1e-6
    np.testing.assert_array_equal(built.params, before)


def test_the_report_names_every_gradient():
    report = dl.check_layer(dl.Sequential([dl.Dense(4), Swish()]), (3,))
    assert list(report.errors) == ["input", "0.dense.weight", "0.dense.bias", "1.swish.beta"]
    assert str(report).startswith(
        "Sequential([Dense(4), Swish()]): relative gradient errors: input"
    )


def broken(base=dl.Dense, **methods):
    """A subclass of a layer with some methods replaced."""
    return type("Broken", (base,), methods)


def backward_of(dx=None, dW=None, db=None):
    """Dense's backward with one of its formulas replaced."""

    def backward(self, dy, *, input_grad=True, out=None):
        (x,) = self.saved()
        self.gradients["weight"] = dW(x, dy) if dW else x.T @ dy
        self.gradients["bias"] = db(x, dy) if db else dy.sum(axis=0)
        if not input_grad:
            return None
        return dx(dy, self.weight) if dx else dy @ self.weight.T

    return backward


def relu_forward(body):
    def forward(self, x, *, training=False, out=None):
        y = np.maximum(x, 0)
        if training:
            self.save_for_backward(y)
        return body(self, x, y, training, out)

    return forward


def relu_backward(body):
    def backward(self, dy, *, input_grad=True, out=None):
        (y,) = self.saved()
        return body(self, dy, y, input_grad, out)

    return backward


def writes_x(self, x, y, training, out):
    x[x < 0] = 0
    return y


def keeps_x(self, x, y, training, out):
    self.x = x
    return y


def ignores_mode(self, x, y, training, out):
    self.save_for_backward(y)
    return y


def adds_to_out(self, x, y, training, out):
    if out is None:
        return y
    out += y
    return out


def adds_gradient(self, dy, *, input_grad=True, out=None):
    (x,) = self.saved()
    self.gradients["weight"] += x.T @ dy
    self.gradients["bias"] = dy.sum(axis=0)
    return dy @ self.weight.T if input_grad else None


def forgets_bias(self, dy, *, input_grad=True, out=None):
    (x,) = self.saved()
    self.gradients["weight"] = x.T @ dy
    return dy @ self.weight.T if input_grad else None


class Scaled(dl.Layer):
    """y = gamma tanh x, whose backward forgets gamma, which starts at 1."""

    def parameter_specs(self, input_shape):
        return [dl.ParameterSpec("gamma", input_shape, dl.Ones())]

    def forward(self, x, *, training=False, out=None):
        t = np.tanh(x)
        if training:
            self.save_for_backward(t)
        return t * self.gamma

    def backward(self, dy, *, input_grad=True, out=None):
        (t,) = self.saved()
        self.gradients["gamma"] = (dy * t).sum(axis=0)
        return dy * (1 - t * t) if input_grad else None


def saves_out(self, x, *, training=False, out=None):
    t = np.tanh(x, out=out)
    if training:
        self.save_for_backward(t)
    return np.multiply(t, 1.5, out=out)


class WithoutScale(dl.Layer):
    """y = a x with a learnable a for each feature, which backward forgets."""

    def parameter_specs(self, input_shape):
        return [dl.ParameterSpec("scale", input_shape, dl.Normal())]

    def forward(self, x, *, training=False, out=None):
        if training:
            self.save_for_backward(x)
        return self.scale * x

    def backward(self, dy, *, input_grad=True, out=None):
        (x,) = self.saved()
        self.gradients["scale"] = (dy * x).sum(axis=0)
        return dy * 1.0


def square(self, x, *, training=False, out=None):
    if training:
        self.save_for_backward(x, np.ones_like(x))
    return x * x


def doubles_saved(self, dy, *, input_grad=True, out=None):
    x, _ = self.saved()
    x *= 2
    return x * dy


class KeepsInDict(dl.Layer):
    """y = x^2, which keeps x in a dict of its own."""

    def __init__(self, in_inference=True):
        self.in_inference = in_inference
        self.cache = {}

    def forward(self, x, *, training=False, out=None):
        if training or self.in_inference:
            self.cache["x"] = x
        return x * x

    def backward(self, dy, *, input_grad=True, out=None):
        return 2 * self.cache["x"] * dy if input_grad else None


class Renames(dl.ReLU):
    """A ReLU with an argument that it keeps under another name."""

    def __init__(self, factor):
        self.kept = factor


class StepSum(dl.Layer):
    """The sum of the steps that count."""

    accepts_mask = True

    def __init__(self, right=True):
        self.right = right

    def output_shape(self, input_shape):
        return input_shape[1:]

    def forward(self, x, *, training=False, out=None, mask=None):
        counts = np.ones(x.shape[:2], bool) if mask is None else mask
        if training:
            self.save_for_backward(counts)
        return (x * counts[..., np.newaxis]).sum(axis=1)

    def backward(self, dy, *, input_grad=True, out=None):
        (counts,) = self.saved()
        steps = counts[..., np.newaxis] if self.right else np.ones((*counts.shape, 1))
        return dy[:, np.newaxis] * steps if input_grad else None


MISTAKES = {
    "missing chain factor": (
        broken(dl.Tanh, backward=lambda self, dy, *, input_grad=True, out=None: (
            self.saved(), dy * 1.0)[1] if input_grad else self.saved() and None)(),
        CheckError,
        "gradient for the input is wrong.*A factor of the chain rule is missing or wrong",
    ),
    "wrong transpose": (
        broken(backward=backward_of(dW=lambda x, dy: (x.T @ dy).T))(4),
        CheckError,
        "parameter weight is wrong.*It is the transpose",
    ),
    "wrong sign": (
        broken(backward=backward_of(dx=lambda dy, w: -dy @ w.T))(3),
        CheckError,
        "gradient for the input is wrong.*Its sign is wrong everywhere",
    ),
    "gradient times batch size": (
        broken(backward=backward_of(db=lambda x, dy: len(x) * dy.sum(axis=0)))(3),
        CheckError,
        "parameter bias is wrong.*It is 3 times too large, the number of rows",
    ),
    "gradient over batch size": (
        broken(backward=backward_of(dW=lambda x, dy: x.T @ dy / len(x)))(3),
        CheckError,
        "parameter weight is wrong.*3 times too small.*a layer sums",
    ),
    "factor 2": (
        broken(backward=backward_of(dW=lambda x, dy: 2 * (x.T @ dy)))(3),
        CheckError,
        "parameter weight is wrong.*It is 2 times the right one everywhere",
    ),
    "zero gradient": (
        broken(backward=backward_of(db=lambda x, dy: np.zeros(dy.shape[1])))(3),
        CheckError,
        "parameter bias is wrong.*It is all zeros",
    ),
    "not finite": (
        broken(backward=backward_of(db=lambda x, dy: np.full(dy.shape[1], np.inf)))(3),
        CheckError,
        "It is not finite",
    ),
    "writes into x": (
        broken(dl.ReLU, forward=relu_forward(writes_x))(),
        dl.ContractError,
        r"Broken\(\): forward wrote into its input x",
    ),
    "float64 leak": (
        broken(dl.ReLU, forward=relu_forward(lambda s, x, y, t, o: y * np.float64(1)))(),
        dl.DTypeError,
        r"Broken\(\): forward returned dtype float64, expected float32.*upcasts",
    ),
    "float64 leak backward": (
        broken(
            dl.ReLU, backward=relu_backward(lambda s, dy, y, i, o: dy * (y > 0) * np.float64(1))
        )(),
        dl.DTypeError,
        "backward returned dtype float64, expected float32",
    ),
    "keeps an attribute": (
        broken(dl.ReLU, forward=relu_forward(keeps_x))(),
        CheckError,
        "forward keeps something in inference",
    ),
    "keeps in inference": (
        broken(dl.ReLU, forward=relu_forward(ignores_mode))(),
        CheckError,
        "Call save_for_backward and change the state only if `training`",
    ),
    "adds to out": (
        broken(dl.ReLU, forward=relu_forward(adds_to_out))(),
        CheckError,
        "forward gives another result when it gets `out`",
    ),
    "adds gradients": (
        broken(backward=adds_gradient)(3),
        CheckError,
        r"does not write gradients\['weight'\], or adds",
    ),
    "forgets a gradient": (
        broken(backward=forgets_bias)(3),
        CheckError,
        r"does not write gradients\['bias'\]",
    ),
    "undeclared coupling": (
        broken(dl.ReLU, forward=relu_forward(lambda s, x, y, t, o: y - y.mean(axis=0)))(),
        CheckError,
        "a row's output depends on the other rows.*couples_rows = True",
    ),
    "random inference": (
        broken(dl.ReLU, forward=relu_forward(
            lambda s, x, y, t, o: y * np.random.default_rng().random()))(),
        CheckError,
        "another result the second time",
    ),
    "missing scale": (
        Scaled(),
        CheckError,
        "gradient for the input is wrong",
    ),
    "keeps an old attribute": (
        broken(dl.ReLU, x=None, __init__=lambda self: setattr(self, "x", None),
               forward=relu_forward(keeps_x))(),
        CheckError,
        "forward keeps something in inference",
    ),
    "coupled in training": (
        broken(dl.ReLU, forward=relu_forward(
            lambda s, x, y, t, o: y - y.mean(axis=0) if t else y))(),
        CheckError,
        "a row's output depends on the other rows.*couples_rows = True",
    ),
    "saves what it overwrites": (
        broken(dl.Tanh, forward=saves_out)(),
        CheckError,
        "backward gives other gradients when forward got `out`",
    ),
    "draws in inference": (
        broken(dl.ReLU, forward=relu_forward(lambda s, x, y, t, o: y * s.rng.random()))(),
        CheckError,
        "another result the second time",
    ),
    "wrong output shape": (
        broken(dl.ReLU, output_shape=lambda self, shape: (7,))(),
        dl.ShapeError,
        r"forward returned shape \(3, 4\), expected \(3, 7\); output_shape must say",
    ),
    "no dy": (
        broken(dl.ReLU, backward=relu_backward(lambda s, dy, y, i, o: (y > 0).astype(y.dtype)))(),
        CheckError,
        "gradient for the input .* does not depend on dy: the factor dy of the chain rule",
    ),
    "no dy in the weights": (
        broken(backward=backward_of(dW=lambda x, dy: x.T @ np.ones_like(dy)))(3),
        CheckError,
        "parameter weight .* does not depend on dy",
    ),
    "dy twice": (
        broken(dl.ReLU, backward=relu_backward(lambda s, dy, y, i, o: dy * dy * (y > 0)))(),
        CheckError,
        "dy enters twice",
    ),
    "a square transposed": (
        broken(backward=backward_of(dW=lambda x, dy: (x.T @ dy).T))(4),
        CheckError,
        "parameter weight .* It is the transpose of what it should be",
    ),
    "an oblong transposed": (
        broken(backward=backward_of(dW=lambda x, dy: dy.T @ x))(3),
        dl.ShapeError,
        r"gradients\['weight'\]: expected shape \(4, 3\), got \(3, 4\). It is transposed",
    ),
    "no factor from the parameter": (
        WithoutScale(),
        CheckError,
        "gradient for the input .* The factor scale of the chain rule is missing",
    ),
    "no factor x": (
        broken(dl.ReLU, forward=square,
               backward=lambda self, dy, *, input_grad=True, out=None: 2 * dy * self.saved()[1])(),
        CheckError,
        "gradient for the input .* The factor x of the chain rule is missing",
    ),
    "keeps x in a dict": (
        KeepsInDict(),
        CheckError,
        "forward keeps something in inference",
    ),
    "keeps x in a dict while training": (
        KeepsInDict(in_inference=False),
        CheckError,
        "forward keeps something in 'cache'. Use self.save_for_backward",
    ),
    "collects every x": (
        broken(dl.ReLU, __init__=lambda self: setattr(self, "seen", []),
               forward=relu_forward(lambda s, x, y, t, o: (s.seen.append(x) if t else None, y)[1])
               )(),
        CheckError,
        "forward keeps something in 'seen'",
    ),
    "fills an array of its own": (
        broken(dl.ReLU, __init__=lambda self: setattr(self, "last", np.zeros(1)),
               forward=relu_forward(
                   lambda s, x, y, t, o: (s.last.fill(x.sum()) if t else None, y)[1]))(),
        CheckError,
        "forward keeps something in 'last'",
    ),
    "backward keeps dy": (
        broken(dl.ReLU, backward=relu_backward(
            lambda s, dy, y, i, o: (setattr(s, "last", dy), dy * (y > 0))[1]))(),
        CheckError,
        "backward keeps something in 'last'",
    ),
    "backward writes into the saved x": (
        broken(dl.ReLU, forward=square, backward=doubles_saved)(),
        dl.ContractError,
        "backward wrote into the x of its forward",
    ),
    "backward writes into dy": (
        broken(dl.ReLU, backward=relu_backward(
            lambda s, dy, y, i, o: np.multiply(dy, y > 0, out=dy)))(),
        dl.ContractError,
        "backward wrote into dy",
    ),
    "not finite inputs": (
        broken(dl.ReLU, forward=relu_forward(lambda s, x, y, t, o: np.full_like(x, np.nan)))(),
        CheckError,
        "forward gives nan for these inputs.*Give other ones",
    ),
    "random numbers of its own": (
        broken(dl.ReLU, forward=relu_forward(
            lambda s, x, y, t, o: y * np.random.default_rng().random(x.shape) if t else y))(),
        CheckError,
        "although self.rng is as it was the first time",
    ),
    "a gradient of 0 / 0": (
        broken(backward=backward_of(db=lambda x, dy: np.full(dy.shape[1], np.nan)))(3),
        CheckError,
        "parameter bias is wrong.*It is not finite",
    ),
    "W for W^T": (
        broken(backward=backward_of(dx=lambda dy, W: dy @ W))(4),
        CheckError,
        "gradient for the input .* weight must be transposed: dx = dy @ weight.T",
    ),
    "whole numbers": (
        broken(dl.ReLU, forward=relu_forward(lambda s, x, y, t, o: (y > 0).astype(np.int64)))(),
        dl.DTypeError,
        r"forward returned dtype int64, expected float64. Convert it: .astype\(x.dtype\)",
    ),
    "keeps its argument elsewhere": (
        Renames(2.0),
        dl.ArgumentError,
        "Renames: keeps no attribute 'factor'",
    ),
    "no dx": (
        broken(dl.ReLU, backward=relu_backward(lambda s, dy, y, i, o: None))(),
        dl.ContractError,
        "backward must return an array.*Is a return statement missing",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("layer", "error", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_each_mistake_is_found_and_named(layer, error, message):
    with pytest.raises(error, match=message):
        dl.check_layer(layer, (4,))


def test_masks_belong_to_the_check():
    report = dl.check_layer(StepSum(), (4, 3))
    assert list(report.errors) == ["input", "input, masked"]
    with pytest.raises(CheckError, match=r"With a mask, StepSum\(right=False\): the gradient for"):
        dl.check_layer(StepSum(right=False), (4, 3))


def test_an_inference_pass_in_between_is_tried():
    class KeepsInModule(dl.ReLU):
        def forward(self, x, *, training=False, out=None):
            elsewhere["y"] = y = np.maximum(x, 0)
            return y

        def backward(self, dy, *, input_grad=True, out=None):
            return dy * (elsewhere["y"] > 0) if input_grad else None

    elsewhere = {}
    with pytest.raises(CheckError, match="another gradient after an inference pass in between"):
        dl.check_layer(KeepsInModule(), (4,))


def test_an_open_time_axis_gets_a_few_steps():
    assert dl.check_layer(dl.LSTM(3), (None, 2)).worst <= 1e-6
    assert dl.check_layer(dl.Conv1D(3, 2), (None, 2)).worst <= 1e-6


def test_inputs_are_checked_and_left_alone():
    x = np.array([[0.5, -1.0], [2.0, 3.0]])
    before = x.copy()
    with pytest.raises(dl.ContractError, match="backward wrote into the x of its forward"):
        dl.check_layer(broken(dl.ReLU, forward=square, backward=doubles_saved)(), (2,), inputs=x)
    np.testing.assert_array_equal(x, before)
    with pytest.raises(dl.ShapeError, match=r"expected input of shape \(N, 2\), got \(2, 3\)"):
        dl.check_layer(dl.Tanh(), (2,), inputs=np.zeros((2, 3)))
    with pytest.raises(dl.ShapeError, match=r"expected input of shape \(N, 2\), got \(\)"):
        dl.check_layer(dl.Tanh(), (2,), inputs=3.0)


def test_a_failed_check_is_a_failed_assertion():
    assert issubclass(CheckError, AssertionError)
    assert issubclass(CheckError, dl.MinidlError)


def test_wrong_arguments_are_refused():
    with pytest.raises(dl.ArgumentTypeError, match="got the class ReLU"):
        dl.check_layer(dl.ReLU, (4,))
    with pytest.raises(dl.ArgumentError, match="inputs needs two rows or more"):
        dl.check_layer(dl.ReLU(), (4,), inputs=np.zeros((1, 4)))

    class Takes(dl.ReLU):
        accepts_integers = True

    with pytest.raises(dl.ArgumentError, match="takes integers: give inputs"):
        dl.check_layer(Takes(), (4,))


def test_numerical_gradient():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    before = x.copy()
    gradient = dl.numerical_gradient(lambda a: float((a**3).sum()), x)
    np.testing.assert_allclose(gradient, 3 * x**2, rtol=1e-9)
    np.testing.assert_array_equal(x, before)


def test_check_layer_does_not_touch_the_layer():
    layer = dl.Dropout(0.5).build((6,), rng=0)
    twin = copy.deepcopy(layer)
    dl.check_layer(layer, (6,))
    x = np.ones((2, 6), np.float32)
    np.testing.assert_array_equal(layer.forward(x, training=True), twin.forward(x, training=True))
    assert pickle.loads(pickle.dumps(layer)).built


def test_mistakes_inside_containers_are_found():
    for name in ("keeps an attribute", "missing scale", "coupled in training"):
        layer, error, _ = MISTAKES[name]
        with pytest.raises(error, match="Sequential"):
            dl.check_layer(dl.Sequential([copy.deepcopy(layer), dl.Dense(2)]), (4,))


def test_a_state_written_in_inference_is_found():
    class Counts(Standardise):
        def forward(self, x, *, training=False, out=None):
            self.running_mean = self.running_mean + 0 * x[0] + 1
            return super().forward(x, training=training, out=out) * 0

    with pytest.raises(CheckError, match="forward keeps something in inference"):
        dl.check_layer(Counts(), (4,))
