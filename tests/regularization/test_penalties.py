"""Penalties: values by hand, gradients by differences, for every layer that takes one."""

import copy
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

import minidl as dl

W = np.array([[3.0, 0.0, -1.0], [0.5, -2.0, 0.0]])
VALUES = {  # sums of |w| = 6.5 and w^2 = 14.25
    dl.L1(0.5): (3.25, 0.5 * np.sign(W)),
    dl.L2(0.5): (7.125, W),
    dl.L1L2(2.0, 0.25): (16.5625, 2.0 * np.sign(W) + 0.5 * W),
    dl.L1(0): (0.0, 0 * W),
    dl.L2(0.0): (0.0, 0 * W),
}
LAYERS = {
    "dense": (lambda **o: dl.Dense(3, **o), (4,), 1),
    "dense of sixteen": (lambda **o: dl.Dense(16, **o), (4,), 1),
    "conv1d": (lambda **o: dl.Conv1D(2, 3, **o), (6, 2), 1),
    "conv2d": (lambda **o: dl.Conv2D(4, 2, groups=2, **o), (3, 4, 2), 1),
    "conv2d transpose": (lambda **o: dl.Conv2DTranspose(2, 2, stride=2, **o), (2, 2, 3), 1),
    "embedding": (lambda **o: dl.Embedding(5, 3, **o), (4,), 1),
    "simple rnn": (lambda **o: dl.SimpleRNN(3, **o), (4, 2), 2),
    "gru": (lambda **o: dl.GRU(3, **o), (4, 2), 2),
    "lstm": (lambda **o: dl.LSTM(2, **o), (4, 2), 2),
    "attention": (lambda **o: dl.MultiHeadSelfAttention(2, **o), (3, 4), 2),
    "bidirectional": (lambda **o: dl.Bidirectional(dl.LSTM(2, **o)), (4, 2), 4),
}
each_layer = pytest.mark.parametrize(
    ("make", "input_shape", "n_arrays"), LAYERS.values(), ids=LAYERS.keys()
)
each_penalty = pytest.mark.parametrize("penalty", [dl.L1(0.3), dl.L2(0.2), dl.L1L2(0.1, 0.4)])


def batch(model):
    rng = np.random.default_rng(1)
    if model.accepts_integers:
        x = rng.integers(0, 5, (3, *model.input_shape))
    else:
        x = rng.normal(size=(3, *model.input_shape))
    return x, rng.normal(size=model.predict(x).shape)


@pytest.mark.parametrize("penalty", VALUES, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_values_and_gradients_are_those_by_hand(penalty, dtype, order):
    value, gradient = VALUES[penalty]
    w = W.astype(dtype, order=order)
    out = np.full_like(w, 10.0)
    penalty.add_gradient(w, out)
    np.testing.assert_array_equal(out, (10.0 + gradient).astype(dtype))
    np.testing.assert_array_equal(w, W)
    assert penalty.value(w) == value
    assert type(penalty.value(w)) is float


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_are_summed_in_float64(dtype):
    w = np.full(200_000, 0.1, dtype)
    exact = 200_000 * float(dtype(0.1))
    assert dl.L1(1.0).value(w) == pytest.approx(exact, rel=1e-12)
    assert dl.L2(1.0).value(w) == pytest.approx(exact * float(dtype(0.1)), rel=1e-12)
    assert dl.L2(1.0).value(np.full(2, 1e30, np.float32)) == pytest.approx(2e60, rel=1e-6)


@each_layer
@each_penalty
def test_gradients_inside_the_objective_agree_with_differences(
    make, input_shape, n_arrays, penalty
):
    model = make(weight_penalty=penalty).build(input_shape, rng=0, dtype=float)
    x, y = batch(model)
    objective = dl.Objective(model, dl.MeanSquaredError())
    start = model.params.copy()
    grads = objective.value_and_grad(x, y)[1].copy()

    def value(params):
        model.params = params
        return objective.value_and_grad(x, y)[0]

    numeric = dl.numerical_gradient(value, start)
    np.testing.assert_allclose(grads, numeric, rtol=1e-6, atol=1e-8)


@each_layer
def test_a_penalty_is_on_all_arrays_that_decay_and_on_no_other(make, input_shape, n_arrays):
    plain = make().build(input_shape, rng=0, dtype=float)
    model = make(weight_penalty=dl.L2(0.5)).build(input_shape, rng=0, dtype=float)
    x, y = batch(model)
    model.params += 0.25
    plain.params = model.params
    value, grads = dl.Objective(plain, dl.MeanSquaredError()).value_and_grad(x, y)
    objective = dl.Objective(model, dl.MeanSquaredError())
    penalized, penalized_grads = objective.value_and_grad(x, y)
    decays = np.ones_like(model.params) if model.decay_mask is None else model.decay_mask
    assert len(objective.penalized) == n_arrays
    assert penalized - value == pytest.approx(0.5 * (decays * model.params**2).sum(), rel=1e-12)
    np.testing.assert_allclose(penalized_grads - grads, decays * model.params, atol=1e-12)
    assert objective.value(x, y) == pytest.approx(value, rel=1e-14)


@each_layer
def test_copies_keep_the_options(make, input_shape, n_arrays):
    options = {"weight_penalty": dl.L1L2(0.1, 0.2), "weight_constraint": dl.MaxNorm(0.5)}
    model = make(**options).build(input_shape, rng=0, dtype=float)
    text = "weight_penalty=L1L2(l1=0.1, l2=0.2), weight_constraint=MaxNorm(limit=0.5)"
    assert text in repr(model)
    x, y = batch(model)
    expected = dl.Objective(model, dl.MeanSquaredError()).value_and_grad(x, y)[0]
    for twin in (
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
        model.replica(),
        dl.Sequential([model.detached_copy()]).build(input_shape, rng=3, dtype=float),
    ):
        objective = dl.Objective(twin, dl.MeanSquaredError())
        assert objective.value_and_grad(x, y)[0] == expected
        assert len(objective.constrained) == n_arrays
    if not model.children:
        assert {name: model.config()[name] for name in options} == options
        assert repr(type(model)(**model.config())) == repr(model)
        inputs = {"inputs": x} if model.accepts_integers else {}
        assert dl.check_layer(make(**options), input_shape, **inputs).worst < 1e-6


def test_a_layer_of_ones_own_names_penalty_and_constraint_in_its_specs():
    class Scale(dl.Layer):
        def parameter_specs(self, input_shape):
            held = {"penalty": dl.L2(2.0), "constraint": dl.MaxNorm(0.5)}
            return [dl.ParameterSpec("scale", input_shape, dl.Ones(), **held)]

        def forward(self, x, *, training=False, out=None):
            if training:
                self.save_for_backward(x)
            return x * self.scale

        def backward(self, dy, *, input_grad=True, out=None):
            (x,) = self.saved()
            self.gradients["scale"] = (x * dy).sum(axis=0)
            return dy * self.scale

    model = dl.Sequential([Scale()]).build((3,), dtype=float)
    objective = dl.Objective(model, dl.MeanSquaredError())
    value, grads = objective.value_and_grad(np.ones((2, 3)), np.ones((2, 3)))
    assert value == 6.0
    assert grads.tolist() == [4.0, 4.0, 4.0]
    objective.constrain()
    assert model.params.tolist() == [0.5, 0.5, 0.5]


def test_with_plain_sgd_l2_is_weight_decay_of_twice_the_strength():
    x, y = dl.synthetic_digits(64, rng=0)
    models = [
        dl.Sequential([dl.Dense(10, weight_penalty=penalty), dl.Softmax()]).build(
            (784,), rng=0, dtype=float
        )
        for penalty in (dl.L2(0.05), None)
    ]
    for model, decay in zip(models, (0.0, 0.1), strict=True):
        optimizer = dl.SGD(0.1, weight_decay=decay)
        dl.Trainer(model, dl.CrossEntropy(), optimizer, rng=0).fit(x, y, epochs=3, batch_size=16)
    np.testing.assert_allclose(models[0].params, models[1].params, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dl.L1(-1), r"L1: strength must be a number in \[0, inf\), got -1"),
        (lambda: dl.L2(np.nan), "L2: strength must be a number"),
        (lambda: dl.L2("1e-4"), "L2: strength must be a number"),
        (lambda: dl.L1L2(0.1, -0.1), "L1L2: l2 must be a number"),
        (lambda: dl.L1L2(np.inf, 0.1), "L1L2: l1 must be a number"),
    ],
)
def test_wrong_strengths_are_refused(make, message):
    with pytest.raises(dl.ArgumentError, match=message):
        make()


def test_a_strength_is_a_python_float_so_that_float32_stays():
    w, out = np.ones(3, np.float32), np.zeros(3, np.float32)
    for penalty in (dl.L1(np.float64(0.1)), dl.L2(np.float64(0.1)), dl.L2(1)):
        assert type(penalty.strength) is float
        penalty.add_gradient(w, out)
    assert out.dtype == np.float32

    @dataclass(frozen=True)
    class Own(dl.Penalty):
        name: str
        factor: float

        def value(self, w):
            return 0.0

        def add_gradient(self, w, out):
            pass

    assert Own("a", 1).factor == 1.0
    with pytest.raises(dl.ArgumentError, match="Own: factor must be a number"):
        Own("a", -1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"weight_penalty": 1e-4},
            r"in layer 0 of Sequential: the penalty of 'weight' must be an instance such as "
            r"L2\(1e-4\), got 0\.0001\.",
        ),
        ({"weight_penalty": dl.L2}, r"must be an instance such as L2\(1e-4\), got <class"),
        (
            {"weight_constraint": 2.0},
            r"the constraint of 'weight' must be an instance such as MaxNorm\(2\.0\), got 2\.0",
        ),
        ({"weight_constraint": dl.L2(1.0)}, r"constraint of 'weight' must be .* got L2\("),
    ],
)
def test_what_is_no_penalty_is_refused_at_build(options, message):
    with pytest.raises(dl.ArgumentTypeError, match=message):
        dl.Sequential([dl.Dense(3, **options)]).build((2,))


class Own(dl.Penalty, dl.Constraint):
    """Returns what the class attributes say."""

    penalty, returned = 0.5, None

    def value(self, w):
        return self.penalty

    def add_gradient(self, w, out):
        out += 1
        return self.returned

    def apply(self, w):
        w *= 2
        return self.returned

    def __repr__(self):
        return "Own()"


def objective_with(held):
    layer = dl.Dense(2, weight_penalty=held, weight_constraint=held).build((3,), dtype=float)
    return dl.Objective(layer, dl.MeanSquaredError())


@pytest.mark.parametrize(
    ("penalty", "got"),
    [
        (np.ones((3, 2)), r"an array of shape \(3, 2\)"),
        ([1.0], r"an array of shape \(1,\)"),
        (None, "None"),
        ("1", "'1'"),
        (1j, "1j"),
    ],
)
def test_a_penalty_is_one_number(monkeypatch, penalty, got):
    objective, x, y = objective_with(Own()), np.zeros((4, 3)), np.zeros((4, 2))
    for number in (2, 0.5, np.float32(0.5), np.array(0.5), np.uint8(1)):
        monkeypatch.setattr(Own, "penalty", number)
        value = objective.value_and_grad(x, y)[0]
        assert (value, type(value)) == (number, float)
    monkeypatch.setattr(Own, "penalty", penalty)
    with pytest.raises(
        dl.ContractError, match=rf"^Own\(\): value must return one number, .*, got {got}\.$"
    ):
        objective.value_and_grad(x, y)


def test_what_would_be_lost_is_not_returned(monkeypatch):
    objective, x, y = objective_with(Own()), np.zeros((4, 3)), np.zeros((4, 2))
    objective.value_and_grad(x, y)
    assert objective.model.grads[:6].tolist() == [1.0] * 6
    objective.model.params = np.ones(8)
    objective.constrain()
    assert objective.model.params.tolist() == [2.0] * 6 + [1.0] * 2
    monkeypatch.setattr(Own, "returned", np.zeros((3, 2)))
    with pytest.raises(
        dl.ContractError,
        match=r"^Own\(\): add_gradient must change out in place, as with out \+= \.\.\. or "
        r"out\[\.\.\.\] = \.\.\., and return nothing\.$",
    ):
        objective.value_and_grad(x, y)
    with pytest.raises(dl.ContractError, match=r"^Own\(\): apply must change w in place, .* w \+="):
        objective.constrain()
