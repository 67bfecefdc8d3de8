"""The same bits with one core and with several, with one worker and with several."""

import threading

import numpy as np
import pytest

import minidl as dl
from minidl import reading, thread_policy
from minidl.buffers import batch_empty

RNG = np.random.default_rng(0)
DIGITS, LABELS = dl.synthetic_digits(300, rng=0)
WEIGHTS = RNG.random(300)


def images():
    block = batch_empty(300, (28, 28, 1), np.float32)
    block[...] = DIGITS.reshape(300, 28, 28, 1)
    return block


def set_cores(monkeypatch, n, block_bytes=200_000):
    """As if there were n cores, with blocks of 60 digits and so several of them."""
    monkeypatch.setattr(thread_policy, "usable_cores", lambda: n)
    monkeypatch.setattr(thread_policy, "PRODUCTS_A_NUMBER", 16)
    monkeypatch.setattr(reading, "BLOCK_BYTES", block_bytes)


def fitted(x, y, *, units=10, extra=(), workers=1, chunk_rows=None, **options):
    layers = [dl.Flatten(), dl.Dense(units), dl.ReLU(), *(make() for make in extra)]
    model = dl.Sequential([*layers, dl.Dense(10), dl.Softmax()]).build(x.shape[1:], rng=0)
    trainer = dl.Trainer(
        *(model, dl.CrossEntropy(), dl.SGD(0.1, momentum=0.9)),
        metrics=[dl.accuracy],
        workers=workers,
        rng=0,
    )
    trainer.objective.chunk_rows = chunk_rows or trainer.objective.chunk_rows
    trainer.fit(x, y, epochs=2, **options)
    return trainer


def result(trainer, x, y):
    """Everything that a run has computed, apart from times."""
    values = {name: trainer.history[name].tolist() for name in trainer.history if name != "seconds"}
    return trainer.model.params.tobytes(), values, trainer.evaluate(x, y)


def dropout():
    return dl.Dropout(0.3)


RUNS = {
    "batches that divide a block": ({}, {"batch_size": 20}),
    "batches that do not": ({}, {"batch_size": 32}),
    "single rows": ({}, {"batch_size": 1}),
    "all rows but one": ({}, {"batch_size": 299}),
    "all rows": ({}, {"batch_size": 300}),
    "all rows in chunks": ({"chunk_rows": 32}, {"batch_size": 300}),
    "not shuffled": ({}, {"batch_size": 32, "shuffle": False}),
    "dropout": ({"extra": [dropout]}, {"batch_size": 32}),
    "dropout in chunks": ({"extra": [dropout], "chunk_rows": 32}, {"batch_size": 300}),
    "weights": ({}, {"batch_size": 32, "sample_weight": WEIGHTS}),
    "weights in chunks": ({"chunk_rows": 32}, {"batch_size": 300, "sample_weight": WEIGHTS}),
    "class weights": ({}, {"batch_size": 32, "class_weight": {3: 2.0}}),
    "a validation split": ({"chunk_rows": 16}, {"batch_size": 32, "validation_split": 0.4}),
    "validation data": ({}, {"batch_size": 32, "validation_data": (DIGITS, LABELS)}),
}


@pytest.mark.parametrize(("parts", "options"), RUNS.values(), ids=RUNS)
def test_cores_do_not_change_a_bit(monkeypatch, parts, options):
    results = []
    for n, block_bytes in ((1, 200_000), (2, 1), (2, 200_000), (8, 10**9)):
        set_cores(monkeypatch, n, block_bytes)
        results.append(result(fitted(DIGITS, LABELS, **parts, **options), DIGITS, LABELS))
    assert all(found == results[0] for found in results)


@pytest.mark.parametrize("batch_size", [32, 300])
@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.asfortranarray(DIGITS), LABELS),
        (np.repeat(DIGITS, 2, axis=0)[::2], np.repeat(LABELS, 3)[::3]),
        (DIGITS.astype(np.float64), LABELS.tolist()),
        (DIGITS, np.asfortranarray(np.eye(10)[LABELS])),
        (images(), LABELS),
    ],
    ids=["F order", "strided", "float64 and a list", "rows of targets", "batch-innermost"],
)
def test_cores_do_not_change_a_bit_of_any_data(monkeypatch, x, y, batch_size):
    results = []
    for n in (1, 2):
        set_cores(monkeypatch, n)
        trainer = fitted(x, y, chunk_rows=32, batch_size=batch_size)
        results.append(result(trainer, x, y))
    assert results[0] == results[1]
    plain = fitted(DIGITS, LABELS, chunk_rows=32, batch_size=batch_size)
    np.testing.assert_allclose(plain.model.params, trainer.model.params, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("extra", "options"),
    [
        ((), {}),
        ((dropout,), {}),
        ((), {"sample_weight": np.tile(WEIGHTS, 5)}),
        ((dropout,), {"sample_weight": np.tile(WEIGHTS, 5), "class_weight": {0: 0.5}}),
    ],
    ids=["plain", "dropout", "weights", "both"],
)
def test_workers_do_not_change_a_bit(monkeypatch, extra, options):
    monkeypatch.setattr(thread_policy, "PRODUCT_A_WORKER", 64 * 784 * 64)
    x, y = np.tile(DIGITS, (5, 1)), np.tile(LABELS, 5)
    results = []
    for workers in (1, 2, 3):
        trainer = fitted(
            x, y, units=64, extra=extra, workers=workers, chunk_rows=256, batch_size=1500, **options
        )
        assert trainer.objective.workers == workers  # the model is wide enough for them
        results.append(result(trainer, x, y))
    assert all(found == results[0] for found in results)


def test_narrow_models_do_without_workers(monkeypatch):
    monkeypatch.setattr(thread_policy, "PRODUCT_A_WORKER", 8192 * 784 * 10 + 1)
    assert fitted(DIGITS, LABELS, workers=2).objective.workers == 1


class Fails(dl.Callback):
    def on_batch_end(self, trainer, loss):
        raise ZeroDivisionError("by zero")


class Interrupts(dl.Callback):
    def on_batch_end(self, trainer, loss):
        raise KeyboardInterrupt


@pytest.mark.parametrize("batch_size", [20, 300])
def test_no_thread_is_left_behind(monkeypatch, batch_size):
    set_cores(monkeypatch, 2)
    before = set(threading.enumerate())
    trainer = fitted(DIGITS, LABELS, chunk_rows=20, batch_size=batch_size)
    assert set(threading.enumerate()) <= before
    trainer.callbacks = [Fails()]
    with pytest.raises(ZeroDivisionError, match="by zero"):
        trainer.fit(DIGITS, LABELS, epochs=1, batch_size=batch_size)
    assert set(threading.enumerate()) <= before
    trainer.callbacks = [Interrupts()]
    trainer.fit(DIGITS, LABELS, epochs=1, batch_size=batch_size)
    assert "interrupted" in trainer.history.stopped
    assert set(threading.enumerate()) <= before
    trainer.callbacks, x = [], DIGITS.copy()
    x[150, 7] = np.nan
    with pytest.raises(dl.DataError, match="x has NaN in row 150, column 7"):
        trainer.fit(x, LABELS, epochs=1, batch_size=batch_size)
    assert set(threading.enumerate()) <= before


class Looks(dl.Layer):
    """y = x; shows what it is given in training."""

    def __init__(self, show):
        self.show = show

    def forward(self, x, *, training=False, out=None):
        if training:
            self.show(x)
        return x

    def backward(self, dy, *, input_grad=True, out=None):
        return dy


@pytest.mark.parametrize("n", [1, 2])
def test_rows_are_gathered_in_one_buffer_or_ahead_in_two(monkeypatch, n):
    set_cores(monkeypatch, n)
    seen = []
    model = dl.Sequential([Looks(seen.append), dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), rng=0)
    trainer.fit(DIGITS, LABELS, epochs=1, batch_size=60)
    assert not any(np.shares_memory(x, DIGITS) for x in seen)
    same = [np.shares_memory(seen[0], x) for x in seen]
    assert same == ([True] * 5 if n == 1 else [True, False, True, False, True])


@pytest.mark.parametrize("n", [1, 2])
def test_a_full_batch_is_copied_ahead_where_a_core_is_free(monkeypatch, n):
    set_cores(monkeypatch, n)
    seen = []
    model = dl.Sequential([Looks(seen.append), dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
    objective = dl.Objective(model, dl.CrossEntropy(), chunk_rows=30)
    objective.value_and_grad(DIGITS, LABELS)
    assert len(seen) == 10
    assert {np.shares_memory(x, DIGITS) for x in seen} == {n == 1}


@pytest.mark.parametrize("n", [1, 2])
def test_a_full_batch_is_the_data_themselves(monkeypatch, n):
    set_cores(monkeypatch, n)
    seen = []
    model = dl.Sequential([Looks(seen.append), dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1))
    trainer.objective.chunk_rows = 300
    trainer.fit(DIGITS, LABELS, epochs=2, batch_size=300)
    assert [np.shares_memory(x, DIGITS) for x in seen] == [True] * 2
