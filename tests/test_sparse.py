"""Sparse rows in front of a Dense: the same numbers as from arrays, without ever making one."""

from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl as dl
from minidl.sparse import is_sparse

RNG = np.random.default_rng(0)
DENSE = RNG.normal(size=(60, 40)) * (RNG.random((60, 40)) < 0.1)
SPARSE = sp.csr_array(DENSE)
LABELS = RNG.integers(0, 3, 60)
KINDS = [sp.csr_array, sp.csr_matrix]


@pytest.fixture(autouse=True)
def never_an_array(monkeypatch):
    def refuse(self, *args, **kwargs):
        raise AssertionError("the data were made dense")

    for kind in KINDS:
        monkeypatch.setattr(kind, "toarray", refuse)
        monkeypatch.setattr(kind, "todense", refuse)


def network(dtype=np.float64):
    layers = [dl.Dense(8), dl.ReLU(), dl.Dense(3), dl.Softmax()]
    return dl.Sequential(layers).build((40,), rng=0, dtype=dtype)


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_and_gradients(kind):
    x = kind(SPARSE)
    mine, same = network(), network()
    np.testing.assert_allclose(mine.predict(x), same.predict(DENSE), rtol=1e-12)
    np.testing.assert_allclose(mine(x), same.predict(DENSE), rtol=1e-12)
    np.testing.assert_allclose(mine.predict(x, batch_size=7), same.predict(DENSE), rtol=1e-12)
    objectives = [dl.Objective(model, dl.CrossEntropy(), chunk_rows=16) for model in (mine, same)]
    value, grads = objectives[0].value_and_grad(x, LABELS)
    expected, same_grads = objectives[1].value_and_grad(DENSE, LABELS)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(grads, same_grads, rtol=1e-11, atol=1e-15)
    assert objectives[0].value(x, LABELS) == pytest.approx(objectives[1].value(DENSE, LABELS))


@pytest.mark.parametrize("workers", [1, 2])
def test_many_rows_are_taken_in_parts(monkeypatch, workers):
    monkeypatch.setattr("minidl.layers.planning.MOST_ROWS", 16)
    model, same = network(), network()
    objective = dl.Objective(model, dl.CrossEntropy(), workers=workers)
    value, grads = objective.value_and_grad(SPARSE, LABELS)
    expected, same_grads = dl.Objective(same, dl.CrossEntropy()).value_and_grad(DENSE, LABELS)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(grads, same_grads, rtol=1e-11, atol=1e-15)
    assert objective.value(SPARSE, LABELS) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(model.predict(SPARSE), same.predict(DENSE), rtol=1e-12)


class Lengths(dl.Layer):
    """Notes how many rows it gets."""

    seen: ClassVar = []

    def forward(self, x, *, training=False, out=None):
        Lengths.seen.append(len(x))
        return x

    def backward(self, dy, *, input_grad=True, out=None):
        return dy


@pytest.mark.parametrize(
    ("kind", "chunk_rows", "expected"),
    [
        (sp.csr_array, None, [1024, 476]),
        (sp.csr_array, 600, [600, 600, 300]),
        (sp.csr_array, 100, [100] * 15),
        (sp.csr_array, 2000, [1500]),
        (np.asarray, None, [64] * 23 + [28]),
        (np.asarray, 600, [600, 600, 300]),
    ],
)
def test_chunks_of_sparse_rows(kind, chunk_rows, expected):
    model = dl.Sequential([dl.Dense(700), Lengths(), dl.Dense(2), dl.Softmax()])
    model.build((20_000,), rng=0)
    x, y = kind(np.zeros((1500, 20_000), np.float32)), np.zeros(1500, int)
    objective = dl.Objective(model, dl.CrossEntropy(), chunk_rows=chunk_rows)
    assert objective.rows_at_a_time(x) == (chunk_rows or expected[0])
    calls = [objective.value_and_grad, objective.value]
    for call in calls if chunk_rows else [*calls, lambda x, _: model.predict(x)]:
        Lengths.seen.clear()
        call(x, y)
        assert Lengths.seen == expected


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(1, 6),
    d=st.integers(1, 9),
    units=st.integers(1, 20),
    density=st.sampled_from([0.0, 0.2, 1.0]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_a_dense_layer_of_any_shape(n, d, units, density, dtype):
    rng = np.random.default_rng([n, d, units])
    x = (rng.normal(size=(n, d)) * (rng.random((n, d)) < density)).astype(dtype)
    layers = [dl.Dense(units).build((d,), rng=0, dtype=dtype) for _ in range(2)]
    outputs = []
    for layer, given_x in zip(layers, (sp.csr_array(x), x), strict=True):
        y = layer.forward(given_x, training=True)
        assert y.dtype == dtype
        outputs.append(y)
        assert layer.backward(y, input_grad=False) is None
    tolerance = {"rtol": 1e-4, "atol": 1e-5} if dtype == np.float32 else {"rtol": 1e-11}
    np.testing.assert_allclose(*outputs, **tolerance)
    np.testing.assert_allclose(layers[0].grads, layers[1].grads, **tolerance)


def test_the_gradient_at_sparse_rows():
    layer = dl.Dense(3).build((40,), rng=0, dtype=np.float64)
    y = layer.forward(SPARSE, training=True)
    np.testing.assert_allclose(layer.backward(y), y @ layer.weight.T, rtol=1e-12)


@pytest.mark.parametrize("options", [{}, {"batch_size": 7}, {"validation_split": 0.2}], ids=str)
def test_training(options):
    histories = []
    for x in (SPARSE, DENSE):
        model = network()
        trainer = dl.Trainer(model, dl.CrossEntropy(), dl.Adam(0.01), metrics=[dl.accuracy], rng=0)
        history = trainer.fit(x, LABELS, epochs=3, **options)
        found = {name: list(history[name]) for name in history if name != "seconds"}
        histories.append((found, trainer.evaluate(x, LABELS), model.params.copy()))
    for name, values in histories[0][0].items():
        assert values == pytest.approx(histories[1][0][name], rel=1e-9)
    assert histories[0][1] == pytest.approx(histories[1][1], rel=1e-9)
    np.testing.assert_allclose(histories[0][2], histories[1][2], rtol=1e-6, atol=1e-9)


def test_batches_of_sparse_rows():
    source = dl.batches(SPARSE, LABELS, batch_size=25, rng=0)
    parts = list(source)
    assert len(source) == len(parts) == 3
    assert all(part.format == "csr" for part, _ in parts)
    assert sum(part.nnz for part, _ in parts) == SPARSE.nnz
    trainer = dl.Trainer(network(), dl.CrossEntropy(), dl.SGD(0.1))
    assert np.isfinite(trainer.fit(source, epochs=2)["loss"]).all()


def test_other_sparse_formats_are_converted_at_the_boundary():
    model = network()
    expected = model.predict(SPARSE)
    for form in ("csc", "coo", "lil"):
        np.testing.assert_array_equal(model.predict(SPARSE.asformat(form)), expected)
    np.testing.assert_allclose(model.predict(SPARSE.astype(np.float32)), expected, rtol=1e-5)
    with pytest.raises(dl.DTypeError, match=r"expected sparse rows \(CSR\), got csc: x.tocsr\(\)"):
        model.forward(SPARSE.tocsc())


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (SPARSE[:, :30], dl.ShapeError, r"expected input of shape \(N, 40\), got \(60, 30\)"),
        (SPARSE[:0], dl.ShapeError, "at least one row"),
        (SPARSE.astype(np.int64), dl.DTypeError, "expected dtype float64, got int64"),
    ],
    ids=["columns", "empty", "integers"],
)
def test_wrong_sparse_input_is_explained(x, error, message):
    with pytest.raises(error, match=message):
        network().predict(x)


def test_layers_that_take_arrays_only_say_so():
    model = dl.Sequential([dl.ReLU(), dl.Dense(2)]).build((40,), dtype=np.float64)
    with pytest.raises(dl.DTypeError, match=r"got the sparse csr_array. Only a Dense in front"):
        model.predict(SPARSE)


def test_what_is_not_finite_is_found(monkeypatch):
    monkeypatch.undo()  # the rows concerned may be made dense
    x = SPARSE.copy()
    x.data[3], row = np.nan, int(SPARSE.tocoo().coords[0][3])
    column = int(SPARSE.tocoo().coords[1][3])
    with pytest.raises(dl.DataError, match=f"x has NaN in row {row}, column {column}"):
        network().predict(x)
    trainer = dl.Trainer(network(), dl.CrossEntropy(), dl.SGD(0.1))
    with pytest.raises(dl.DataError, match=f"x has NaN in row {row}, column {column}"):
        trainer.fit(x, LABELS, epochs=1, batch_size=11)


def test_a_sparse_batch_is_only_read():
    x = SPARSE.copy()
    model = network()
    model.forward(x, training=True)
    model.backward(np.ones((60, 3)), input_grad=False)
    np.testing.assert_array_equal(x.data, SPARSE.data)


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_of_a_model(kind):
    x, model = kind(SPARSE), network()
    first = model.layers[0].predict(x)
    np.testing.assert_array_equal(model.forward_to(1, x), first)
    out = np.full((60, 8), np.nan)
    assert model.forward_to(1, x, out=out) is out
    np.testing.assert_array_equal(out, first)
    mine = model.forward_to(0, x)
    assert mine.nnz == x.nnz
    assert not np.shares_memory(mine.data, x.data)
    assert mine.shape == (60, 40)


def test_no_part_of_a_model_into_a_given_array(monkeypatch):
    monkeypatch.undo()
    model, out = network(), np.full((60, 40), np.nan)
    assert model.forward_to(0, SPARSE, out=out) is out
    np.testing.assert_array_equal(out, DENSE)
    with pytest.raises(dl.ShapeError, match=r"expected out of shape \(60, 40\)"):
        model.forward_to(0, DENSE, out=np.zeros((60, 8)))


ONE_HOT = sp.csr_array(np.eye(3)[LABELS])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.fit(SPARSE, ONE_HOT, epochs=1), r"CrossEntropy\(\): targets must be an array"),
        (lambda t: t.fit(DENSE, ONE_HOT, epochs=1), r"the sparse csr_array: y.toarray\(\)\."),
        (lambda t: t.evaluate(SPARSE, ONE_HOT), r"CrossEntropy\(\): targets must be an array"),
        (lambda t: t.objective.value(SPARSE, ONE_HOT), "targets must be an array, got the sparse"),
        (
            lambda t: dl.MeanSquaredError()(np.zeros((60, 3)), ONE_HOT),
            r"MeanSquaredError\(\): targets must be an array",
        ),
        (
            lambda t: dl.BinaryCrossEntropy()(np.full((60, 3), 0.5), ONE_HOT),
            r"BinaryCrossEntropy\(\): targets must be an array",
        ),
        (
            lambda t: t.evaluate(SPARSE, LABELS, sample_weight=SPARSE[:, :1]),
            r"sample_weight must be an array, got the sparse .*: sample_weight.toarray\(\)\.",
        ),
        (lambda t: dl.accuracy(ONE_HOT, ONE_HOT), "accuracy: y_true must be an array, got"),
        (lambda t: dl.accuracy(LABELS, ONE_HOT), r"y_pred must be an array.*y_pred.toarray\(\)"),
        (lambda t: dl.confusion_matrix(ONE_HOT, LABELS), "confusion_matrix: y_true must be an"),
    ],
)
def test_only_the_input_may_be_sparse(call, message):
    with pytest.raises(dl.DTypeError, match=message):
        call(dl.Trainer(network(), dl.CrossEntropy(), dl.SGD(0.1)))


def test_what_counts_as_sparse():
    assert all(is_sparse(kind(SPARSE)) for kind in (*KINDS, sp.coo_array))
    assert not is_sparse(DENSE)
    assert not is_sparse([1, 2])
    assert not is_sparse(SimpleNamespace(nnz=3))
    assert not is_sparse(SimpleNamespace(tocsr=SPARSE.tocsr))
