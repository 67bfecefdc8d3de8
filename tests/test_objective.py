"""Objective: fusion, chunks, weights, and what it refuses."""

import copy
import pickle
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import sparse, special

import minidl as dl
from minidl import chunks, reading, thread_policy

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 6))
Y = RNG.integers(0, 4, 50)


def classifier(*extra, last=dl.Softmax, dtype=np.float64):
    layers = [dl.Dense(5), dl.Tanh(), *extra, dl.Dense(4), *([last()] if last else [])]
    return dl.Sequential(layers).build((6,), rng=1, dtype=dtype)


class ScaleByBatch(dl.Layer):
    """Couples rows: y = x / s with s the root mean square of the whole batch."""

    couples_rows = True

    def forward(self, x, *, training=False, out=None):
        s = np.sqrt(np.mean(x * x))
        if training:
            self.save_for_backward(x, s)
        return x / s

    def backward(self, dy, *, input_grad=True, out=None):
        x, s = self.saved()
        return dy / s - x * (dy * x).sum() / (x.size * s**3)


def test_value_is_the_mean_cross_entropy():
    model = classifier()
    logits = model.forward_to(3, X)
    expected = -special.log_softmax(logits, axis=1)[np.arange(50), Y].mean()
    objective = dl.Objective(model, dl.CrossEntropy())
    loss, grads = objective.value_and_grad(X, Y)
    assert loss == pytest.approx(expected, rel=1e-14)
    assert type(loss) is float
    assert grads is model.grads
    assert objective.value(X, Y) == pytest.approx(expected, rel=1e-14)


def test_fused_gradient_at_the_logits_is_exactly_a_minus_y_over_n():
    seen = []

    class Probe(dl.Layer):
        def forward(self, x, *, training=False, out=None):
            return x

        def backward(self, dy, *, input_grad=True, out=None):
            seen.append(dy.copy())
            return dy

    layers = [copy.deepcopy(layer) for layer in classifier(dtype=np.float32).layers]
    model = dl.Sequential([*layers[:-1], Probe(), layers[-1]]).build(X.shape[1:], rng=0)
    x = X.astype(np.float32)
    dl.Objective(model, dl.CrossEntropy()).value_and_grad(x, Y)
    a = model.forward(x)
    np.testing.assert_array_equal(seen[0], (a - np.eye(4, dtype=np.float32)[Y]) / 50)


@pytest.mark.parametrize(
    ("make", "loss"),
    [
        (lambda: classifier(), dl.CrossEntropy()),
        (lambda: classifier(last=None), dl.CrossEntropy(from_logits=True)),
        (lambda: classifier(last=dl.Sigmoid), dl.BinaryCrossEntropy()),
        (lambda: classifier(last=None), dl.BinaryCrossEntropy(from_logits=True)),
        (lambda: classifier(last=None), dl.MeanSquaredError()),
        (lambda: classifier(ScaleByBatch()), dl.CrossEntropy()),
        (
            lambda: dl.Sequential(
                [
                    dl.Dense(3),
                    dl.Sequential([dl.Tanh(), dl.Sequential([dl.Dense(4), dl.Softmax()])]),
                ]
            ).build((6,), rng=0, dtype=np.float64),
            dl.CrossEntropy(),
        ),
    ],
    ids=["ce", "ce-logits", "bce", "bce-logits", "mse", "coupled", "nested-softmax"],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_gradient_agrees_with_central_differences(make, loss, weighted):
    model = make()
    y = Y if isinstance(loss, dl.CrossEntropy) else np.eye(4)[Y]
    w = RNG.random(50) if weighted else None
    objective = dl.Objective(model, loss, chunk_rows=16)
    grads = objective.value_and_grad(X, y, sample_weight=w)[1].copy()

    def value(params):
        model.params = params
        return objective.value_and_grad(X, y, sample_weight=w)[0]

    numeric = dl.numerical_gradient(value, model.params.copy())
    np.testing.assert_allclose(grads, numeric, rtol=1e-6, atol=1e-8)


def test_fusion_changes_accuracy_not_meaning():
    fused, apart = classifier(), classifier()
    loss, grads = dl.Objective(fused, dl.CrossEntropy()).value_and_grad(X, Y)
    y = apart.forward(X, training=True)
    other, dy = dl.CrossEntropy().value_and_grad(y, Y)
    apart.backward(dy, input_grad=False)
    assert loss == pytest.approx(other, rel=1e-13)
    np.testing.assert_allclose(grads, apart.grads, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("last", "loss", "target"),
    [
        (dl.Softmax(), dl.CrossEntropy(), np.array([1, 1, 0])),
        (dl.Sigmoid(), dl.BinaryCrossEntropy(), np.array([[0, 1], [1, 0], [1, 0]])),
    ],
    ids=["softmax", "sigmoid"],
)
def test_logits_of_1e4_stay_finite_and_useful(dtype, last, loss, target):
    model = dl.Sequential([dl.Dense(2, use_bias=False), copy.deepcopy(last)])
    model.build((1,), dtype=dtype)
    model.layers[0].weight = [[1e4, -1e4]]
    x = np.ones((3, 1), dtype)  # logits (1e4, -1e4): wrong, wrong, right
    value, grads = dl.Objective(model, loss).value_and_grad(x, target)
    assert np.isfinite(value)
    assert value > 1000
    assert np.isfinite(grads).all()
    assert grads[0] > 0.1  # the wrong logit must come down
    assert grads[1] < -0.1


def test_softmax_twice_is_an_error():
    with pytest.raises(
        dl.ArgumentError,
        match=r"Softmax\(\) in layer 3 of Sequential turns logits into probabilities, but "
        r"CrossEntropy\(from_logits=True\) expects logits: Softmax would be applied twice. "
        r"Use CrossEntropy\(\), or remove Softmax\(\)",
    ):
        dl.Objective(classifier(), dl.CrossEntropy(from_logits=True))
    for last, loss in (
        (dl.Sigmoid(), dl.CrossEntropy(from_logits=True)),
        (dl.Sigmoid(), dl.KLDivergence(from_logits=True)),
        (dl.Softmax(), dl.BinaryCrossEntropy(from_logits=True)),
    ):
        model = dl.Sequential([dl.Dense(4), last]).build((6,))
        message = f"{last} in layer 1 of Sequential gives probabilities, but {loss} expects logits."
        with pytest.raises(dl.ArgumentError, match=re.escape(f"{message} Remove {last}.")):
            dl.Objective(model, loss)
    twice = dl.Sequential([dl.Dense(4), dl.Softmax(), dl.Sequential([dl.Softmax()])]).build((6,))
    with pytest.raises(dl.ArgumentError, match="directly after another Softmax"):
        dl.Objective(twice, dl.CrossEntropy())
    with pytest.raises(dl.ArgumentError, match="Sigmoid would be applied twice"):
        dl.Objective(classifier(last=dl.Sigmoid), dl.BinaryCrossEntropy(from_logits=True))


def test_logits_where_probabilities_belong_are_an_error():
    with pytest.raises(
        dl.ArgumentError,
        match=r"gives logits, but CrossEntropy\(\) expects probabilities. Add Softmax\(\) as the "
        r"last layer, or use CrossEntropy\(from_logits=True\)",
    ):
        dl.Objective(classifier(last=None), dl.CrossEntropy())
    model = classifier(last=dl.Tanh)
    with pytest.raises(dl.DataError, match="expected probabilities, got"):
        dl.Objective(model, dl.CrossEntropy()).value_and_grad(X, Y)
    with pytest.raises(dl.DataError, match="expected probabilities, got"):
        dl.Objective(model, dl.CrossEntropy()).value(X, Y)


@pytest.mark.parametrize("weighted", [False, True])
def test_chunks_make_the_whole(weighted):
    w = RNG.random(50) if weighted else None
    whole = dl.Objective(classifier(), dl.CrossEntropy(), chunk_rows=50)
    loss, grads = whole.value_and_grad(X, Y, sample_weight=w)
    for rows in (1, 7, 16, 49):
        parts = dl.Objective(classifier(), dl.CrossEntropy(), chunk_rows=rows)
        part_loss, part_grads = parts.value_and_grad(X, Y, sample_weight=w)
        assert part_loss == pytest.approx(loss, rel=1e-13)
        np.testing.assert_allclose(part_grads, grads, rtol=1e-11, atol=1e-15)
        assert parts.value(X, Y, sample_weight=w) == pytest.approx(loss, rel=1e-13)


def test_any_number_of_workers_gives_the_same_bits():
    results = []
    for workers in (1, 2, 3, 8):
        model = classifier(dl.Dropout(0.4), dtype=np.float32)
        objective = dl.Objective(model, dl.CrossEntropy(), workers=workers, chunk_rows=8)
        x = X.astype(np.float32)
        passes = []
        for _ in range(3):
            loss, grads = objective.value_and_grad(x, Y)
            passes.append((loss, grads.tobytes(), objective.value(x, Y)))
        results.append(passes)
        assert len({p[0] for p in passes}) == 3  # every pass draws other masks
    assert all(result == results[0] for result in results)


def test_chunks_draw_different_masks():
    model = dl.Sequential([dl.Dropout(0.5), dl.Dense(1)]).build((40,), rng=0, dtype=np.float64)
    drawn = []

    class Watch(dl.Layer):
        def forward(self, x, *, training=False, out=None):
            drawn.append((x != 0).tobytes())
            return x

        def backward(self, dy, *, input_grad=True, out=None):
            return dy

    model = dl.Sequential([dl.Dropout(0.5), Watch(), dl.Dense(1)]).build((40,), rng=0)
    objective = dl.Objective(model, dl.MeanSquaredError(), chunk_rows=4)
    x, y = np.ones((12, 40), np.float32), np.zeros((12, 1))
    objective.value_and_grad(x, y)
    objective.value_and_grad(x, y)
    assert len(set(drawn)) == 6


def test_chunked_passes_do_not_touch_the_models_own_generators():
    used, fresh = (classifier(dl.Dropout(0.5)) for _ in range(2))
    dl.Objective(used, dl.CrossEntropy(), chunk_rows=8).value_and_grad(X, Y)
    np.testing.assert_array_equal(used.forward(X, training=True), fresh.forward(X, training=True))


def test_layers_that_couple_rows_see_the_whole_batch():
    model = classifier(ScaleByBatch())
    loss, _ = dl.Objective(model, dl.CrossEntropy(), chunk_rows=8).value_and_grad(X, Y)
    assert loss == dl.Objective(model, dl.CrossEntropy(), chunk_rows=64).value_and_grad(X, Y)[0]


@pytest.mark.parametrize("chunk_rows", [64, 8])
def test_weights_are_repeated_rows(chunk_rows):
    counts = RNG.integers(0, 4, 50)
    model = classifier()
    objective = dl.Objective(model, dl.CrossEntropy(), chunk_rows=chunk_rows)
    loss, grads = objective.value_and_grad(X, Y, sample_weight=counts)
    grads = grads.copy()
    repeated, grads_repeated = objective.value_and_grad(X.repeat(counts, 0), Y.repeat(counts))
    assert loss == pytest.approx(repeated, rel=1e-13)
    np.testing.assert_allclose(grads, grads_repeated, rtol=1e-11, atol=1e-15)


def test_zero_total_weight_gives_zero():
    objective = dl.Objective(classifier(), dl.CrossEntropy())
    loss, grads = objective.value_and_grad(X, Y, sample_weight=np.zeros(50))
    assert loss == 0.0
    assert not grads.any()


def test_value_changes_nothing():
    model = classifier(dl.Dropout(0.5))
    objective = dl.Objective(model, dl.CrossEntropy())
    objective.value_and_grad(X, Y)
    before = pickle.dumps((model.params, model.grads))
    assert objective.value(X, Y) == objective.value(X, Y)
    assert pickle.dumps((model.params, model.grads)) == before


def test_two_threads_on_one_model_are_refused():
    model = classifier()
    model.forward(X, training=True)
    with (
        ThreadPoolExecutor(1) as pool,
        pytest.raises(dl.StateError, match="two training passes at once"),
    ):
        pool.submit(dl.Objective(model, dl.CrossEntropy()).value_and_grad, X, Y).result()


def test_replicas_train_at_once():
    x, models = X.astype(np.float64), [classifier() for _ in range(2)]
    expected = dl.Objective(models[0], dl.CrossEntropy()).value_and_grad(x, Y)[1].copy()
    replicas = [models[1].replica() for _ in range(4)]

    def grads(replica):
        objective = dl.Objective(replica, dl.CrossEntropy())
        return [objective.value_and_grad(x, Y)[1].tobytes() for _ in range(20)]

    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(grads, replicas):
            assert set(found) == {expected.tobytes()}


def test_a_pass_from_outside_is_void_after_the_objectives_own():
    model = classifier()
    y = model.forward(X, training=True)
    dl.Objective(model, dl.CrossEntropy()).value_and_grad(X, Y)
    with pytest.raises(dl.StateError, match="needs a training forward before it"):
        model.backward(np.ones_like(y))


def test_it_survives_copying():
    objective = dl.Objective(classifier(), dl.CrossEntropy(), workers=2, chunk_rows=8)
    loss, _ = objective.value_and_grad(X, Y)
    for twin in (copy.deepcopy(objective), pickle.loads(pickle.dumps(objective))):
        assert twin.value_and_grad(X, Y)[0] == loss
        assert twin.model is not objective.model


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"loss": dl.CrossEntropy}, dl.ArgumentTypeError, r"the class CrossEntropy: write CrossEn"),
        ({"loss": "mse"}, dl.ArgumentTypeError, "loss must be a Loss, got 'mse'"),
        ({"model": dl.Dense}, dl.ArgumentTypeError, "got the class Dense"),
        ({"model": dl.Dense(3)}, dl.StateError, r"Dense\(3\): is not built"),
        ({"workers": 0}, dl.ArgumentError, "workers must be a whole number of at least 1, got 0"),
        ({"chunk_rows": 0.5}, dl.ArgumentError, "chunk_rows must be a whole number"),
        (
            {"model": dl.Sequential([dl.Dense(1), dl.Softmax()]).build((6,))},
            dl.ShapeError,
            r"with C at least 2, got \(N, 1\). For a single yes-or-no output use BinaryCrossEntr",
        ),
    ],
)
def test_wrong_arguments_are_refused(options, error, message):
    arguments = {"model": classifier(), "loss": dl.CrossEntropy()} | options
    with pytest.raises(error, match=message):
        dl.Objective(**arguments)


@pytest.mark.parametrize("loss", [dl.BinaryCrossEntropy(), dl.MeanSquaredError()])
@pytest.mark.parametrize(("kind", "constant"), [(dl.Softmax, 1), (dl.LogSoftmax, 0)])
@pytest.mark.parametrize("place", ["last", "inside", "in front"])
def test_a_softmax_over_one_output_is_refused(kind, constant, place, loss):
    layers = {
        "last": [dl.Dense(1), kind()],
        "inside": [dl.Sequential([dl.Dense(1), dl.Sequential([kind()])])],
        "in front": [dl.Dense(1), kind(), dl.Reshape((1,))],
    }
    model = dl.Sequential(layers[place]).build((6,), rng=0)
    message = (
        rf"{kind.__name__} over one output is always {constant}\. Use Sigmoid\(\) with "
        r"BinaryCrossEntropy\(\)\."
    )
    with pytest.raises(dl.ArgumentError, match=message):
        dl.Objective(model, loss)


def test_softmax_over_two_outputs_and_formulas_of_ones_own_are_not_refused():
    class Own(dl.Softmax):
        def forward(self, x, *, training=False, out=None):
            return x

    for layers in ([dl.Dense(2), dl.Softmax()], [dl.Dense(1), Own()]):
        model = dl.Sequential(layers).build((6,), rng=0)
        assert not dl.Objective(model, dl.MeanSquaredError()).fused


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (X[:, :5], Y, dl.ShapeError, r"expected input of shape \(N, 6\), got \(50, 5\)"),
        (X.astype(np.float32), Y, dl.DTypeError, "expected dtype float64, got float32"),
        (X, Y[:49], dl.ShapeError, r"expected labels of shape \(50,\).*got \(49,\)"),
        (X, Y + 1, dl.DataError, r"labels must be in 0..3 for 4 outputs, got 4 in row"),
        (np.where(X > 2, np.nan, X), Y, dl.DataError, r"x has NaN in row"),
    ],
)
def test_wrong_batches_are_refused(x, y, error, message):
    with pytest.raises(error, match=message):
        dl.Objective(classifier(), dl.CrossEntropy()).value_and_grad(x, y)
    with pytest.raises(error, match=message):
        dl.Objective(classifier(), dl.CrossEntropy()).value(x, y)


def test_a_batch_that_is_not_finite_leaves_the_state():
    layers = [dl.Dense(4), dl.BatchNorm(), dl.Dense(4), dl.Softmax()]
    model = dl.Sequential(layers).build((6,), rng=0, dtype=float)
    objective = dl.Objective(model, dl.CrossEntropy())
    objective.value_and_grad(X, Y)
    before = model.state.copy()
    with pytest.raises(dl.DataError, match="x has NaN in row"):
        objective.value_and_grad(np.where(X > 2, np.nan, X), Y)
    np.testing.assert_array_equal(model.state, before)
    objective.value_and_grad(X, Y)
    assert not np.array_equal(model.state, before)
    model.layers[0].weight[...] = 1e200  # finite data, but squares overflow
    before = model.state.copy()
    objective.value_and_grad(1e200 * X, Y)
    np.testing.assert_array_equal(model.state, before)


def test_a_subclass_with_a_formula_of_its_own_is_not_fused():
    class Temperature(dl.Softmax):
        def forward(self, x, *, training=False, out=None):
            return super().forward(x / 5, training=training, out=out)

        def backward(self, dy, *, input_grad=True, out=None):
            return super().backward(dy / 5, input_grad=input_grad, out=out)

    class Doubled(dl.CrossEntropy):
        def per_sample(self, prediction, target):
            values, gradient = super().per_sample(prediction, target)
            return 2 * values, 2 * gradient

    class Shift(dl.Sequential):
        def forward(self, x, *, training=False, out=None):
            return super().forward(x + 1, training=training, out=out)

    soft = classifier(last=Temperature)
    expected = dl.CrossEntropy().value_and_grad(soft.predict(X), Y)[0]
    assert dl.Objective(soft, dl.CrossEntropy()).value(X, Y) == pytest.approx(expected, rel=1e-12)
    plain = dl.CrossEntropy().value_and_grad(classifier().predict(X), Y)[0]
    doubled = dl.Objective(classifier(), Doubled())
    assert doubled.value(X, Y) == pytest.approx(2 * plain, rel=1e-12)
    shifted = Shift([dl.Dense(4), dl.Softmax()]).build((6,), rng=0, dtype=float)
    expected = dl.CrossEntropy().value_and_grad(shifted.predict(X), Y)[0]
    assert dl.Objective(shifted, dl.CrossEntropy()).value(X, Y) == pytest.approx(expected)


def test_a_changed_option_reaches_the_replicas():
    model = classifier(dl.Dropout(0.9))
    objective = dl.Objective(model, dl.CrossEntropy(), chunk_rows=8)
    objective.value_and_grad(X, Y)
    model.layers[2].rate = 0.0
    assert objective.value_and_grad(X, Y)[0] == pytest.approx(objective.value(X, Y), rel=1e-12)
    replica = objective._chunks._replicas[0].model
    objective.value_and_grad(X, Y)
    assert objective._chunks._replicas[0].model is replica  # not made anew for nothing


def test_layers_with_state_see_the_whole_batch():
    class Sums(dl.Layer):
        def state_specs(self, input_shape):
            return [dl.ParameterSpec("calls", (), dl.Zeros())]

        def forward(self, x, *, training=False, out=None):
            if training:
                self.calls = self.calls + 1
            return x

        def backward(self, dy, *, input_grad=True, out=None):
            return dy

    model = classifier(Sums())
    dl.Objective(model, dl.CrossEntropy(), chunk_rows=8, workers=2).value_and_grad(X, Y)
    assert model.state.tolist() == [1]


def test_a_loss_that_breaks_its_contract_is_named():
    class Writes(dl.MeanSquaredError):
        def per_sample(self, prediction, target):
            prediction += 1
            return (prediction**2).mean(axis=1), prediction.copy()

    class Leaks(dl.MeanSquaredError):
        def per_sample(self, prediction, target):
            return np.zeros(len(target)), np.zeros(prediction.shape)

    class Shapes(dl.MeanSquaredError):
        def per_sample(self, prediction, target):
            return np.zeros(3), prediction.copy()

    x, y = X.astype(np.float32), np.zeros((50, 4))
    for loss, message in ((Writes(), "wrote into"), (Leaks(), "float64"), (Shapes(), r"\(3,\)")):
        for _ in range(2):
            objective = dl.Objective(classifier(last=None, dtype=np.float32), loss)
            with pytest.raises(dl.ContractError, match=rf"{type(loss).__name__}\(\): .*{message}"):
                objective.value_and_grad(x, y)


def test_messages_name_the_loss_as_it_was_written():
    with pytest.raises(dl.DataError, match=r"^CrossEntropy\(\): labels must be in 0..3"):
        dl.Objective(classifier(), dl.CrossEntropy()).value_and_grad(X, Y + 1)


def test_composites_may_train_in_any_thread():
    from cases import Shortcut

    model = dl.Sequential([Shortcut(dl.Dense(6)), dl.Dense(4), dl.Softmax()]).build((6,), rng=0)
    x = X.astype(np.float32)
    objective = dl.Objective(model, dl.CrossEntropy())
    loss = objective.value_and_grad(x, Y)[0]
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(objective.value_and_grad, x, Y).result()[0] == loss
    parts = dl.Objective(model, dl.CrossEntropy(), workers=2, chunk_rows=8)
    assert parts.value_and_grad(x, Y)[0] == pytest.approx(loss, rel=1e-6)


class Threads(dl.Layer):
    """y = x; notes the threads that it runs in, and whether dx is wanted."""

    def __init__(self):
        self.seen, self.wanted = set(), set()

    def forward(self, x, *, training=False, out=None):
        self.seen.add(threading.get_ident())
        return x

    def backward(self, dy, *, input_grad=True, out=None):
        self.wanted.add(input_grad)
        return dy


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_are_threads(workers):
    layer = Threads()
    model = dl.Sequential([dl.Dense(3), layer]).build((6,), dtype=np.float64)
    objective = dl.Objective(model, dl.MeanSquaredError(), workers=workers, chunk_rows=8)
    objective.value_and_grad(X, np.zeros((50, 3)))
    assert (layer.seen == {threading.get_ident()}) == (workers == 1)
    layer.seen.clear()
    objective.value(X, np.zeros((50, 3)))
    assert (layer.seen == {threading.get_ident()}) == (workers == 1)


def test_a_batch_of_just_one_chunk_needs_no_replica():
    objective = dl.Objective(classifier(), dl.CrossEntropy(), chunk_rows=50)
    objective.value_and_grad(X, Y)
    assert not objective._chunks._replicas


def test_nobody_asks_for_the_gradient_at_the_data():
    layer = Threads()
    model = layer.build((4,), dtype=np.float64)
    dl.Objective(model, dl.MeanSquaredError()).value_and_grad(X[:, :4], X[:, :4])
    assert layer.wanted == {False}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("workers", [1, 2])
def test_reading_ahead_changes_no_bit(monkeypatch, workers, weighted):
    w, results = RNG.random(50) if weighted else None, []
    for cores in (1, 2):
        monkeypatch.setattr(thread_policy, "usable_cores", lambda n=cores: n)
        monkeypatch.setattr(reading, "BLOCK_BYTES", 6 * 8 * 10)  # five blocks of 10 rows
        model, outputs = classifier(dl.Dropout(0.3)), np.full((2, 50, 4), np.nan)
        objective = dl.Objective(model, dl.CrossEntropy(), workers=workers, chunk_rows=5)
        target, weight, total = objective.check_batch(X, Y, w)
        value = objective.differentiate(X, target, weight, total, outputs[0])
        value_inferred = objective.evaluate(X, target, weight, total, outputs[1])
        results.append((value, value_inferred, model.grads.tobytes(), outputs.tobytes()))
    assert np.isfinite(outputs).all()
    assert results[0] == results[1]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_chunk_reaches_the_caller_and_the_next_batch_is_right(monkeypatch, workers):
    monkeypatch.setattr(thread_policy, "usable_cores", lambda: 2)
    monkeypatch.setattr(reading, "BLOCK_BYTES", 1)
    before, broken = set(threading.enumerate()), []

    class Breaks(dl.Tanh):
        def forward(self, x, *, training=False, out=None):
            if broken:
                raise ZeroDivisionError("by zero")
            return super().forward(x, training=training, out=out)

    model = classifier(Breaks())
    objective = dl.Objective(model, dl.CrossEntropy(), workers=workers, chunk_rows=5)
    expected, value = objective.value_and_grad(X, Y)[1].copy(), objective.value(X, Y)
    for call in (objective.value_and_grad, objective.value):
        broken.append(True)
        with pytest.raises(ZeroDivisionError, match="by zero"):
            call(X, Y)
        broken.clear()
        assert len(set(threading.enumerate()) - before) == (workers if workers > 1 else 0)
    np.testing.assert_array_equal(objective.value_and_grad(X, Y)[1], expected)
    assert objective.value(X, Y) == value


def test_an_activation_alone_is_a_model():
    model = dl.Softmax().build((6,), dtype=np.float64)
    objective = dl.Objective(model, dl.CrossEntropy())
    expected = -special.log_softmax(X, axis=1)[np.arange(50), Y].mean()
    for _ in range(2):
        value, grads = objective.value_and_grad(X, Y)
        assert value == pytest.approx(expected, rel=1e-14)
        assert objective.value(X, Y) == pytest.approx(expected, rel=1e-14)
        assert grads.size == 0


@pytest.mark.parametrize("chunk_rows", [64, 8])
def test_copies_made_between_passes_share_nothing(chunk_rows):
    objective = dl.Objective(classifier(), dl.CrossEntropy(), workers=2, chunk_rows=chunk_rows)
    objective.value_and_grad(X, Y)
    for twin in (copy.deepcopy(objective), pickle.loads(pickle.dumps(objective))):
        before = objective.model.params.copy(), objective.value_and_grad(X, Y)[1].copy()
        twin.model.params *= 1.5
        other = twin.value_and_grad(X, Y)[1]
        assert not np.shares_memory(other, objective.model.grads)
        np.testing.assert_array_equal(objective.model.params, before[0])
        np.testing.assert_array_equal(objective.model.grads, before[1])
        fresh = classifier()
        fresh.params = twin.model.params
        fresh = dl.Objective(fresh, dl.CrossEntropy(), chunk_rows=chunk_rows)
        np.testing.assert_array_equal(fresh.value_and_grad(X, Y)[1], other)


@pytest.mark.parametrize("chunk_rows", [64, 8])
def test_a_pickle_carries_no_buffers(chunk_rows):
    objective = dl.Objective(classifier(), dl.CrossEntropy(), workers=2, chunk_rows=chunk_rows)
    before = len(pickle.dumps(objective))
    objective.value_and_grad(X, Y)
    objective.value(X, Y)
    assert len(pickle.dumps(objective)) < before + 100  # activations are thousands of bytes


@pytest.mark.parametrize("target", [Y, np.eye(4)[Y]], ids=["labels", "rows"])
def test_log_softmax_with_a_loss_for_logits_is_the_mean_negative_log_probability(target):
    ended, plain = classifier(last=dl.LogSoftmax), classifier(last=None)
    loss = dl.CrossEntropy(from_logits=True)
    value, grads = dl.Objective(ended, loss).value_and_grad(X, target)
    assert value == pytest.approx(-ended(X)[np.arange(50), Y].mean(), rel=1e-13)
    expected, expected_grads = dl.Objective(plain, loss).value_and_grad(X, target)
    assert value == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(grads, expected_grads, rtol=1e-10, atol=1e-14)
    assert dl.Objective(ended, loss).value(X, target) == pytest.approx(expected, rel=1e-13)
    outputs = dl.Objective(ended, loss).probabilities(ended(X))
    np.testing.assert_allclose(outputs, np.exp(ended(X)), rtol=1e-12)
    assert loss.value_and_grad(ended(X), target)[0] == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_softmax_of_logits_of_1e4_stays_finite_and_useful(dtype):
    model = dl.Sequential([dl.Dense(2, use_bias=False), dl.LogSoftmax()]).build((1,), dtype=dtype)
    model.layers[0].weight = [[1e4, -1e4]]
    objective = dl.Objective(model, dl.CrossEntropy(from_logits=True))
    value, grads = objective.value_and_grad(np.ones((1, 1), dtype), np.array([1]))
    assert value == 2e4
    np.testing.assert_array_equal(grads, [1, -1])


def test_log_probabilities_where_probabilities_belong_are_an_error():
    model = classifier(last=dl.LogSoftmax)
    with pytest.raises(
        dl.ArgumentError,
        match=r"LogSoftmax\(\) in layer 3 of Sequential gives logarithms of probabilities, but "
        r"CrossEntropy\(\) expects probabilities. Put Softmax\(\) in its place, or use "
        r"CrossEntropy\(from_logits=True\)\.",
    ):
        dl.Objective(model, dl.CrossEntropy())
    with pytest.raises(
        dl.ArgumentError, match=r"Put Sigmoid\(\) in its place, or use CrossEntropy\(from_logits"
    ):
        dl.Objective(model, dl.BinaryCrossEntropy())
    with pytest.raises(dl.DataError, match=r"or use CrossEntropy\(from_logits=True\)"):
        dl.CrossEntropy().value_and_grad(model(X), Y)


def penalized(*extra, penalty=dl.L1L2(0.02, 0.03), dtype=np.float64):  # noqa: B008 (frozen)
    layers = [dl.Dense(5, weight_penalty=penalty), dl.Tanh(), *extra, dl.Dense(4), dl.Softmax()]
    return dl.Sequential(layers).build((6,), rng=1, dtype=dtype)


def test_a_penalty_is_added_once_a_batch():
    plain, model = penalized(penalty=None), penalized()
    w = model.layers[0].weight
    penalty = 0.02 * np.abs(w).sum() + 0.03 * (w * w).sum()
    gradient = 0.02 * np.sign(w) + 0.06 * w
    for options in ({}, {"chunk_rows": 7}, {"chunk_rows": 7, "workers": 3}, {"chunk_rows": 50}):
        loss, _ = dl.Objective(plain, dl.CrossEntropy(), **options).value_and_grad(X, Y)
        objective = dl.Objective(model, dl.CrossEntropy(), **options)
        for _ in range(2):
            value, _ = objective.value_and_grad(X, Y)
            assert value == pytest.approx(loss + penalty, rel=1e-14)
            difference = model.layers[0].gradients["weight"] - plain.layers[0].gradients["weight"]
            np.testing.assert_allclose(difference, gradient, rtol=1e-9)
            np.testing.assert_array_equal(
                model.layers[2].gradients["weight"], plain.layers[2].gradients["weight"]
            )
        assert objective.value(X, Y) == dl.Objective(plain, dl.CrossEntropy()).value(X, Y)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_penalties_under_workers_have_the_same_bits(workers):
    results = []
    for n in (1, workers):
        model = penalized(dl.Dropout(0.4), dtype=np.float32)
        objective = dl.Objective(model, dl.CrossEntropy(), workers=n, chunk_rows=8)
        value, grads = objective.value_and_grad(X.astype(np.float32), Y)
        results.append((value, grads.tobytes()))
    assert results[0] == results[1]


def test_penalties_stay_when_no_row_counts():
    model = penalized()
    w = model.layers[0].weight
    objective = dl.Objective(model, dl.CrossEntropy())
    value, grads = objective.value_and_grad(X, Y, sample_weight=np.zeros(50))
    assert value == pytest.approx(0.02 * np.abs(w).sum() + 0.03 * (w * w).sum(), rel=1e-14)
    np.testing.assert_allclose(
        model.layers[0].gradients["weight"], 0.02 * np.sign(w) + 0.06 * w, rtol=1e-14
    )
    assert not model.layers[2].gradients["weight"].any()
    assert grads.any()


def test_penalties_do_not_depend_on_weights_and_masks():
    def padded(penalty):
        layers = [
            dl.Embedding(6, 3, padding_index=0, weight_penalty=penalty),
            dl.LSTM(2, return_sequences=True, weight_penalty=penalty),
            dl.Dense(4),
            dl.Softmax(),
        ]
        return dl.Sequential(layers).build((5,), rng=0, dtype=float)

    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 6, (8, 5)), rng.integers(0, 4, (8, 5))
    model = padded(dl.L2(0.5))
    arrays = (model.layers[0].weight, model.layers[1].weight, model.layers[1].recurrent_weight)
    penalty = sum(0.5 * (w * w).sum() for w in arrays)
    for options in ({}, {"sample_weight": rng.random(8)}):
        for chunk_rows in (3, 8):
            plain, held = (
                dl.Objective(m, dl.CrossEntropy(), chunk_rows=chunk_rows)
                for m in (padded(None), model)
            )
            loss = plain.value_and_grad(x, y, **options)[0]
            assert held.value_and_grad(x, y, **options)[0] == pytest.approx(loss + penalty)


def test_the_penalty_of_a_frozen_layer_is_left_out():
    model = penalized()
    objective = dl.Objective(model, dl.CrossEntropy())
    with_penalty = objective.value_and_grad(X, Y)[0]
    model.layers[0].trainable = False
    without, grads = objective.value_and_grad(X, Y)
    grads = grads.copy()
    assert with_penalty > without
    assert (
        without == dl.Objective(penalized(penalty=None), dl.CrossEntropy()).value_and_grad(X, Y)[0]
    )
    model.layers[0].trainable, model.trainable = True, False  # inside a frozen model
    assert objective.value_and_grad(X, Y)[0] == without
    np.testing.assert_array_equal(model.grads, grads)


def test_options_count_as_they_are_when_the_objective_is_made():
    model = penalized(penalty=None)
    before = dl.Objective(model, dl.CrossEntropy())
    plain = before.value_and_grad(X, Y)[0]
    model.layers[0].weight_penalty = dl.L2(1.0)
    model.layers[0].weight_constraint = dl.MaxNorm(0.1)
    assert before.value_and_grad(X, Y)[0] == plain
    objective = dl.Objective(model, dl.CrossEntropy())
    expected = plain + (model.layers[0].weight ** 2).sum()
    assert objective.value_and_grad(X, Y)[0] == pytest.approx(expected, rel=1e-14)
    for twin in (copy.deepcopy(objective), pickle.loads(pickle.dumps(objective))):
        assert twin.value_and_grad(X, Y)[0] == pytest.approx(expected, rel=1e-14)
        twin.constrain()
        assert np.linalg.norm(twin.model.layers[0].weight, axis=0).max() < 0.1 + 1e-12
    assert np.linalg.norm(model.layers[0].weight, axis=0).max() > 0.5


def test_training_shows_penalties_in_its_loss_but_not_in_that_of_validation():
    model = penalized(penalty=dl.L2(10.0))
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(1e-12), rng=0)
    history = trainer.fit(X, Y, epochs=1, batch_size=16, validation_data=(X, Y))
    penalty = 10 * (model.layers[0].weight ** 2).sum()
    loss = dl.Objective(model, dl.CrossEntropy()).value(X, Y)
    assert history["val_loss"][0] == pytest.approx(loss, rel=1e-9)
    assert history["loss"][0] == pytest.approx(loss + penalty, rel=1e-9)
    assert trainer.evaluate(X, Y)["loss"] == history["val_loss"][0]


def test_a_penalty_of_ones_own_may_return_a_numpy_scalar():
    class Sum(dl.Penalty):
        def __post_init__(self):
            pass

        def value(self, w):
            return w.sum()

        def add_gradient(self, w, out):
            out += 1

    model = penalized(penalty=Sum())
    assert type(dl.Objective(model, dl.CrossEntropy()).value_and_grad(X, Y)[0]) is float


def test_no_worker_is_left_at_a_replica_after_an_error():
    begun, ended = threading.Event(), threading.Event()

    class Breaks(dl.Tanh):
        def forward(self, x, *, training=False, out=None):
            if x[0, 0] < 0:  # in the first chunk
                assert begun.wait(5)
                raise ZeroDivisionError("by zero")
            begun.set()
            time.sleep(0.05)
            ended.set()
            return super().forward(x, training=training, out=out)

    model = dl.Sequential([Breaks(), dl.Dense(4), dl.Softmax()]).build((1,), rng=0, dtype=float)
    objective = dl.Objective(model, dl.CrossEntropy(), workers=2, chunk_rows=25)
    x = np.repeat([[-1.0], [1.0]], 25, axis=0)
    for call in (objective.value_and_grad, objective.value):
        begun.clear()
        ended.clear()
        with pytest.raises(ZeroDivisionError, match="by zero"):
            call(x, Y)
        assert ended.is_set()


def test_masked_steps_have_no_weight():
    layers = [dl.Embedding(6, 3, padding_index=0), dl.Dense(4), dl.Softmax()]
    objective = dl.Objective(dl.Sequential(layers).build((3,), rng=0), dl.CrossEntropy())
    x, y = np.array([[1, 2, 0], [3, 0, 0]]), np.zeros((2, 3), int)
    counted = x != 0
    steps = np.array([[0.5, 2.0, 3.0], [0.25, 1.0, 1.0]])
    for given, expected in (
        (None, counted),
        ([2.0, 3.0], counted * [[2.0], [3.0]]),
        (steps, counted * steps),
    ):
        _, weight, total = objective.check_batch(x, y, given)
        np.testing.assert_array_equal(weight, expected)
        assert (total, type(total)) == (expected.sum(), float)


@pytest.mark.parametrize("ahead", [False, True])
def test_dense_rows_alone_are_read_ahead(monkeypatch, ahead):
    seen = []

    def in_stretches(x, rows, ahead):
        seen.append(ahead)
        return reading.in_stretches(x, rows, False)

    monkeypatch.setattr(chunks, "in_stretches", in_stretches)
    monkeypatch.setattr("minidl.objective.worth_reading_ahead", lambda *_: ahead)
    objective = dl.Objective(classifier(), dl.CrossEntropy(), chunk_rows=8)
    dense = objective.value(X, Y)
    assert objective.value(sparse.csr_array(X), Y) == pytest.approx(dense, rel=1e-12)
    assert seen == [ahead, False]
