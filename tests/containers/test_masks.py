"""The way of a mask: from the layer that makes it to those that take it, and to the loss."""

import copy

import numpy as np
import pytest

import minidl as dl
from minidl.containers.masks import output_mask

rng = np.random.default_rng(0)


class Positive(dl.Layer):
    """Makes the mask: a step counts if its first feature is above 0."""

    def compute_mask(self, x):
        return x[:, :, 0] > 0

    def forward(self, x, *, training=False, out=None):
        return x

    def backward(self, dy, *, input_grad=True, out=None):
        return dy if input_grad else None


class Sum(dl.Layer):
    """Takes the mask: the sum of the steps that count, for all steps or as one vector."""

    accepts_mask = True

    def __init__(self, return_sequences=False):
        self.return_sequences = return_sequences

    def output_shape(self, input_shape):
        return input_shape if self.return_sequences else input_shape[1:]

    def forward(self, x, *, training=False, out=None, mask=None):
        counts = np.ones(x.shape[:2], bool) if mask is None else mask
        weights = counts[..., np.newaxis].astype(x.dtype)
        if training:
            self.save_for_backward(weights)
        total = (weights * x).sum(axis=1)
        return np.repeat(total[:, np.newaxis], x.shape[1], 1) if self.return_sequences else total

    def backward(self, dy, *, input_grad=True, out=None):
        (weights,) = self.saved()
        total = dy.sum(axis=1) if self.return_sequences else dy
        return weights * total[:, np.newaxis] if input_grad else None


X = rng.normal(size=(4, 5, 2))
X[1, :, 0] = -np.abs(X[1, :, 0])  # a sequence without a single step that counts
COUNTS = X[:, :, 0] > 0
EXPECTED = np.array([x[mask].sum(axis=0) for x, mask in zip(X, COUNTS, strict=True)])

ROUTES = {
    "directly": [Positive(), Sum()],
    "past layers that know nothing of it": [Positive(), dl.Dropout(0.0), Sum()],
    "out of a nested Sequential": [dl.Sequential([Positive()]), Sum()],
    "into a nested Sequential": [Positive(), dl.Sequential([dl.Dropout(0.0), Sum()])],
    "into the branches of a Parallel": [Positive(), dl.Parallel([Sum(), Sum()], "add")],
    "through a Residual": [
        Positive(),
        dl.Residual(Sum(return_sequences=True), Sum(return_sequences=True)),
        dl.Reshape((10,)),
        dl.Dense(2),
    ],
}
PASSES = {
    "inference": lambda model: model.predict(X),
    "a later inference": lambda model: (model.predict(X), model.predict(X))[1],
    "training": lambda model: model.forward(X, training=True),
    "trace": lambda model: list(model.trace(X).values())[-1],
    "in parts": lambda model: model.predict(X, batch_size=1),
}


@pytest.mark.parametrize("run", PASSES.values(), ids=PASSES)
@pytest.mark.parametrize("layers", ROUTES.values(), ids=ROUTES)
def test_a_mask_arrives(layers, run):
    model = dl.Sequential(copy.deepcopy(layers)).build((5, 2), rng=0, dtype=np.float64)
    expected, last = EXPECTED, model.layers[-1]
    if isinstance(last, dl.Parallel):
        expected = 2 * EXPECTED
    elif isinstance(last, dl.Dense):
        expected = np.tile(2 * EXPECTED, 5) @ last.weight
    np.testing.assert_allclose(run(model), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("layers", ROUTES.values(), ids=ROUTES)
def test_gradients_with_a_mask_on_its_way(layers):
    assert dl.check_layer(dl.Sequential(copy.deepcopy(layers)), (5, 2), inputs=X).worst < 1e-6


def test_a_mask_given_by_hand():
    mask = rng.random((4, 5)) < 0.5
    layer = Sum().build((5, 2), dtype=np.float64)
    expected = np.array([x[m].sum(axis=0) for x, m in zip(X, mask, strict=True)])
    np.testing.assert_allclose(layer.forward(X, mask=mask), expected)
    model = dl.Sequential([dl.Dropout(0.0), Sum()]).build((5, 2), dtype=np.float64)
    np.testing.assert_allclose(model.forward(X, mask=mask), expected)
    np.testing.assert_allclose(model.forward(X, mask=mask, training=True), expected)


def test_a_mask_passes_an_embedding_without_padding():
    words, mask = rng.integers(0, 6, (4, 5)), rng.random((4, 5)) < 0.5
    model = dl.Sequential([dl.Embedding(6, 2), Sum()]).build((5,), rng=0, dtype=np.float64)
    vectors = model.layers[0].weight[words]
    expected = np.array([v[m].sum(axis=0) for v, m in zip(vectors, mask, strict=True)])
    np.testing.assert_allclose(model.forward(words, mask=mask), expected)


def test_steps_count_that_no_mask_hides():
    given = rng.random((4, 5)) < 0.5
    model = dl.Sequential([Positive(), Sum()]).build((5, 2), dtype=np.float64)
    both = [x[m & p].sum(axis=0) for x, m, p in zip(X, given, COUNTS, strict=True)]
    np.testing.assert_allclose(model.forward(X, mask=given), both, atol=1e-15)


def test_a_mask_ends_with_the_time_axis():
    model = dl.Sequential([Positive(), dl.Reshape((10, 1)), Sum()])
    model.build((5, 2), dtype=np.float64)  # ten steps, for which five values say nothing
    expected = X.reshape(4, 10).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict(X), expected)
    np.testing.assert_allclose(model.forward(X, training=True), expected)


def test_the_loss_gets_the_mask_if_the_steps_last():
    def mask_behind(layer):
        model = dl.Sequential([Positive(), layer]).build((5, 2), rng=0, dtype=np.float64)
        return output_mask(model.layers, X)

    np.testing.assert_array_equal(mask_behind(dl.Dense(3)), COUNTS)
    assert mask_behind(dl.MaxPool1D(2)) is None
    assert mask_behind(dl.LSTM(5)) is None  # five numbers, not five steps


WRONG = {
    "integers": (np.ones((4, 5), int), dl.DTypeError, r"Sum\(\): expected a mask of booleans.*int"),
    "a list": ([[True] * 5] * 4, dl.DTypeError, r"mask of booleans, .* got list\. From lengths: "),
    "too short": (np.ones((4, 3), bool), dl.ShapeError, r"shape \(N, T\) = \(4, 5\), got \(4, 3\)"),
    "of features": (np.ones((4, 5, 2), bool), dl.ShapeError, "one value for each step"),
}


@pytest.mark.parametrize(("mask", "error", "message"), WRONG.values(), ids=WRONG)
def test_wrong_masks_are_explained(mask, error, message):
    with pytest.raises(error, match=message):
        Sum().build((5, 2), dtype=np.float64).forward(X, mask=mask)


def test_layers_without_a_time_axis_take_no_mask():
    with pytest.raises(dl.ArgumentError, match=r"Dense\(3\): takes no mask"):
        dl.Dense(3).build((2,)).forward(np.ones((1, 2), np.float32), mask=np.ones((1, 1), bool))


# --- at the loss ---------------------------------------------------------------------------


def per_step():
    return dl.Sequential([Positive(), dl.Dense(3), dl.Softmax()]).build((5, 2), rng=0, dtype=float)


LABELS = rng.integers(0, 3, (4, 5))
WEIGHT = np.array([1.0, 2.0, 0.5, 3.0])


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_the_loss_counts_unmasked_steps_alike(weight):
    model = per_step()
    w = np.repeat(np.ones(4) if weight is None else weight, 5).reshape(4, 5)[COUNTS]
    p = model.predict(X)[COUNTS]  # (steps, C)
    expected = -(w * np.log(p[np.arange(len(p)), LABELS[COUNTS]])).sum() / w.sum()
    objective = dl.Objective(model, dl.CrossEntropy())
    value, grads = objective.value_and_grad(X, LABELS, sample_weight=weight)
    assert value == pytest.approx(expected, rel=1e-12)
    assert objective.value(X, LABELS, sample_weight=weight) == pytest.approx(expected, rel=1e-12)
    rows = dl.Sequential([copy.deepcopy(model.layers[1]), dl.Softmax()]).build((2,), dtype=float)
    alone, same = dl.Objective(rows, dl.CrossEntropy()).value_and_grad(
        X[COUNTS], LABELS[COUNTS], sample_weight=w
    )
    assert value == pytest.approx(alone, rel=1e-12)
    np.testing.assert_allclose(grads, same, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("chunk_rows", [1, 3])
def test_chunks_and_masks(chunk_rows):
    whole, parts = (dl.Objective(per_step(), dl.CrossEntropy()) for _ in range(2))
    parts.chunk_rows = chunk_rows
    value, grads = parts.value_and_grad(X, LABELS)
    expected, same = whole.value_and_grad(X, LABELS)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(grads, same, rtol=1e-11, atol=1e-15)


def test_metrics_leave_masked_steps_out():
    model = per_step()
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(1e-12), metrics=[dl.accuracy])
    right = model.predict(X).argmax(axis=-1) == LABELS
    assert trainer.evaluate(X, LABELS)["accuracy"] == pytest.approx(right[COUNTS].mean())
    history = trainer.fit(X, LABELS, epochs=1, batch_size=3, shuffle=False)
    assert history["accuracy"][0] == pytest.approx(right[COUNTS].mean())


def test_mean_squared_error_of_unmasked_steps():
    model = dl.Sequential([Positive(), dl.Dense(2)]).build((5, 2), rng=0, dtype=float)
    target = rng.normal(size=(4, 5, 2))
    expected = ((model.predict(X) - target)[COUNTS] ** 2).mean()
    assert dl.Objective(model, dl.MeanSquaredError()).value(X, target) == pytest.approx(expected)


def test_a_batch_without_any_step_that_counts():
    objective = dl.Objective(per_step(), dl.CrossEntropy())
    value, grads = objective.value_and_grad(X[1:2], LABELS[1:2])
    assert value == 0
    assert not grads.any()


def test_a_mask_for_the_loss_must_arise_in_front():
    model = dl.Sequential([dl.Dense(2), Positive(), dl.Dense(3), dl.Softmax()]).build((5, 2))
    with pytest.raises(dl.ArgumentError, match=r"Positive\(\) in layer 1 .* put that layer first"):
        dl.Objective(model, dl.CrossEntropy())
