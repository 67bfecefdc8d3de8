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


class Half(dl.Layer):
    """The first half of the features."""

    def output_shape(self, input_shape):
        return (input_shape[0], input_shape[1] // 2)

    def forward(self, x, *, training=False, out=None):
        return x[..., : x.shape[2] // 2].copy()

    def backward(self, dy, *, input_grad=True, out=None):
        return np.concatenate([dy, np.zeros_like(dy)], axis=2) if input_grad else None


X = rng.normal(size=(4, 5, 2))
X[1, :, 0] = -np.abs(X[1, :, 0])  # a sequence without a single step that counts
COUNTS = X[:, :, 0] > 0
EXPECTED = np.array([x[mask].sum(axis=0) for x, mask in zip(X, COUNTS, strict=True)])

ROUTES = {
    "directly": [Positive(), Sum()],
    "past layers that know nothing of it": [Positive(), dl.Dropout(0.0), Sum()],
    "out of a nested Sequential": [dl.Sequential([Positive()]), Sum()],
    "into a nested Sequential": [Positive(), dl.Sequential([dl.Dropout(0.0), Sum()])],
    "out of the branches of a Parallel": [
        dl.Parallel([Positive(), dl.Sequential([dl.Sequential([Positive()]), dl.Dropout(0.0)])]),
        Half(),
        Sum(),
    ],
    "out of one branch of a Parallel": [dl.Parallel([dl.Dropout(0.0), Positive()]), Half(), Sum()],
    "out of a Residual": [dl.Residual(dl.Sequential([Positive(), dl.Dropout(0.0)])), Sum()],
    "out of nested containers": [
        dl.Residual(dl.Sequential([dl.Parallel([dl.Sequential([Positive()])]), dl.Dropout(0.0)])),
        Sum(),
    ],
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
    if isinstance(last, dl.Parallel) or isinstance(model.layers[0], dl.Residual):
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


@pytest.mark.parametrize(
    ("stride", "steps", "kernel", "padding"), [(1, 5, 3, 1), (2, 1, 1, 0), (2, 5, 5, 4)]
)
def test_a_convolution_with_a_stride_ends_a_mask(stride, steps, kernel, padding):
    layer = dl.Conv1D(2, kernel, stride=stride, padding=padding)
    model = dl.Sequential([Positive(), layer, Sum()]).build((steps, 2), rng=0)
    assert layer.bound.output_shape == (steps, 2)  # as many, but with a stride not the same
    x = -np.ones((1, steps, 2), np.float32)  # of which no step counts
    y = model.trace(x)["1.conv1d"].sum(axis=1)
    assert np.all(y != 0)
    np.testing.assert_allclose(model.predict(x), y if stride > 1 else np.zeros((1, 2)), rtol=1e-6)


def test_the_mask_of_a_parallel_are_the_steps_that_count_in_all_branches():
    class Negative(Positive):
        def compute_mask(self, x):
            return x[:, :, 1] < 0

    parallel = dl.Parallel([Positive(), dl.Tanh(), Negative()])
    model = dl.Sequential([parallel, Sum()]).build((5, 2), dtype=np.float64)
    both = COUNTS & (X[:, :, 1] < 0)
    np.testing.assert_array_equal(parallel.compute_mask(X), both)
    joined = np.concatenate([X, np.tanh(X), X], axis=2)
    expected = [x[m].sum(axis=0) for x, m in zip(joined, both, strict=True)]
    np.testing.assert_allclose(model.predict(X), expected, atol=1e-15)


def test_a_branch_does_not_see_the_masks_of_the_others():
    branches = [Positive(), Sum(return_sequences=True)]
    alone = dl.Parallel(copy.deepcopy(branches)).build((5, 2), dtype=np.float64)
    model = dl.Sequential([dl.Parallel(branches)]).build((5, 2), dtype=np.float64)
    sums = np.repeat(X.sum(axis=1, keepdims=True), 5, axis=1)
    for each in (alone, model):
        np.testing.assert_allclose(each.predict(X)[..., 2:], sums)
        np.testing.assert_allclose(each.forward(X, training=True)[..., 2:], sums)


def test_words_in_two_embeddings_side_by_side():
    words = np.array([[4, 2, 7, 0, 0], [3, 1, 4, 1, 5]])
    both = [dl.Embedding(9, 2, padding_index=0), dl.Embedding(9, 3, padding_index=0)]
    reader = dl.Sequential([dl.Parallel(both), dl.LSTM(3)]).build((None,), rng=0)
    np.testing.assert_array_equal(reader.predict(words)[:1], reader.predict(words[:1, :3]))
    tagger = dl.Sequential([copy.deepcopy(reader.layers[0]), dl.Dense(2), dl.Softmax()])
    objective = dl.Objective(tagger.build((None,), rng=0, dtype=float), dl.CrossEntropy())
    p = tagger.predict(words)[words != 0]
    tags = words % 2
    expected = -np.log(p[np.arange(8), tags[words != 0]]).mean()
    assert objective.value(words, tags) == pytest.approx(expected, rel=1e-12)


def test_who_makes_a_mask():
    plain, padded = dl.Embedding(9, 2), dl.Embedding(9, 2, padding_index=0)
    assert not any(layer.makes_mask for layer in (plain, dl.Tanh(), Sum(), dl.Parallel([plain])))
    assert all(layer.makes_mask for layer in (padded, Positive(), dl.Masking()))
    assert dl.Parallel([plain, padded]).makes_mask
    assert dl.Sequential([padded, dl.Tanh()]).makes_mask
    assert not dl.Sequential([dl.Tanh(), Positive()]).makes_mask
    assert dl.Residual(Positive()).makes_mask
    assert not dl.Residual(dl.Tanh(), Positive()).makes_mask


def test_a_container_tells_the_mask_of_its_first_layer_while_the_steps_last():
    def mask_of(layer):
        return layer.build((5, 2), rng=0, dtype=np.float64).compute_mask(X)

    np.testing.assert_array_equal(mask_of(dl.Sequential([Positive(), dl.Dense(3)])), COUNTS)
    np.testing.assert_array_equal(mask_of(dl.Residual(Positive())), COUNTS)
    assert mask_of(dl.Sequential([Positive(), Sum()])) is None
    assert (
        mask_of(dl.Parallel([dl.Sequential([Positive(), Sum()]), dl.Sequential([Sum()])])) is None
    )
    assert mask_of(dl.Residual(dl.Tanh(), Positive())) is None
    assert mask_of(dl.Parallel([dl.Tanh()])) is None


@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
def test_an_ended_mask_stays_ended_however_layers_are_nested(nested):
    layers = [dl.LSTM(5), dl.Reshape((5, 1))]  # five numbers become five steps
    front = [dl.Sequential(layers)] if nested else layers
    model = dl.Sequential([*front, Sum()]).build((5, 2), rng=0, dtype=np.float64)
    h = model.forward_to(len(front), X)  # without a mask
    mask = np.ones((4, 5), bool)
    mask[:, 0] = False
    expected = model.forward(X, mask=mask)
    inner = layers[0].forward(X, mask=mask)
    assert np.abs(inner - h[..., 0]).max() > 1e-3
    np.testing.assert_allclose(expected, inner.sum(axis=1, keepdims=True), rtol=1e-12)
    np.testing.assert_array_equal(model.forward(X, mask=mask, training=True), expected)


def test_the_loss_gets_the_mask_if_the_steps_last():
    def mask_behind(layer):
        model = dl.Sequential([Positive(), layer]).build((5, 2), rng=0, dtype=np.float64)
        return output_mask(model.layers, X)

    np.testing.assert_array_equal(mask_behind(dl.Dense(3)), COUNTS)
    assert mask_behind(dl.MaxPool1D(2)) is None
    assert mask_behind(dl.MaxPool1D(3, 1, padding="same")) is None
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


MASKS = {
    "integers": (lambda x: (x[..., 0] > 0).astype(int), r"got int64 \(4, 5\)\."),
    "of features": (lambda x: x > 0, r"got bool \(4, 5, 2\)\."),
    "of samples": (lambda x: x[:, 0, 0] > 0, r"got bool \(4,\)\."),
    "a list": (lambda x: (x[..., 0] > 0).tolist(), r"got list\."),
}


@pytest.mark.parametrize(("compute_mask", "got"), MASKS.values(), ids=MASKS)
def test_a_layer_that_makes_a_wrong_mask_is_named(compute_mask, got, monkeypatch):
    monkeypatch.setattr(Positive, "compute_mask", lambda self, x: compute_mask(x))
    model = dl.Sequential([Positive(), Sum(True), dl.Dense(2)]).build((5, 2), dtype=np.float64)
    message = (
        r"Positive\(\) in layer 0 of Sequential: compute_mask must return booleans of shape "
        rf"\(N, T\) = \(4, 5\), True where a step counts, or None; {got}"
    )
    for run in (
        lambda: model.predict(X),
        lambda: model.forward(X, training=True),
        lambda: model.trace(X),
        lambda: dl.Objective(model, dl.MeanSquaredError()).value(X, X),
    ):
        with pytest.raises(dl.ContractError, match=message):
            run()


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


def test_an_epoch_without_any_step_that_counts():
    trainer = dl.Trainer(per_step(), dl.CrossEntropy(), dl.SGD(0.1))
    assert trainer.evaluate(X[1:2], LABELS[1:2]) == {"loss": 0.0}


def test_a_mask_for_the_loss_must_arise_in_front():
    model = dl.Sequential([dl.Dense(2), Positive(), dl.Dense(3), dl.Softmax()]).build((5, 2))
    with pytest.raises(dl.ArgumentError, match=r"Positive\(\) in layer 1 .* put that layer first"):
        dl.Objective(model, dl.CrossEntropy())
    layers = [dl.Dense(2), Positive(), dl.LSTM(3), dl.Softmax()]  # one output a sequence
    model = dl.Sequential(layers).build((5, 2), rng=0)
    assert dl.Objective(model, dl.CrossEntropy()).value(X[:2].astype(np.float32), [0, 1]) > 0


def test_an_embedding_without_padding_may_stand_anywhere():
    branches = dl.Parallel([dl.Embedding(9, 2), dl.Sequential([dl.Embedding(9, 2), dl.Tanh()])])
    tagger = dl.Sequential([branches, dl.Dense(3), dl.Softmax()]).build((5,), rng=0)
    words = rng.integers(0, 9, (4, 5))
    assert np.isfinite(dl.Objective(tagger, dl.CrossEntropy()).value(words, LABELS))


LOST = {
    "inside a body": (dl.Residual(dl.Sequential([dl.Tanh(), Positive()])), "1 of Sequential in"),
    "in a shortcut": (dl.Residual(dl.Tanh(), Positive()), "1 of Residual in"),
    "inside a branch": (
        dl.Parallel([dl.Tanh(), dl.Sequential([dl.Tanh(), dl.Tanh(), Positive()])]),
        "2 of Sequential in layer 1 of Parallel in",
    ),
    "inside a shortcut": (
        dl.Residual(dl.Tanh(), dl.Sequential([dl.Tanh(), Positive(), dl.Tanh()])),
        "1 of Sequential in layer 1 of Residual in",
    ),
    "deeper": (
        dl.Parallel([dl.Residual(dl.Sequential([dl.Tanh(), Positive()]))]),
        "1 of Sequential in layer 0 of Residual in layer 0 of Parallel in",
    ),
}


@pytest.mark.parametrize(("block", "place"), LOST.values(), ids=LOST)
@pytest.mark.parametrize("last", [dl.Tanh, dl.GlobalAveragePool1D], ids=["steps", "means"])
def test_a_mask_that_would_be_lost_is_refused(block, place, last):
    layers = [copy.deepcopy(block), last(), dl.Dense(3), dl.Softmax()]
    model = dl.Sequential(layers).build((5, 2), rng=0)
    with pytest.raises(
        dl.ArgumentError, match=rf"Positive\(\) in layer {place} .*gets lost behind the Residual or"
    ):
        dl.Objective(model, dl.CrossEntropy())


def test_a_mask_that_ends_inside_its_branch_is_not_lost():
    branches = [dl.Sequential([dl.Tanh(), Positive(), Sum()]), dl.Sequential([Positive(), Sum()])]
    model = dl.Sequential([dl.Parallel(branches), dl.Dense(3), dl.Softmax()])
    model.build((5, 2), rng=0, dtype=np.float64)
    assert dl.Objective(model, dl.CrossEntropy()).value(X, LABELS[:, 0]) > 0


@pytest.mark.parametrize("n", [2, 3])
def test_weights_of_images_go_by_rows_and_never_by_lines(n):
    layers = [dl.Embedding(9, 2, padding_index=0), dl.Conv2D(2, 1), dl.Softmax()]
    model = dl.Sequential(layers).build((3, 4), rng=0, dtype=np.float64)
    words, labels = rng.integers(1, 9, (n, 3, 4)), rng.integers(0, 2, (n, 3, 4))
    words[0, 1] = 0  # a line in which nothing counts
    w = np.repeat(WEIGHT[:n], 12).reshape(n, 3, 4)
    w[0, 1] = 0.0
    p = np.take_along_axis(model.predict(words), labels[..., np.newaxis], axis=-1)[..., 0]
    value = dl.Objective(model, dl.CrossEntropy()).value(words, labels, sample_weight=WEIGHT[:n])
    assert value == pytest.approx(-(w * np.log(p)).sum() / w.sum(), rel=1e-12)
