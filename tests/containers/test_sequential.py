import copy
import re

import numpy as np
import pytest

import minidl as dl


def small_model(**options):
    layers = [dl.Dense(4), dl.ReLU(), dl.Sequential([dl.Dense(3), dl.Tanh()]), dl.Dense(2)]
    return dl.Sequential(layers).build((5,), rng=0, **options)


X = np.random.default_rng(0).normal(size=(6, 5))


def test_repr_is_short_and_readable():
    layers = [dl.Dense(10), dl.ReLU(), dl.Dense(10, use_bias=False), dl.Softmax()]
    text = "Sequential([Dense(10), ReLU(), Dense(10, use_bias=False), Softmax()])"
    assert repr(dl.Sequential(layers)) == text
    long = dl.Sequential([dl.Dense(1000 + i) for i in range(20)])
    assert repr(long).splitlines()[:3] == ["Sequential([", "    Dense(1000),", "    Dense(1001),"]
    assert eval(repr(long), vars(dl)).layers[19].units == 1019


def test_repr_of_nested_models_shows_how_they_are_nested():
    layers = [dl.Dense(1000 + i) for i in range(9)]
    block = dl.Sequential(layers)
    lines = repr(dl.Sequential([dl.Sequential([block]), dl.Residual(block), dl.ReLU()])).split("\n")
    inner = [f"Dense({1000 + i})," for i in range(9)]
    assert lines == [
        "Sequential([",
        "    Sequential([",
        "        Sequential([",
        *(f"            {line}" for line in inner),
        "        ]),",
        "    ]),",
        "    Residual(Sequential([",
        *(f"        {line}" for line in inner),
        "    ])),",
        "    ReLU(),",
        "])",
    ]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([dl.ReLU], r"layer 0 must be an instance, got the class ReLU: write ReLU\("),
        ([dl.Dense(2), "relu"], "layer 1 must be a Layer, got 'relu' of type str"),
        ([np.tanh], "layer 0 must be a Layer, got <ufunc 'tanh'>"),
    ],
)
def test_elements_must_be_layers(layers, message):
    with pytest.raises(dl.ArgumentTypeError, match=message):
        dl.Sequential(layers)


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        ([dl.Dense(1)], "[Dense(1)]"),
        ([dl.Dense(1), dl.ReLU()], "[Dense(1), ReLU()]"),
        ([[dl.Dense(1), dl.ReLU()], dl.Dense(2)], "[Dense(1), ReLU(), Dense(2)]"),
    ],
)
def test_layers_without_the_brackets_of_a_list(arguments, written):
    message = re.escape(f"Sequential: expected one list: write Sequential({written}).")
    with pytest.raises(dl.ArgumentTypeError, match=message):
        dl.Sequential(*arguments)


def test_its_arguments_are_its_layers_alone():
    model = dl.Sequential([dl.Dense(1)])
    assert model.config() == {"layers": model.layers}


@pytest.mark.parametrize(
    "late",
    [
        lambda: dl.Embedding(9, 3),
        lambda: dl.Sequential([dl.Embedding(9, 3)]),
        lambda: dl.Parallel([dl.Embedding(9, 3), dl.ReLU()]),
    ],
)
@pytest.mark.parametrize("first", [dl.Dense(4), dl.Dropout(0.5), dl.Embedding(5, 4)])
def test_an_embedding_has_to_be_the_first_layer(first, late):
    message = (
        rf"Sequential: Embedding\(9, 3\) takes indices, and {re.escape(repr(first))} in front of "
        r"it gives other numbers. Embedding must be the first layer\."
    )
    with pytest.raises(dl.ArgumentError, match=message):
        dl.Sequential([copy.deepcopy(first), late()])
    assert dl.Sequential([late(), dl.ReLU()]).layers


def test_it_needs_a_layer():
    with pytest.raises(dl.ArgumentError, match="needs at least one layer"):
        dl.Sequential([])


def test_parts_make_the_whole():
    model = small_model(dtype=np.float64)
    for k in range(5):
        h = model.forward_to(k, X, training=True)
        expected = X
        for layer in model.layers[:k]:
            expected = layer.forward(expected)
        np.testing.assert_array_equal(h, expected)
        dx = model.backward_from(k, np.ones_like(h))
        part = dl.Sequential(small_model(dtype=np.float64).layers[:k]) if k else None
        if part is None:
            np.testing.assert_array_equal(dx, np.ones_like(h))
    y = model.forward(X, training=True)
    dx = model.backward(np.ones_like(y))
    grads = model.grads.copy()
    h = model.forward_to(4, X, training=True)
    np.testing.assert_array_equal(model.backward_from(4, np.ones_like(h)), dx)
    np.testing.assert_array_equal(model.grads, grads)


def test_parts_do_not_mix():
    model = small_model(dtype=np.float64)
    h = model.forward_to(2, X, training=True)
    with pytest.raises(dl.StateError, match=r"backward_from\(3\) needs forward_to\(3"):
        model.backward_from(3, h)
    with pytest.raises(dl.StateError, match="expected dy of shape"):
        model.backward_from(2, h[:2])
    model.backward_from(2, h)
    with pytest.raises(dl.StateError, match="needs a training forward"):
        model.backward_from(2, h)
    model.forward_to(2, X, training=True)
    with pytest.raises(dl.StateError, match=r"backward_from\(4\) needs forward_to\(4"):
        model.backward(h)
    with pytest.raises(dl.ArgumentError, match="k must be between 0 and 4"):
        model.forward_to(5, X)


def test_parts_of_any_length_take_turns():
    model = small_model(dtype=np.float64)
    rng = np.random.default_rng(3)
    for k, n in ((4, 6), (2, 3), (4, 2), (1, 6), (0, 1), (2, 7), (3, 3), (4, 6), (2, 3)):
        x = rng.normal(size=(n, 5))
        fresh = small_model(dtype=np.float64)
        h = model.forward_to(k, x, training=True)
        np.testing.assert_array_equal(h, fresh.forward_to(k, x, training=True))
        np.testing.assert_array_equal(h, model.forward_to(k, x))
        dx = model.backward_from(k, np.cos(h))
        np.testing.assert_array_equal(dx, fresh.backward_from(k, np.cos(h)))
        learned = sum(layer.params.size for layer in model.layers[:k])
        np.testing.assert_array_equal(model.grads[:learned], fresh.grads[:learned])


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_a_part_fills_a_given_out_in_every_pass(k):
    model = small_model(dtype=np.float64)
    expected = model.forward_to(k, X)
    for training in (True, False, True, False):
        h, dx = np.full_like(expected, np.nan), np.full_like(X, np.nan)
        assert model.forward_to(k, X, training=training, out=h) is h
        np.testing.assert_array_equal(h, expected)
        if training:
            assert model.backward_from(k, h, out=dx) is dx
            assert np.isfinite(dx).all()


def test_trace_is_inference_and_keeps_nothing():
    model = dl.Sequential([dl.ReLU(), dl.Dropout(0.5)]).build((6,))
    x = np.ones((3, 6), np.float32)
    np.testing.assert_array_equal(model.trace(x)["1.dropout"], x)
    assert all(layer._saved is None for layer in model.walk())


def test_trace_gives_every_activation_by_name():
    model = small_model(dtype=np.float64)
    trace = model.trace(X)
    assert list(trace) == [
        "0.dense",
        "1.relu",
        "2.sequential.0.dense",
        "2.sequential.1.tanh",
        "2.sequential",
        "3.dense",
    ]
    assert [name for name, _ in model.named_layers()] == [
        "0.dense",
        "1.relu",
        "2.sequential",
        "2.sequential.0.dense",
        "2.sequential.1.tanh",
        "3.dense",
    ]
    np.testing.assert_array_equal(trace["3.dense"], model(X))
    np.testing.assert_array_equal(trace["1.relu"], np.maximum(trace["0.dense"], 0))
    np.testing.assert_array_equal(trace["2.sequential"], trace["2.sequential.1.tanh"])


def test_gradients_before_the_first_parameters_are_not_computed():
    calls = []

    class Watched(dl.ReLU):
        def backward(self, dy, *, input_grad=True, out=None):
            calls.append(input_grad)
            return super().backward(dy, input_grad=input_grad, out=out)

    model = dl.Sequential([Watched(), dl.Dense(3), Watched(), dl.Dense(2)]).build((5,))
    x = X.astype(np.float32)
    model.backward(model.forward(x, training=True), input_grad=False)
    assert calls == [True]  # only the one behind the first Dense
    model.backward(model.forward(x, training=True))
    assert calls == [True, True, True]


def test_changing_the_list_after_build_is_an_error():
    model = small_model()
    model.layers.append(dl.ReLU())
    with pytest.raises(dl.StateError, match="list of layers was changed after build"):
        model.forward(X.astype(np.float32))


def test_a_layer_error_names_the_layer():
    class Breaks(dl.ReLU):
        def forward(self, x, *, training=False, out=None):
            return x @ np.zeros((7, 7), np.float32)

    with pytest.raises(ValueError, match=r"matmul") as raised:
        dl.Sequential([dl.Dense(3), Breaks()]).build((5,)).predict(X)
    assert "in Breaks() in layer 1 of Sequential" in raised.value.__notes__


class Truncates(dl.ReLU):
    def forward(self, x, *, training=False, out=None):
        return super().forward(x[:, :2], training=False)


class Leaks(dl.ReLU):
    def forward(self, x, *, training=False, out=None):
        return super().forward(x, training=training) * np.ones(1)


class Writes(dl.ReLU):
    def forward(self, x, *, training=False, out=None):
        x[x < 0] = 0
        if training:
            self.save_for_backward(x)
        return x.copy()


class WritesBack(dl.ReLU):
    def backward(self, dy, *, input_grad=True, out=None):
        dy *= 2
        return super().backward(dy)


class ReturnsNothing(dl.ReLU):
    def backward(self, dy, *, input_grad=True, out=None):
        super().backward(dy)


class ReturnsRows(dl.ReLU):
    def backward(self, dy, *, input_grad=True, out=None):
        return super().backward(dy)[:1]


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        (Truncates(), dl.ShapeError, r"forward returned shape \(6, 2\), expected \(6, 3\)"),
        (Leaks(), dl.DTypeError, r"forward returned dtype float64, expected float32.*upcasts"),
        (Writes(), dl.ContractError, "forward wrote into its input x"),
        (WritesBack(), dl.ContractError, "backward wrote into dy"),
        (ReturnsNothing(), dl.ContractError, "backward must return an array.*return statement"),
        (ReturnsRows(), dl.ShapeError, r"backward returned shape \(1, 3\), expected \(6, 3\)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, dl.Layer) else "",
)
def test_a_layer_that_breaks_the_contract_is_named(layer, error, message):
    model = dl.Sequential([dl.Dense(3), type(layer)(), dl.Dense(2)]).build((5,), rng=0)
    objective = dl.Objective(model, dl.MeanSquaredError())
    name = rf"{type(layer).__name__}\(\) in layer 1 of Sequential: "
    for _ in range(2):  # not only the first time
        with pytest.raises(error, match=name + message):
            objective.value_and_grad(X.astype(np.float32), np.zeros((6, 2)))


class Same(dl.Layer):
    """y = x, which has nothing to save."""

    def forward(self, x, *, training=False, out=None):
        return x

    def backward(self, dy, *, input_grad=True, out=None):
        return dy


def test_a_pass_is_over_after_backward_although_no_layer_saved_anything():
    inner = dl.Sequential([Same()])
    dl.Sequential([inner, dl.Dense(2)]).build((3,), dtype=np.float64)
    inner.forward(np.ones((4, 3)), training=True)
    inner.backward(np.ones((4, 3)))
    with pytest.raises(dl.StateError, match="Sequential in layer 0 of Sequential: backward needs"):
        inner.backward(np.ones((4, 3)))


def test_a_failed_forward_ends_the_pass_before():
    model = dl.Sequential([dl.Dense(3), dl.MaxPool1D(3), dl.Dense(2)]).build((None, 2), rng=0)
    y = model.forward(np.ones((2, 3, 2), np.float32), training=True)
    with pytest.raises(dl.ShapeError, match="does not fit 2 steps"):
        model.forward(np.ones((3, 2, 2), np.float32), training=True)
    with pytest.raises(dl.StateError, match="needs a training forward before it"):
        model.backward(y)  # whose layers hold parts of both batches
    y = model.forward(np.ones((2, 3, 2), np.float32), training=True)
    assert model.backward(y).shape == (2, 3, 2)


def test_without_parameters_there_is_nothing_to_do():
    model = dl.Sequential([dl.ReLU(), dl.Tanh()]).build((3,), dtype=np.float64)
    y = model.forward(np.ones((2, 3)), training=True)
    assert model.backward(y, input_grad=False) is None


def test_the_first_layer_with_parameters_is_spared_the_gradient_at_its_input():
    wanted = []

    class Watched(dl.Dense):
        def backward(self, dy, *, input_grad=True, out=None):
            wanted.append(input_grad)
            return super().backward(dy, input_grad=input_grad, out=out)

    model = dl.Sequential([dl.ReLU(), Watched(3), Watched(2)]).build((5,))
    y = model.forward(X.astype(np.float32), training=True)
    model.backward(y, input_grad=False)
    assert wanted == [True, False]


def test_a_given_out_reaches_the_layers_at_the_ends():
    seen = []

    class Watched(Same):
        def forward(self, x, *, training=False, out=None):
            seen.append(out)
            return x

        def backward(self, dy, *, input_grad=True, out=None):
            seen.append(out)
            return dy

    model = dl.Sequential([Watched(), dl.ReLU(), Watched()]).build((3,), dtype=np.float64)
    y_out, dx_out = np.empty((2, 3)), np.empty((2, 3))
    model.forward(np.ones((2, 3)), training=True, out=y_out)
    model.backward(np.ones((2, 3)), out=dx_out)
    first, last, last_back, first_back = seen
    assert last is y_out
    assert first_back is dx_out
    assert first is not y_out
    assert last_back is not dx_out
